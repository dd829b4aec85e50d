use std::sync::Arc;

use super::error::ShareError;
use super::locks::released;
use super::record_state::RecordState;
use super::runs::{OffsetState, Run};
use super::share_partition::{Change, SharePartition, State};
use crate::model::{ErrorCode, Offset};

/// There is no record.
pub(crate) const GAP: i8 = 0;
pub(crate) const ACCEPT: i8 = 1;
pub(crate) const RELEASE: i8 = 2;
pub(crate) const REJECT: i8 = 3;
/// Keep the records, for as long again.
pub(crate) const RENEW: i8 = 4;
/// The highest number that stands for something.
pub(crate) const MAX_ACKNOWLEDGE_TYPE: i8 = RENEW;

const NOT_ACQUIRED: &str = "The batch cannot be acknowledged. The batch is not in the acquired state.";

/// What a member says of consecutive offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AcknowledgementBatch {
    pub(crate) first_offset: Offset,
    /// Inclusive.
    pub(crate) last_offset: Offset,
    /// Of each offset, or one for all of them.
    pub(crate) types: Vec<i8>,
}

impl AcknowledgementBatch {
    fn type_at(&self, offset: Offset) -> Option<i8> {
        match &self.types[..] {
            [one] => Some(*one),
            many => usize::try_from(offset - self.first_offset).ok().and_then(|at| many.get(at)).copied(),
        }
    }
}

/// What is to be done about acknowledgements that all can be accepted.
#[derive(Default)]
struct Decisions {
    changes: Vec<Change>,
    renewals: Vec<Run>,
}

impl SharePartition {
    /// Takes in what a member says of records that it has acquired: all of it or nothing. Batches are in the order of
    /// their offsets.
    ///
    /// # Errors
    /// INVALID_RECORD_STATE for records that the member has not (or no longer) acquired, INVALID_REQUEST for offsets that
    /// nobody has, or what keeps it from being kept.
    pub(crate) fn acknowledge(
        &self,
        member_id: &str,
        batches: &[AcknowledgementBatch],
    ) -> Result<(), ShareError> {
        let mut state = self.lock();
        Self::ensure_active(&state)?;
        let mut decisions = Decisions::default();
        let mut decided: Option<Offset> = None;
        for batch in batches {
            // After the first word about a record it is not acquired any more.
            if decided.is_some_and(|last| last >= batch.first_offset.max(state.start_offset)) {
                return Err(invalid_state(NOT_ACQUIRED));
            }
            self.decide(&state, member_id, batch, &mut decisions)?;
            decided = Some(batch.last_offset);
        }
        self.persist_and_apply(&mut state, &decisions.changes)?;
        self.renew(&mut state, member_id, &decisions.renewals);
        drop(state);
        self.watchers().check();
        Ok(())
    }

    /// Gives back all that a member has acquired.
    pub(super) fn release_acquired_records(&self, member_id: &str) -> Result<(), ShareError> {
        let mut state = self.lock();
        Self::ensure_active(&state)?;
        let changes = self.releases(&state, |member, _| member == member_id);
        self.persist_and_apply(&mut state, &changes)?;
        drop(state);
        self.watchers().check();
        Ok(())
    }

    fn decide(
        &self,
        state: &State,
        member_id: &str,
        batch: &AcknowledgementBatch,
        decisions: &mut Decisions,
    ) -> Result<(), ShareError> {
        if batch.last_offset < state.start_offset {
            // All of it is dealt with, or gone with the start of the log.
            return Ok(());
        }
        let first = batch.first_offset.max(state.start_offset);
        check_known(state, first, batch.last_offset)?;
        let limit = self.settings().delivery_count_limit;
        for run in state.runs.within(first, batch.last_offset) {
            check_owner(&run, member_id)?;
            for part in same_type(batch, run)? {
                let (ack_type, run) = part;
                let next = match ack_type {
                    GAP | REJECT => RecordState::Archived,
                    ACCEPT => RecordState::Acknowledged,
                    RELEASE => released(run.of.delivery_count, limit),
                    RENEW if self.settings().renew_acknowledge_enable => {
                        decisions.renewals.push(run);
                        continue;
                    }
                    RENEW => {
                        return Err(invalid_state(
                            "Renewing acquisition locks is not enabled for the group.",
                        ));
                    }
                    _ => return Err(ShareError::new(ErrorCode::InvalidRequest, "Invalid acknowledge type.")),
                };
                push(&mut decisions.changes, &run, next);
            }
        }
        Ok(())
    }

    fn renew(&self, state: &mut State, member_id: &str, renewals: &[Run]) {
        let Some(member) = renewals.iter().find_map(|run| run.of.holder.as_ref()).map(|(member, _)| member)
        else {
            return;
        };
        debug_assert_eq!(&**member, member_id);
        let lock = self.new_lock(state, renewals.iter().map(Run::len).sum());
        for run in renewals {
            if let Some((_, old)) = run.of.holder {
                self.loosen(state, old, run.len());
            }
            let holder = Some((Arc::clone(member), lock));
            state.runs.set(run.first, run.last, OffsetState { holder, ..run.of.clone() });
        }
    }
}

fn check_known(state: &State, first: Offset, last: Offset) -> Result<(), ShareError> {
    if state.runs.first_offset().is_none_or(|known| known > first) {
        return Err(invalid_state(
            "Batch record not found. The request batch offsets are not found in the cache.",
        ));
    }
    let end = state.runs.last_offset().unwrap_or(-1);
    let message = if end < first {
        "Batch record not found. The first offset in request is past acquired records."
    } else if end < last {
        "Batch record not found. The last offset in request is past acquired records."
    } else {
        return Ok(());
    };
    Err(ShareError::new(ErrorCode::InvalidRequest, message))
}

fn check_owner(run: &Run, member_id: &str) -> Result<(), ShareError> {
    match &run.of.holder {
        Some((member, _)) if &**member == member_id => Ok(()),
        Some(_) => Err(invalid_state("Member is not the owner of batch record")),
        None => Err(invalid_state(NOT_ACQUIRED)),
    }
}

/// The parts of a run of which the same is said.
fn same_type(batch: &AcknowledgementBatch, run: Run) -> Result<Vec<(i8, Run)>, ShareError> {
    let missing = || ShareError::new(ErrorCode::InvalidRequest, "Invalid acknowledge type.");
    if batch.types.len() == 1 {
        return Ok(vec![(batch.type_at(run.first).ok_or_else(missing)?, run)]);
    }
    let mut parts: Vec<(i8, Run)> = Vec::new();
    // As many as there are types in the request.
    for offset in run.first..=run.last {
        let ack_type = batch.type_at(offset).ok_or_else(missing)?;
        match parts.last_mut() {
            Some((same, part)) if *same == ack_type => part.last = offset,
            _ => parts.push((ack_type, Run { first: offset, last: offset, of: run.of.clone() })),
        }
    }
    Ok(parts)
}

fn push(changes: &mut Vec<Change>, run: &Run, state: RecordState) {
    let delivery_count = run.of.delivery_count;
    match changes.last_mut() {
        Some(Change { last, state: same, delivery_count: count, .. })
            if *last + 1 == run.first && *same == state && *count == delivery_count =>
        {
            *last = run.last;
        }
        _ => changes.push(Change { first: run.first, last: run.last, state, delivery_count }),
    }
}

fn invalid_state(message: &'static str) -> ShareError {
    ShareError::new(ErrorCode::InvalidRecordState, message)
}
