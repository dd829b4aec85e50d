//! Fetches of share groups, which wait until there is something to acquire (Kafka: `DelayedShareFetch`).

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;

use super::acquire::{AcquireParams, AcquiredRecords};
use super::error::ShareError;
use super::manager::{SharePartitionManager, ShareTarget};
use super::share_partition::SharePartition;
use crate::broker::coordinator::share::SharePartitionKey;
use crate::broker::purgatory::{DelayedOperation, TimerHandle};
use crate::broker::replica::{FetchParams, FetchPartition, FetchPartitionData, Partition, fetch_from_log};
use crate::log::{AbortedTxn, FetchIsolation};
use crate::model::{ErrorCode, Offset, Uuid};
use crate::record::{Batches, Records};

/// What a member asks of all its partitions together.
#[derive(Clone, Debug)]
pub(crate) struct ShareFetchParams {
    pub(crate) group_id: Arc<str>,
    pub(crate) member_id: Arc<str>,
    /// Says with which partition to begin, so that each has its turn.
    pub(crate) session_epoch: i32,
    pub(crate) max_wait_ms: i32,
    pub(crate) min_bytes: i32,
    pub(crate) max_bytes: i32,
    pub(crate) max_records: i32,
    pub(crate) batch_size: i32,
    /// No more than `max_records`, rather than whole batches.
    pub(crate) is_record_limit: bool,
}

/// What a partition gives.
#[derive(Clone, Debug)]
pub(crate) struct ShareFetchPartitionData {
    pub(crate) topic_id: Uuid,
    pub(crate) index: i32,
    pub(crate) error: Option<ShareError>,
    /// Whole batches, in which the acquired records are.
    pub(crate) records: Records,
    pub(crate) acquired: Vec<AcquiredRecords>,
}

type Answer = Box<dyn FnOnce(Vec<ShareFetchPartitionData>) + Send>;

/// A partition that can be fetched.
struct Fetching {
    topic_id: Uuid,
    index: i32,
    partition: Arc<Partition>,
    share_partition: Arc<SharePartition>,
}

impl ShareFetchPartitionData {
    fn failed(topic_id: Uuid, index: i32, error: ShareError) -> Self {
        ShareFetchPartitionData {
            topic_id,
            index,
            error: Some(error),
            records: Records::default(),
            acquired: Vec::new(),
        }
    }
}

impl SharePartitionManager {
    /// Acquires records for a member: what there is, if that is enough, or an error, or if it shall not wait; else `later`
    /// is asked for the answer's way, and the answer goes there once there is enough, or `max_wait_ms` has passed.
    ///
    /// `Some` is the answer at once; then `later` was not called.
    pub(crate) fn fetch_or_wait(
        self: &Arc<Self>,
        params: ShareFetchParams,
        mut targets: Vec<ShareTarget>,
        later: impl FnOnce(ShareFetchWait) -> Answer,
    ) -> Option<Vec<ShareFetchPartitionData>> {
        if !targets.is_empty() && params.session_epoch > 1 {
            let first = usize::try_from(params.session_epoch).unwrap_or(0) % targets.len();
            targets.rotate_left(first);
        }
        let (mut fetching, mut failed) = (Vec::new(), Vec::new());
        for ShareTarget { topic_id, index, partition } in targets {
            let key = SharePartitionKey::new(Arc::clone(&params.group_id), topic_id, index);
            let begun = partition
                .map_err(ShareError::from)
                .and_then(|partition| self.get_or_begin(&key, &partition).map(|share| (partition, share)));
            match begun {
                Ok((partition, share_partition)) => {
                    fetching.push(Fetching { topic_id, index, partition, share_partition });
                }
                Err(error) => failed.push(ShareFetchPartitionData::failed(topic_id, index, error)),
            }
        }
        if fetching.is_empty() || params.max_records <= 0 || params.max_bytes <= 0 {
            return Some(failed);
        }
        let isolation = self.settings(&params.group_id).isolation_level.into();
        let max_wait = Duration::from_millis(u64::try_from(params.max_wait_ms).unwrap_or(0));
        let delayed = Arc::new(DelayedShareFetch {
            manager: Arc::clone(self),
            params,
            isolation,
            fetching,
            attempt: Mutex::new(()),
            state: Mutex::new(State { answer: None, failed, timeout: None }),
        });
        if let Some(data) = delayed.attempt(max_wait.is_zero()) {
            return Some(delayed.whole(data));
        }
        delayed.state.lock().answer = Some(later(ShareFetchWait(Arc::clone(&delayed))));
        delayed.wait(max_wait);
        None
    }
}

/// A fetch that waits.
pub(crate) struct ShareFetchWait(Arc<DelayedShareFetch>);

impl ShareFetchWait {
    /// Ends the wait: the fetch acquires nothing any more, and is not answered. `false`: its answer is there, or on its
    /// way.
    pub(crate) fn cancel(&self) -> bool {
        let attempting = self.0.attempt.lock();
        let (answer, timeout) = {
            let mut state = self.0.state.lock();
            (state.answer.take(), state.timeout.take())
        };
        drop(attempting);
        if let Some(timeout) = timeout {
            self.0.manager.timer.cancel(timeout);
        }
        self.0.forget();
        answer.is_some()
    }
}

struct DelayedShareFetch {
    manager: Arc<SharePartitionManager>,
    params: ShareFetchParams,
    isolation: FetchIsolation,
    fetching: Vec<Fetching>,
    /// Held while somebody tries: nobody acquires for a fetch that is answered already.
    attempt: Mutex<()>,
    state: Mutex<State>,
}

struct State {
    /// Taken by the one who answers.
    answer: Option<Answer>,
    failed: Vec<ShareFetchPartitionData>,
    timeout: Option<TimerHandle>,
}

/// What was read for one partition.
struct Read<'a> {
    of: &'a Fetching,
    fetch_offset: Offset,
    data: FetchPartitionData,
}

impl DelayedShareFetch {
    fn wait(self: &Arc<Self>, max_wait: Duration) {
        let operation: Arc<dyn DelayedOperation> = Arc::clone(self) as _;
        for fetching in &self.fetching {
            fetching.partition.watchers().watch(Arc::clone(&operation));
            fetching.share_partition.watchers().watch(Arc::clone(&operation));
        }
        let timed_out = Arc::clone(self);
        let timeout = self.manager.timer.schedule(max_wait, move || timed_out.finish(true));
        self.state.lock().timeout = Some(timeout);
        // Something may have come between the attempt and the registration.
        self.try_complete();
    }

    /// Answers, if nobody has, and there is enough or it has to be.
    fn finish(&self, is_forced: bool) {
        let attempting = self.attempt.lock();
        if self.state.lock().answer.is_none() {
            return;
        }
        let Some(data) = self.attempt_locked(is_forced) else {
            drop(attempting);
            return;
        };
        let (answer, timeout) = {
            let mut state = self.state.lock();
            (state.answer.take(), state.timeout.take())
        };
        drop(attempting);
        if let Some(timeout) = timeout {
            self.manager.timer.cancel(timeout);
        }
        self.forget();
        if let Some(answer) = answer {
            answer(self.whole(data));
        }
    }

    fn whole(&self, mut data: Vec<ShareFetchPartitionData>) -> Vec<ShareFetchPartitionData> {
        data.append(&mut self.state.lock().failed);
        data
    }

    fn forget(&self) {
        for fetching in &self.fetching {
            fetching.partition.watchers().forget_if(|operation| std::ptr::addr_eq(operation, self));
            fetching.share_partition.watchers().forget_if(|operation| std::ptr::addr_eq(operation, self));
        }
    }

    fn attempt(&self, is_forced: bool) -> Option<Vec<ShareFetchPartitionData>> {
        let _attempting = self.attempt.lock();
        self.attempt_locked(is_forced)
    }

    fn attempt_locked(&self, is_forced: bool) -> Option<Vec<ShareFetchPartitionData>> {
        let (mut ready, mut fenced) = (Vec::new(), Vec::new());
        for fetching in &self.fetching {
            if let Err(error) = fetching.share_partition.check_active() {
                fenced.push(ShareFetchPartitionData::failed(fetching.topic_id, fetching.index, error));
                continue;
            }
            if !fetching.share_partition.maybe_acquire_fetch_lock() {
                continue;
            }
            match fetching.share_partition.next_fetch_offset() {
                Some(offset) => ready.push((fetching, offset)),
                None => self.release(fetching),
            }
        }
        let reads = self.read(&ready);
        let bytes: usize = reads.iter().map(|read| read.data.records.len()).sum();
        let has_failed = reads.iter().any(|read| !read.data.error.is_none());
        let min_bytes = usize::try_from(self.params.min_bytes).unwrap_or(0);
        let is_enough =
            is_forced || !fenced.is_empty() || (!reads.is_empty() && (has_failed || bytes >= min_bytes));
        let mut left = i64::from(self.params.max_records);
        let data = is_enough.then(|| {
            let acquired = reads.into_iter().map(|read| self.acquire(read, &mut left));
            acquired.chain(fenced).collect()
        });
        for (fetching, _) in ready {
            self.release(fetching);
        }
        data
    }

    /// Lets other fetches come, and tells those who wanted to. They try on another thread: this one holds locks of its own
    /// fetch.
    fn release(&self, fetching: &Fetching) {
        if fetching.share_partition.release_fetch_lock() {
            let share_partition = Arc::clone(&fetching.share_partition);
            self.manager.timer.schedule(Duration::ZERO, move || share_partition.watchers().check());
        }
    }

    /// Reads from where each partition is next; the limit of bytes is shared out evenly.
    fn read<'a>(&self, ready: &[(&'a Fetching, Offset)]) -> Vec<Read<'a>> {
        let count = i32::try_from(ready.len()).unwrap_or(i32::MAX).max(1);
        let max_bytes = self.params.max_bytes / count;
        let params = FetchParams {
            isolation: self.isolation,
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes,
            min_one_message: true,
        };
        let read = |&(of, fetch_offset): &(&'a Fetching, Offset)| {
            let request = FetchPartition {
                partition: Ok(Arc::clone(&of.partition)),
                fetch_offset,
                max_bytes,
                current_leader_epoch: -1,
                last_fetched_epoch: -1,
            };
            let data = fetch_from_log(&params, &[request]).pop()?;
            Some(Read { of, fetch_offset, data })
        };
        ready.iter().filter_map(read).collect()
    }

    fn acquire(&self, read: Read<'_>, left: &mut i64) -> ShareFetchPartitionData {
        let Read { of, fetch_offset, data } = read;
        let nothing = ShareFetchPartitionData {
            topic_id: of.topic_id,
            index: of.index,
            error: None,
            records: Records::default(),
            acquired: Vec::new(),
        };
        match data.error {
            ErrorCode::None => {}
            ErrorCode::OffsetOutOfRange => {
                // The log begins later than the group: the next fetch begins there.
                if let Some(log) = of.partition.existing_log() {
                    of.share_partition.update_start(log.log_start_offset());
                }
                return nothing;
            }
            code => {
                let error = ShareError::from(code);
                let key = SharePartitionKey::new(Arc::clone(&self.params.group_id), of.topic_id, of.index);
                // Fenced once the locks of this fetch are let go of; the next fetch of the member finds out.
                tracing::debug!(%key, %error, "cannot read for a share group");
                return ShareFetchPartitionData { error: Some(error), ..nothing };
            }
        }
        let bytes = match data.records.read() {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::error!(partition = %of.partition.tp(), %error, "cannot read");
                let error = ShareError::from(ErrorCode::KafkaStorageError);
                return ShareFetchPartitionData { error: Some(error), ..nothing };
            }
        };
        let aborted = data.aborted_transactions.as_deref().unwrap_or_default();
        let found = FoundBatches::in_bytes(&bytes, aborted);
        let acquired = of.share_partition.acquire(&AcquireParams {
            member_id: &self.params.member_id,
            is_record_limit: self.params.is_record_limit,
            batch_size: self.params.batch_size,
            max_records: *left,
            fetch_offset,
            batches: &found.batches,
            aborted: &found.aborted,
        });
        *left -= acquired.iter().map(|records| records.last_offset - records.first_offset + 1).sum::<i64>();
        let records = found.slice(&bytes, &acquired);
        ShareFetchPartitionData { records: Records::Bytes(records), acquired, ..nothing }
    }
}

/// Which batches were read.
struct FoundBatches {
    /// First and last offset of each.
    batches: Vec<(Offset, Offset)>,
    /// Where each of them ends.
    ends: Vec<usize>,
    aborted: Vec<(Offset, Offset)>,
}

impl FoundBatches {
    fn in_bytes(bytes: &[u8], aborted_transactions: &[AbortedTxn]) -> Self {
        let mut found = FoundBatches { batches: Vec::new(), ends: Vec::new(), aborted: Vec::new() };
        let mut upcoming: Vec<&AbortedTxn> = aborted_transactions.iter().collect();
        upcoming.sort_by_key(|aborted| std::cmp::Reverse(aborted.first_offset));
        let mut aborting = HashSet::new();
        let mut position = 0;
        // What is damaged, or cut by the limits, is left for the next fetch.
        for batch in Batches::new(bytes).map_while(Result::ok) {
            position += batch.size_in_bytes();
            let range = (batch.base_offset(), batch.last_offset());
            found.batches.push(range);
            found.ends.push(position);
            let producer_id = batch.producer_id();
            if producer_id < 0 {
                continue;
            }
            while upcoming.last().is_some_and(|aborted| aborted.first_offset <= range.1) {
                aborting.extend(upcoming.pop().map(|aborted| aborted.producer_id));
            }
            if batch.is_control() {
                aborting.remove(&producer_id);
            } else if batch.is_transactional() && aborting.contains(&producer_id) {
                found.aborted.push(range);
            }
        }
        found
    }

    /// The whole batches in which something was acquired, and those between (Kafka: `maybeSliceFetchRecords`).
    fn slice(&self, bytes: &Bytes, acquired: &[AcquiredRecords]) -> Bytes {
        let (Some(first), Some(last)) = (acquired.first(), acquired.last()) else { return Bytes::new() };
        let mut start = 0;
        let mut end = 0;
        let mut begin = 0;
        for ((base, batch_last), batch_end) in self.batches.iter().zip(&self.ends) {
            if *batch_last < first.first_offset {
                start = *batch_end;
            }
            if *base <= last.last_offset {
                end = *batch_end;
            }
            begin = *batch_end;
        }
        bytes.slice(start.min(begin)..end.max(start))
    }
}

impl DelayedOperation for DelayedShareFetch {
    fn try_complete(&self) -> bool {
        if self.state.lock().answer.is_none() {
            return true;
        }
        // A few loads: an append wakes all who wait for the partition, whatever they wait for.
        let may_go_on = self.fetching.iter().any(|fetching| {
            if fetching.share_partition.check_active().is_err() {
                return true;
            }
            let Some(log) = fetching.partition.existing_log() else { return true };
            let next = fetching.share_partition.next_fetch_offset();
            next.is_some_and(|next| next < log.upper_bound(self.isolation).offset)
        });
        if may_go_on {
            self.finish(false);
        }
        self.state.lock().answer.is_none()
    }
}
