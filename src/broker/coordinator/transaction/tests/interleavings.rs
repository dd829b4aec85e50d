//! Random interleavings of two producers that fight for one id, of time that lets transactions and the id itself expire,
//! of epochs that run out, failing disks and restarts, against what transactions promise.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::fixture::*;
use crate::broker::coordinator::transaction::*;
use crate::model::{ErrorCode, ProducerEpoch};

const TOPICS: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Debug)]
enum Step {
    Init {
        who: usize,
        names_itself: bool,
    },
    Write {
        who: usize,
        topic: usize,
        is_implicit: bool,
    },
    End {
        who: usize,
        is_commit: bool,
        bumps: bool,
    },
    Pass {
        ms: i32,
    },
    Look,
    /// So many epochs of the id are used up that it is about to get another producer id.
    Age {
        left: i16,
    },
    /// So long passes that an id that nobody uses is forgotten.
    Expire,
    Fail {
        topic: usize,
    },
    FailLog,
    Heal,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..2_usize;
    let topic = 0..TOPICS.len();
    prop_oneof![
        2 => (who.clone(), any::<bool>()).prop_map(|(who, names_itself)| Step::Init { who, names_itself }),
        8 => (who.clone(), topic.clone(), any::<bool>())
            .prop_map(|(who, topic, is_implicit)| Step::Write { who, topic, is_implicit }),
        5 => (who, any::<bool>(), any::<bool>())
            .prop_map(|(who, is_commit, bumps)| Step::End { who, is_commit, bumps }),
        1 => (1..TIMEOUT_MS * 2).prop_map(|ms| Step::Pass { ms }),
        2 => Just(Step::Look),
        2 => (0..5_i16).prop_map(|left| Step::Age { left }),
        1 => Just(Step::Expire),
        1 => topic.prop_map(|topic| Step::Fail { topic }),
        1 => Just(Step::FailLog),
        3 => Just(Step::Heal),
        1 => Just(Step::Restart),
    ]
}

/// A client, and the number of its transaction: each that it begins gets another.
#[derive(Clone, Copy)]
struct Client {
    producer: Option<ProducerIdAndEpoch>,
    txn: u32,
}

/// What stands in the partitions: data of a transaction, or a marker.
#[derive(Clone, Debug)]
enum Entry {
    Data { txn: u32, producer: ProducerIdAndEpoch },
    Marker(TransactionMarker),
}

struct World {
    fixture: Fixture,
    clients: [Client; 2],
    /// Who has the id.
    holder: usize,
    next_txn: u32,
    /// By topic, in order.
    logs: BTreeMap<String, Vec<Entry>>,
    /// What clients were told of their transactions.
    told: BTreeMap<u32, bool>,
}

impl World {
    fn new() -> Self {
        let client = |txn| Client { producer: None, txn };
        World {
            fixture: Fixture::new(),
            clients: [client(0), client(1)],
            holder: 0,
            next_txn: 2,
            logs: BTreeMap::new(),
            told: BTreeMap::new(),
        }
    }

    /// Takes over the markers that were written meanwhile.
    fn collect_markers(&mut self) {
        for (tp, marker) in std::mem::take(&mut *self.fixture.partitions.markers.lock()) {
            self.logs.entry(tp.topic().to_owned()).or_default().push(Entry::Marker(marker));
        }
    }

    fn begin(&mut self, who: usize) {
        self.clients[who].txn = self.next_txn;
        self.next_txn += 1;
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Init { who, names_itself } => self.init(who, names_itself),
            Step::Write { who, topic, is_implicit } => self.write(who, TOPICS[topic], is_implicit),
            Step::End { who, is_commit, bumps } => self.end(who, is_commit, bumps),
            Step::Pass { ms } => self.fixture.advance_ms(ms),
            Step::Look => _ = self.fixture.coordinator.abort_timed_out(),
            Step::Age { left } => self.age(left),
            Step::Expire => self.expire(),
            Step::Fail { topic } => self.fixture.fail(TOPICS[topic], ErrorCode::KafkaStorageError),
            Step::FailLog => self.fixture.log.fail_appends(Some(ErrorCode::KafkaStorageError)),
            Step::Heal => self.heal(),
            Step::Restart => {
                self.fixture.log.fail_appends(None);
                self.fixture.restart();
            }
        }
        self.collect_markers();
    }

    fn heal(&self) {
        self.fixture.heal();
        self.fixture.log.fail_appends(None);
    }

    /// As if the one who has the id had been replaced, or had ended transactions, that often.
    fn age(&mut self, left: i16) {
        let epoch = ProducerEpoch::MAX - 1 - left;
        let Some(aged) = self.fixture.age(epoch) else { return };
        for client in &mut self.clients {
            if let Some(producer) = &mut client.producer
                && *producer == aged
            {
                producer.producer_epoch = epoch;
            }
        }
    }

    fn expire(&mut self) {
        self.fixture.advance_ms(EXPIRATION_MS);
        self.fixture.coordinator.abort_timed_out();
        self.fixture.coordinator.remove_expired();
        self.collect_markers();
        if self.fixture.coordinator.describe(ID).is_err() {
            (0..self.clients.len()).for_each(|who| self.assert_fenced(who));
        }
    }

    fn init(&mut self, who: usize, names_itself: bool) {
        let expected = self.clients[who].producer.filter(|_| names_itself);
        if let Ok(producer) = self.fixture.try_init(expected) {
            self.clients[who].producer = Some(producer);
            self.holder = who;
            self.begin(who);
            self.collect_markers();
            if expected.is_none() {
                self.assert_fenced(1 - who);
            }
        }
    }

    /// Whoever had the id before can neither write nor end anything.
    fn assert_fenced(&self, who: usize) {
        let Some(producer) = self.clients[who].producer else { return };
        for joining in [Joining::Verified, Joining::Implicit] {
            let outcome = self.fixture.coordinator.in_transaction(ID, producer, &[tp("a")], joining, |_| ());
            assert!(outcome.is_err(), "{producer:?} may write");
        }
        for is_commit in [true, false] {
            assert!(self.fixture.end(producer, is_commit).is_err(), "{producer:?} may end");
            assert!(self.fixture.bump(producer, is_commit).is_err(), "{producer:?} may end, and go on");
        }
    }

    fn write(&mut self, who: usize, topic: &str, is_implicit: bool) {
        let Client { producer: Some(producer), txn } = self.clients[who] else { return };
        let joining = if is_implicit { Joining::Implicit } else { Joining::Verified };
        if !is_implicit && self.fixture.add(producer, &[topic]).is_err() {
            return;
        }
        self.collect_markers();
        let written = self.fixture.coordinator.in_transaction(ID, producer, &[tp(topic)], joining, |codes| {
            codes.iter().all(|code| code.is_none())
        });
        self.collect_markers();
        if written == Ok(true) {
            self.logs.entry(topic.to_owned()).or_default().push(Entry::Data { txn, producer });
        }
    }

    fn end(&mut self, who: usize, is_commit: bool, bumps: bool) {
        let Client { producer: Some(producer), txn } = self.clients[who] else { return };
        let ended = match bumps {
            true => self.fixture.bump(producer, is_commit).map(Some),
            false => self.fixture.end(producer, is_commit).map(|()| None),
        };
        if let Ok(next) = ended {
            assert_eq!(who, self.holder, "{producer:?} may end, and has lost the id");
            self.told.insert(txn, is_commit);
            if let Some(next) = next {
                self.clients[who].producer = Some(next);
            }
            self.begin(who);
        }
    }

    /// Lets everything come to its end, and compares.
    fn check(mut self) {
        self.heal();
        self.fixture.advance_ms(TIMEOUT_MS + 1);
        self.fixture.coordinator.abort_timed_out();
        self.collect_markers();
        let mut outcomes: BTreeMap<u32, BTreeSet<bool>> = BTreeMap::new();
        for (topic, log) in &self.logs {
            let mut open: Vec<u32> = Vec::new();
            let mut last_marker: Option<ProducerIdAndEpoch> = None;
            for entry in log {
                match entry {
                    Entry::Data { txn, producer } => {
                        // Producer ids are handed out in order.
                        let is_late = last_marker.is_some_and(|last| {
                            (producer.producer_id, producer.producer_epoch)
                                < (last.producer_id, last.producer_epoch)
                        });
                        assert!(!is_late, "{topic}: {producer:?} wrote behind a marker that fences it");
                        open.push(*txn);
                    }
                    Entry::Marker(marker) => {
                        for txn in open.drain(..) {
                            outcomes.entry(txn).or_default().insert(marker.is_commit);
                        }
                        last_marker = Some(marker.producer);
                    }
                }
            }
            assert!(open.is_empty(), "{topic}: {open:?} hang");
        }
        for (txn, outcome) in outcomes {
            assert_eq!(outcome.len(), 1, "transaction {txn} is committed here and aborted there");
            if let Some(told) = self.told.get(&txn) {
                assert!(outcome.contains(told), "transaction {txn} did not end as its client was told");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").map_or(400, |cases| cases.parse().unwrap()),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn transactions_are_atomic_and_zombies_stay_fenced(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        world.check();
    }
}
