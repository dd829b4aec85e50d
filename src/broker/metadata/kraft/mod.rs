//! What Apache Kafka's controller has left on the disk: topics with their ids and settings (Kafka: `MetadataImage`).
//!
//! A Kafka without ZooKeeper keeps them in `__cluster_metadata-0`: an ordinary log of small records, and snapshots of
//! what these come to. It is read and never written, so that Kafka finds it as it was.

mod record;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use self::record::{BROKER_RESOURCE, MetadataRecord, TOPIC_RESOURCE};
use super::checkpoint::{MetadataError, MetadataImage, Overrides, TopicRecord};
use super::create_topics::MAX_PARTITIONS_PER_TOPIC;
use crate::log::{CLUSTER_METADATA_DIR, log_file_offset};
use crate::model::{BrokerId, Offset, Uuid, validate_topic_name};
use crate::record::{Batches, RecordBatchRef};
use crate::sys::FileSystem;

/// Kafka takes a snapshot every 20 MB, so that no file comes near this.
const MAX_FILE_BYTES: usize = i32::MAX as usize;

/// What the end of a snapshot's name is once it is complete.
const SNAPSHOT: &str = ".checkpoint";

/// The cluster's topics and settings, as of [`end_offset`](Self::end_offset).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClusterMetadata {
    /// What comes after the last record. It grows all the time while Kafka is at work there.
    end_offset: Offset,
    topics: BTreeMap<String, TopicRecord>,
    cluster_overrides: Overrides,
    broker_overrides: Overrides,
    /// How many records tell of users, permissions or quotas.
    security_records: usize,
}

impl ClusterMetadata {
    pub(crate) fn end_offset(&self) -> Offset {
        self.end_offset
    }

    pub(crate) fn topics(&self) -> &BTreeMap<String, TopicRecord> {
        &self.topics
    }

    pub(crate) fn security_records(&self) -> usize {
        self.security_records
    }

    /// Makes this what the image says of topics and settings: Kafka was at work last. Of the topics that Kafka does not
    /// know, those stay that `has_log` tells to have one.
    pub(crate) fn take_over(self, image: &mut MetadataImage, has_log: impl Fn(&str, &TopicRecord) -> bool) {
        image.topics.retain(|name, record| has_log(name, record));
        image.topics.extend(self.topics);
        image.cluster_overrides = self.cluster_overrides;
        image.broker_overrides = self.broker_overrides;
        image.cluster_metadata_offset = self.end_offset;
    }

    /// Reads what is in the first of `dirs` that has something; `None` if none has. The settings of the broker are
    /// those of `node_id`.
    pub(crate) fn load(
        fs: &dyn FileSystem,
        dirs: &[PathBuf],
        node_id: BrokerId,
    ) -> Result<Option<Self>, MetadataError> {
        for dir in dirs {
            let path = dir.join(CLUSTER_METADATA_DIR);
            match fs.read_dir(&path) {
                Ok(entries) => {
                    let names: Vec<String> = entries.into_iter().map(|entry| entry.name).collect();
                    return Replay::new(node_id).run(fs, &path, &names).map(Some);
                }
                // Whoever opens the logs says what is wrong with a disk.
                Err(_) => continue,
            }
        }
        Ok(None)
    }
}

/// The newest complete snapshot: its name, and the offset after the last record that is in it.
fn newest_snapshot(names: &[String]) -> Option<(Offset, &String)> {
    let offset_of = |name: &String| {
        let (offset, epoch) = name.strip_suffix(SNAPSHOT)?.split_once('-')?;
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number(epoch) && is_number(offset) { offset.parse().ok() } else { None }
    };
    names.iter().filter_map(|name| Some((offset_of(name)?, name))).max()
}

/// The segments in which records from `offset` on may be, in order.
fn segments_from(names: &[String], offset: Offset) -> Vec<&String> {
    let mut segments: Vec<(Offset, &String)> =
        names.iter().filter_map(|name| Some((log_file_offset(name)?, name))).collect();
    segments.sort();
    let first = segments.iter().rposition(|(base, _)| *base <= offset).unwrap_or(0);
    segments.into_iter().skip(first).map(|(_, name)| name).collect()
}

/// Reads records and does what they say.
#[derive(Debug)]
struct Replay {
    broker: String,
    found: ClusterMetadata,
    names: BTreeMap<Uuid, String>,
    /// As it was before the transaction that is open.
    before_transaction: Option<(ClusterMetadata, BTreeMap<Uuid, String>)>,
    scratch: Vec<u8>,
}

impl Replay {
    fn new(node_id: BrokerId) -> Self {
        Replay {
            broker: node_id.to_string(),
            found: ClusterMetadata::default(),
            names: BTreeMap::new(),
            before_transaction: None,
            scratch: Vec::new(),
        }
    }

    fn run(
        mut self,
        fs: &dyn FileSystem,
        dir: &Path,
        names: &[String],
    ) -> Result<ClusterMetadata, MetadataError> {
        if let Some((end, name)) = newest_snapshot(names) {
            let path = dir.join(name);
            let content = read(fs, &path)?;
            let rest = self.file(&path, &content, None)?;
            if rest > 0 {
                return Err(malformed(&path, format!("its last {rest} bytes are no records")));
            }
            self.found.end_offset = end;
        }
        let segments = segments_from(names, self.found.end_offset);
        for (at, name) in segments.iter().enumerate() {
            let path = dir.join(name);
            let content = read(fs, &path)?;
            let from = self.found.end_offset;
            let rest = self.file(&path, &content, Some(from))?;
            if rest > 0 && at + 1 < segments.len() {
                return Err(malformed(&path, format!("its last {rest} bytes are no records")));
            }
            if rest > 0 {
                // What a crash leaves, and what Kafka cuts off when it starts again.
                tracing::warn!(path = %path.display(), bytes = rest, "the end of the cluster's metadata is torn");
            }
        }
        if let Some((before, _)) = self.before_transaction {
            // Kafka's controller aborts it when it starts again.
            self.found = ClusterMetadata { end_offset: self.found.end_offset, ..before };
        }
        self.found.topics.retain(|_, topic| topic.num_partitions > 0);
        Ok(self.found)
    }

    /// Applies the records of a file, of a segment those from an offset on. Answers how many bytes at the end are none.
    fn file(&mut self, path: &Path, content: &[u8], from: Option<Offset>) -> Result<usize, MetadataError> {
        let mut batches = Batches::new(content);
        let mut rest = content.len();
        while let Some(Ok(batch)) = batches.next() {
            if batch.ensure_valid().is_err() {
                break;
            }
            rest = batches.remainder_len();
            if from.is_some_and(|from| batch.last_offset() < from) {
                continue;
            }
            if !batch.is_control() {
                self.batch(batch).map_err(|what| {
                    malformed(path, format!("the records from offset {} on: {what}", batch.base_offset()))
                })?;
            }
            if from.is_some() {
                self.found.end_offset = batch.next_offset();
            }
        }
        Ok(rest)
    }

    fn batch(&mut self, batch: RecordBatchRef<'_>) -> Result<(), String> {
        let mut scratch = std::mem::take(&mut self.scratch);
        for record in batch.records(&mut scratch, MAX_FILE_BYTES).map_err(|error| error.to_string())? {
            let record = record.map_err(|error| error.to_string())?;
            let value = record.value().ok_or("one has no value")?;
            self.apply(record::parse(value).map_err(|error| error.to_string())?)?;
        }
        self.scratch = scratch;
        Ok(())
    }

    fn apply(&mut self, record: MetadataRecord<'_>) -> Result<(), String> {
        match record {
            MetadataRecord::Topic { name, id } => {
                validate_topic_name(name).map_err(|error| error.to_string())?;
                self.names.insert(id, name.to_owned());
                // Its settings may have come before it.
                let topic = self.found.topics.entry(name.to_owned()).or_insert_with(TopicRecord::unknown);
                (topic.id, topic.num_partitions) = (id, 0);
            }
            MetadataRecord::Partition { topic_id, partition } => {
                let topic = self.names.get(&topic_id).and_then(|name| self.found.topics.get_mut(name));
                let topic = topic.ok_or_else(|| format!("a partition of the unknown topic {topic_id}"))?;
                if !(0..MAX_PARTITIONS_PER_TOPIC).contains(&partition) {
                    return Err(format!("there cannot be a partition {partition}"));
                }
                topic.num_partitions = topic.num_partitions.max(partition + 1);
            }
            MetadataRecord::Config { resource_type, resource, key, value } => {
                self.config(resource_type, resource, key, value);
            }
            MetadataRecord::RemoveTopic { id } => {
                if let Some(name) = self.names.remove(&id) {
                    self.found.topics.remove(&name);
                }
            }
            MetadataRecord::BeginTransaction => {
                self.before_transaction = Some((self.found.clone(), self.names.clone()));
            }
            MetadataRecord::EndTransaction => self.before_transaction = None,
            MetadataRecord::AbortTransaction => {
                if let Some((found, names)) = self.before_transaction.take() {
                    (self.found, self.names) = (found, names);
                }
            }
            MetadataRecord::Security => self.found.security_records += 1,
            MetadataRecord::Other => {}
        }
        Ok(())
    }

    fn config(&mut self, resource_type: i8, resource: &str, key: &str, value: Option<&str>) {
        let overrides = match resource_type {
            TOPIC_RESOURCE => {
                let topics = &mut self.found.topics;
                &mut topics.entry(resource.to_owned()).or_insert_with(TopicRecord::unknown).overrides
            }
            BROKER_RESOURCE if resource.is_empty() => &mut self.found.cluster_overrides,
            BROKER_RESOURCE if resource == self.broker => &mut self.found.broker_overrides,
            _ => return,
        };
        match value {
            Some(value) => {
                overrides.insert(key.to_owned(), value.to_owned());
            }
            None => {
                overrides.remove(key);
            }
        }
    }
}

fn read(fs: &dyn FileSystem, path: &Path) -> Result<Vec<u8>, MetadataError> {
    fs.read(path, MAX_FILE_BYTES)
        .map_err(|source: io::Error| MetadataError::Io { path: path.to_owned(), source })
}

fn malformed(path: &Path, what: String) -> MetadataError {
    MetadataError::ClusterMetadata { path: path.to_owned(), what }
}
