use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::broker::coordinator::share::{
    Persister, ReadState, SharePartitionKey, ShareStateError, StateBatch, StateSummary, WriteState,
};
use crate::broker::purgatory::Timer;
use crate::broker::share::acquire::AcquireParams;
use crate::broker::share::*;
use crate::config::BrokerConfig;
use crate::model::{ErrorCode, IsolationLevel, LeaderEpoch, Offset, Uuid};
use crate::sys::ManualClock;

pub(super) const LOCK_MS: u64 = 30_000;

/// Keeps the state of one share partition; fails when told to.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) start_offset: Mutex<Offset>,
    pub(super) batches: Mutex<Vec<StateBatch>>,
    pub(super) failure: Mutex<Option<ErrorCode>>,
    pub(super) writes: Mutex<Vec<WriteState>>,
}

impl Persister for Kept {
    fn initialize(&self, _: &SharePartitionKey, _: i32, _: Offset) -> Result<(), ShareStateError> {
        Ok(())
    }

    fn read(&self, _: &SharePartitionKey, _: LeaderEpoch) -> Result<ReadState, ShareStateError> {
        if let Some(error) = *self.failure.lock() {
            return Err(error.into());
        }
        let state_batches = self.batches.lock().clone();
        Ok(ReadState { state_epoch: 3, start_offset: *self.start_offset.lock(), state_batches })
    }

    fn write(&self, _: &SharePartitionKey, write: &WriteState) -> Result<(), ShareStateError> {
        if let Some(error) = *self.failure.lock() {
            return Err(error.into());
        }
        let mut batches = self.batches.lock();
        *batches =
            crate::broker::coordinator::share::combine(&batches, &write.state_batches, write.start_offset);
        *self.start_offset.lock() = write.start_offset;
        self.writes.lock().push(write.clone());
        Ok(())
    }

    fn read_summary(&self, _: &SharePartitionKey) -> Result<StateSummary, ShareStateError> {
        Err(ErrorCode::UnknownServerError.into())
    }

    fn delete(&self, _: &SharePartitionKey) -> Result<(), ShareStateError> {
        Ok(())
    }
}

/// Settings that a test may change.
#[derive(Debug)]
pub(super) struct Settings(pub(super) Mutex<ShareGroupSettings>);

impl ShareGroupSettingsSource for Settings {
    fn settings(&self, _: &str) -> ShareGroupSettings {
        *self.0.lock()
    }
}

/// A share partition in a world that stands still, over a log whose batches are of three records each.
pub(super) struct Fixture {
    pub(super) clock: Arc<ManualClock>,
    pub(super) timer: Arc<Timer>,
    pub(super) kept: Arc<Kept>,
    pub(super) settings: Arc<Settings>,
    pub(super) partition: Arc<SharePartition>,
}

impl Fixture {
    pub(super) fn new() -> Self {
        let clock = Arc::new(ManualClock::new(1_700_000_000_000));
        let timer = Timer::new(clock.clone());
        let kept = Arc::new(Kept {
            start_offset: Mutex::new(-1),
            batches: Mutex::default(),
            failure: Mutex::default(),
            writes: Mutex::default(),
        });
        let mut defaults = ShareGroupSettings::from(&BrokerConfig::default());
        defaults.isolation_level = IsolationLevel::ReadUncommitted;
        let settings = Arc::new(Settings(Mutex::new(defaults)));
        let partition = begin(&kept, &timer, &settings);
        Fixture { clock, timer, kept, settings, partition }
    }

    pub(super) fn set(&self, change: impl FnOnce(&mut ShareGroupSettings)) {
        change(&mut self.settings.0.lock());
    }

    /// Another leader takes over, from what is kept alone.
    pub(super) fn restart(&mut self) {
        self.partition.mark_fenced();
        self.partition = begin(&self.kept, &self.timer, &self.settings);
    }

    pub(super) fn advance_ms(&self, ms: u64) {
        self.clock.advance(Duration::from_millis(ms));
        self.timer.run_due();
    }

    /// Acquires from a log that ends before `log_end`, as a fetch would.
    pub(super) fn acquire(&self, member: &str, max_records: i64, log_end: Offset) -> Vec<(i64, i64, i16)> {
        self.acquire_by(member, max_records, log_end, true)
    }

    pub(super) fn acquire_by(
        &self,
        member_id: &str,
        max_records: i64,
        log_end: Offset,
        is_record_limit: bool,
    ) -> Vec<(i64, i64, i16)> {
        let Some(fetch_offset) = self.partition.next_fetch_offset() else { return Vec::new() };
        let base = fetch_offset - fetch_offset % 3;
        let batches: Vec<_> = (base..log_end).step_by(3).map(|base| (base, base + 2)).collect();
        let acquired = self.partition.acquire(&AcquireParams {
            member_id,
            is_record_limit,
            batch_size: 6,
            max_records,
            fetch_offset,
            batches: &batches,
            aborted: &[],
        });
        acquired.iter().map(|of| (of.first_offset, of.last_offset, of.delivery_count)).collect()
    }

    pub(super) fn acknowledge(
        &self,
        member: &str,
        first_offset: Offset,
        last_offset: Offset,
        types: &[i8],
    ) -> Result<(), ErrorCode> {
        let batch = AcknowledgementBatch { first_offset, last_offset, types: types.to_vec() };
        self.partition.acknowledge(member, &[batch]).map_err(|error| error.code)
    }
}

fn begin(kept: &Arc<Kept>, timer: &Arc<Timer>, settings: &Arc<Settings>) -> Arc<SharePartition> {
    let key = SharePartitionKey::new("g", Uuid::from_bytes([1; 16]), 0);
    let partition =
        SharePartition::new(key, 0, Arc::clone(kept) as _, Arc::clone(timer), Arc::clone(settings) as _);
    partition.maybe_initialize(|_| Ok(0)).unwrap();
    partition
}
