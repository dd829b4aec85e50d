//! What must hold for a log dir whatever bytes are in its files: driven by the fuzz target `log_dir`, and in small by
//! the tests.

use std::path::Path;
use std::sync::Arc;

use super::{AppendParams, FetchIsolation, Log, LogError, LogManager, LogManagerConfig, ReadParams};
use crate::config::LogConfig;
use crate::model::{Offset, TopicPartition, Uuid};
use crate::record::{
    AppendOrigin, BatchHeader, BatchOptions, Batches, RecordBatchBuilder, ValidatedRecords, crc32c,
};
use crate::sys::{Env, FileSystem, ManualClock, OpenOptions, OsFileSystem, SeededRng, ThreadSpawner};

/// The files that a log dir may have, within which an input chooses.
pub(super) const NAMES: &[&str] = &[
    "t-0/00000000000000000000.log",
    "t-0/00000000000000000000.index",
    "t-0/00000000000000000000.timeindex",
    "t-0/00000000000000000000.txnindex",
    "t-0/00000000000000000003.log",
    "t-0/00000000000000000003.index",
    "t-0/00000000000000000003.timeindex",
    "t-0/00000000000000000003.txnindex",
    "t-0/00000000000000000003.snapshot",
    "t-0/00000000000000000005.snapshot",
    "t-0/00000000000000000000.log.swap",
    "t-0/00000000000000000003.log.cleaned",
    "t-0/00000000000000000003.log.deleted",
    "t-0/leader-epoch-checkpoint",
    "t-0/partition.metadata",
    "recovery-point-offset-checkpoint",
    "replication-offset-checkpoint",
    "log-start-offset-checkpoint",
    "meta.properties",
    ".kafka_cleanshutdown",
];

/// Two bytes of length in front of each file, after one that chooses its name.
const FILE_HEADER: usize = 3;

/// Files, one after the other: a byte that chooses the name, two of length, the content. `root` is emptied first.
///
/// # Panics
/// If the log cannot be used, closed and opened again.
pub(crate) fn log_dir(data: &[u8], root: &Path) {
    let fs = OsFileSystem::without_sync();
    if fs.exists(root).is_ok_and(|exists| exists) {
        fs.remove_dir_all(root).expect("the directory can be emptied");
    }
    fs.create_dir_all(&root.join("t-0")).expect("the directory can be made");
    write_files(data, &fs, root);
    // Something else than an error of what was read would be a bug that the bytes have found.
    let Ok(manager) = open(root) else { return };
    let partition = TopicPartition::new("t", 0);
    let id = manager.log(&partition).map_or(Uuid::ZERO, |log| log.topic_id());
    let log = manager.get_or_create_log(&partition, id, config()).expect("the log can be opened or made");
    assert!(log.is_online(), "bytes in files are no fault of the disk");
    exercise(&log);
    manager.cleanup_logs();
    manager.delete_logs();
    let bounds = (log.log_start_offset(), log.log_end_offset());
    let records = read_all(&log, bounds.0);
    manager.shutdown().expect("the log can be closed");
    drop((manager, log));

    let manager = open(root).expect("what was closed can be opened");
    let log = manager.log(&partition).expect("the log is there again");
    assert_eq!((log.log_start_offset(), log.log_end_offset()), bounds, "after a clean stop");
    log.update_high_watermark(bounds.1).expect("there is a high watermark");
    assert_eq!(read_all(&log, bounds.0), records, "after a clean stop");
    assert!(log.is_online());
}

fn write_files(data: &[u8], fs: &OsFileSystem, root: &Path) {
    let mut rest = data;
    while let Some((&[name, high, low], tail)) = rest.split_first_chunk::<FILE_HEADER>() {
        let len = usize::from(u16::from_be_bytes([high, low])).min(tail.len());
        let (content, tail) = tail.split_at(len);
        rest = tail;
        let mut content = content.to_vec();
        let name = usize::from(name);
        // Half of the inputs have right checksums, so that damage is met behind them too.
        if name >= NAMES.len() {
            mend_checksums(&mut content);
        }
        let Some(name) = NAMES.get(name % NAMES.len()) else { continue };
        let file = fs.open(&root.join(name), OpenOptions::REPLACE).expect("a file can be made");
        file.write_all_at(&content, 0).expect("a file can be written");
    }
}

fn mend_checksums(content: &mut [u8]) {
    let mut position = 0;
    while let Some(rest) = content.get_mut(position..)
        && let Ok(Some(header)) = BatchHeader::parse(rest)
        && header.magic() == 2
        && let Some(batch) = rest.get_mut(..header.size_in_bytes())
    {
        let crc = crc32c(batch.get(21..).unwrap_or_default()).to_be_bytes();
        for (slot, byte) in batch.iter_mut().skip(17).zip(crc) {
            *slot = byte;
        }
        position += batch.len();
    }
}

fn config() -> Arc<LogConfig> {
    Arc::new(LogConfig {
        segment_bytes: 4096,
        index_interval_bytes: 64,
        segment_index_bytes: 1024,
        retention_bytes: 8192,
        file_delete_delay_ms: 0,
        ..LogConfig::default()
    })
}

fn open(root: &Path) -> Result<LogManager, LogError> {
    let env = Env {
        clock: Arc::new(ManualClock::new(1_700_000_000_000)),
        fs: Arc::new(OsFileSystem::without_sync()),
        rng: Arc::new(SeededRng::new(1)),
        spawner: Arc::new(ThreadSpawner),
    };
    let config_of_topic = config();
    let config = LogManagerConfig {
        log_dirs: vec![root.to_owned()],
        node_id: 0,
        cluster_id: None,
        recovery_threads_per_data_dir: 1,
        on_recovery: None,
        producer_id_expiration_ms: 86_400_000,
        cleaner: super::CleanerConfig::default(),
        topic_configs: Arc::new(move |_| Arc::clone(&config_of_topic)),
    };
    LogManager::open(config, env)
}

/// Errors are fine here; panics are not.
fn exercise(log: &Log) {
    let _ = log.update_high_watermark(log.log_end_offset());
    read_all(log, log.log_start_offset());
    for offset in [0, 1, 4, log.log_end_offset() - 1] {
        let params = ReadParams {
            start_offset: offset,
            max_bytes: 100,
            isolation: FetchIsolation::TxnCommitted,
            min_one_message: true,
        };
        let _ = log.read(&params);
        let _ = log.fetch_offset_by_timestamp(offset);
        log.end_offset_for_epoch(i32::try_from(offset).unwrap_or(i32::MAX));
    }
    let _ = log.fetch_max_timestamp();
    let end = log.log_end_offset();
    for _ in 0..3 {
        let mut builder = RecordBatchBuilder::new(BatchOptions::default());
        let built = builder.append(1, None, Some(&[b'v'; 100]));
        built.expect("a record can be built");
        let records = ValidatedRecords::of_builder(&mut builder).expect("a batch can be built");
        let params = AppendParams { records, origin: AppendOrigin::Client, leader_epoch: 0 };
        if let Err(error) = log.append_as_leader(params) {
            assert!(end > i64::MAX - 10, "at {end}: {error}");
        }
    }
    let _ = log.maybe_update_high_watermark(log.log_end_offset());
    let _ = log.maybe_increment_log_start_offset(end);
    // The end of a batch: within one, the end would be another after opening again.
    let _ = log.truncate_to(end);
    log.flush_to_end().expect("the log can be flushed");
}

/// The bytes of batches from an offset on, as far as they can be read.
fn read_all(log: &Log, start_offset: Offset) -> Vec<u8> {
    let mut found = Vec::new();
    let mut next = start_offset;
    loop {
        let params = ReadParams {
            start_offset: next,
            max_bytes: 1 << 16,
            isolation: FetchIsolation::HighWatermark,
            min_one_message: true,
        };
        let Ok(info) = log.read(&params) else { return found };
        let Some(slice) = info.records else { return found };
        let bytes = slice.read().expect("a slice can be read");
        let before = next;
        for batch in Batches::new(&bytes).map_while(Result::ok) {
            found.extend_from_slice(batch.as_bytes());
            next = next.max(batch.next_offset());
        }
        if next == before {
            return found;
        }
    }
}
