//! Random members and time against the promises of a share partition, with a map from offset to what is so.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::fixture::*;
use crate::model::ErrorCode;

const LOG_END: i64 = 30;
const LIMIT: i16 = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Not given to anybody now; delivered so often.
    Free(i16),
    Held {
        member: usize,
        count: i16,
        until_ms: u64,
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
    /// Locks that were taken long enough ago end, all of them with as much as one lasts.
    Pass {
        ms: u64,
    },
    /// What becomes of records cannot be kept, or can be again.
    Fail(bool),
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..3_usize, 1..8_i64, any::<bool>())
            .prop_map(|(member, max_records, is_strict)| Step::Acquire { member, max_records, is_strict }),
        10 => (0..3_usize, 0..LOG_END, 1..6_i64, 0..5_i8)
            .prop_map(|(member, first, len, ack_type)| Step::Acknowledge { member, first, len, ack_type }),
        2 => (0..3_usize).prop_map(Step::Leave),
        3 => (1..LOCK_MS).prop_map(|ms| Step::Pass { ms }),
        2 => Just(Step::Pass { ms: LOCK_MS }),
        2 => any::<bool>().prop_map(Step::Fail),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..80)
}

fn name(member: usize) -> String {
    format!("member-{member}")
}

struct World {
    fixture: Fixture,
    now_ms: u64,
    fails: bool,
    /// The first offset that nobody has had.
    next_offset: i64,
    fates: BTreeMap<i64, Fate>,
    /// What a restart goes back to.
    kept: BTreeMap<i64, Fate>,
}

impl World {
    fn new() -> Self {
        let (fates, kept) = (BTreeMap::new(), BTreeMap::new());
        World { fixture: Fixture::new(), now_ms: 0, fails: false, next_offset: 0, fates, kept }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Acquire { member, max_records, is_strict } => self.acquire(member, max_records, is_strict),
            Step::Acknowledge { member, first, len, ack_type } => {
                self.acknowledge(member, first, len, ack_type);
            }
            Step::Leave(member) => {
                let holds = self.is_held(|holder, _| holder == member);
                let left = self.fixture.partition.release_acquired_records(&name(member));
                assert_eq!(left.is_err(), self.fails && holds);
                if left.is_ok() {
                    self.release(|holder, _| holder == member);
                }
            }
            Step::Pass { ms } => {
                self.now_ms += ms;
                self.fixture.advance_ms(ms);
                let now_ms = self.now_ms;
                self.release(|_, until_ms| until_ms <= now_ms);
            }
            Step::Fail(fails) => {
                self.fails = fails;
                *self.fixture.kept.failure.lock() = fails.then_some(ErrorCode::CoordinatorNotAvailable);
            }
            Step::Restart => self.restart(),
        }
    }

    fn is_held(&self, is_meant: impl Fn(usize, u64) -> bool) -> bool {
        let held =
            |fate: &Fate| matches!(fate, Fate::Held { member, until_ms, .. } if is_meant(*member, *until_ms));
        self.fates.values().any(held)
    }

    fn release(&mut self, is_meant: impl Fn(usize, u64) -> bool) {
        for offset in 0..LOG_END {
            if let Some(Fate::Held { member, count, until_ms }) = self.fates.get(&offset).copied()
                && is_meant(member, until_ms)
            {
                self.decide(offset, if count >= LIMIT { Fate::Done } else { Fate::Free(count) });
            }
        }
    }

    fn decide(&mut self, offset: i64, fate: Fate) {
        self.fates.insert(offset, fate);
        if !self.fails {
            self.kept.insert(offset, fate);
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
                let until_ms = self.now_ms + LOCK_MS;
                self.fates.insert(offset, Fate::Held { member, count, until_ms });
                self.next_offset = self.next_offset.max(offset + 1);
            }
        }
        assert!(!is_strict || total <= max_records, "{total} of {max_records}");
    }

    fn acknowledge(&mut self, member: usize, first: i64, len: i64, ack_type: i8) {
        let last = first + len - 1;
        let start = self.fixture.partition.lock().start_offset;
        let lawful = self.lawful(member, first.max(start), last, ack_type);
        let answer = self.fixture.acknowledge(&name(member), first, last, &[ack_type]);
        assert_eq!(answer, lawful, "{ack_type} of {first} to {last}, from {start} on: {:?}", self.fates);
        if answer.is_err() {
            return;
        }
        for offset in first.max(start)..=last {
            let Some(Fate::Held { count, .. }) = self.fates.get(&offset).copied() else { unreachable!() };
            match ack_type {
                4 => {
                    let until_ms = self.now_ms + LOCK_MS;
                    self.fates.insert(offset, Fate::Held { member, count, until_ms });
                }
                2 if count < LIMIT => self.decide(offset, Fate::Free(count)),
                _ => self.decide(offset, Fate::Done),
            }
        }
    }

    /// What a member is to be told that says something of the records `first..=last`, none of them before the start.
    fn lawful(&self, member: usize, first: i64, last: i64, ack_type: i8) -> Result<(), ErrorCode> {
        let is_own = |fate: &Fate| matches!(fate, Fate::Held { member: holder, .. } if *holder == member);
        let has = |offset| self.fates.get(&offset).is_some_and(is_own);
        let has_none = self.fixture.partition.lock().runs.first_offset().is_none();
        // All is dealt with, whoever did it.
        if last < first {
            return Ok(());
        }
        if !has_none && last >= self.next_offset {
            return Err(ErrorCode::InvalidRequest);
        }
        if has_none || !(first..=last).all(has) {
            return Err(ErrorCode::InvalidRecordState);
        }
        match self.fails && ack_type != 4 {
            true => Err(ErrorCode::CoordinatorNotAvailable),
            false => Ok(()),
        }
    }

    /// Another leader goes by what is kept: what was held, or never kept, is free.
    fn restart(&mut self) {
        self.step(&Step::Fail(false));
        let start_offset = *self.fixture.kept.start_offset.lock();
        self.fixture.restart();
        let last_kept = self.kept.last_key_value().map_or(0, |(offset, _)| *offset + 1);
        self.next_offset = last_kept.max(start_offset).max(0);
        for (offset, fate) in &mut self.fates {
            *fate = match self.kept.get(offset) {
                _ if *offset < start_offset => Fate::Done,
                Some(kept) => *kept,
                None => Fate::Free(0),
            };
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
        let held = self.fates.values().filter(|fate| matches!(fate, Fate::Held { .. })).count();
        assert_eq!(held == 0, state.locks.is_empty(), "a lock of nothing, or none of something");
    }

    /// With one member left that acknowledges, every record is dealt with.
    fn settle(&mut self) {
        self.step(&Step::Fail(false));
        self.step(&Step::Pass { ms: LOCK_MS });
        for round in 0.. {
            assert!(round < 200, "records are left: {:?}", self.fates);
            self.acquire(0, LOG_END, true);
            let held: Vec<i64> = (0..LOG_END)
                .filter(|offset| matches!(self.fates.get(offset), Some(Fate::Held { .. })))
                .collect();
            if held.is_empty() {
                break;
            }
            for offset in held {
                self.acknowledge(0, offset, 1, 1);
            }
            self.check();
        }
        for offset in 0..LOG_END {
            assert_eq!(self.fates.get(&offset), Some(&Fate::Done), "{offset}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").map_or(300, |cases| cases.parse().unwrap()),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn each_record_is_held_by_one_member_at_a_time_and_never_again_once_it_is_dealt_with(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
            world.check();
        }
        world.settle();
    }
}
