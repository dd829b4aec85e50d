//! Whatever members do, in whatever order, some things stay true.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::fixture::*;
use super::loading::end_transaction;
use crate::broker::coordinator::group::*;
use crate::broker::coordinator::transaction::ProducerIdAndEpoch;
use crate::model::{ErrorCode, ProducerId, TopicPartition};

const CLIENTS: usize = 5;
/// These clients have an instance id.
const STATIC_CLIENTS: [usize; 2] = [3, 4];
const TOPICS: [&str; 3] = ["a", "b", "c"];
/// Who commits offsets in transactions.
const PRODUCERS: std::ops::Range<ProducerId> = 70..72;

#[derive(Clone, Debug)]
enum Step {
    Join {
        client: usize,
        forgets_id: bool,
        protocols: usize,
        modern: bool,
    },
    Sync {
        client: usize,
    },
    Heartbeat {
        client: usize,
    },
    Leave {
        client: usize,
    },
    Commit {
        client: Option<usize>,
        topic: usize,
    },
    /// As part of a transaction, which is open from then on.
    TxnCommit {
        producer: ProducerId,
        client: Option<usize>,
        topic: usize,
    },
    EndTxn {
        producer: ProducerId,
        is_commit: bool,
    },
    DeleteTopic {
        topic: usize,
    },
    Advance {
        ms: i32,
    },
    FailAppends {
        fail: bool,
    },
    FailOver,
}

fn any_step() -> impl Strategy<Value = Step> {
    let client = 0..CLIENTS;
    prop_oneof![
        8 => (client.clone(), any::<bool>(), 0..4_usize, any::<bool>()).prop_map(
            |(client, forgets_id, protocols, modern)| Step::Join { client, forgets_id, protocols, modern }
        ),
        8 => client.clone().prop_map(|client| Step::Sync { client }),
        3 => client.clone().prop_map(|client| Step::Heartbeat { client }),
        2 => client.clone().prop_map(|client| Step::Leave { client }),
        3 => (proptest::option::weighted(0.8, client), 0..TOPICS.len())
            .prop_map(|(client, topic)| Step::Commit { client, topic }),
        3 => (PRODUCERS, proptest::option::weighted(0.6, 0..CLIENTS), 0..TOPICS.len())
            .prop_map(|(producer, client, topic)| Step::TxnCommit { producer, client, topic }),
        2 => (PRODUCERS, any::<bool>()).prop_map(|(producer, is_commit)| Step::EndTxn { producer, is_commit }),
        1 => (0..TOPICS.len()).prop_map(|topic| Step::DeleteTopic { topic }),
        6 => prop_oneof![Just(1), Just(DELAY_MS), Just(5_000), Just(SESSION_MS), Just(REBALANCE_MS)]
            .prop_map(|ms| Step::Advance { ms }),
        1 => any::<bool>().prop_map(|fail| Step::FailAppends { fail }),
        1 => Just(Step::FailOver),
    ]
}

#[derive(Default)]
struct Client {
    joined: Option<JoinGroupResult>,
    member_id: Arc<str>,
    joins: Vec<Answer<JoinGroupResult>>,
    syncs: Vec<(i32, Answer<SyncGroupResult>)>,
}

/// What the first answer of a generation said of it.
#[derive(Clone, Debug, PartialEq)]
struct Generation {
    protocol_name: Option<Arc<str>>,
    leader: usize,
}

struct World {
    fixture: Fixture,
    clients: Vec<Client>,
    /// Which client an id was given to.
    client_of: HashMap<Arc<str>, usize>,
    /// Counts fail-overs, after which a generation that was not in the log yet may come again, and deaths.
    incarnation: usize,
    generations: BTreeMap<(usize, i32), Generation>,
    committed: [i64; 3],
    /// By producer and topic: counts once the transaction is committed, unless a later offset is there by then.
    pending: BTreeMap<ProducerId, BTreeMap<usize, i64>>,
    next_offset: i64,
    fails: bool,
}

impl World {
    fn new() -> Self {
        World {
            fixture: Fixture::new(),
            clients: (0..CLIENTS).map(|_| Client::default()).collect(),
            client_of: HashMap::new(),
            incarnation: 0,
            generations: BTreeMap::new(),
            committed: [-1; 3],
            pending: BTreeMap::new(),
            next_offset: 1,
            fails: false,
        }
    }

    fn run(&mut self, step: &Step) {
        match *step {
            Step::Join { client, forgets_id, protocols, modern } => {
                self.join(client, forgets_id, protocols, modern);
            }
            Step::Sync { client } => self.sync(client),
            Step::Heartbeat { client } => {
                if let Some(joined) = &self.clients[client].joined {
                    self.fixture.heartbeat_as(joined);
                }
            }
            Step::Leave { client } => {
                let member_id = self.clients[client].member_id.clone();
                let leaving = LeavingMember { member_id: &member_id, ..LeavingMember::default() };
                self.fixture.coordinator.leave_group(GROUP, &[leaving]);
            }
            Step::Commit { client, topic } => self.commit(client, topic),
            Step::TxnCommit { producer, client, topic } => self.txn_commit(producer, client, topic),
            Step::EndTxn { producer, is_commit } => self.end_txn(producer, is_commit),
            Step::DeleteTopic { topic } => self.delete_topic(topic),
            Step::Advance { ms } => self.fixture.advance_ms(ms),
            Step::FailAppends { fail } => {
                self.fails = fail;
                self.fixture.log.fail_appends(fail.then_some(ErrorCode::NotEnoughReplicas));
            }
            Step::FailOver => {
                self.fixture.fail_over();
                self.incarnation += 1;
            }
        }
        self.hear();
        self.check();
        if self.fixture.state() == GroupState::Dead {
            // Whatever comes next under this name is another group, and counts from the beginning.
            self.incarnation += 1;
        }
    }

    fn join(&mut self, client: usize, forgets_id: bool, protocols: usize, modern: bool) {
        let member_id = if forgets_id { Arc::default() } else { self.clients[client].member_id.clone() };
        let named = |names: [&str; 2], note: &'static [u8]| {
            names.map(|name| protocol(name, Bytes::from_static(note))).to_vec()
        };
        let protocols = match protocols {
            0 => named(["x", "y"], b"1"),
            1 => named(["y", "x"], b"1"),
            2 => named(["x", "y"], b"2"),
            _ => named(["x", "z"], b"1"),
        };
        let instance_id = format!("instance-{client}");
        let join = self.fixture.join(JoinGroupParams {
            member_id: &member_id,
            group_instance_id: STATIC_CLIENTS.contains(&client).then_some(instance_id.as_str()),
            require_known_member_id: modern,
            supports_skipping_assignment: modern,
            protocols,
            ..consumer()
        });
        self.clients[client].joins.push(join);
    }

    fn sync(&mut self, client: usize) {
        let Some(joined) = &self.clients[client].joined else { return };
        // Who leads assigns to every member a note of who gave what to whom, and in which generation.
        let note = |member: &JoinGroupMember| {
            let member = self.client_of[&member.member_id];
            Bytes::from(format!("{}: {client} to {member}", joined.generation_id))
        };
        let assigns = !joined.skip_assignment;
        let members = joined.members.iter().filter(|_| assigns);
        let assignments = members.map(|member| (&*member.member_id, note(member))).collect();
        let sync = self.fixture.sync(SyncGroupParams { assignments, ..sync_of(joined) });
        let generation_id = joined.generation_id;
        self.clients[client].syncs.push((generation_id, sync));
    }

    fn commit(&mut self, client: Option<usize>, topic: usize) {
        let joined = client.and_then(|client| self.clients[client].joined.as_ref());
        let offset = self.next_offset;
        self.next_offset += 1;
        if self.fixture.commit(joined, TOPICS[topic], offset) == ErrorCode::None {
            self.committed[topic] = offset;
        }
    }

    fn txn_commit(&mut self, producer_id: ProducerId, client: Option<usize>, topic: usize) {
        let joined = client.and_then(|client| self.clients[client].joined.as_ref());
        let offset = self.next_offset;
        self.next_offset += 1;
        let params = CommitOffsetsParams {
            group_id: GROUP,
            member_id: joined.map_or("", |member| &*member.member_id),
            generation_id: joined.map_or(-1, |member| member.generation_id),
            offsets: vec![offset_of(TOPICS[topic], offset)],
            ..CommitOffsetsParams::default()
        };
        let producer = ProducerIdAndEpoch { producer_id, producer_epoch: 0 };
        let told = self.fixture.coordinator.commit_transactional_offsets(producer, params);
        if told == [ErrorCode::None] {
            self.pending.entry(producer_id).or_default().insert(topic, offset);
        }
    }

    fn end_txn(&mut self, producer_id: ProducerId, is_commit: bool) {
        // The marker comes first, and is tried until it is there.
        if self.fails || !self.pending.contains_key(&producer_id) {
            return;
        }
        end_transaction(&self.fixture, producer_id, is_commit);
        for (topic, offset) in self.pending.remove(&producer_id).into_iter().flatten().filter(|_| is_commit) {
            // Offsets grow with every commit that is tried.
            self.committed[topic] = self.committed[topic].max(offset);
        }
    }

    fn delete_topic(&mut self, topic: usize) {
        self.fixture.coordinator.on_topics_deleted(&[TOPICS[topic]]);
        if !self.fails {
            self.committed[topic] = -1;
            self.pending.values_mut().for_each(|pending| _ = pending.remove(&topic));
        }
    }

    /// Clients take in what they were answered since.
    fn hear(&mut self) {
        let mut joined = Vec::new();
        for (client, state) in self.clients.iter_mut().enumerate() {
            for join in std::mem::take(&mut state.joins) {
                match join.poll() {
                    Some(answer) => joined.push((client, answer)),
                    None => state.joins.push(join),
                }
            }
        }
        for (client, answer) in &joined {
            if matches!(answer.error, ErrorCode::None | ErrorCode::MemberIdRequired) {
                self.client_of.insert(answer.member_id.clone(), *client);
                self.clients[*client].member_id = answer.member_id.clone();
            }
        }
        for (client, answer) in joined.into_iter().filter(|(_, answer)| answer.error == ErrorCode::None) {
            self.hear_joined(client, answer);
        }
        for client in 0..CLIENTS {
            for (generation_id, sync) in std::mem::take(&mut self.clients[client].syncs) {
                match sync.poll() {
                    Some(synced) => self.hear_synced(client, generation_id, &synced),
                    None => self.clients[client].syncs.push((generation_id, sync)),
                }
            }
        }
    }

    fn hear_joined(&mut self, client: usize, joined: JoinGroupResult) {
        assert!(joined.generation_id > 0);
        for member in &joined.members {
            // Everybody in it has been told so, but for static members whose answer was fenced.
            let by_instance = member.group_instance_id.as_deref().and_then(|id| id.strip_prefix("instance-"));
            if let Some(owner) = by_instance {
                self.client_of.insert(member.member_id.clone(), owner.parse().unwrap());
            }
            assert!(self.client_of.contains_key(&member.member_id));
        }
        let key = (self.incarnation, joined.generation_id);
        let leader = self.client_of[&joined.leader_id];
        let seen = Generation { protocol_name: joined.protocol_name.clone(), leader };
        let first = self.generations.entry(key).or_insert_with(|| seen.clone());
        assert_eq!(*first, seen, "members of generation {key:?} disagree");
        let leads = !joined.members.is_empty();
        assert!(!leads || leader == client, "{client} was shown the members, and {leader} leads");
        self.clients[client].joined = Some(joined);
    }

    fn hear_synced(&self, client: usize, generation_id: i32, synced: &SyncGroupResult) {
        if synced.error != ErrorCode::None {
            assert!(synced.assignment.is_empty());
            return;
        }
        let assignment = std::str::from_utf8(&synced.assignment).unwrap();
        let said_by = assignment.strip_prefix(&format!("{generation_id}: "));
        let said_by = said_by.unwrap_or_else(|| panic!("{assignment:?} is not of {generation_id}"));
        let (leader, member) = said_by.split_once(" to ").unwrap();
        assert_eq!(member, client.to_string());
        if let Some(generation) = self.generations.get(&(self.incarnation, generation_id)) {
            assert_eq!(leader, generation.leader.to_string());
            assert_eq!(synced.protocol_name, generation.protocol_name);
        }
    }

    fn check(&self) {
        for client in &self.clients {
            assert!(client.joins.iter().all(Answer::is_waiting), "a join was dropped");
            assert!(client.syncs.iter().all(|(_, sync)| sync.is_waiting()), "a sync was dropped");
        }
        for (at, (topic, offset)) in TOPICS.iter().zip(self.committed).enumerate() {
            assert_eq!(self.fixture.committed(topic), offset, "{topic}");
            let wanted = [TopicPartition::new(*topic, 0)];
            let stable = self.fixture.coordinator.fetch_offsets(GROUP, Some(&wanted), true).unwrap();
            let is_pending = self.pending.values().any(|pending| pending.contains_key(&at));
            let expected = if is_pending { ErrorCode::UnstableOffsetCommit } else { ErrorCode::None };
            assert_eq!(stable[0].error, expected, "{topic}");
        }
        assert!(self.fixture.timer.len() <= 1);
        if let Ok(group) = self.fixture.coordinator.describe_group(GROUP) {
            let has_leader = group
                .leader_id
                .as_ref()
                .is_some_and(|leader| group.members.iter().any(|member| member.member_id == *leader));
            assert_eq!(has_leader, !group.members.is_empty());
            assert_eq!(
                group.state == GroupState::Empty,
                group.members.is_empty() && group.state != GroupState::PreparingRebalance
            );
            if group.state == GroupState::Stable {
                assert!(group.members.iter().all(|member| !member.assignment.is_empty()));
            }
        }
    }

    /// Nobody says anything any more: in the end everything is answered, and nobody is left.
    fn fall_silent(&mut self) {
        self.run(&Step::FailAppends { fail: false });
        for _ in 0..20 {
            self.run(&Step::Advance { ms: REBALANCE_MS });
        }
        for client in &self.clients {
            assert!(client.joins.is_empty() && client.syncs.is_empty());
        }
        assert!(matches!(self.fixture.state(), GroupState::Empty | GroupState::Dead));
        assert_eq!(self.fixture.timer.len(), 0);
        self.run(&Step::FailOver);
        for producer in PRODUCERS {
            self.run(&Step::EndTxn { producer, is_commit: true });
        }
        assert!(self.pending.is_empty());
        self.run(&Step::FailOver);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").map_or(150, |cases| cases.parse().unwrap()),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]
    #[test]
    fn members_of_a_generation_agree_and_nothing_is_lost(steps in proptest::collection::vec(any_step(), 1..120)) {
        let mut world = World::new();
        for step in &steps {
            world.run(step);
        }
        world.fall_silent();
    }
}
