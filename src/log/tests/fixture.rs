//! A broker's log dirs in a temporary directory, and records to put into them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

use crate::config::LogConfig;
use crate::log::{
    AppendParams, CleanerConfig, FetchIsolation, Log, LogAppendInfo, LogError, LogManager, LogManagerConfig,
    ReadParams, RecoveryListener,
};
use crate::model::{NO_TIMESTAMP, Offset, TopicPartition, Uuid};
use crate::record::{
    AppendOrigin, BatchOptions, EndTransactionMarker, MarkerParams, Record, RecordBatch, RecordBatchBuilder,
    ValidatedRecords,
};
use crate::sys::{Env, FileSystem, ManualClock, OpenOptions, OsFileSystem, SeededRng, ThreadSpawner};
use crate::testkit::FaultyFileSystem;

pub(super) const DECOMPRESSION_LIMIT: usize = 1 << 20;
/// What the clock shows at first.
pub(super) const START_MS: i64 = 1_700_000_000_000;

pub(super) struct Fixture {
    pub(super) root: TempDir,
    pub(super) clock: Arc<ManualClock>,
    pub(super) fs: Arc<dyn FileSystem>,
    pub(super) config: LogConfig,
    pub(super) log_dirs: usize,
    pub(super) cleaner: CleanerConfig,
    pub(super) on_recovery: Option<RecoveryListener>,
    /// How often the world was handed out: no two brokers draw the same numbers, for the names of what they delete.
    worlds: AtomicU64,
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self::with_config(|_| {})
    }

    pub(super) fn with_config(change: impl FnOnce(&mut LogConfig)) -> Self {
        let mut config = LogConfig::default();
        change(&mut config);
        Fixture {
            root: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::new(START_MS)),
            fs: Arc::new(OsFileSystem::without_sync()),
            config,
            log_dirs: 1,
            cleaner: CleanerConfig::default(),
            on_recovery: None,
            worlds: AtomicU64::new(0),
        }
    }

    /// Has operations on its disk fail, by the plan of what is answered.
    pub(super) fn faulty(&mut self) -> Arc<FaultyFileSystem> {
        let fs = Arc::new(FaultyFileSystem::new(Arc::new(OsFileSystem::without_sync())));
        self.fs = fs.clone();
        fs
    }

    pub(super) fn log_dir(&self, i: usize) -> PathBuf {
        self.root.path().join(format!("d{i}"))
    }

    pub(super) fn partition_dir(&self) -> PathBuf {
        self.log_dir(0).join(partition().to_string())
    }

    /// The names in the partition's directory.
    pub(super) fn files(&self) -> Vec<String> {
        let entries = OsFileSystem::durable().read_dir(&self.partition_dir()).unwrap();
        entries.into_iter().map(|entry| entry.name).collect()
    }

    pub(super) fn env(&self) -> Env {
        Env {
            clock: self.clock.clone(),
            fs: Arc::clone(&self.fs),
            rng: Arc::new(SeededRng::new(self.worlds.fetch_add(1, Ordering::Relaxed))),
            spawner: Arc::new(ThreadSpawner),
        }
    }

    pub(super) fn try_open(&self) -> Result<LogManager, LogError> {
        self.open_with(self.env())
    }

    pub(super) fn open_with(&self, env: Env) -> Result<LogManager, LogError> {
        let config = Arc::new(self.config.clone());
        let manager_config = LogManagerConfig {
            log_dirs: (0..self.log_dirs).map(|i| self.log_dir(i)).collect(),
            node_id: 1,
            cluster_id: None,
            recovery_threads_per_data_dir: 2,
            on_recovery: self.on_recovery.clone(),
            producer_id_expiration_ms: 86_400_000,
            cleaner: self.cleaner.clone(),
            topic_configs: Arc::new(move |_| Arc::clone(&config)),
        };
        LogManager::open(manager_config, env)
    }

    pub(super) fn open(&self) -> LogManager {
        self.try_open().unwrap()
    }

    pub(super) fn try_log_of(&self, manager: &LogManager) -> Result<Arc<Log>, LogError> {
        self.try_log_at(manager, &partition())
    }

    pub(super) fn try_log_at(
        &self,
        manager: &LogManager,
        partition: &TopicPartition,
    ) -> Result<Arc<Log>, LogError> {
        manager.get_or_create_log(partition, topic_id(), Arc::new(self.config.clone()))
    }

    pub(super) fn log_at(&self, manager: &LogManager, partition: &TopicPartition) -> Arc<Log> {
        self.try_log_at(manager, partition).unwrap()
    }

    pub(super) fn log_of(&self, manager: &LogManager) -> Arc<Log> {
        self.try_log_of(manager).unwrap()
    }
}

/// The machine's files, without the broker in between.
pub(super) const DISK: fn() -> OsFileSystem = OsFileSystem::without_sync;

pub(super) fn read_file(path: &Path) -> Vec<u8> {
    DISK().read(path, 1 << 20).unwrap()
}

pub(super) fn write_file(path: &Path, content: &[u8]) {
    DISK().open(path, OpenOptions::REPLACE).unwrap().write_all_at(content, 0).unwrap();
}

pub(super) fn partition() -> TopicPartition {
    TopicPartition::new("orders-eu", 3)
}

pub(super) fn topic_id() -> Uuid {
    Uuid::from_bytes([7; 16])
}

/// Records with these values, without a producer.
pub(super) fn records<V: AsRef<[u8]>>(values: &[V]) -> ValidatedRecords {
    records_at(values, NO_TIMESTAMP)
}

pub(super) fn records_at<V: AsRef<[u8]>>(values: &[V], timestamp: i64) -> ValidatedRecords {
    build(BatchOptions::default(), values, timestamp)
}

pub(super) fn build<V: AsRef<[u8]>>(options: BatchOptions, values: &[V], timestamp: i64) -> ValidatedRecords {
    let mut builder = RecordBatchBuilder::new(options);
    for value in values {
        builder.append(timestamp, None, Some(value.as_ref())).unwrap();
    }
    ValidatedRecords::of_builder(&mut builder).unwrap()
}

/// `count` records of an idempotent producer.
pub(super) fn idempotent(producer_id: i64, producer_epoch: i16, base_sequence: i32, count: usize) -> BatchOf {
    BatchOf {
        options: BatchOptions { producer_id, producer_epoch, base_sequence, ..BatchOptions::default() },
        count,
        timestamp: START_MS,
    }
}

/// Records with keys, at one time; without a value it is a tombstone.
pub(super) fn keyed_at(timestamp: i64, entries: &[(&str, Option<&str>)]) -> ValidatedRecords {
    keyed_with(BatchOptions::default(), timestamp, entries)
}

pub(super) fn keyed_with(
    options: BatchOptions,
    timestamp: i64,
    entries: &[(&str, Option<&str>)],
) -> ValidatedRecords {
    let mut builder = RecordBatchBuilder::new(options);
    for (key, value) in entries {
        builder.append(timestamp, Some(key.as_bytes()), value.map(str::as_bytes)).unwrap();
    }
    ValidatedRecords::of_builder(&mut builder).unwrap()
}

/// All records of the log with their keys, in the words `offset key=value`.
pub(super) fn texts(log: &Log) -> Vec<String> {
    let text =
        |bytes: Option<&[u8]>| bytes.map_or("-".to_owned(), |b| String::from_utf8_lossy(b).into_owned());
    let mut found = Vec::new();
    for batch in batches(log, log.log_start_offset()) {
        let is_control = batch.view().is_control();
        for record in batch.records(DECOMPRESSION_LIMIT).unwrap().map(Result::unwrap) {
            let words = match is_control {
                true => format!("{} marker", record.offset()),
                false => format!("{} {}={}", record.offset(), text(record.key()), text(record.value())),
            };
            found.push(words);
        }
    }
    found
}

/// All batches from `start_offset` on.
pub(super) fn batches(log: &Log, start_offset: Offset) -> Vec<RecordBatch> {
    let mut found = Vec::new();
    let mut next = start_offset;
    while let Some(slice) = log.read(&read_params(next)).unwrap().records {
        let mut bytes = slice.read().unwrap();
        while let Some(batch) = RecordBatch::split_from(&mut bytes).unwrap() {
            batch.view().ensure_valid().unwrap();
            next = batch.view().next_offset();
            found.push(batch);
        }
    }
    found
}

/// A batch that is still to be built.
#[derive(Clone, Copy)]
pub(super) struct BatchOf {
    pub(super) options: BatchOptions,
    pub(super) count: usize,
    pub(super) timestamp: i64,
}

impl BatchOf {
    pub(super) fn transactional(mut self) -> Self {
        self.options.transactional = true;
        self
    }

    pub(super) fn build(self) -> ValidatedRecords {
        build(self.options, &vec![b"v"; self.count], self.timestamp)
    }
}

pub(super) fn marker(producer_id: i64, producer_epoch: i16, is_commit: bool) -> ValidatedRecords {
    let marker = EndTransactionMarker { is_commit, coordinator_epoch: 0 };
    let params = MarkerParams { marker, producer_id, producer_epoch, timestamp: START_MS, leader_epoch: 0 };
    ValidatedRecords::of_builder(&mut EndTransactionMarker::builder(params).unwrap()).unwrap()
}

pub(super) fn try_append(log: &Log, records: ValidatedRecords) -> Result<LogAppendInfo, LogError> {
    let origin = match records.header().is_control() {
        true => AppendOrigin::Coordinator,
        false => AppendOrigin::Client,
    };
    log.append_as_leader(AppendParams { records, origin, leader_epoch: 0 })
}

/// Appends and lets readers see it, as a partition with one replica does.
pub(super) fn append(log: &Log, records: ValidatedRecords) -> LogAppendInfo {
    let info = try_append(log, records).unwrap();
    log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
    info
}

pub(super) fn read_params(start_offset: Offset) -> ReadParams {
    ReadParams {
        start_offset,
        max_bytes: 1 << 20,
        isolation: FetchIsolation::HighWatermark,
        min_one_message: true,
    }
}

/// Offsets and values from `start_offset` on, read to the end.
pub(super) fn read_all(log: &Log, start_offset: Offset) -> Vec<(Offset, Vec<u8>)> {
    try_read_all(log, start_offset).unwrap()
}

pub(super) fn try_read_all(log: &Log, start_offset: Offset) -> Result<Vec<(Offset, Vec<u8>)>, LogError> {
    let mut found = Vec::new();
    let mut next = start_offset;
    while let Some(slice) = log.read(&read_params(next))?.records {
        let mut bytes = slice.read().unwrap();
        while let Some(batch) = RecordBatch::split_from(&mut bytes).unwrap() {
            let read: Vec<Record> = batch.records(DECOMPRESSION_LIMIT).unwrap().map(Result::unwrap).collect();
            let wanted = read.iter().filter(|record| record.offset() >= next);
            found.extend(wanted.map(|record| (record.offset(), record.value().unwrap_or_default().to_vec())));
            next = batch.view().next_offset();
        }
    }
    Ok(found)
}

/// What [`read_all`] gives for values appended one after the other.
pub(super) fn numbered<V: AsRef<[u8]>>(first: Offset, values: &[V]) -> Vec<(Offset, Vec<u8>)> {
    (first..).zip(values.iter().map(|value| value.as_ref().to_vec())).collect()
}
