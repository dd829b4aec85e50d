use std::sync::Arc;

use super::*;
use crate::log::LogError;
use crate::log::offset_metadata::LogOffsetMetadata;
use crate::log::partition_dir::PartitionDir;
use crate::log::producers::append_to_info;
use crate::model::{ErrorCode, Offset};
use crate::record::{AppendOrigin, BatchOptions, EndTransactionMarker, RecordBatchBuilder, ValidatedRecords};
use crate::sys::OsFileSystem;

const DAY_MS: i64 = 86_400_000;

struct States {
    dir: tempfile::TempDir,
    producers: ProducerStateManager,
    end: Offset,
}

impl States {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let producers = manager(dir.path(), &[]);
        States { dir, producers, end: 0 }
    }

    /// Appends records with these sequences; the offset of the first.
    fn append(&mut self, epoch: i16, first_sequence: i32, count: i32) -> Result<Offset, LogError> {
        self.append_as(AppendOrigin::Client, epoch, first_sequence, count, false)
    }

    fn append_as(
        &mut self,
        origin: AppendOrigin,
        epoch: i16,
        first_sequence: i32,
        count: i32,
        transactional: bool,
    ) -> Result<Offset, LogError> {
        let mut builder = RecordBatchBuilder::new(BatchOptions {
            producer_id: 1,
            producer_epoch: epoch,
            base_sequence: first_sequence,
            transactional,
            ..BatchOptions::default()
        });
        for _ in 0..count {
            builder.append(1_000, None, Some(b"v")).unwrap();
        }
        let mut batch = ValidatedRecords::of_builder(&mut builder).unwrap();
        batch.assign_offsets(self.end, 0);
        let mut info = self.producers.prepare_update(1, origin);
        append_to_info(&mut info, batch.header(), None, LogOffsetMetadata::of_offset(self.end))?;
        self.producers.update(info);
        self.end = batch.header().next_offset();
        self.producers.update_map_end_offset(self.end);
        Ok(batch.base_offset())
    }

    fn end_txn(
        &mut self,
        epoch: i16,
        is_commit: bool,
        coordinator_epoch: i32,
    ) -> Result<Option<CompletedTxn>, LogError> {
        let mut info = self.producers.prepare_update(1, AppendOrigin::Coordinator);
        let marker = EndTransactionMarker { is_commit, coordinator_epoch };
        let completed = info.append_end_txn_marker(marker, epoch, self.end, 2_000)?;
        self.producers.update(info);
        if let Some(completed) = &completed {
            self.producers.complete_txn(completed);
        }
        self.end += 1;
        self.producers.update_map_end_offset(self.end);
        Ok(completed)
    }

    fn first_unstable(&self) -> Option<Offset> {
        self.producers.first_unstable_offset().map(|first| first.offset)
    }
}

fn manager(dir: &std::path::Path, snapshots: &[Offset]) -> ProducerStateManager {
    let dir = PartitionDir::new(Arc::new(OsFileSystem::without_sync()), dir.to_owned(), Arc::default());
    ProducerStateManager::new(Arc::new(dir), DAY_MS, snapshots.iter().copied())
}

fn code<T: std::fmt::Debug>(result: Result<T, LogError>) -> ErrorCode {
    result.unwrap_err().code()
}

#[test]
fn a_producer_that_is_not_known_may_start_with_any_sequence() {
    let mut states = States::new();
    states.append(3, 77, 2).unwrap();
    assert_eq!(states.producers.last_entry(1).unwrap().last_sequence(), 78);
}

#[test]
fn sequences_follow_each_other_and_start_over_after_the_last() {
    let mut states = States::new();
    states.append(0, i32::MAX - 1, 1).unwrap();
    assert_eq!(code(states.append(0, 0, 1)), ErrorCode::OutOfOrderSequenceNumber);
    // Sequences 2^31-1, 0 and 1.
    states.append(0, i32::MAX, 3).unwrap();
    assert_eq!(states.producers.last_entry(1).unwrap().last_sequence(), 1);
    states.append(0, 2, 1).unwrap();
    assert_eq!(code(states.append(0, 4, 1)), ErrorCode::OutOfOrderSequenceNumber);
    assert_eq!(code(states.append(0, 2, 1)), ErrorCode::OutOfOrderSequenceNumber);
    states.append(0, 3, 1).unwrap();
}

#[test]
fn a_higher_epoch_starts_at_zero_and_fences_the_lower() {
    let mut states = States::new();
    states.append(1, 0, 5).unwrap();
    assert_eq!(code(states.append(2, 5, 1)), ErrorCode::OutOfOrderSequenceNumber);
    states.append(2, 0, 1).unwrap();
    assert_eq!(code(states.append(1, 5, 1)), ErrorCode::InvalidProducerEpoch);
    // What a leader accepted once is not judged again.
    states.append_as(AppendOrigin::Replication, 1, 5, 1, false).unwrap();
}

#[test]
fn five_batches_are_remembered() {
    let mut states = States::new();
    for i in 0..6 {
        states.append(0, 2 * i, 2).unwrap();
    }
    let entry = states.producers.last_entry(1).unwrap();
    let first_sequences: Vec<_> = entry.batches().iter().map(BatchMetadata::first_sequence).collect();
    assert_eq!(first_sequences, [2, 4, 6, 8, 10]);
    assert_eq!(entry.batches().first().map(BatchMetadata::first_offset), Some(2));
}

#[test]
fn a_transaction_is_unstable_until_its_marker_is_below_the_high_watermark() {
    let mut states = States::new();
    states.append(0, 0, 4).unwrap();
    assert_eq!(states.first_unstable(), None);
    states.append_as(AppendOrigin::Client, 0, 4, 2, true).unwrap();
    assert_eq!(states.first_unstable(), Some(4));
    assert_eq!(code(states.append(0, 6, 1)), ErrorCode::InvalidTxnState);
    let completed = states.end_txn(0, false, 7).unwrap();
    let expected = CompletedTxn { producer_id: 1, first_offset: 4, last_offset: 6, is_aborted: true };
    assert_eq!(completed, Some(expected));
    assert_eq!(states.first_unstable(), Some(4));
    states.producers.on_high_watermark_updated(6);
    assert_eq!(states.first_unstable(), Some(4));
    states.producers.on_high_watermark_updated(7);
    assert_eq!(states.first_unstable(), None);
}

#[test]
fn a_marker_of_an_older_coordinator_or_producer_is_refused_and_one_without_data_completes_nothing() {
    let mut states = States::new();
    assert_eq!(states.end_txn(3, true, 7).unwrap(), None);
    assert_eq!(code(states.end_txn(3, true, 6)), ErrorCode::TransactionCoordinatorFenced);
    assert_eq!(code(states.end_txn(2, true, 7)), ErrorCode::InvalidProducerEpoch);
    // A marker with a higher epoch starts the sequences over.
    states.append(3, 0, 3).unwrap();
    states.end_txn(4, true, 7).unwrap();
    assert_eq!(code(states.append(4, 3, 1)), ErrorCode::OutOfOrderSequenceNumber);
    states.append(4, 0, 1).unwrap();
}

#[test]
fn a_snapshot_brings_back_the_last_batch_and_the_open_transaction() {
    let mut states = States::new();
    for i in 0..3 {
        states.append_as(AppendOrigin::Client, 2, 5 * i, 5, true).unwrap();
    }
    states.producers.take_snapshot().unwrap();
    // Nothing new, no new file.
    states.producers.take_snapshot().unwrap();
    assert_eq!(states.producers.snapshot_offsets().collect::<Vec<_>>(), [15]);

    let mut loaded = manager(states.dir.path(), &[15]);
    loaded.truncate_and_reload(0, 15, 1_000).unwrap();
    assert_eq!(loaded.map_end_offset(), 15);
    let entry = loaded.last_entry(1).unwrap();
    let batch = BatchMetadata { last_sequence: 14, last_offset: 14, offset_delta: 4, timestamp: 1_000 };
    assert_eq!(entry.batches(), [batch]);
    assert_eq!((entry.producer_epoch, entry.current_txn_first_offset), (2, Some(0)));
    assert_eq!(loaded.first_unstable_offset().map(|first| first.offset), Some(0));
}

#[test]
fn a_snapshot_has_the_bytes_that_kafka_writes() {
    let mut states = States::new();
    states.append(2, 5, 3).unwrap();
    states.producers.take_snapshot().unwrap();
    let file = states.dir.path().join("00000000000000000003.snapshot");
    let content = crate::sys::FileSystem::read(&OsFileSystem::durable(), &file, 1000).unwrap();
    let mut expected = vec![0, 1];
    let mut body = vec![0, 0, 0, 1];
    body.extend_from_slice(&1i64.to_be_bytes());
    body.extend_from_slice(&2i16.to_be_bytes());
    body.extend_from_slice(&7i32.to_be_bytes());
    body.extend_from_slice(&2i64.to_be_bytes());
    body.extend_from_slice(&2i32.to_be_bytes());
    body.extend_from_slice(&1_000i64.to_be_bytes());
    body.extend_from_slice(&(-1i32).to_be_bytes());
    body.extend_from_slice(&(-1i64).to_be_bytes());
    expected.extend_from_slice(&crate::record::crc32c(&body).to_be_bytes());
    expected.extend_from_slice(&body);
    assert_eq!(content, expected);
}

#[test]
fn a_damaged_snapshot_is_removed_and_the_one_before_it_used() {
    let mut states = States::new();
    states.append(0, 0, 5).unwrap();
    states.producers.take_snapshot().unwrap();
    states.append(0, 5, 5).unwrap();
    states.producers.take_snapshot().unwrap();
    let damaged = states.dir.path().join("00000000000000000010.snapshot");
    let fs = OsFileSystem::durable();
    let file = crate::sys::FileSystem::open(&fs, &damaged, crate::sys::OpenOptions::WRITE).unwrap();
    file.write_all_at(&[0xff], 20).unwrap();

    let mut loaded = manager(states.dir.path(), &[5, 10]);
    loaded.truncate_and_reload(0, 12, 1_000).unwrap();
    assert_eq!(loaded.map_end_offset(), 5);
    assert_eq!(loaded.last_entry(1).unwrap().last_sequence(), 4);
    assert!(!damaged.exists());
}

#[test]
fn producers_expire_unless_a_transaction_is_open() {
    let mut states = States::new();
    states.append(0, 0, 1).unwrap();
    states.producers.remove_expired_producers(1_000 + DAY_MS - 1);
    assert!(states.producers.last_entry(1).is_some());
    states.append_as(AppendOrigin::Client, 0, 1, 1, true).unwrap();
    states.producers.remove_expired_producers(1_000 + DAY_MS);
    assert!(states.producers.last_entry(1).is_some());
    states.end_txn(0, true, 0).unwrap();
    states.producers.remove_expired_producers(2_000 + DAY_MS);
    assert!(states.producers.last_entry(1).is_none());
}

#[test]
fn expired_producers_are_not_loaded() {
    let mut states = States::new();
    states.append(0, 0, 1).unwrap();
    states.producers.take_snapshot().unwrap();
    let mut loaded = manager(states.dir.path(), &[1]);
    loaded.truncate_and_reload(0, 1, 1_000 + DAY_MS).unwrap();
    assert!(loaded.last_entry(1).is_none());
}

#[test]
fn snapshots_stay_that_belong_to_a_segment_or_are_the_newest() {
    let dir = tempfile::tempdir().unwrap();
    let mut producers = manager(dir.path(), &[3, 10, 15, 20, 25]);
    producers.remove_stray_snapshots(&[0, 10, 20]).unwrap();
    assert_eq!(producers.snapshot_offsets().collect::<Vec<_>>(), [10, 20, 25]);
}

proptest::proptest! {
    #[test]
    fn a_snapshot_of_arbitrary_bytes_is_read_without_a_panic(content: Vec<u8>) {
        let _ = super::snapshot::parse(&content);
        // And past the checksum.
        let mut valid = vec![0, 1, 0, 0, 0, 0];
        valid.extend_from_slice(&content);
        let crc = crate::record::crc32c(&content).to_be_bytes();
        valid.splice(2..6, crc);
        let _ = super::snapshot::parse(&valid);
    }
}

#[test]
fn a_batch_sent_again_is_found_where_it_was_appended_last_by_a_producer_that_had_been_forgotten() {
    let mut states = States::new();
    // As a recovery reads them: the log had forgotten the producer in between.
    states.append_as(AppendOrigin::Replication, 0, 0, 2, false).unwrap();
    let offset = states.append_as(AppendOrigin::Replication, 0, 0, 2, false).unwrap();
    let again = two_records(0);
    let entry = states.producers.last_entry(1).unwrap();
    assert_eq!(entry.find_duplicate_batch(again.header()).unwrap().first_offset(), offset);
}

#[test]
fn a_batch_that_goes_on_after_sequences_started_over_is_not_one_from_before() {
    let mut states = States::new();
    for base_sequence in [0, 2, 0] {
        states.append_as(AppendOrigin::Replication, 0, base_sequence, 2, false).unwrap();
    }
    let entry = states.producers.last_entry(1).unwrap();
    assert_eq!(entry.find_duplicate_batch(two_records(2).header()), None);
    assert!(entry.find_duplicate_batch(two_records(0).header()).is_some());
}

fn two_records(base_sequence: i32) -> ValidatedRecords {
    let options =
        BatchOptions { producer_id: 1, producer_epoch: 0, base_sequence, ..BatchOptions::default() };
    let mut builder = RecordBatchBuilder::new(options);
    builder.append(1_000, None, Some(b"v")).unwrap();
    builder.append(1_000, None, Some(b"v")).unwrap();
    ValidatedRecords::of_builder(&mut builder).unwrap()
}
