use std::collections::BTreeMap;

use crate::model::Offset;

/// Consecutive offsets in one state (Kafka: `PersisterStateBatch`). The state is the number that a client has written:
/// what to make of it is the share partition's matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StateBatch {
    pub(crate) first_offset: Offset,
    /// Inclusive.
    pub(crate) last_offset: Offset,
    pub(crate) delivery_state: i8,
    pub(crate) delivery_count: i16,
}

/// What wins where two batches are about the same offset: more deliveries, then the state that is further on.
type Priority = (i16, i8);

impl StateBatch {
    fn priority(&self) -> Priority {
        (self.delivery_count, self.delivery_state)
    }
}

/// Makes one list of two, in the order of offsets, without overlaps, and without what is before the start (Kafka:
/// `PersisterStateBatchCombiner`). A start of -1 is not known.
pub(crate) fn combine(so_far: &[StateBatch], new: &[StateBatch], start_offset: Offset) -> Vec<StateBatch> {
    let in_range = |batch: &&StateBatch| start_offset == -1 || batch.last_offset >= start_offset;
    let cut =
        |batch: &StateBatch| StateBatch { first_offset: batch.first_offset.max(start_offset), ..*batch };
    let all: Vec<StateBatch> = so_far.iter().chain(new).filter(in_range).map(cut).collect();
    if all.len() < 2 {
        return all;
    }
    sweep(&all)
}

/// Goes over the offsets at which batches begin and end, and lets the strongest of the open ones speak for what is
/// between two of them.
fn sweep(batches: &[StateBatch]) -> Vec<StateBatch> {
    let mut edges: Vec<(Offset, bool, Priority)> = Vec::with_capacity(2 * batches.len());
    for batch in batches {
        edges.push((batch.first_offset, true, batch.priority()));
        edges.push((batch.last_offset.saturating_add(1), false, batch.priority()));
    }
    edges.sort_unstable_by_key(|(offset, begins, _)| (*offset, *begins));
    let mut open: BTreeMap<Priority, usize> = BTreeMap::new();
    let mut combined: Vec<StateBatch> = Vec::new();
    let mut winner: Option<(Offset, Priority)> = None;
    for at_offset in edges.chunk_by(|a, b| a.0 == b.0) {
        let Some((offset, ..)) = at_offset.first().copied() else { continue };
        if let Some((from, priority)) = winner
            && offset > from
        {
            push(&mut combined, from, offset - 1, priority);
        }
        for (_, begins, priority) in at_offset {
            if *begins {
                *open.entry(*priority).or_default() += 1;
            } else if let Some(count) = open.get_mut(priority) {
                *count -= 1;
                if *count == 0 {
                    open.remove(priority);
                }
            }
        }
        winner = open.last_key_value().map(|(priority, _)| (offset, *priority));
    }
    combined
}

fn push(combined: &mut Vec<StateBatch>, first_offset: Offset, last_offset: Offset, priority: Priority) {
    match combined.last_mut() {
        Some(tail) if tail.last_offset + 1 == first_offset && tail.priority() == priority => {
            tail.last_offset = last_offset;
        }
        _ => {
            let (delivery_count, delivery_state) = priority;
            combined.push(StateBatch { first_offset, last_offset, delivery_state, delivery_count });
        }
    }
}
