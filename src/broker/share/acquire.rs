use std::sync::Arc;

use super::record_state::RecordState;
use super::runs::{OffsetState, Run};
use super::share_partition::{Change, Phase, SharePartition, State};
use crate::model::Offset;

/// Below that many deliveries nothing is held back, whatever the limit is.
const MINIMUM_THROTTLE_LIMIT: i64 = 2;

/// Records that a member has got, to be acknowledged until the lock ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AcquiredRecords {
    pub(crate) first_offset: Offset,
    /// Inclusive.
    pub(crate) last_offset: Offset,
    pub(crate) delivery_count: i16,
}

/// What has been read from the log for a member to acquire.
#[derive(Debug)]
pub(super) struct AcquireParams<'a> {
    pub(super) member_id: &'a str,
    /// No more than `max_records`, rather than whole batches (KIP-1206).
    pub(super) is_record_limit: bool,
    /// How many records the member would like to acknowledge at once.
    pub(super) batch_size: i32,
    pub(super) max_records: i64,
    /// From where on it was read.
    pub(super) fetch_offset: Offset,
    /// First and last offset of each batch that was read, in order.
    pub(super) batches: &'a [(Offset, Offset)],
    /// The same of those that belong to aborted transactions, for groups that read what is committed.
    pub(super) aborted: &'a [(Offset, Offset)],
}

/// What is being acquired.
struct Acquisition<'a> {
    params: &'a AcquireParams<'a>,
    member: Arc<str>,
    max_records: i64,
    count: i64,
    acquired: Vec<AcquiredRecords>,
    delivery_limit: i64,
}

impl SharePartition {
    /// Gives what was read to a member, as far as nobody else has it and the limits allow.
    pub(super) fn acquire(&self, params: &AcquireParams<'_>) -> Vec<AcquiredRecords> {
        let (Some((base_offset, _)), Some((_, last_offset))) =
            (params.batches.first(), params.batches.last())
        else {
            return Vec::new();
        };
        let mut state = self.lock();
        if state.phase != Phase::Active || params.max_records <= 0 || *last_offset < state.start_offset {
            return Vec::new();
        }
        let settings = self.settings();
        let limit = i64::from(settings.partition_max_record_locks);
        let (mut max_records, mut last_offset) = (params.max_records, *last_offset);
        let free = limit - state.in_flight_count();
        if free > 0 {
            max_records = max_records.min(free);
        } else if params.fetch_offset < state.next_offset {
            // All locks are taken, but what is between may be acquired again.
            last_offset = last_offset.min(state.next_offset - 1);
            max_records = max_records.min(state.next_offset - params.fetch_offset);
        } else {
            return Vec::new();
        }
        self.archive_missing(&mut state, params.fetch_offset, *base_offset);
        let mut acquisition = Acquisition {
            params,
            member: Arc::from(params.member_id),
            max_records,
            count: 0,
            acquired: Vec::new(),
            delivery_limit: i64::from(settings.delivery_count_limit),
        };
        let first = (*base_offset).max(state.start_offset);
        let is_throttled = self.acquire_again(&mut state, &mut acquisition, first, last_offset);
        if !is_throttled && acquisition.count < acquisition.max_records && last_offset >= state.next_offset {
            self.acquire_new(&mut state, &mut acquisition, last_offset);
        }
        let acquired = self.archive_aborted(&mut state, acquisition.acquired, params.aborted);
        state.move_start();
        acquired
    }

    /// Offsets that were to be read and are not in the log any more, since it was compacted, are nobody's.
    fn archive_missing(&self, state: &mut State, fetch_offset: Offset, base_offset: Offset) {
        let missing: Vec<Run> = state
            .runs
            .within(fetch_offset, base_offset - 1)
            .filter(|run| run.of.state == RecordState::Available)
            .collect();
        for run in missing {
            self.apply(state, &archived(run.first, run.last, run.of.delivery_count));
        }
        if base_offset > state.next_offset && fetch_offset >= state.next_offset {
            let (first, last) = (state.next_offset, base_offset - 1);
            state.runs.set(first, last, OffsetState::free(RecordState::Archived, 0));
            state.delivery_complete_count += last - first + 1;
            state.next_offset = base_offset;
        }
    }

    /// Records that were delivered before and given back. Says whether one of them is suspected of doing harm, and no
    /// more are to be given along with it.
    fn acquire_again(
        &self,
        state: &mut State,
        acquisition: &mut Acquisition<'_>,
        first: Offset,
        last: Offset,
    ) -> bool {
        let available: Vec<Run> =
            state.runs.within(first, last).filter(|run| run.of.state == RecordState::Available).collect();
        for mut run in available {
            if acquisition.count >= acquisition.max_records {
                break;
            }
            let throttled = throttled_len(&run, acquisition.delivery_limit);
            if throttled.is_some() && acquisition.count > 0 {
                return true;
            }
            if acquisition.params.is_record_limit {
                let left = acquisition.max_records - acquisition.count;
                run.last = run.last.min(run.first + left - 1);
            }
            if let Some(len) = throttled {
                run.last = run.last.min(run.first + len - 1);
            }
            let delivery_count = run.of.delivery_count.saturating_add(1);
            self.hold(state, acquisition, run.first, run.last, delivery_count);
            if throttled.is_some() {
                return true;
            }
        }
        false
    }

    /// Records that nobody had before, in batches of the size that the member likes, each of which is whole batches of the
    /// log.
    fn acquire_new(&self, state: &mut State, acquisition: &mut Acquisition<'_>, last_offset: Offset) {
        let params = acquisition.params;
        let first = state.next_offset;
        let left = acquisition.max_records - acquisition.count;
        let mut last = last_offset;
        if left < last - first + 1 {
            last = first + left - 1;
            if !params.is_record_limit {
                let whole = params.batches.iter().find(|(base, end)| (*base..=*end).contains(&last));
                last = whole.map_or(last, |(_, end)| *end);
            }
        }
        let mut from = first;
        if !params.is_record_limit {
            for (base, _) in params.batches.iter().take_while(|(base, _)| *base <= last) {
                if base - from >= i64::from(params.batch_size.max(1)) {
                    self.hold(state, acquisition, from, base - 1, 1);
                    from = *base;
                }
            }
        }
        self.hold(state, acquisition, from, last, 1);
        state.next_offset = last + 1;
    }

    fn hold(
        &self,
        state: &mut State,
        acquisition: &mut Acquisition<'_>,
        first_offset: Offset,
        last_offset: Offset,
        delivery_count: i16,
    ) {
        let len = last_offset - first_offset + 1;
        let lock = self.new_lock(state, len);
        let holder = Some((Arc::clone(&acquisition.member), lock));
        let held = OffsetState { state: RecordState::Acquired, delivery_count, holder };
        state.runs.set(first_offset, last_offset, held);
        acquisition.count += len;
        acquisition.acquired.push(AcquiredRecords { first_offset, last_offset, delivery_count });
    }

    /// Takes out of what was acquired what belongs to aborted transactions, which nobody gets.
    fn archive_aborted(
        &self,
        state: &mut State,
        acquired: Vec<AcquiredRecords>,
        aborted: &[(Offset, Offset)],
    ) -> Vec<AcquiredRecords> {
        let mut kept = Vec::with_capacity(acquired.len());
        for records in acquired {
            let mut rest = records;
            let mut is_used_up = false;
            for (base, end) in aborted {
                let (first, last) = ((*base).max(rest.first_offset), (*end).min(rest.last_offset));
                if first > last {
                    continue;
                }
                self.apply(state, &archived(first, last, rest.delivery_count));
                if first > rest.first_offset {
                    kept.push(AcquiredRecords { last_offset: first - 1, ..rest });
                }
                is_used_up = last == rest.last_offset;
                if is_used_up {
                    break;
                }
                rest.first_offset = last + 1;
            }
            if !is_used_up {
                kept.push(rest);
            }
        }
        kept
    }
}

/// How many of a run may be delivered at once; `None`: all of them. Records that were delivered often go in ever smaller
/// groups, and alone the last time, so that one that does harm does not take others with it (KIP-1206).
fn throttled_len(run: &Run, delivery_limit: i64) -> Option<i64> {
    let delivery_count = i64::from(run.of.delivery_count);
    let throttle_limit = MINIMUM_THROTTLE_LIMIT.max((delivery_limit + 1) / 2);
    if delivery_limit > MINIMUM_THROTTLE_LIMIT && delivery_count == delivery_limit - 1 {
        return Some(1);
    }
    let excess = u32::try_from(delivery_count - throttle_limit + 1).ok().filter(|excess| *excess > 0)?;
    Some(run.len().checked_shr(excess).unwrap_or(0).max(1))
}

fn archived(first: Offset, last: Offset, delivery_count: i16) -> Change {
    Change { first, last, state: RecordState::Archived, delivery_count }
}
