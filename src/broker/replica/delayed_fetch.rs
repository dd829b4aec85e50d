//! Fetches that wait until there is enough to read (Kafka: `DelayedFetch`).

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::fetch::{FetchParams, FetchPartition, FetchPartitionData, fetch_from_log};
use crate::broker::purgatory::{DelayedOperation, Timer, TimerHandle};
use crate::model::{LeaderEpoch, Offset};

type Answer = Box<dyn FnOnce(Vec<FetchPartitionData>) + Send>;

/// Answers at once if the fetch may be answered at once; `None` means that [`fetch_or_wait`] is to be called,
/// which a caller can thus prepare for only if need be.
fn fetch_now(params: &FetchParams, partitions: &[FetchPartition]) -> Option<Vec<FetchPartitionData>> {
    let data = fetch_from_log(params, partitions);
    let has_any = partitions.iter().any(|request| request.partition.is_ok());
    (!has_any || params.max_wait_ms <= 0 || is_enough(params, partitions, &data)).then_some(data)
}

/// A partition that was not found does not end the wait for the others: a client that goes on asking for it would
/// never wait.
fn is_enough(params: &FetchParams, partitions: &[FetchPartition], data: &[FetchPartitionData]) -> bool {
    let mut bytes = 0usize;
    for (_, partition) in partitions.iter().zip(data).filter(|(request, _)| request.partition.is_ok()) {
        if !partition.error.is_none() || partition.diverging_epoch.is_some() {
            return true;
        }
        bytes = bytes.saturating_add(partition.records.len());
    }
    bytes >= usize::try_from(params.min_bytes).unwrap_or(0)
}

/// Answers a fetch: with what there is, if that is enough, or an error, or if it shall not wait; else `later` is
/// asked for the answer's way, and the answer goes there once there is enough, or `max_wait_ms` has passed.
///
/// `Some` is the answer at once; then `later` was not called.
pub(crate) fn fetch_or_wait(
    timer: &Arc<Timer>,
    params: FetchParams,
    partitions: Vec<FetchPartition>,
    later: impl FnOnce() -> Answer,
) -> Option<Vec<FetchPartitionData>> {
    if let Some(data) = fetch_now(&params, &partitions) {
        return Some(data);
    }
    let seen_ends = partitions.iter().map(|p| p.readable_end(params.isolation)).collect();
    let epochs = partitions.iter().map(leader_epoch).collect();
    let delayed = Arc::new(DelayedFetch {
        params,
        partitions,
        epochs,
        state: Mutex::new(State { answer: Some(later()), timeout: None, seen_ends }),
        timer: Arc::clone(timer),
    });
    let operation: Arc<dyn DelayedOperation> = Arc::clone(&delayed) as _;
    for partition in delayed.partitions.iter().filter_map(|request| request.partition.as_ref().ok()) {
        partition.watchers().watch(Arc::clone(&operation));
    }
    let max_wait = Duration::from_millis(u64::try_from(params.max_wait_ms).unwrap_or(0));
    let timed_out = Arc::clone(&delayed);
    let timeout = timer.schedule(max_wait, move || timed_out.expire());
    {
        let mut state = delayed.state.lock();
        if state.answer.is_some() {
            state.timeout = Some(timeout);
        } else {
            drop(state);
            timer.cancel(timeout);
            return None;
        }
        // An append may have come between the read above and the registration.
        state.seen_ends.fill(None);
    }
    delayed.try_complete();
    None
}

fn leader_epoch(request: &FetchPartition) -> Option<LeaderEpoch> {
    request.partition.as_ref().ok().map(|partition| partition.leader_epoch())
}

struct DelayedFetch {
    params: FetchParams,
    partitions: Vec<FetchPartition>,
    /// In which epoch each partition was led when the wait began: an election ends it.
    epochs: Vec<Option<LeaderEpoch>>,
    state: Mutex<State>,
    timer: Arc<Timer>,
}

struct State {
    /// Taken by the one who answers.
    answer: Option<Answer>,
    timeout: Option<TimerHandle>,
    /// How far each partition was readable when it was last tried: without a change there, a try is a few
    /// loads, not a read.
    seen_ends: Vec<Option<Offset>>,
}

impl DelayedFetch {
    /// Ends the wait with what there is.
    fn expire(&self) {
        if self.state.lock().answer.is_some() {
            self.finish(fetch_from_log(&self.params, &self.partitions));
        }
    }

    /// Gives the answer, if nobody else has.
    fn finish(&self, data: Vec<FetchPartitionData>) {
        let (answer, timeout) = {
            let mut state = self.state.lock();
            (state.answer.take(), state.timeout.take())
        };
        let Some(answer) = answer else { return };
        if let Some(timeout) = timeout {
            self.timer.cancel(timeout);
        }
        self.forget();
        answer(data);
    }

    /// Leaves the lists of all partitions, also of those that nobody appends to any more.
    fn forget(&self) {
        for partition in self.partitions.iter().filter_map(|request| request.partition.as_ref().ok()) {
            partition.watchers().forget_if(|operation| std::ptr::addr_eq(operation, self));
        }
    }

    fn has_new_leader(&self) -> bool {
        self.partitions.iter().zip(&self.epochs).any(|(partition, seen)| leader_epoch(partition) != *seen)
    }

    fn has_changed(&self, state: &mut State) -> bool {
        let mut changed = false;
        let found = |(request, _): &(&FetchPartition, _)| request.partition.is_ok();
        for (request, seen) in self.partitions.iter().zip(&mut state.seen_ends).filter(found) {
            let end = request.readable_end(self.params.isolation);
            if *seen != end || end.is_none() {
                *seen = end;
                changed = true;
            }
        }
        changed
    }
}

impl DelayedOperation for DelayedFetch {
    fn try_complete(&self) -> bool {
        {
            let mut state = self.state.lock();
            if state.answer.is_none() {
                return true;
            }
            if !self.has_changed(&mut state) && !self.has_new_leader() {
                return false;
            }
        }
        let data = fetch_from_log(&self.params, &self.partitions);
        if !self.has_new_leader() && !is_enough(&self.params, &self.partitions, &data) {
            return false;
        }
        self.finish(data);
        true
    }
}
