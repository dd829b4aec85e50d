//! The names of files and directories, as Apache Kafka gives them.

use crate::model::{Offset, TopicPartition, Uuid};

pub(crate) const LOG: &str = ".log";
pub(crate) const OFFSET_INDEX: &str = ".index";
pub(crate) const TIME_INDEX: &str = ".timeindex";
pub(crate) const TXN_INDEX: &str = ".txnindex";
pub(crate) const PRODUCER_SNAPSHOT: &str = ".snapshot";
/// Waits for its removal.
pub(crate) const DELETED: &str = ".deleted";
/// Output of a compaction that has not ended.
pub(crate) const CLEANED: &str = ".cleaned";
/// What a repair cut out, or put aside.
pub(crate) const CUT: &str = ".cut";
/// The next version of a file that is replaced as a whole.
pub(crate) const TEMPORARY: &str = ".tmp";
/// Complete replacement that waits for its final name.
pub(crate) const SWAP: &str = ".swap";

pub(crate) const LEADER_EPOCH_CHECKPOINT: &str = "leader-epoch-checkpoint";
pub(crate) const PARTITION_METADATA: &str = "partition.metadata";

pub(crate) const RECOVERY_POINT_CHECKPOINT: &str = "recovery-point-offset-checkpoint";
pub(crate) const HIGH_WATERMARK_CHECKPOINT: &str = "replication-offset-checkpoint";
pub(crate) const LOG_START_OFFSET_CHECKPOINT: &str = "log-start-offset-checkpoint";
pub(crate) const CLEANER_CHECKPOINT: &str = "cleaner-offset-checkpoint";
pub(crate) const META_PROPERTIES: &str = "meta.properties";
pub(crate) const CLEAN_SHUTDOWN: &str = ".kafka_cleanshutdown";
pub(crate) const LOCK: &str = ".lock";

/// Where a Kafka without ZooKeeper keeps topics and settings.
pub(crate) const CLUSTER_METADATA_DIR: &str = "__cluster_metadata-0";

/// Files in a log dir that are Kafka's, or ours.
const FILES_OF_LOG_DIR: [&str; 9] = [
    RECOVERY_POINT_CHECKPOINT,
    HIGH_WATERMARK_CHECKPOINT,
    LOG_START_OFFSET_CHECKPOINT,
    CLEANER_CHECKPOINT,
    META_PROPERTIES,
    CLEAN_SHUTDOWN,
    LOCK,
    "broker-metadata-checkpoint",
    "bootstrap.checkpoint",
];

/// Directories in a log dir that are Kafka's, yet no ordinary partitions.
const EXEMPT_DIRS: [&str; 2] = ["remote-log-index-cache", CLUSTER_METADATA_DIR];

/// The longest file name that file systems take.
const MAX_FILE_NAME_LEN: usize = 255;

/// `<20 digits><suffix>` (Kafka: `LogFileUtils#filenamePrefixFromOffset`).
pub(crate) fn of_offset(offset: Offset, suffix: &str) -> String {
    format!("{offset:020}{suffix}")
}

/// The offset that a file name starts with: the digits before the first dot.
pub(crate) fn offset_of(name: &str) -> Option<Offset> {
    let (digits, _) = name.split_once('.')?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// The base offset of a segment, from its file's name; `None` for any other file.
pub(crate) fn log_file_offset(name: &str) -> Option<Offset> {
    offset_of(name).filter(|offset| name == of_offset(*offset, LOG))
}

/// Whether a file within a log dir belongs there, by its name.
pub(crate) fn is_file_of_log_dir(name: &str) -> bool {
    let known = name.strip_suffix(TEMPORARY).unwrap_or(name);
    FILES_OF_LOG_DIR.contains(&known) || name.ends_with(CUT)
}

/// What a directory within a log dir is, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DirName {
    /// A partition.
    Partition(TopicPartition),
    /// A partition that waits for its removal.
    Deleted,
    /// A partition that is moved in from another log dir.
    Future(TopicPartition),
    /// A partition that Kafka put aside.
    Stray,
    /// Kafka's, but not a partition.
    Exempt,
    /// Nobody knows.
    Foreign,
}

/// Reads the name of a directory (Kafka: `LogManager#loadLogs`, `LocalLog#parseTopicPartitionName`).
pub(crate) fn dir_name(name: &str) -> DirName {
    if EXEMPT_DIRS.contains(&name) {
        return DirName::Exempt;
    }
    if let Some((partition, tail)) = name.rsplit_once('.')
        && let Some((hex, kind)) = tail.split_once('-')
        && hex.len() == 32
        && hex.bytes().all(|b| b.is_ascii_hexdigit())
    {
        match kind {
            "delete" => return DirName::Deleted,
            "stray" => return DirName::Stray,
            "future" => {
                return TopicPartition::parse(partition).map_or(DirName::Foreign, DirName::Future);
            }
            _ => {}
        }
    }
    TopicPartition::parse(name).map_or(DirName::Foreign, DirName::Partition)
}

/// The name under which a partition's directory waits for its removal; the topic is cut where the whole
/// would be too long (Kafka: `LocalLog#logDeleteDirName`).
pub(crate) fn deleted_dir(partition: &TopicPartition, id: Uuid) -> String {
    let suffix = format!("-{}.{}-delete", partition.partition(), id.to_hex());
    let room = MAX_FILE_NAME_LEN.saturating_sub(suffix.len());
    let topic: String = partition.topic().chars().take(room).collect();
    topic + &suffix
}

/// The name under which a partition's directory is filled that moves in from another log dir; `None` where the topic's
/// name leaves no room for it (Kafka: `UnifiedLog#logFutureDirName`).
pub(crate) fn future_dir(partition: &TopicPartition, id: Uuid) -> Option<String> {
    let name = format!("{partition}.{}-future", id.to_hex());
    (name.len() <= MAX_FILE_NAME_LEN).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_twenty_digits_and_read_by_those_before_the_first_dot() {
        assert_eq!(of_offset(42, LOG), "00000000000000000042.log");
        assert_eq!(offset_of("00000000000000000042.log.deleted"), Some(42));
        assert_eq!(offset_of("7.index"), Some(7));
        for name in ["", ".log", "x.log", "00000000000000000042", "-1.log", "99999999999999999999.log"] {
            assert_eq!(offset_of(name), None, "{name}");
        }
    }

    #[test]
    fn directories_are_told_apart_by_their_names() {
        let id = Uuid::from_bytes([0xab; 16]);
        let partition = TopicPartition::new("a-b.c", 3);
        assert_eq!(dir_name("a-b.c-3"), DirName::Partition(partition.clone()));
        assert_eq!(dir_name(&deleted_dir(&partition, id)), DirName::Deleted);
        assert_eq!(dir_name(&future_dir(&partition, id).unwrap()), DirName::Future(partition));
        assert_eq!(dir_name(&format!("a-b.c-3.{}-stray", id.to_hex())), DirName::Stray);
        assert_eq!(dir_name("remote-log-index-cache"), DirName::Exempt);
        for name in ["nodash", "x-", "-1", "x-1a", "lost+found"] {
            assert_eq!(dir_name(name), DirName::Foreign, "{name}");
        }
    }

    #[test]
    fn a_long_topic_name_leaves_no_room_for_a_move() {
        let name = |len| future_dir(&TopicPartition::new("t".repeat(len), 0), Uuid::from_bytes([1; 16]));
        assert_eq!(name(213).map(|name| name.len()), Some(255));
        assert_eq!(name(214), None);
    }

    #[test]
    fn files_of_a_log_dir_are_known_by_their_names() {
        for name in [
            "meta.properties",
            ".lock",
            "bootstrap.checkpoint",
            "cleaner-offset-checkpoint.tmp",
            "meta.properties.1.cut",
        ] {
            assert!(is_file_of_log_dir(name), "{name}");
        }
        for name in ["notes.txt", "x.tmp", "00000000000000000000.log"] {
            assert!(!is_file_of_log_dir(name), "{name}");
        }
    }

    #[test]
    fn the_name_of_a_deleted_directory_never_exceeds_255_characters() {
        let partition = TopicPartition::new("t".repeat(249), 2_000_000_000);
        let name = deleted_dir(&partition, Uuid::from_bytes([1; 16]));
        assert_eq!(name.len(), 255);
        assert_eq!(dir_name(&name), DirName::Deleted);
    }
}
