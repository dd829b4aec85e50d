//! What the broker must remember beside the logs: which topics there are, and which settings were changed.
//!
//! Apache Kafka keeps this in ZooKeeper or in `__cluster_metadata`. A broker of one keeps a text file,
//! `broker-metadata-checkpoint`, in the manner of Kafka's other checkpoints, in every log directory: the copy
//! with the highest generation counts, so that one lost disk loses no topic. It is replaced as a whole.
//!
//! ```text
//! 0                                   version
//! 17                                  generation, one more at each write
//! topic orders BwcHBwcHBwcHBwcHBwcHBw 3
//! config orders retention.ms 86400000
//! cluster log.cleaner.threads 2       a default for all brokers
//! broker num.io.threads 4             a setting of this broker
//! group readers share.auto.offset.reset earliest
//! producer-ids 3000                   the first producer id that was never reserved
//! cluster-metadata 1234               up to where the topics of Apache Kafka have been taken over, if there was one
//! crc32c 90ab12cd                     of everything before; the first ottla did not write it
//! end 8                               the number of lines since the generation
//! ```
//!
//! A value runs to the end of its line; `\n`, `\r` and `\\` in it are escaped, and a blank in a group's name as `\s`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::log::{LogDir, LogError};
use crate::model::{ErrorCode, Offset, ProducerId, Uuid, validate_topic_name};
use crate::record::crc32c;
use crate::sys::FileSystem;

/// The file's name in each log directory.
pub(crate) const METADATA_CHECKPOINT: &str = "broker-metadata-checkpoint";
const VERSION: &str = "0";
/// How the line with the checksum begins.
const CHECKSUM: &str = "crc32c ";
/// A file beyond this is not ours: a million topics take less.
const MAX_FILE_BYTES: usize = 256 * 1024 * 1024;

/// Settings by Kafka's key.
pub(crate) type Overrides = BTreeMap<String, String>;

/// A topic as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TopicRecord {
    pub(crate) id: Uuid,
    pub(crate) num_partitions: i32,
    pub(crate) overrides: Overrides,
}

impl TopicRecord {
    /// One of which nothing is known yet.
    pub(super) fn unknown() -> Self {
        TopicRecord { id: Uuid::ZERO, num_partitions: 0, overrides: Overrides::new() }
    }
}

/// All that is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MetadataImage {
    pub(crate) generation: u64,
    pub(crate) topics: BTreeMap<String, TopicRecord>,
    pub(crate) cluster_overrides: Overrides,
    pub(crate) broker_overrides: Overrides,
    /// Those of groups, by their ids.
    pub(crate) group_overrides: BTreeMap<String, Overrides>,
    pub(crate) next_producer_id: ProducerId,
    /// What comes after the last record of `__cluster_metadata` that was taken over.
    pub(crate) cluster_metadata_offset: Offset,
}

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MetadataError {
    #[error("cannot read or write {path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    LogDir(Box<LogError>),
    #[error(
        "no log directory is online, so that nothing can be remembered: mend the disk and open the broker again"
    )]
    NoLogDir,
    #[error(
        "{path} has version {found}; this ottla reads version {VERSION}: open the directory with the ottla that wrote it"
    )]
    UnsupportedVersion { path: PathBuf, found: String },
    #[error(
        "{path}, line {line}: {what}; restore the file from another log directory, or remove it to start from the partitions' own directories"
    )]
    Malformed { path: PathBuf, line: usize, what: &'static str },
    #[error(
        "{path}, where Apache Kafka keeps its topics and their settings: {what}; move its directory away to start from the partitions' own directories, where no topic has settings"
    )]
    ClusterMetadata { path: PathBuf, what: String },
}

impl MetadataError {
    /// Whether nothing but room is missing.
    pub(super) fn is_disk_full(&self) -> bool {
        matches!(self, MetadataError::LogDir(error) if error.is_disk_full())
    }

    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            MetadataError::LogDir(error) => error.code(),
            MetadataError::Io { .. }
            | MetadataError::NoLogDir
            | MetadataError::UnsupportedVersion { .. }
            | MetadataError::Malformed { .. }
            | MetadataError::ClusterMetadata { .. } => ErrorCode::KafkaStorageError,
        }
    }
}

impl MetadataImage {
    /// Reads the newest checkpoint of `dirs`; an empty image if none has one. A directory that cannot even be listed is
    /// passed over: the logs cannot be opened in it either, and whoever opens them says so. So is a copy that cannot be
    /// read, or is damaged, where another directory has one: each change is written to all of them.
    pub(crate) fn load(fs: &dyn FileSystem, dirs: &[PathBuf]) -> Result<Self, MetadataError> {
        let mut newest = MetadataImage::default();
        let mut unusable = Vec::new();
        for dir in dirs {
            let path = dir.join(METADATA_CHECKPOINT);
            let content = match fs.read(&path, MAX_FILE_BYTES) {
                Ok(content) => content,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(_) if fs.read_dir(dir).is_err() => continue,
                Err(source) => {
                    unusable.push(MetadataError::Io { path, source });
                    continue;
                }
            };
            match Self::decode(&content, &path) {
                Ok(image) if image.generation > newest.generation => newest = image,
                Ok(_) => {}
                Err(error @ MetadataError::Malformed { .. }) => unusable.push(error),
                Err(error) => return Err(error),
            }
        }
        match unusable.pop() {
            Some(error) if newest.generation == 0 => Err(error),
            last => {
                for error in unusable.iter().chain(&last) {
                    tracing::error!(%error, generation = newest.generation, "the copy of another log directory counts");
                }
                Ok(newest)
            }
        }
    }

    /// Writes the checkpoint into each of `dirs`; succeeds if one of them took it. One whose disk fails goes offline.
    pub(crate) fn store(&mut self, fs: &dyn FileSystem, dirs: &[Arc<LogDir>]) -> Result<(), MetadataError> {
        self.generation += 1;
        let content = self.encode();
        let mut failure = None;
        let mut stored = false;
        for dir in dirs {
            match dir.replace(fs, METADATA_CHECKPOINT, content.as_bytes()) {
                Ok(()) => stored = true,
                Err(error) => {
                    tracing::error!(%error, "cannot write the metadata checkpoint");
                    failure = Some(MetadataError::LogDir(Box::new(error)));
                }
            }
        }
        match failure {
            _ if stored => Ok(()),
            Some(error) => Err(error),
            None => Err(MetadataError::NoLogDir),
        }
    }

    /// Writes it into a directory that is no log dir yet.
    #[cfg(feature = "testkit")]
    pub(crate) fn copy_to(&self, fs: &dyn FileSystem, dir: &Path) -> Result<(), MetadataError> {
        let path = dir.join(METADATA_CHECKPOINT);
        let copied = fs.replace(&path, self.encode().as_bytes());
        copied.map_err(|source| MetadataError::Io { path, source })
    }

    /// What is wrong with the content of a checkpoint, if anything.
    #[cfg(feature = "cli")]
    pub(crate) fn check(content: &[u8]) -> std::result::Result<(), crate::log::ContentError> {
        use crate::log::ContentError;
        Self::decode(content, Path::new(METADATA_CHECKPOINT)).map(drop).map_err(|error| match error {
            MetadataError::UnsupportedVersion { found, .. } => ContentError::of_version(&found, 0),
            MetadataError::Malformed { line, what, .. } => {
                ContentError::Malformed(format!("line {line}: {what}"))
            }
            other => ContentError::Malformed(other.to_string()),
        })
    }

    fn encode(&self) -> String {
        let mut lines = Vec::new();
        for (name, topic) in &self.topics {
            lines.push(format!("topic {name} {} {}", topic.id, topic.num_partitions));
            for (key, value) in &topic.overrides {
                lines.push(format!("config {name} {key} {}", escape(value)));
            }
        }
        for (key, value) in &self.cluster_overrides {
            lines.push(format!("cluster {key} {}", escape(value)));
        }
        for (key, value) in &self.broker_overrides {
            lines.push(format!("broker {key} {}", escape(value)));
        }
        for (group, overrides) in &self.group_overrides {
            let group = escape(group).replace(' ', "\\s");
            lines.extend(
                overrides.iter().map(|(key, value)| format!("group {group} {key} {}", escape(value))),
            );
        }
        if self.next_producer_id > 0 {
            lines.push(format!("producer-ids {}", self.next_producer_id));
        }
        if self.cluster_metadata_offset > 0 {
            lines.push(format!("cluster-metadata {}", self.cluster_metadata_offset));
        }
        let count = lines.len() + 1;
        let mut content = format!("{VERSION}\n{}\n", self.generation);
        for line in lines {
            content.push_str(&line);
            content.push('\n');
        }
        content.push_str(&format!("{CHECKSUM}{:08x}\nend {count}\n", crc32c(content.as_bytes())));
        content
    }

    fn decode(content: &[u8], path: &Path) -> Result<Self, MetadataError> {
        let malformed = |line, what| MetadataError::Malformed { path: path.to_owned(), line, what };
        let text = std::str::from_utf8(content).map_err(|_| malformed(1, "it is not UTF-8"))?;
        let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
        let (_, version) = lines.next().ok_or_else(|| malformed(1, "the file is empty"))?;
        if version != VERSION {
            return Err(MetadataError::UnsupportedVersion {
                path: path.to_owned(),
                found: version.to_owned(),
            });
        }
        let generation = lines.next().and_then(|(_, line)| line.parse().ok());
        let mut image = MetadataImage {
            generation: generation.ok_or_else(|| malformed(2, "a generation is expected"))?,
            ..MetadataImage::default()
        };
        let mut count = 0;
        for (at, line) in lines {
            if let Some(expected) = line.strip_prefix("end ") {
                return if expected.parse() == Ok(count) {
                    Ok(image)
                } else {
                    Err(malformed(at, "the number of lines differs from the one at the end"))
                };
            }
            count += 1;
            if let Some(checksum) = line.strip_prefix(CHECKSUM) {
                // Where the line begins in the text.
                let before = text.get(..line.as_ptr().addr() - text.as_ptr().addr()).unwrap_or_default();
                if checksum != format!("{:08x}", crc32c(before.as_bytes())) {
                    return Err(malformed(at, "the checksum is not that of the lines before"));
                }
                continue;
            }
            image.decode_line(line).map_err(|what| malformed(at, what))?;
        }
        Err(malformed(count + 2, "the last line is missing: the file was cut"))
    }

    fn decode_line(&mut self, line: &str) -> Result<(), &'static str> {
        let (kind, rest) = line.split_once(' ').ok_or("a kind and its fields are expected")?;
        match kind {
            "topic" => {
                let mut fields = rest.split(' ');
                let (Some(name), Some(id), Some(partitions), None) =
                    (fields.next(), fields.next(), fields.next(), fields.next())
                else {
                    return Err("a topic has a name, an id and a number of partitions");
                };
                validate_topic_name(name).map_err(|_| "the topic's name is invalid")?;
                let id = id.parse().map_err(|_| "the topic's id is invalid")?;
                let num_partitions = partitions.parse().map_err(|_| "the number of partitions is invalid")?;
                if num_partitions < 1 {
                    return Err("a topic has at least one partition");
                }
                let topic = TopicRecord { id, num_partitions, overrides: Overrides::new() };
                self.topics.insert(name.to_owned(), topic);
            }
            "config" => {
                let (name, setting) = rest.split_once(' ').ok_or("a topic's setting is expected")?;
                let topic = self.topics.get_mut(name).ok_or("the setting's topic was not named before")?;
                decode_setting(setting, &mut topic.overrides)?;
            }
            "cluster" => decode_setting(rest, &mut self.cluster_overrides)?,
            "broker" => decode_setting(rest, &mut self.broker_overrides)?,
            "group" => {
                let (group, setting) = rest.split_once(' ').ok_or("a group's setting is expected")?;
                decode_setting(setting, self.group_overrides.entry(unescape(group)).or_default())?;
            }
            "producer-ids" => {
                self.next_producer_id = rest.parse().map_err(|_| "the producer id is invalid")?;
            }
            "cluster-metadata" => {
                self.cluster_metadata_offset = rest.parse().map_err(|_| "the offset is invalid")?;
            }
            _ => {
                return Err(
                    "the kind is none of topic, config, cluster, broker, group, producer-ids and cluster-metadata",
                );
            }
        }
        Ok(())
    }
}

fn decode_setting(text: &str, into: &mut Overrides) -> Result<(), &'static str> {
    let (key, value) = text.split_once(' ').ok_or("a key and a value are expected")?;
    into.insert(key.to_owned(), unescape(value));
    Ok(())
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r")
}

fn unescape(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => plain.push('\n'),
                Some('r') => plain.push('\r'),
                Some('s') => plain.push(' '),
                Some(other) => plain.push(other),
                None => plain.push('\\'),
            },
            (c, false) => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests;
