//! Random members and time against the promises of a share partition, with a map from offset to what is so.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::fixture::*;

const LOG_END: i64 = 30;
const LIMIT: i16 = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Not given to anybody now; delivered so often.
    Free(i16),
    Held {
        member: usize,
        count: i16,
    },
    Done,
}

#[derive(Clone, Debug)]
enum Step {
    Acquire {
        member: usize,
        max_records: i64,
        is_strict: bool,
    },
    Acknowledge {
        member: usize,
        first: i64,
        len: i64,
        ack_type: i8,
    },
    Leave(usize),
    /// All locks end.
    Expire,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..3_usize, 1..8_i64, any::<bool>())
            .prop_map(|(member, max_records, is_strict)| Step::Acquire { member, max_records, is_strict }),
        5 => (0..3_usize, 0..LOG_END, 1..6_i64, 1..5_i8)
            .prop_map(|(member, first, len, ack_type)| Step::Acknowledge { member, first, len, ack_type }),
        1 => (0..3_usize).prop_map(Step::Leave),
        1 => Just(Step::Expire),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..60)
}

fn name(member: usize) -> String {
    format!("member-{member}")
}

struct World {
    fixture: Fixture,
    fates: BTreeMap<i64, Fate>,
}

impl World {
    fn release(&mut self, is_meant: impl Fn(usize) -> bool) {
        for fate in self.fates.values_mut() {
            if let Fate::Held { member, count } = *fate
                && is_meant(member)
            {
                *fate = if count >= LIMIT { Fate::Done } else { Fate::Free(count) };
            }
        }
    }

    fn acquire(&mut self, member: usize, max_records: i64, is_strict: bool) {
        let acquired = self.fixture.acquire_by(&name(member), max_records, LOG_END, is_strict);
        let mut total = 0;
        for (first, last, count) in acquired {
            total += last - first + 1;
            for offset in first..=last {
                let before = self.fates.get(&offset).copied().unwrap_or(Fate::Free(0));
                let Fate::Free(delivered) = before else {
                    panic!("{offset} is {before:?}, and was acquired")
                };
                assert_eq!(count, delivered + 1, "deliveries of {offset}");
                assert!(count <= LIMIT);
                self.fates.insert(offset, Fate::Held { member, count });
            }
        }
        assert!(!is_strict || total <= max_records, "{total} of {max_records}");
    }

    fn acknowledge(&mut self, member: usize, first: i64, len: i64, ack_type: i8) {
        let last = first + len - 1;
        let outcome = self.fixture.acknowledge(&name(member), first, last, &[ack_type]);
        let start = self.fixture.partition.lock().start_offset;
        if outcome.is_err() {
            return;
        }
        for offset in first..=last {
            let count = match self.fates.get(&offset) {
                Some(Fate::Held { member: holder, count }) if *holder == member => *count,
                fate => {
                    assert!(offset < start, "{offset} is {fate:?}, and yet acknowledged");
                    continue;
                }
            };
            let next = match ack_type {
                4 => continue,
                2 if count < LIMIT => Fate::Free(count),
                _ => Fate::Done,
            };
            self.fates.insert(offset, next);
        }
    }

    /// The share partition knows the same.
    fn check(&self) {
        let state = self.fixture.partition.lock();
        for (offset, fate) in &self.fates {
            let run = state.runs.within(*offset, *offset).next();
            match (fate, run) {
                (Fate::Done, None) => assert!(*offset < state.start_offset),
                (Fate::Done, Some(run)) => assert!(run.of.state.is_terminal(), "{offset}: {run:?}"),
                (Fate::Held { member, .. }, Some(run)) => {
                    assert_eq!(run.of.holder.map(|(holder, _)| holder.to_string()), Some(name(*member)));
                }
                // After a restart, what follows the last that is kept was never had.
                (Fate::Free(0), None) => assert!(*offset >= state.next_offset),
                (Fate::Free(count), Some(run)) => {
                    assert_eq!((run.of.state.id(), run.of.delivery_count), (0, *count), "{offset}");
                }
                (fate, None) => panic!("{offset} is {fate:?}, and nothing is known of it"),
            }
        }
        let counted: i64 =
            state.runs.iter().filter(|run| run.of.state.is_terminal()).map(|run| run.len()).sum();
        assert_eq!(state.delivery_complete_count, counted);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn each_record_is_held_by_one_member_at_a_time_and_never_again_once_it_is_dealt_with(steps in steps()) {
        let mut world = World { fixture: Fixture::new(), fates: BTreeMap::new() };
        // What is kept of deliveries, which is what a restart goes back to.
        let mut kept: BTreeMap<i64, i16> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Acquire { member, max_records, is_strict } => world.acquire(member, max_records, is_strict),
                Step::Acknowledge { member, first, len, ack_type } => {
                    world.acknowledge(member, first, len, ack_type);
                }
                Step::Leave(member) => {
                    world.fixture.partition.release_acquired_records(&name(member)).unwrap();
                    world.release(|holder| holder == member);
                }
                Step::Expire => {
                    world.fixture.advance_ms(LOCK_MS);
                    world.release(|_| true);
                }
                Step::Restart => {
                    world.fixture.restart();
                    for (offset, fate) in &mut world.fates {
                        if matches!(fate, Fate::Held { .. }) {
                            *fate = Fate::Free(kept.get(offset).copied().unwrap_or(0));
                        }
                    }
                }
            }
            for (offset, fate) in &world.fates {
                if let Fate::Free(count) = fate {
                    kept.insert(*offset, *count);
                }
            }
            world.check();
        }
    }
}
