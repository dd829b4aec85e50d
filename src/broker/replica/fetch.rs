use std::sync::Arc;

use super::partition::Partition;
use crate::error::{Error, Result};
use crate::log::{AbortedTxn, EpochEndOffset, FetchIsolation, Log, ReadParams};
use crate::model::{ErrorCode, IsolationLevel, LeaderEpoch, NO_LEADER_EPOCH, Offset};
use crate::record::Records;

/// What a fetch asks of all its partitions together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FetchParams {
    pub(crate) isolation: FetchIsolation,
    pub(crate) max_wait_ms: i32,
    pub(crate) min_bytes: i32,
    pub(crate) max_bytes: i32,
    /// Whether the first partition with data gives at least one whole batch, whatever the limits say (fetches
    /// of version 3 and later).
    pub(crate) min_one_message: bool,
}

/// What a fetch asks of one partition.
#[derive(Clone, Debug)]
pub(crate) struct FetchPartition {
    /// The partition, or why it cannot be read.
    pub(crate) partition: std::result::Result<Arc<Partition>, ErrorCode>,
    pub(crate) fetch_offset: Offset,
    pub(crate) max_bytes: i32,
    /// The epoch in which the reader believes; -1: it does not say.
    pub(crate) current_leader_epoch: LeaderEpoch,
    /// The epoch of the last record the reader has; -1: it does not say.
    pub(crate) last_fetched_epoch: LeaderEpoch,
}

/// What a partition gives. On an error all offsets are -1 and there are no records.
#[derive(Clone, Debug)]
pub(crate) struct FetchPartitionData {
    pub(crate) error: ErrorCode,
    pub(crate) high_watermark: Offset,
    pub(crate) last_stable_offset: Offset,
    pub(crate) log_start_offset: Offset,
    pub(crate) records: Records,
    /// `None` for readers of uncommitted records.
    pub(crate) aborted_transactions: Option<Vec<AbortedTxn>>,
    pub(crate) diverging_epoch: Option<EpochEndOffset>,
    /// The leader's epoch, for readers that are fenced.
    pub(crate) leader_epoch: LeaderEpoch,
}

impl FetchPartitionData {
    pub(crate) fn error(error: ErrorCode, leader_epoch: LeaderEpoch) -> Self {
        FetchPartitionData {
            error,
            high_watermark: -1,
            last_stable_offset: -1,
            log_start_offset: -1,
            records: Records::default(),
            aborted_transactions: None,
            diverging_epoch: None,
            leader_epoch,
        }
    }
}

impl FetchPartition {
    /// The offset below which the reader may read now; `None` if reading would answer something else.
    pub(super) fn readable_end(&self, isolation: FetchIsolation) -> Option<Offset> {
        let log = self.partition.as_ref().ok()?.existing_log()?;
        Some(upper_bound(&log, isolation))
    }
}

fn upper_bound(log: &Log, isolation: FetchIsolation) -> Offset {
    log.upper_bound(isolation).offset
}

impl From<IsolationLevel> for FetchIsolation {
    fn from(level: IsolationLevel) -> Self {
        match level {
            IsolationLevel::ReadUncommitted => FetchIsolation::HighWatermark,
            IsolationLevel::ReadCommitted => FetchIsolation::TxnCommitted,
        }
    }
}

/// Reads what is there now, in the order of `partitions`, and within the limits (Kafka:
/// `ReplicaManager#readFromLog`).
pub(crate) fn fetch_from_log(params: &FetchParams, partitions: &[FetchPartition]) -> Vec<FetchPartitionData> {
    let mut limit_bytes = usize::try_from(params.max_bytes).unwrap_or(0);
    let mut min_one_message = params.min_one_message;
    let mut answers = Vec::with_capacity(partitions.len());
    for request in partitions {
        let data = read_partition(params.isolation, request, limit_bytes, min_one_message);
        let size = data.records.len();
        if size > 0 {
            min_one_message = false;
        }
        limit_bytes = limit_bytes.saturating_sub(size);
        answers.push(data);
    }
    answers
}

fn read_partition(
    isolation: FetchIsolation,
    request: &FetchPartition,
    limit_bytes: usize,
    min_one_message: bool,
) -> FetchPartitionData {
    let partition = match &request.partition {
        Ok(partition) => partition,
        Err(error) => {
            // Kafka answers these before it looks at the isolation level: with an empty list, never with none.
            let data = FetchPartitionData::error(*error, NO_LEADER_EPOCH);
            return FetchPartitionData { aborted_transactions: Some(Vec::new()), ..data };
        }
    };
    match try_read_partition(isolation, partition, request, limit_bytes, min_one_message) {
        Ok(data) => data,
        Err(error) => {
            if error.code() == ErrorCode::KafkaStorageError {
                tracing::error!(partition = %partition.tp(), %error, "cannot read");
            }
            FetchPartitionData::error(error.code(), partition.leader_epoch())
        }
    }
}

fn try_read_partition(
    isolation: FetchIsolation,
    partition: &Partition,
    request: &FetchPartition,
    limit_bytes: usize,
    min_one_message: bool,
) -> Result<FetchPartitionData> {
    check_leader_epoch(partition, request.current_leader_epoch)?;
    let log = partition.log()?;
    let mut data = FetchPartitionData {
        error: ErrorCode::None,
        high_watermark: log.high_watermark(),
        last_stable_offset: log.last_stable_offset(),
        log_start_offset: log.log_start_offset(),
        records: Records::default(),
        aborted_transactions: None,
        diverging_epoch: None,
        leader_epoch: partition.leader_epoch(),
    };
    if request.last_fetched_epoch >= 0 {
        let end = last_offset_for_epoch(partition, request.last_fetched_epoch)?;
        if end.epoch < 0 || end.end_offset < 0 {
            return Err(Error::from(ErrorCode::OffsetOutOfRange));
        }
        if end.epoch < request.last_fetched_epoch || end.end_offset < request.fetch_offset {
            data.diverging_epoch = Some(end);
            return Ok(data);
        }
    }
    let max_bytes = limit_bytes.min(usize::try_from(request.max_bytes).unwrap_or(0));
    let read =
        log.read(&ReadParams { start_offset: request.fetch_offset, max_bytes, isolation, min_one_message })?;
    data.high_watermark = read.high_watermark;
    data.last_stable_offset = read.last_stable_offset;
    data.log_start_offset = read.log_start_offset;
    if let Some(slice) = read.records {
        data.records = Records::File(slice);
    }
    data.aborted_transactions = read.aborted_transactions;
    Ok(data)
}

/// Fences readers that follow an older leader, or a newer one than this (Kafka:
/// `Partition#checkCurrentLeaderEpoch`).
pub(crate) fn check_leader_epoch(partition: &Partition, current_leader_epoch: LeaderEpoch) -> Result<()> {
    let own = partition.leader_epoch();
    if current_leader_epoch < 0 || current_leader_epoch == own {
        Ok(())
    } else if current_leader_epoch < own {
        Err(Error::from(ErrorCode::FencedLeaderEpoch))
    } else {
        Err(Error::from(ErrorCode::UnknownLeaderEpoch))
    }
}

/// The largest epoch up to `epoch` that the log knows, and where it ends (Kafka:
/// `Partition#lastOffsetForLeaderEpoch`). Epoch and offset are -1 where the log cannot tell.
pub(crate) fn last_offset_for_epoch(partition: &Partition, epoch: LeaderEpoch) -> Result<EpochEndOffset> {
    let log = partition.log()?;
    Ok(log.end_offset_for_epoch(epoch))
}
