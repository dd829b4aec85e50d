//! Random interleavings of two producers of any generation that fight for one id and miss answers, of those that they
//! were before, of time that lets transactions and the id itself expire, of epochs that run out, an administrator who
//! ends transactions in single partitions, failing disks and restarts, against what transactions promise.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::fixture::*;
use crate::broker::coordinator::transaction::*;
use crate::model::{ErrorCode, NO_PRODUCER_EPOCH, ProducerEpoch, ProducerId};

const TOPICS: [&str; 3] = ["a", "b", "c"];
const VERSIONS: [TransactionVersion; 3] =
    [TransactionVersion::V0, TransactionVersion::V1, TransactionVersion::V2];

#[derive(Clone, Debug)]
enum Step {
    Init {
        who: usize,
        names_itself: bool,
    },
    Write {
        who: usize,
        topic: usize,
        version: TransactionVersion,
    },
    End {
        who: usize,
        is_commit: bool,
        version: TransactionVersion,
        /// The client does not hear what came of it, and asks again.
        is_lost: bool,
    },
    /// What somebody sends who had the id once.
    Zombie {
        which: usize,
        topic: usize,
        is_commit: bool,
    },
    /// An administrator ends what is open in a partition, with the epoch of it or the next.
    Marker {
        topic: usize,
        is_commit: bool,
        raises_epoch: bool,
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
    /// Once so many more records are written.
    FailLog {
        after: usize,
    },
    Heal,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..2_usize;
    let topic = 0..TOPICS.len();
    let version = prop::sample::select(&VERSIONS);
    prop_oneof![
        2 => (who.clone(), any::<bool>()).prop_map(|(who, names_itself)| Step::Init { who, names_itself }),
        8 => (who.clone(), topic.clone(), version.clone())
            .prop_map(|(who, topic, version)| Step::Write { who, topic, version }),
        5 => (who, any::<bool>(), version, prop::bool::weighted(0.2))
            .prop_map(|(who, is_commit, version, is_lost)| Step::End { who, is_commit, version, is_lost }),
        3 => (any::<usize>(), topic.clone(), any::<bool>())
            .prop_map(|(which, topic, is_commit)| Step::Zombie { which, topic, is_commit }),
        1 => (topic.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(topic, is_commit, raises_epoch)| Step::Marker { topic, is_commit, raises_epoch }),
        1 => (1..TIMEOUT_MS * 2).prop_map(|ms| Step::Pass { ms }),
        2 => Just(Step::Look),
        2 => (0..5_i16).prop_map(|left| Step::Age { left }),
        1 => Just(Step::Expire),
        1 => topic.prop_map(|topic| Step::Fail { topic }),
        2 => (0..4_usize).prop_map(|after| Step::FailLog { after }),
        3 => Just(Step::Heal),
        1 => Just(Step::Restart),
    ]
}

/// A client, and the number of its transaction: each that it begins gets another.
#[derive(Clone, Copy)]
struct Client {
    producer: Option<ProducerIdAndEpoch>,
    txn: u32,
    /// How it ends its transaction, once it has asked and has not heard.
    ending: Option<(bool, TransactionVersion)>,
}

/// What stands in the partitions: data of a transaction, or a marker.
#[derive(Clone, Debug)]
enum Entry {
    Data { txn: u32, producer: ProducerIdAndEpoch },
    Marker { marker: TransactionMarker, is_of_administrator: bool },
}

struct World {
    fixture: Fixture,
    clients: [Client; 2],
    /// Who has the id.
    holder: usize,
    /// Whom clients have been told they are.
    past: Vec<ProducerIdAndEpoch>,
    next_txn: u32,
    /// By topic, in order.
    logs: BTreeMap<String, Vec<Entry>>,
    /// What clients were told of their transactions.
    told: BTreeMap<u32, bool>,
}

impl World {
    fn new() -> Self {
        let client = |txn| Client { producer: None, txn, ending: None };
        World {
            fixture: Fixture::new(),
            clients: [client(0), client(1)],
            holder: 0,
            past: Vec::new(),
            next_txn: 2,
            logs: BTreeMap::new(),
            told: BTreeMap::new(),
        }
    }

    /// Takes over the markers that were written meanwhile.
    fn collect_markers(&mut self) {
        self.collect_markers_of(false);
    }

    fn collect_markers_of(&mut self, is_of_administrator: bool) {
        for (tp, marker) in std::mem::take(&mut *self.fixture.partitions.markers.lock()) {
            let entry = Entry::Marker { marker, is_of_administrator };
            self.logs.entry(tp.topic().to_owned()).or_default().push(entry);
        }
    }

    /// The client goes on as this producer, with a transaction that has not begun.
    fn go_on(&mut self, who: usize, producer: ProducerIdAndEpoch) {
        self.past.push(producer);
        self.clients[who] = Client { producer: Some(producer), txn: self.next_txn, ending: None };
        self.next_txn += 1;
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Init { who, names_itself } => self.init(who, names_itself),
            Step::Write { who, topic, version } => self.write(who, TOPICS[topic], version),
            Step::End { who, is_commit, version, is_lost } => self.end(who, is_commit, version, is_lost),
            Step::Zombie { which, topic, is_commit } => self.zombie(which, TOPICS[topic], is_commit),
            Step::Marker { topic, is_commit, raises_epoch } => {
                self.mark(TOPICS[topic], is_commit, raises_epoch);
            }
            Step::Pass { ms } => self.fixture.advance_ms(ms),
            Step::Look => _ = self.fixture.coordinator.abort_timed_out(),
            Step::Age { left } => self.age(left),
            Step::Expire => self.expire(),
            Step::Fail { topic } => self.fixture.fail(TOPICS[topic], ErrorCode::KafkaStorageError),
            Step::FailLog { after } => {
                self.fixture.log.fail_appends_after(after, ErrorCode::KafkaStorageError);
            }
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
                self.past.push(*producer);
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
        let before = self.fixture.coordinator.describe(ID).map(|id| id.producer.producer_epoch);
        if let Ok(producer) = self.fixture.try_init(expected) {
            // Of an id that nobody has heard of it is not known who had it.
            let is_new = before.is_err() || before == Ok(NO_PRODUCER_EPOCH);
            assert!(
                expected.is_none() || who == self.holder || is_new,
                "{expected:?} may go on, and has lost the id"
            );
            self.holder = who;
            self.go_on(who, producer);
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

    fn write(&mut self, who: usize, topic: &str, version: TransactionVersion) {
        let Client { producer: Some(producer), txn, ending: None } = self.clients[who] else { return };
        let joining = if version == TransactionVersion::V2 { Joining::Implicit } else { Joining::Verified };
        if joining == Joining::Verified && self.fixture.add_in(version, producer, &[topic]).is_err() {
            return;
        }
        self.collect_markers();
        let partitions = &self.fixture.partitions;
        let written = self.fixture.coordinator.in_transaction(ID, producer, &[tp(topic)], joining, |codes| {
            codes.iter().all(|code| code.is_none()) && partitions.accepts(&tp(topic), producer)
        });
        self.collect_markers();
        if written == Ok(true) {
            self.logs.entry(topic.to_owned()).or_default().push(Entry::Data { txn, producer });
        }
    }

    fn end(&mut self, who: usize, is_commit: bool, version: TransactionVersion, is_lost: bool) {
        let Client { producer: Some(producer), txn, ending } = self.clients[who] else { return };
        let (is_commit, version) = ending.unwrap_or((is_commit, version));
        let ended = self.fixture.coordinator.end_txn(ID, producer, is_commit, version);
        if is_lost {
            self.clients[who].ending = Some((is_commit, version));
            return;
        }
        match ended {
            Ok(next) => {
                assert_eq!(who, self.holder, "{producer:?} may end, and has lost the id");
                assert!(version == TransactionVersion::V2 || next == producer);
                self.told.insert(txn, is_commit);
                self.go_on(who, next);
            }
            Err(
                ErrorCode::ProducerFenced | ErrorCode::InvalidProducerIdMapping | ErrorCode::InvalidTxnState,
            ) if ending.is_some() => {
                self.clients[who].producer = None;
                self.clients[who].ending = None;
            }
            Err(_) => {}
        }
    }

    /// Somebody who had the id once changes nothing, and hears of nothing but an end of his own, told once more.
    fn zombie(&mut self, which: usize, topic: &str, is_commit: bool) {
        let Some(zombie) = self.past.get(which % self.past.len().max(1)).copied() else { return };
        // What is decided is completed by whoever comes.
        let nobody = ProducerIdAndEpoch { producer_id: ProducerId::MAX, producer_epoch: 0 };
        assert!(self.fixture.end(nobody, is_commit).is_err());
        self.collect_markers();
        let describe = || self.fixture.coordinator.describe(ID);
        let before = describe();
        if before.as_ref().is_ok_and(|id| id.producer == zombie) {
            return;
        }
        let told = || format!("{zombie:?} where {before:?}");
        for version in VERSIONS {
            assert!(self.fixture.add_in(version, zombie, &[topic]).is_err(), "{} may add", told());
            if let Ok(next) = self.fixture.coordinator.end_txn(ID, zombie, is_commit, version) {
                let state = match is_commit {
                    true => TransactionState::CompleteCommit,
                    false => TransactionState::CompleteAbort,
                };
                let before = before.as_ref().unwrap_or_else(|error| panic!("{}: {error}", told()));
                assert!(version == TransactionVersion::V2, "{} may end", told());
                assert_eq!((before.state, before.producer), (state, next), "{} has ended", told());
            }
        }
        for joining in [Joining::Verified, Joining::Implicit] {
            let outcome = self.fixture.coordinator.in_transaction(ID, zombie, &[tp(topic)], joining, |_| ());
            assert!(outcome.is_err(), "{} may write", told());
        }
        assert_eq!(describe(), before, "{} has changed something", told());
    }

    /// The administrator looks first who has something open there.
    fn mark(&mut self, topic: &str, is_commit: bool, raises_epoch: bool) {
        let open = match self.logs.get(topic).and_then(|log| log.last()) {
            Some(Entry::Data { producer, .. }) => *producer,
            _ => return,
        };
        let producer_epoch = open.producer_epoch + ProducerEpoch::from(raises_epoch);
        let producer = ProducerIdAndEpoch { producer_epoch, ..open };
        let marker = TransactionMarker { producer, is_commit, coordinator_epoch: 0 };
        // The partition may fail, as it does for the coordinator.
        _ = self.fixture.partitions.append_marker(&tp(topic), &marker);
        self.collect_markers_of(true);
    }

    /// Lets everything come to its end, and compares.
    fn check(mut self) {
        self.heal();
        self.fixture.advance_ms(TIMEOUT_MS + 1);
        self.fixture.coordinator.abort_timed_out();
        self.collect_markers();
        if let Ok(id) = self.fixture.coordinator.describe(ID) {
            assert!(id.state.is_expiration_allowed(), "the id is left in {:?}", id.state);
        }
        let mut outcomes: BTreeMap<u32, BTreeSet<bool>> = BTreeMap::new();
        for (topic, log) in &self.logs {
            let mut open: Vec<(u32, ProducerIdAndEpoch)> = Vec::new();
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
                        open.push((*txn, *producer));
                    }
                    Entry::Marker { marker, is_of_administrator } => {
                        let is_meant = |producer: ProducerIdAndEpoch| {
                            producer.producer_id == marker.producer.producer_id
                        };
                        for (txn, _) in open.extract_if(.., |(_, producer)| is_meant(*producer)) {
                            // What an administrator decides is true of one partition alone.
                            if !is_of_administrator {
                                outcomes.entry(txn).or_default().insert(marker.is_commit);
                            }
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
