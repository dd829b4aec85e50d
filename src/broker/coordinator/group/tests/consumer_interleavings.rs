//! Members that come, go, fall silent and come back, topics that grow and a coordinator that starts anew, in any order,
//! against what the protocol promises.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::consumer_groups::{Client, code, commit, describe, fixture};
use super::fixture::*;
use crate::broker::coordinator::group::*;
use crate::model::ErrorCode;

const MEMBERS: usize = 4;

#[derive(Clone, Debug)]
enum Act {
    Heartbeat(usize),
    Commit(usize),
    Leave(usize),
    /// Starts over with a new id, without a word.
    Crash(usize),
    AddPartition,
    Pass(i32),
    FailOver,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (0..MEMBERS).prop_map(Act::Heartbeat),
        3 => (0..MEMBERS).prop_map(Act::Commit),
        1 => (0..MEMBERS).prop_map(Act::Leave),
        1 => (0..MEMBERS).prop_map(Act::Crash),
        1 => Just(Act::AddPartition),
        2 => (1..20_000).prop_map(Act::Pass),
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
        };
        for _ in 0..MEMBERS {
            let client = world.new_client();
            world.clients.push(client);
        }
        world
    }

    fn new_client(&mut self) -> Client {
        self.names += 1;
        Client::new(&format!("member-{}", self.names), &["events"])
    }

    fn heartbeat(&mut self, at: usize) {
        let client = &mut self.clients[at];
        match code(client.heartbeat(&self.fixture)) {
            ErrorCode::None => {}
            ErrorCode::UnknownMemberId | ErrorCode::FencedMemberEpoch => {
                client.epoch = 0;
                client.owned = BTreeMap::new();
            }
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
                    assert!(matches!(outcome, ErrorCode::None | ErrorCode::UnknownMemberId), "{outcome}");
                    self.clients[*at].epoch = 0;
                    self.clients[*at].owned.clear();
                }
            }
            Act::Crash(at) => {
                let fresh = self.new_client();
                self.zombies.push(std::mem::replace(&mut self.clients[*at], fresh));
            }
            Act::AddPartition => {
                self.partitions += 1;
                self.fixture.topics.put("events", self.partitions);
            }
            Act::Pass(ms) => self.fixture.advance_ms(*ms),
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
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

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
