//! Members that come, go, fall silent and come back and subscribe to other topics, by name and by pattern, topics that
//! are made, deleted and grow, a log that takes nothing and a coordinator that starts anew, in any order, against what
//! the protocol promises.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::consumer_groups::{Client, code, commit, describe, fixture};
use super::fixture::*;
use crate::broker::coordinator::group::*;
use crate::model::{ErrorCode, TopicPartition, Uuid};

const MEMBERS: usize = 4;
/// Who of them has an instance id.
const INSTANCES: [Option<&str>; MEMBERS] = [None, None, Some("one"), Some("two")];
/// What come and go.
const TOPICS: [&str; 3] = ["evening", "orders", "orders-2"];

/// What a member may subscribe to.
fn subscriptions() -> [Client; 6] {
    [
        Client::new("", &["events"]),
        Client::new("", &["events", "orders"]),
        Client::new("", &[]),
        Client::of_regex("", "ev.*"),
        Client::of_regex("", "ev.*|orders(-\\d)?"),
        Client::of_regex("", "orders-.*"),
    ]
}

#[derive(Clone, Debug)]
enum Act {
    Heartbeat(usize),
    /// Commits all that it has, this much further than anybody before.
    Commit(usize, i64),
    /// One that has crashed is still there: its next heartbeat comes all the same.
    Zombie(usize),
    /// Says again what it said this many epochs ago.
    Stale(usize, i32),
    Leave(usize),
    /// A static member says that it will be back, and is, with a new id.
    Return(usize),
    /// Starts over with a new id, without a word.
    Crash(usize),
    Subscribe(usize, usize),
    AddPartition,
    /// Makes a topic, or adds a partition to it.
    PutTopic(usize),
    DeleteTopic(usize),
    Pass(i32),
    FailAppends(bool),
    FailOver,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (0..MEMBERS).prop_map(Act::Heartbeat),
        3 => (0..MEMBERS, 1..1_000_i64).prop_map(|(at, by)| Act::Commit(at, by)),
        3 => any::<usize>().prop_map(Act::Zombie),
        2 => (0..MEMBERS, 1..4).prop_map(|(at, ago)| Act::Stale(at, ago)),
        1 => (0..MEMBERS).prop_map(Act::Leave),
        1 => (0..MEMBERS).prop_map(Act::Return),
        1 => (0..MEMBERS).prop_map(Act::Crash),
        2 => (0..MEMBERS, 0..subscriptions().len()).prop_map(|(at, to)| Act::Subscribe(at, to)),
        1 => Just(Act::AddPartition),
        2 => (0..TOPICS.len()).prop_map(Act::PutTopic),
        1 => (0..TOPICS.len()).prop_map(Act::DeleteTopic),
        2 => (1..20_000).prop_map(Act::Pass),
        1 => any::<bool>().prop_map(Act::FailAppends),
        1 => Just(Act::FailOver),
    ]
}

struct World {
    fixture: Fixture,
    clients: Vec<Client>,
    /// Those that crashed, with what they believe to have, and whether they were told that they are fenced.
    zombies: Vec<(Client, bool)>,
    /// By topic, how many partitions it has.
    partitions: BTreeMap<&'static str, i32>,
    names: usize,
    /// By topic and partition, what the last commit said that was answered.
    committed: BTreeMap<(&'static str, i32), i64>,
    next_offset: i64,
    fails: bool,
}

impl World {
    fn new() -> Self {
        let mut world = World {
            fixture: fixture(),
            clients: Vec::new(),
            zombies: Vec::new(),
            partitions: BTreeMap::from([("events", 6)]),
            names: 0,
            committed: BTreeMap::new(),
            next_offset: 0,
            fails: false,
        };
        for at in 0..MEMBERS {
            let client = world.new_client(at);
            world.clients.push(client);
        }
        world
    }

    fn new_client(&mut self, at: usize) -> Client {
        self.names += 1;
        let id = format!("member-{}", self.names);
        match INSTANCES[at] {
            Some(instance_id) => Client::of_instance(&id, instance_id, &["events"]),
            None => Client::new(&id, &["events"]),
        }
    }

    fn fail_appends(&mut self, fails: bool) {
        self.fails = fails;
        self.fixture.log.fail_appends(fails.then_some(ErrorCode::NotEnoughReplicas));
    }

    fn heartbeat(&mut self, at: usize) {
        let client = &mut self.clients[at];
        match code(client.heartbeat(&self.fixture)) {
            ErrorCode::None => {}
            ErrorCode::UnknownMemberId | ErrorCode::FencedMemberEpoch => {
                client.epoch = 0;
                client.owned = BTreeMap::new();
            }
            // The one before it with this instance id is not known to be gone.
            ErrorCode::UnreleasedInstanceId => assert!(client.instance_id.is_some()),
            ErrorCode::CoordinatorNotAvailable if self.fails => {}
            // After everybody has left, a group without offsets is forgotten only when it is cleaned up.
            other => panic!("{other}"),
        }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Heartbeat(at) => self.heartbeat(*at),
            Act::Commit(at, by) => self.commit(*at, *by),
            Act::Zombie(at) => self.zombie(*at),
            Act::Stale(at, ago) => self.stale(*at, *ago),
            Act::Leave(at) => {
                if self.clients[*at].epoch > 0 {
                    let outcome = code(self.clients[*at].leave(&self.fixture, -1));
                    if outcome == ErrorCode::CoordinatorNotAvailable && self.fails {
                        return;
                    }
                    assert!(matches!(outcome, ErrorCode::None | ErrorCode::UnknownMemberId), "{outcome}");
                    self.clients[*at].epoch = 0;
                    self.clients[*at].owned.clear();
                }
            }
            Act::Return(at) => {
                let client = &self.clients[*at];
                if client.epoch > 0 && client.instance_id.is_some() {
                    let outcome = code(client.leave(&self.fixture, -2));
                    match outcome {
                        ErrorCode::None | ErrorCode::UnknownMemberId => {
                            let mut returning = self.new_client(*at);
                            returning.subscribe_as(&self.clients[*at]);
                            self.clients[*at] = returning;
                        }
                        ErrorCode::CoordinatorNotAvailable if self.fails => {}
                        other => panic!("{other}"),
                    }
                }
            }
            Act::Crash(at) => {
                let fresh = self.new_client(*at);
                let mut zombie = std::mem::replace(&mut self.clients[*at], fresh);
                self.clients[*at].subscribe_as(&zombie);
                zombie.is_changed = false;
                self.zombies.push((zombie, false));
            }
            Act::Subscribe(at, to) => self.clients[*at].subscribe_as(&subscriptions()[*to]),
            Act::AddPartition => self.put_topic("events"),
            Act::PutTopic(topic) => self.put_topic(TOPICS[*topic]),
            Act::DeleteTopic(topic) => self.delete_topic(TOPICS[*topic]),
            Act::Pass(ms) => self.fixture.advance_ms(*ms),
            Act::FailAppends(fails) => self.fail_appends(*fails),
            Act::FailOver => self.fixture.fail_over(),
        }
    }

    fn put_topic(&mut self, topic: &'static str) {
        let partitions = self.partitions.entry(topic).or_default();
        *partitions += 1;
        self.fixture.topics.put(topic, *partitions);
    }

    fn delete_topic(&mut self, topic: &'static str) {
        self.partitions.remove(topic);
        self.fixture.topics.delete(topic);
        self.fixture.coordinator.on_topics_deleted(&[topic]);
        if !self.fails {
            self.committed.retain(|(of, _), _| *of != topic);
        }
    }

    /// The topic of this id, if it is there.
    fn name_of(&self, id: Uuid) -> Option<&'static str> {
        let name = self.fixture.topics.topic_by_id(id)?.name;
        self.partitions.keys().find(|known| **known == &*name).copied()
    }

    fn commit(&mut self, at: usize, by: i64) {
        let client = &self.clients[at];
        let is_member = self.is_current(client);
        for (id, partition) in client.owned.iter().flat_map(|(id, all)| all.iter().map(|one| (*id, *one))) {
            // Who asks for an offset of a topic that is gone does not come here.
            let Some(topic) = self.name_of(id) else { continue };
            self.next_offset += by;
            let offset = OffsetCommit {
                topic_partition: TopicPartition::new(topic, partition),
                ..offset_of(topic, self.next_offset)
            };
            let told = self.fixture.coordinator.commit_offsets(CommitOffsetsParams {
                group_id: GROUP,
                member_id: &client.id,
                generation_id: client.epoch,
                knows_member_epochs: true,
                offsets: vec![offset],
                ..CommitOffsetsParams::default()
            })[0];
            assert!(is_member || !told.is_none(), "{} is fenced, and may commit", client.id);
            assert!(!is_member || self.fails || told.is_none(), "{} may not commit: {told}", client.id);
            if told.is_none() {
                self.committed.insert((topic, partition), self.next_offset);
            }
        }
    }

    /// Whether the group knows it by its epoch.
    fn is_current(&self, client: &Client) -> bool {
        let group = self.fixture.coordinator.describe_consumer_group(GROUP);
        group.is_ok_and(|group| {
            group.members.iter().any(|member| {
                *member.member_id == *client.id && member.member_epoch == client.epoch && client.epoch > 0
            })
        })
    }

    fn zombie(&mut self, at: usize) {
        let count = self.zombies.len().max(1);
        let Some((zombie, is_fenced)) =
            self.zombies.get_mut(at % count).filter(|(zombie, _)| zombie.epoch > 0)
        else {
            return;
        };
        match code(zombie.heartbeat(&self.fixture)) {
            ErrorCode::None => assert!(!*is_fenced, "{} is fenced, and is a member again", zombie.id),
            ErrorCode::UnknownMemberId | ErrorCode::FencedMemberEpoch | ErrorCode::FencedInstanceId => {
                *is_fenced = true;
            }
            ErrorCode::CoordinatorNotAvailable if self.fails => {}
            other => panic!("{other}"),
        }
    }

    /// What came late is refused, and changes nothing.
    fn stale(&self, at: usize, ago: i32) {
        let client = &self.clients[at];
        if client.epoch <= ago {
            return;
        }
        let told = || format!("{:?}", self.fixture.coordinator.describe_consumer_group(GROUP));
        let before = told();
        let params = ConsumerGroupHeartbeatParams { member_epoch: client.epoch - ago, ..client.brief() };
        let refusal = code(self.fixture.coordinator.consumer_group_heartbeat(&params));
        assert!(
            matches!(refusal, ErrorCode::FencedMemberEpoch | ErrorCode::UnknownMemberId),
            "{} in {} was told {refusal}",
            client.id,
            params.member_epoch
        );
        assert_eq!(told(), before);
    }

    /// Nobody who is up to date has what another has who is.
    fn check(&self) {
        let Ok(group) = self.fixture.coordinator.describe_consumer_group(GROUP) else { return };
        let mut owners: BTreeMap<(Uuid, i32), &str> = BTreeMap::new();
        for client in self.clients.iter().chain(self.zombies.iter().map(|(zombie, _)| zombie)) {
            let is_member = |member: &&ConsumerGroupMemberDescription| {
                *member.member_id == *client.id && member.member_epoch == client.epoch
            };
            let Some(member) = group.members.iter().find(is_member) else { continue };
            for (id, partition) in client.owned.iter().flat_map(|(id, all)| all.iter().map(|one| (*id, *one)))
            {
                assert!(
                    member.assignment.get(&id).is_some_and(|known| known.contains(&partition)),
                    "{} has {id}-{partition} without the group's knowing",
                    client.id
                );
                let before = owners.insert((id, partition), &client.id);
                assert_eq!(before, None, "{id}-{partition} is {}'s as well", client.id);
            }
        }
        for (topic, partition) in self.all_partitions() {
            let wanted = TopicPartition::new(topic, partition);
            let fetched = self.fixture.coordinator.fetch_offsets(GROUP, Some(&[wanted]), false).unwrap();
            let last = self.committed.get(&(topic, partition)).copied().unwrap_or(-1);
            assert_eq!(
                fetched[0].offset, last,
                "of {topic}-{partition} the last commit that was answered is there"
            );
        }
    }

    fn all_partitions(&self) -> impl Iterator<Item = (&'static str, i32)> {
        self.partitions.iter().flat_map(|(topic, count)| (0..*count).map(|partition| (*topic, partition)))
    }

    /// Left alone, the members come to share all that somebody subscribes to, and those that were removed stay so.
    fn settle(&mut self) {
        self.fail_appends(false);
        for _ in 0..12 {
            self.fixture.advance_ms(10_000);
            for at in 0..MEMBERS {
                self.heartbeat(at);
                self.check();
            }
        }
        let group = describe(&self.fixture);
        assert_eq!(group.state, GroupState::Stable, "{group:?}");
        let mut shared = Vec::new();
        for client in &self.clients {
            for (id, partitions) in &client.owned {
                let topic = self.name_of(*id).expect("the topic is there");
                assert!(client.is_subscribed(topic), "{} has {topic}, and does not want it", client.id);
                shared.extend(partitions.iter().map(|partition| (topic, *partition)));
            }
        }
        shared.sort_unstable();
        let is_wanted = |topic: &str| self.clients.iter().any(|client| client.is_subscribed(topic));
        let wanted: Vec<_> = self.all_partitions().filter(|(topic, _)| is_wanted(topic)).collect();
        assert_eq!(shared, wanted);
        for (zombie, _) in self.zombies.iter().filter(|(zombie, _)| zombie.epoch > 0) {
            let partition = zombie.owned.values().flatten().next().copied().unwrap_or(0);
            let outcome = commit(&self.fixture, zombie, zombie.epoch, partition, true);
            assert_eq!(outcome, ErrorCode::UnknownMemberId);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").map_or(64, |cases| cases.parse().unwrap()),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_happens_no_partition_is_read_twice_and_none_is_left(acts in prop::collection::vec(act(), 1..60)) {
        let mut world = World::new();
        for act in &acts {
            world.act(act);
            world.check();
        }
        world.settle();
    }
}
