use std::sync::Arc;

use super::*;
use crate::log::LogError;
use crate::model::{TopicPartition, Uuid};
use crate::sys::{FileSystem, OpenOptions, OsFileSystem};

fn fs() -> Arc<dyn FileSystem> {
    Arc::new(OsFileSystem::without_sync())
}

#[test]
fn an_offset_checkpoint_has_the_lines_that_kafka_writes() {
    let dir = tempfile::tempdir().unwrap();
    let file = OffsetCheckpointFile::new(fs(), dir.path(), "recovery-point-offset-checkpoint");
    assert!(file.read().unwrap().is_empty());
    let offsets = [(TopicPartition::new("b-c", 0), 7), (TopicPartition::new("a", 10), i64::MAX)];
    file.write(offsets.clone()).unwrap();
    let path = dir.path().join("recovery-point-offset-checkpoint");
    assert_eq!(fs().read(&path, 1000).unwrap(), b"0\n2\na 10 9223372036854775807\nb-c 0 7\n");
    assert_eq!(file.read().unwrap(), offsets.into_iter().collect());
}

#[test]
fn a_damaged_checkpoint_is_refused_with_the_line_that_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("c");
    let read = |content: &[u8]| {
        let file = fs().open(&path, OpenOptions::REPLACE).unwrap();
        file.write_all_at(content, 0).unwrap();
        match OffsetCheckpointFile::new(fs(), dir.path(), "c").read() {
            Ok(offsets) => Ok(offsets.len()),
            Err(LogError::Malformed { what, .. }) => Err(what),
            Err(error @ LogError::NewerFormat { .. }) => Err(error.to_string()),
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(read(b""), Ok(0));
    assert_eq!(read(b"0\n1\na 0 5\n"), Ok(1));
    assert_eq!(read(b"x\n1\na 0 5\n").unwrap_err(), "version x is not known");
    assert_eq!(
        read(b"1\n1\na 0 5\n").unwrap_err(),
        format!(
            "{} is of a newer format: version 1 is newer than any that is known (0 is the newest); open the \
             directory with the version that wrote it, the file is left as it is",
            path.display()
        )
    );
    assert_eq!(read(b"0\nx\n").unwrap_err(), "line 2 is 'x', not a number of entries");
    assert_eq!(read(b"0\n2\na 0 5\n").unwrap_err(), "1 entries follow where 2 are announced");
    assert_eq!(read(b"0\n99999999999\n").unwrap_err(), "0 entries follow where 99999999999 are announced");
    assert_eq!(read(b"0\n1\na 0 5\nb 0 5\n").unwrap_err(), "line 4 follows the last of 1 entries");
    assert_eq!(read(b"0\n1\na 0\n").unwrap_err(), "line 3 is 'a 0'");
    assert_eq!(read(b"0\n1\na 0 5 6\n").unwrap_err(), "line 3 is 'a 0 5 6'");
    assert!(read(b"0\n1\n\xff 0 5\n").is_err());
}

#[test]
fn leader_epochs_have_the_lines_that_kafka_writes() {
    let entries = [EpochEntry { epoch: 0, start_offset: 0 }, EpochEntry { epoch: 4, start_offset: 1_000 }];
    let text = format_leader_epochs(&entries);
    assert_eq!(text, b"0\n2\n0 0\n4 1000\n");
    assert_eq!(parse_leader_epochs(&text).unwrap(), entries);
    assert!(parse_leader_epochs(b"0\n1\n4\n").is_err());
}

#[test]
fn partition_metadata_has_the_lines_that_kafka_writes() {
    let id: Uuid = "BwcHBwcHBwcHBwcHBwcHBw".parse().unwrap();
    let text = format_partition_metadata(id);
    assert_eq!(text, b"version: 0\ntopic_id: BwcHBwcHBwcHBwcHBwcHBw");
    assert_eq!(parse_partition_metadata(&text), Ok(id));
    assert_eq!(parse_partition_metadata(b"version: 0\r\ntopic_id:BwcHBwcHBwcHBwcHBwcHBw\r\n"), Ok(id));
    for damaged in
        ["", "version: 1\ntopic_id: BwcHBwcHBwcHBwcHBwcHBw", "version: 0\n", "version: 0\ntopic_id: x"]
    {
        assert!(parse_partition_metadata(damaged.as_bytes()).is_err(), "{damaged}");
    }
}

#[test]
fn meta_properties_of_both_versions_are_read_and_written() {
    let of_zookeeper = b"#\n#Mon Jan 01 00:00:00 UTC 2024\ncluster.id=abc\nversion=0\nbroker.id=3\nx=y\n";
    let found = MetaProperties::parse(of_zookeeper).unwrap();
    assert_eq!((found.version, found.node_id, found.cluster_id.as_deref()), (0, Some(3), Some("abc")));
    let ours = MetaProperties {
        version: 1,
        node_id: Some(3),
        cluster_id: Some("abc".to_owned()),
        directory_id: Some(Uuid::from_bytes([7; 16])),
    };
    let text = ours.format();
    assert_eq!(
        String::from_utf8_lossy(&text),
        "#\nversion=1\nnode.id=3\ncluster.id=abc\ndirectory.id=BwcHBwcHBwcHBwcHBwcHBw\n"
    );
    assert_eq!(MetaProperties::parse(&text).unwrap(), ours);
    for damaged in ["", "version=2\n", "version=x\n", "version=1\nnode.id=x\n", "version\n"] {
        assert!(MetaProperties::parse(damaged.as_bytes()).is_err(), "{damaged}");
    }
}

#[test]
fn the_mark_of_a_clean_stop_can_be_taken_once() {
    let dir = tempfile::tempdir().unwrap();
    let mark = CleanShutdownFile::new(fs(), dir.path());
    assert!(!mark.take().unwrap());
    mark.write().unwrap();
    assert!(dir.path().join(".kafka_cleanshutdown").exists());
    assert!(mark.take().unwrap());
    assert!(!mark.take().unwrap());
}

/// The periodic checkpoint had asked the log for its offset when a truncation lowered the file, and then wrote what
/// it had been told.
#[test]
fn what_a_truncation_lowers_is_not_raised_again_by_a_checkpoint_on_its_way() {
    let dir = tempfile::tempdir().unwrap();
    let file = OffsetCheckpointFile::new(fs(), dir.path(), "recovery-point-offset-checkpoint");
    let partition = TopicPartition::new("a", 0);
    file.write([(partition.clone(), 9)]).unwrap();
    let (asked, truncate) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let (file, partition) = (&file, &partition);
        let truncation = scope.spawn(move || {
            truncate.recv().unwrap();
            file.lower(partition, 3).unwrap();
        });
        let offsets = std::iter::once_with(|| {
            asked.send(()).unwrap();
            while !file.is_being_written() && !truncation.is_finished() {
                std::thread::yield_now();
            }
            (partition.clone(), 10)
        });
        file.write(offsets).unwrap();
    });
    assert_eq!(file.read().unwrap()[&partition], 3);
}

proptest::proptest! {
    #[test]
    fn small_files_of_arbitrary_bytes_are_read_without_a_panic(content: Vec<u8>, text: String) {
        for bytes in [content.as_slice(), text.as_bytes()] {
            let _ = parse_leader_epochs(bytes);
            let _ = parse_partition_metadata(bytes);
            let _ = MetaProperties::parse(bytes);
        }
    }
}
