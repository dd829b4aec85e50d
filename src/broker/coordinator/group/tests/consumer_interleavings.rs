//! Members that come, go, fall silent and come back, topics that grow, a log that takes nothing and a coordinator that
//! starts anew, in any order, against what the protocol promises.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::consumer_groups::{Client, code, commit, describe, fixture};
use super::fixture::*;
use crate::broker::coordinator::group::*;
use crate::model::ErrorCode;

const MEMBERS: usize = 4;
/// Who of them has an instance id.
const INSTANCES: [Option<&str>; MEMBERS] = [None, None, Some("one"), Some("two")];

#[derive(Clone, Debug)]
enum Act {
    Heartbeat(usize),
    Commit(usize),
    Leave(usize),
    /// A static member says that it will be back, and is, with a new id.
    Return(usize),
    /// Starts over with a new id, without a word.
    Crash(usize),
    AddPartition,
    Pass(i32),
    FailAppends(bool),
    FailOver,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (0..MEMBERS).prop_map(Act::Heartbeat),
        3 => (0..MEMBERS).prop_map(Act::Commit),
        1 => (0..MEMBERS).prop_map(Act::Leave),
        1 => (0..MEMBERS).prop_map(Act::Return),
        1 => (0..MEMBERS).prop_map(Act::Crash),
        1 => Just(Act::AddPartition),
        2 => (1..20_000).prop_map(Act::Pass),
        1 => any::<bool>().prop_map(Act::FailAppends),
        1 => Just(Act::FailOver),
    ]
}

struct World {
    fixture: Fixture,
    clients: Vec<Client>,
    /// Those that crashed, with what they believe to have.
    zombies: Vec<Client>,
    partitions: i32,
    names: usize,
    committed: BTreeSet<i32>,
    fails: bool,
}

impl World {
    fn new() -> Self {
        let mut world = World {
            fixture: fixture(),
            clients: Vec::new(),
            zombies: Vec::new(),
            partitions: 6,
            names: 0,
            committed: BTreeSet::new(),
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
            Act::Commit(at) => {
                let client = &self.clients[*at];
                for partition in client.owned.values().flatten() {
                    if commit(&self.fixture, client, client.epoch, *partition, true).is_none() {
                        self.committed.insert(*partition);
                    }
                }
            }
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
                            self.clients[*at] = self.new_client(*at);
                        }
                        ErrorCode::CoordinatorNotAvailable if self.fails => {}
                        other => panic!("{other}"),
                    }
                }
            }
            Act::Crash(at) => {
                let fresh = self.new_client(*at);
                self.zombies.push(std::mem::replace(&mut self.clients[*at], fresh));
            }
            Act::AddPartition => {
                self.partitions += 1;
                self.fixture.topics.put("events", self.partitions);
            }
            Act::Pass(ms) => self.fixture.advance_ms(*ms),
            Act::FailAppends(fails) => self.fail_appends(*fails),
            Act::FailOver => self.fixture.fail_over(),
        }
    }

    /// Nobody who is up to date has what another has who is.
    fn check(&self) {
        let Ok(group) = self.fixture.coordinator.describe_consumer_group(GROUP) else { return };
        let mut owners: BTreeMap<i32, &str> = BTreeMap::new();
        for client in self.clients.iter().chain(&self.zombies) {
            let is_member = |member: &&ConsumerGroupMemberDescription| {
                *member.member_id == *client.id && member.member_epoch == client.epoch
            };
            let Some(member) = group.members.iter().find(is_member) else { continue };
            for partition in client.owned.values().flatten() {
                assert!(
                    member.assignment.values().flatten().any(|p| p == partition),
                    "{} has {partition} without the group's knowing",
                    client.id
                );
                let before = owners.insert(*partition, &client.id);
                assert_eq!(before, None, "{partition} is {}'s as well", client.id);
            }
        }
        for partition in &self.committed {
            let wanted = crate::model::TopicPartition::new("events", *partition);
            let fetched = self.fixture.coordinator.fetch_offsets(GROUP, Some(&[wanted]), false).unwrap();
            assert_eq!(fetched[0].offset, 7, "a commit that was answered is there");
        }
    }

    /// Left alone, the members come to share everything, and those that were removed stay so.
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
        let mut all: Vec<i32> =
            self.clients.iter().flat_map(|client| client.owned.values().flatten().copied()).collect();
        all.sort_unstable();
        assert_eq!(all, (0..self.partitions).collect::<Vec<i32>>());
        for zombie in self.zombies.iter().filter(|zombie| zombie.epoch > 0) {
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
