//! Members of a share group that come, go, fall silent and come back, topics that grow, a share coordinator that fails and
//! a group coordinator that starts anew, in any order, against what the protocol promises.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::fixture::*;
use super::share_groups::{Client, code, describe, fixture};
use crate::model::{ErrorCode, Uuid};

const MEMBERS: usize = 4;

#[derive(Clone, Debug)]
enum Act {
    Heartbeat(usize),
    Leave(usize),
    /// Starts over with a new id, without a word.
    Crash(usize),
    AddPartition,
    /// The share coordinator fails, or is back.
    Persister(bool),
    Pass(i32),
    FailOver,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (0..MEMBERS).prop_map(Act::Heartbeat),
        1 => (0..MEMBERS).prop_map(Act::Leave),
        1 => (0..MEMBERS).prop_map(Act::Crash),
        1 => Just(Act::AddPartition),
        2 => any::<bool>().prop_map(Act::Persister),
        2 => (1..20_000).prop_map(Act::Pass),
        1 => Just(Act::FailOver),
    ]
}

struct World {
    fixture: Fixture,
    clients: Vec<Client>,
    topic: Uuid,
    partitions: i32,
    names: usize,
}

impl World {
    fn new() -> Self {
        let fixture = fixture();
        let topic = fixture.topics.put("events", 3);
        let mut world = World { fixture, clients: Vec::new(), topic, partitions: 3, names: 0 };
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
            ErrorCode::UnknownMemberId | ErrorCode::FencedMemberEpoch | ErrorCode::GroupIdNotFound => {
                client.epoch = 0;
                client.reads = BTreeMap::new();
            }
            other => panic!("{other}"),
        }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Heartbeat(at) => self.heartbeat(*at),
            Act::Leave(at) => {
                if self.clients[*at].epoch > 0 {
                    let outcome = code(self.clients[*at].leave(&self.fixture));
                    assert!(matches!(outcome, ErrorCode::None | ErrorCode::UnknownMemberId), "{outcome}");
                    self.clients[*at].epoch = 0;
                    self.clients[*at].reads.clear();
                }
            }
            Act::Crash(at) => self.clients[*at] = self.new_client(),
            Act::AddPartition => {
                self.partitions += 1;
                self.fixture.topics.put("events", self.partitions);
            }
            Act::Persister(fails) => {
                self.fixture.persister.fail(fails.then_some(ErrorCode::CoordinatorNotAvailable));
            }
            Act::Pass(ms) => self.fixture.advance_ms(*ms),
            Act::FailOver => self.fixture.fail_over(),
        }
    }

    /// Nobody reads what has no state, and a member that is up to date reads what the group says.
    fn check(&self) {
        let states: BTreeSet<i32> = self.fixture.persister.states(GROUP, self.topic).into_keys().collect();
        let Ok(group) = self.fixture.coordinator.describe_share_group(GROUP) else { return };
        for member in &group.members {
            let reads = member.assignment.get(&self.topic).cloned().unwrap_or_default();
            assert!(reads.is_subset(&states), "{member:?} reads what has no state: {states:?}");
            let client = self.clients.iter().find(|client| *client.id == *member.member_id);
            if let Some(client) = client.filter(|client| client.epoch == member.member_epoch) {
                assert_eq!(client.reads.get(&self.topic).cloned().unwrap_or_default(), reads);
            }
        }
    }

    /// Left alone, the members come to share everything, about as many of them each partition.
    fn settle(&mut self) {
        self.fixture.persister.fail(None);
        for _ in 0..12 {
            self.fixture.advance_ms(10_000);
            for at in 0..MEMBERS {
                self.heartbeat(at);
                self.check();
            }
        }
        let group = describe(&self.fixture);
        assert_eq!((group.members.len(), group.group_epoch), (MEMBERS, group.assignment_epoch));
        let mut readers: BTreeMap<i32, usize> =
            (0..self.partitions).map(|partition| (partition, 0)).collect();
        for partition in self.clients.iter().flat_map(|client| client.reads.values().flatten()) {
            *readers.get_mut(partition).unwrap() += 1;
        }
        let most = MEMBERS.div_ceil(readers.len());
        assert!(readers.values().all(|count| (1..=most).contains(count)), "{readers:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").map_or(64, |cases| cases.parse().unwrap()),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_happens_only_what_has_a_state_is_read_and_in_the_end_everything_is(
        acts in prop::collection::vec(act(), 1..60)
    ) {
        let mut world = World::new();
        for act in &acts {
            world.act(act);
            world.check();
        }
        world.settle();
    }
}
