//! Members of the classic and of the consumer protocol in one group, which changes from one to the other and back while
//! they come, go, fall silent, start over as the other kind and come back, over restarts of the coordinator, against what
//! both protocols promise: nobody who is up to date has what another has who is, what was committed is there, and who was
//! fenced stays so.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use proptest::prelude::*;

use super::consumer_groups::{Client, code, fixture};
use super::fixture::*;
use crate::broker::consumer::protocol::Assignment;
use crate::broker::coordinator::group::*;
use crate::model::{ErrorCode, TopicPartition};

const MEMBERS: usize = 4;

#[derive(Clone, Debug)]
enum Act {
    /// Does what its client would do next.
    Step(usize),
    Commit(usize),
    Leave(usize),
    /// Starts over without a word, as a member of the other protocol if so told.
    Crash {
        at: usize,
        switches: bool,
    },
    /// Leaves, and comes back as a member of the other protocol.
    Switch(usize),
    /// One that has crashed is still there, and says what it would have said.
    Zombie(usize),
    AddPartition,
    Pass(i32),
    FailOver,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        20 => (0..MEMBERS).prop_map(Act::Step),
        4 => (0..MEMBERS).prop_map(Act::Commit),
        1 => (0..MEMBERS).prop_map(Act::Leave),
        1 => (0..MEMBERS, any::<bool>()).prop_map(|(at, switches)| Act::Crash { at, switches }),
        2 => (0..MEMBERS).prop_map(Act::Switch),
        3 => (0..MEMBERS).prop_map(Act::Zombie),
        1 => Just(Act::AddPartition),
        3 => (1..8_000).prop_map(Act::Pass),
        1 => Just(Act::FailOver),
    ]
}

/// A member of the classic protocol as its client would see itself: it gives up what it has before it joins.
#[derive(Default)]
struct Classic {
    joined: Option<JoinGroupResult>,
    is_joining: bool,
    /// What it waits for.
    join: Option<Answer<JoinGroupResult>>,
    sync: Option<Answer<SyncGroupResult>>,
    owned: Option<BTreeSet<i32>>,
    /// Of how many partitions it knew when it led.
    led: Option<i32>,
}

impl Classic {
    /// The next thing that its client does.
    fn step(&mut self, fixture: &Fixture, partitions: i32) {
        self.hear();
        if self.join.is_some() || self.sync.is_some() {
            return;
        }
        let Some(joined) = self.joined.as_ref().filter(|_| !self.is_joining) else {
            return self.join(fixture);
        };
        if self.owned.is_none() {
            self.led = joined.members.first().map(|_| partitions);
            let assignments = assignments(joined, partitions);
            let assignments = assignments.iter().map(|(id, bytes)| (&**id, bytes.clone())).collect();
            self.sync = Some(fixture.sync(SyncGroupParams { assignments, ..sync_of(joined) }));
            return self.hear();
        }
        if self.led.is_some_and(|led| led != partitions) {
            // The leader's client notices that the topic has grown.
            return self.join(fixture);
        }
        let outcome = fixture.heartbeat_as(joined);
        self.obey(outcome);
    }

    fn join(&mut self, fixture: &Fixture) {
        self.owned = None;
        self.is_joining = true;
        let member_id = self.joined.as_ref().map(|joined| joined.member_id.clone()).unwrap_or_default();
        self.join = Some(fixture.join(JoinGroupParams { member_id: &member_id, ..consumer() }));
        self.hear();
    }

    /// Takes in what it was answered.
    fn hear(&mut self) {
        if let Some(joined) = self.join.as_ref().and_then(Answer::poll) {
            self.join = None;
            match joined.error {
                ErrorCode::None => {
                    self.is_joining = false;
                    self.joined = Some(joined);
                }
                error => self.obey(error),
            }
        }
        if let Some(synced) = self.sync.as_ref().and_then(Answer::poll) {
            self.sync = None;
            match synced.error {
                ErrorCode::None => {
                    let assignment = Assignment::decode(&synced.assignment).unwrap();
                    self.owned = Some(assignment.partitions.iter().map(TopicPartition::partition).collect());
                }
                error => self.obey(error),
            }
        }
    }

    fn obey(&mut self, told: ErrorCode) {
        match told {
            ErrorCode::None => {}
            ErrorCode::RebalanceInProgress | ErrorCode::IllegalGeneration => self.is_joining = true,
            ErrorCode::UnknownMemberId => *self = Classic::default(),
            // The coordinator has moved meanwhile: asked again.
            ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable => {}
            other => panic!("a classic member was told {other}"),
        }
    }
}

/// What a leader gives to whom: partitions in turn.
fn assignments(joined: &JoinGroupResult, partitions: i32) -> Vec<(String, Bytes)> {
    let count = joined.members.len();
    let assignment = |at: usize| {
        let mine = (0..partitions).filter(|partition| usize::try_from(*partition).unwrap() % count == at);
        let partitions = mine.map(|partition| TopicPartition::new("events", partition)).collect();
        Assignment { partitions, user_data: None }.encode_as(1)
    };
    joined
        .members
        .iter()
        .enumerate()
        .map(|(at, member)| (member.member_id.to_string(), assignment(at)))
        .collect()
}

enum Kind {
    Classic(Classic),
    Modern(Client),
}

struct Member {
    kind: Kind,
    /// It was told that it is not, or no more, what it believes to be. Matters for those who do not obey.
    is_fenced: bool,
}

impl Member {
    fn step(&mut self, fixture: &Fixture, partitions: i32) {
        match &mut self.kind {
            Kind::Classic(member) => member.step(fixture, partitions),
            Kind::Modern(client) => match code(client.heartbeat(fixture)) {
                ErrorCode::None => {}
                ErrorCode::UnknownMemberId | ErrorCode::FencedMemberEpoch | ErrorCode::GroupIdNotFound => {
                    client.epoch = 0;
                    client.owned = BTreeMap::new();
                }
                other => panic!("a member of the consumer protocol was told {other}"),
            },
        }
    }

    /// Its id and epoch, or generation, if it believes to be in one.
    fn identity(&self) -> Option<(&str, i32)> {
        match &self.kind {
            Kind::Classic(member) => {
                member.joined.as_ref().map(|joined| (&*joined.member_id, joined.generation_id))
            }
            Kind::Modern(client) => (client.epoch > 0).then_some((&*client.id, client.epoch)),
        }
    }

    /// A commit tells a classic member what a heartbeat would; others wait for theirs.
    fn obey(&mut self, told: ErrorCode) {
        match (&mut self.kind, told) {
            (Kind::Classic(member), ErrorCode::StaleMemberEpoch) => member.obey(ErrorCode::IllegalGeneration),
            (Kind::Classic(member), told) => member.obey(told),
            (Kind::Modern(_), _) => {}
        }
    }

    fn is_classic(&self) -> bool {
        matches!(self.kind, Kind::Classic(_))
    }

    fn owned(&self) -> BTreeSet<i32> {
        match &self.kind {
            Kind::Classic(member) => member.owned.clone().unwrap_or_default(),
            Kind::Modern(client) => client.owned.values().flatten().copied().collect(),
        }
    }
}

struct World {
    fixture: Fixture,
    members: Vec<Member>,
    zombies: Vec<Member>,
    partitions: i32,
    names: usize,
    /// The last that was answered without an error.
    committed: BTreeMap<i32, i64>,
    next_offset: i64,
}

impl World {
    fn new() -> Self {
        let mut world = World {
            fixture: fixture(),
            members: Vec::new(),
            zombies: Vec::new(),
            partitions: 6,
            names: 0,
            committed: BTreeMap::new(),
            next_offset: 1,
        };
        for at in 0..MEMBERS {
            let member = world.new_member(at % 2 == 0);
            world.members.push(member);
        }
        world
    }

    fn new_member(&mut self, is_classic: bool) -> Member {
        self.names += 1;
        let kind = match is_classic {
            true => Kind::Classic(Classic::default()),
            false => Kind::Modern(Client::new(&format!("member-{}", self.names), &["events"])),
        };
        Member { kind, is_fenced: false }
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Step(at) => self.members[at].step(&self.fixture, self.partitions),
            Act::Commit(at) => {
                let mut member = std::mem::replace(&mut self.members[at], no_member());
                let outcome = self.commit(&mut member);
                member.obey(outcome);
                member.is_fenced = false;
                self.members[at] = member;
            }
            Act::Leave(at) => self.leave(at),
            Act::Crash { at, switches } => {
                let fresh = self.new_member(self.members[at].is_classic() != switches);
                self.zombies.push(std::mem::replace(&mut self.members[at], fresh));
            }
            Act::Switch(at) => {
                self.leave(at);
                self.members[at] = self.new_member(!self.members[at].is_classic());
            }
            Act::Zombie(at) => {
                if at < self.zombies.len() {
                    let mut zombie = self.zombies.swap_remove(at);
                    let outcome = self.commit(&mut zombie);
                    assert!(
                        outcome.is_none() || zombie.is_fenced || outcome == ErrorCode::RebalanceInProgress
                    );
                    self.zombies.push(zombie);
                }
            }
            Act::AddPartition => {
                self.partitions += 1;
                self.fixture.topics.put("events", self.partitions);
            }
            Act::Pass(ms) => self.fixture.advance_ms(ms),
            Act::FailOver => self.fail_over(),
        }
        for member in &mut self.members {
            if let Kind::Classic(member) = &mut member.kind {
                member.hear();
            }
        }
    }

    fn fail_over(&mut self) {
        if self.group_type() != Some(GroupType::Consumer) {
            // Who was removed from a classic group is so only once its next generation is written, as in Kafka.
            self.zombies.iter_mut().for_each(|zombie| zombie.is_fenced = false);
        }
        self.fixture.fail_over();
    }

    fn group_type(&self) -> Option<GroupType> {
        self.fixture.coordinator.list_groups(&[], &[]).1.first().map(|group| group.group_type)
    }

    fn leave(&mut self, at: usize) {
        let is_classic = self.members[at].is_classic();
        let fresh = self.new_member(is_classic);
        let left = std::mem::replace(&mut self.members[at], fresh);
        let outcome = match left.kind {
            Kind::Classic(Classic { joined: Some(joined), .. }) => {
                let left = self.fixture.leave_as(&joined);
                if left.error.is_none() { left.members[0] } else { left.error }
            }
            Kind::Modern(client) if client.epoch > 0 => code(client.leave(&self.fixture, -1)),
            Kind::Classic(_) | Kind::Modern(_) => ErrorCode::None,
        };
        let is_expected =
            matches!(outcome, ErrorCode::None | ErrorCode::UnknownMemberId | ErrorCode::GroupIdNotFound);
        assert!(is_expected, "{outcome}");
    }

    /// Commits an offset of a partition that it has, or believed to have.
    fn commit(&mut self, member: &mut Member) -> ErrorCode {
        let Some((member_id, epoch)) = member.identity() else { return ErrorCode::None };
        let Some(partition) = member.owned().into_iter().next() else { return ErrorCode::None };
        let offset = OffsetCommit {
            topic_partition: TopicPartition::new("events", partition),
            offset: self.next_offset,
            leader_epoch: -1,
            metadata: "",
            commit_timestamp: None,
        };
        self.next_offset += 1;
        let outcome = self.fixture.coordinator.commit_offsets(CommitOffsetsParams {
            group_id: GROUP,
            member_id,
            generation_id: epoch,
            knows_member_epochs: !member.is_classic(),
            offsets: vec![offset],
            ..CommitOffsetsParams::default()
        })[0];
        match outcome {
            ErrorCode::None => {
                assert!(!member.is_fenced, "{member_id} in {epoch} was fenced, and has committed");
                self.committed.insert(partition, self.next_offset - 1);
            }
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration | ErrorCode::StaleMemberEpoch => {
                member.is_fenced = true;
            }
            // It may be that of a generation that still gathers.
            ErrorCode::RebalanceInProgress => {}
            other => panic!("who commits was told {other}"),
        }
        outcome
    }

    /// The members that the group has, with their epochs, as far as they say that they read something.
    fn epochs(&self) -> BTreeMap<String, i32> {
        if let Ok(group) = self.fixture.coordinator.describe_consumer_group(GROUP) {
            return group.members.iter().map(|m| (m.member_id.to_string(), m.member_epoch)).collect();
        }
        match self.fixture.coordinator.describe_group(GROUP) {
            Ok(group) => {
                group.members.iter().map(|m| (m.member_id.to_string(), group.generation_id)).collect()
            }
            Err(_) => BTreeMap::new(),
        }
    }

    fn check(&self) {
        let epochs = self.epochs();
        let mut owners: BTreeMap<i32, &str> = BTreeMap::new();
        for member in self.members.iter().chain(&self.zombies) {
            let Some((id, epoch)) = member.identity().filter(|(id, epoch)| epochs.get(*id) == Some(epoch))
            else {
                continue;
            };
            for partition in member.owned() {
                let before = owners.insert(partition, id);
                assert_eq!(before, None, "{partition} is also {id}'s, in {epoch}");
            }
        }
        for (partition, offset) in &self.committed {
            let wanted = TopicPartition::new("events", *partition);
            let fetched = self.fixture.coordinator.fetch_offsets(GROUP, Some(&[wanted]), false).unwrap();
            assert_eq!(
                fetched[0].offset, *offset,
                "the last commit of {partition} that was answered is there"
            );
        }
    }

    /// Left alone, the members come to share everything, and those that were removed stay so.
    fn settle(&mut self) {
        for _ in 0..40 {
            self.fixture.advance_ms(SESSION_MS / 3);
            for at in 0..MEMBERS {
                self.act(&Act::Step(at));
                self.check();
            }
        }
        let mut all: Vec<i32> = self.members.iter().flat_map(Member::owned).collect();
        all.sort_unstable();
        assert_eq!(all, (0..self.partitions).collect::<Vec<i32>>(), "{:?}", self.group_type());
        let kinds = self.members.iter().filter(|member| member.is_classic()).count();
        let expected = if kinds == MEMBERS { GroupType::Classic } else { GroupType::Consumer };
        assert_eq!(self.group_type(), Some(expected));
        let generations: BTreeSet<i32> = self.epochs().into_values().collect();
        assert_eq!(generations.len(), 1, "all are in one generation");
        for at in 0..MEMBERS {
            let first = self.members[at].owned().into_iter().next();
            let (before, _) = (self.next_offset, self.act(&Act::Commit(at)));
            assert!(first.is_none_or(|partition| self.committed.get(&partition) == Some(&before)));
        }
        for mut zombie in std::mem::take(&mut self.zombies) {
            let has_committed = zombie.identity().is_some() && !zombie.owned().is_empty();
            let outcome = self.commit(&mut zombie);
            assert!(!has_committed || zombie.is_fenced, "{outcome}");
        }
        self.check();
    }
}

fn no_member() -> Member {
    Member { kind: Kind::Classic(Classic::default()), is_fenced: false }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").map_or(96, |cases| cases.parse().unwrap()),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_the_members_of_both_protocols_do_no_partition_is_read_twice_and_no_commit_is_lost(
        acts in prop::collection::vec(act(), 1..80),
    ) {
        let mut world = World::new();
        for act in &acts {
            world.act(act);
            world.check();
        }
        world.settle();
    }
}
