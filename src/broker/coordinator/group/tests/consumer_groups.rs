use std::collections::{BTreeMap, BTreeSet};

use super::fixture::*;
use crate::broker::coordinator::group::*;
use crate::broker::coordinator::{NamePattern, REFUSED_APPENDS};
use crate::model::{ErrorCode, TopicPartition, Uuid};

const SESSION_MS: i32 = 45_000;

/// A consumer as its client would see itself.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) instance_id: Option<&'static str>,
    pub(super) epoch: i32,
    pub(super) owned: BTreeMap<Uuid, BTreeSet<i32>>,
    topics: BTreeSet<&'static str>,
    regex: Option<&'static str>,
    /// It subscribes to something else, and has not been told that this was heard.
    pub(super) is_changed: bool,
}

type Heartbeat = Result<ConsumerGroupHeartbeatResult, GroupError>;

impl Client {
    pub(super) fn new(id: &str, topics: &[&'static str]) -> Self {
        Client {
            id: id.to_owned(),
            instance_id: None,
            epoch: 0,
            owned: BTreeMap::new(),
            topics: topics.iter().copied().collect(),
            regex: None,
            is_changed: false,
        }
    }

    pub(super) fn of_regex(id: &str, regex: &'static str) -> Self {
        Client { regex: Some(regex), ..Client::new(id, &[]) }
    }

    pub(super) fn of_instance(id: &str, instance_id: &'static str, topics: &[&'static str]) -> Self {
        Client { instance_id: Some(instance_id), ..Client::new(id, topics) }
    }

    /// Subscribes to what another does.
    pub(super) fn subscribe_as(&mut self, other: &Client) {
        self.topics = other.topics.clone();
        self.regex = other.regex;
        self.is_changed = true;
    }

    pub(super) fn is_subscribed(&self, topic: &str) -> bool {
        let matches = |regex| NamePattern::new(regex).is_ok_and(|pattern| pattern.is_match(topic));
        self.topics.contains(topic) || self.regex.is_some_and(matches)
    }

    /// Says everything, as a client does that joins or is not sure.
    pub(super) fn full(&self) -> ConsumerGroupHeartbeatParams<'_> {
        ConsumerGroupHeartbeatParams {
            rebalance_timeout_ms: REBALANCE_MS,
            subscribed_topic_names: self.regex.is_none().then(|| self.topics.clone()),
            subscribed_topic_regex: self.regex,
            topic_partitions: Some(self.owned.clone()),
            ..self.brief()
        }
    }

    pub(super) fn brief(&self) -> ConsumerGroupHeartbeatParams<'_> {
        ConsumerGroupHeartbeatParams {
            group_id: GROUP,
            member_id: &self.id,
            member_epoch: self.epoch,
            requires_member_id: true,
            instance_id: self.instance_id,
            rebalance_timeout_ms: -1,
            client_id: "client",
            client_host: "/127.0.0.1",
            ..ConsumerGroupHeartbeatParams::default()
        }
    }

    /// One heartbeat, and what a client makes of the answer: it takes at once what it is given, and gives back at once
    /// what it is not.
    pub(super) fn heartbeat(&mut self, fixture: &Fixture) -> Heartbeat {
        let params = match self.epoch {
            // Both, since it says so too that it does not subscribe by the other any more.
            _ if self.is_changed => ConsumerGroupHeartbeatParams {
                subscribed_topic_names: Some(self.topics.clone()),
                subscribed_topic_regex: Some(self.regex.unwrap_or_default()),
                ..self.full()
            },
            0 => self.full(),
            _ => ConsumerGroupHeartbeatParams { topic_partitions: Some(self.owned.clone()), ..self.brief() },
        };
        let result = fixture.coordinator.consumer_group_heartbeat(&params)?;
        self.epoch = result.member_epoch;
        self.is_changed = false;
        if let Some(assignment) = &result.assignment {
            self.owned = assignment.clone();
        }
        Ok(result)
    }

    pub(super) fn count(&self) -> usize {
        self.owned.values().map(BTreeSet::len).sum()
    }

    pub(super) fn leave(&self, fixture: &Fixture, epoch: i32) -> Heartbeat {
        let params = ConsumerGroupHeartbeatParams { member_epoch: epoch, ..self.brief() };
        fixture.coordinator.consumer_group_heartbeat(&params)
    }
}

pub(super) fn fixture() -> Fixture {
    let fixture = Fixture::with_config(|config| config.group_consumer_assignment_interval_ms = 0);
    fixture.topics.put("events", 6);
    fixture
}

/// Heartbeats until nothing changes any more.
pub(super) fn settle(fixture: &Fixture, clients: &mut [&mut Client]) {
    for _ in 0..6 {
        for client in clients.iter_mut() {
            client.heartbeat(fixture).unwrap();
        }
    }
    let group = describe(fixture);
    assert_eq!(group.state, GroupState::Stable, "{group:?}");
}

pub(super) fn describe(fixture: &Fixture) -> ConsumerGroupDescription {
    fixture.coordinator.describe_consumer_group(GROUP).unwrap()
}

pub(super) fn code(heartbeat: Heartbeat) -> ErrorCode {
    heartbeat.map_or_else(|error| error.code, |_| ErrorCode::None)
}

pub(super) fn commit(
    fixture: &Fixture,
    client: &Client,
    epoch: i32,
    partition: i32,
    knows: bool,
) -> ErrorCode {
    commit_at(fixture, client, epoch, (partition, 7), knows)
}

/// Commits this partition with this offset.
pub(super) fn commit_at(
    fixture: &Fixture,
    client: &Client,
    epoch: i32,
    (partition, offset): (i32, i64),
    knows: bool,
) -> ErrorCode {
    let offset = OffsetCommit {
        topic_partition: TopicPartition::new("events", partition),
        offset,
        leader_epoch: -1,
        metadata: "",
        commit_timestamp: None,
    };
    fixture.coordinator.commit_offsets(CommitOffsetsParams {
        group_id: GROUP,
        member_id: &client.id,
        generation_id: epoch,
        knows_member_epochs: knows,
        offsets: vec![offset],
        ..CommitOffsetsParams::default()
    })[0]
}

#[test]
fn the_first_member_has_all_partitions_at_once() {
    let fixture = fixture();
    let mut a = Client::new("a", &["events"]);
    let joined = a.heartbeat(&fixture).unwrap();
    assert_eq!((joined.member_epoch, joined.heartbeat_interval_ms, a.count()), (2, 5000, 6));
    // Nothing new: no assignment is repeated, and nothing is written.
    let written = fixture.log.records(fixture.partition()).len();
    assert_eq!(a.heartbeat(&fixture).unwrap().assignment, None);
    assert_eq!(fixture.log.records(fixture.partition()).len(), written);
    let again = fixture.coordinator.consumer_group_heartbeat(&a.full()).unwrap();
    assert_eq!(again.assignment, Some(a.owned.clone()), "who is not sure is told again");
}

#[test]
fn partitions_are_given_back_before_they_are_given_to_others() {
    let fixture = fixture();
    let (mut a, mut b) = (Client::new("a", &["events"]), Client::new("b", &["events"]));
    a.heartbeat(&fixture).unwrap();
    let joined = b.heartbeat(&fixture).unwrap();
    assert_eq!((joined.member_epoch, b.count()), (3, 0), "all partitions are still the other's");
    assert_eq!(describe(&fixture).state, GroupState::Reconciling);
    a.heartbeat(&fixture).unwrap();
    assert_eq!(
        (a.epoch, a.count()),
        (2, 3),
        "it is asked for three, and stays in its epoch until it has done so"
    );
    b.heartbeat(&fixture).unwrap();
    assert_eq!(b.count(), 0);
    a.heartbeat(&fixture).unwrap();
    assert_eq!(a.epoch, 3);
    b.heartbeat(&fixture).unwrap();
    assert_eq!(b.count(), 3);
    assert!(a.owned.values().flatten().all(|partition| !b.owned.values().flatten().any(|p| p == partition)));
    assert_eq!(describe(&fixture).state, GroupState::Stable);
}

#[test]
fn a_member_that_leaves_is_missed_by_nobody() {
    let fixture = fixture();
    let (mut a, mut b) = (Client::new("a", &["events"]), Client::new("b", &["events"]));
    settle(&fixture, &mut [&mut a, &mut b]);
    let left = b.leave(&fixture, -1).unwrap();
    assert_eq!((left.member_epoch, left.heartbeat_interval_ms), (-1, 0));
    a.heartbeat(&fixture).unwrap();
    assert_eq!(a.count(), 6);
    assert_eq!(code(b.heartbeat(&fixture)), ErrorCode::UnknownMemberId);
}

#[test]
fn who_is_not_heard_of_in_time_is_removed() {
    let fixture = fixture();
    let (mut a, mut b) = (Client::new("a", &["events"]), Client::new("b", &["events"]));
    settle(&fixture, &mut [&mut a, &mut b]);
    fixture.advance_ms(SESSION_MS - 1);
    a.heartbeat(&fixture).unwrap();
    fixture.advance_ms(1);
    a.heartbeat(&fixture).unwrap();
    assert_eq!(a.count(), 6);
    assert_eq!(code(b.heartbeat(&fixture)), ErrorCode::UnknownMemberId);
}

#[test]
fn who_does_not_give_partitions_back_in_time_is_removed() {
    let fixture = fixture();
    let (mut a, mut b) = (Client::new("a", &["events"]), Client::new("b", &["events"]));
    a.heartbeat(&fixture).unwrap();
    b.heartbeat(&fixture).unwrap();
    let busy = a.clone();
    let hears = || fixture.coordinator.consumer_group_heartbeat(&busy.brief());
    assert!(hears().unwrap().assignment.is_some());
    for _ in 0..REBALANCE_MS / 10_000 - 1 {
        fixture.advance_ms(10_000);
        assert!(hears().is_ok(), "it is there, but does not say that it has given anything back");
        b.heartbeat(&fixture).unwrap();
    }
    fixture.advance_ms(10_000);
    assert_eq!(code(hears()), ErrorCode::UnknownMemberId);
    b.heartbeat(&fixture).unwrap();
    assert_eq!(b.count(), 6);
}

#[test]
fn who_is_in_another_epoch_is_fenced_unless_an_answer_may_have_been_lost() {
    let fixture = fixture();
    let (mut a, mut b) = (Client::new("a", &["events"]), Client::new("b", &["events"]));
    settle(&fixture, &mut [&mut a, &mut b]);
    let with_epoch = |epoch| {
        let params = ConsumerGroupHeartbeatParams {
            member_epoch: epoch,
            topic_partitions: Some(a.owned.clone()),
            ..a.brief()
        };
        code(fixture.coordinator.consumer_group_heartbeat(&params))
    };
    assert_eq!(with_epoch(a.epoch + 1), ErrorCode::FencedMemberEpoch);
    assert_eq!(with_epoch(a.epoch - 1), ErrorCode::None, "the answer with the new epoch was lost");
    assert_eq!(with_epoch(1), ErrorCode::FencedMemberEpoch);
    let without_owned = ConsumerGroupHeartbeatParams { member_epoch: a.epoch - 1, ..a.brief() };
    assert_eq!(
        code(fixture.coordinator.consumer_group_heartbeat(&without_owned)),
        ErrorCode::FencedMemberEpoch
    );
}

#[test]
fn requests_that_make_no_sense_are_refused_with_kafkas_codes() {
    let fixture = fixture();
    let a = Client::new("a", &["events"]);
    let ask = |params: ConsumerGroupHeartbeatParams<'_>| {
        code(fixture.coordinator.consumer_group_heartbeat(&params))
    };
    let owned = BTreeMap::from([(Uuid::from_bytes([1; 16]), BTreeSet::from([0]))]);
    for (params, expected) in [
        (ConsumerGroupHeartbeatParams { group_id: "", ..a.full() }, ErrorCode::InvalidRequest),
        (ConsumerGroupHeartbeatParams { member_id: "", ..a.full() }, ErrorCode::InvalidRequest),
        (ConsumerGroupHeartbeatParams { instance_id: Some(""), ..a.full() }, ErrorCode::InvalidRequest),
        (ConsumerGroupHeartbeatParams { rack_id: Some(""), ..a.full() }, ErrorCode::InvalidRequest),
        (ConsumerGroupHeartbeatParams { member_epoch: -3, ..a.full() }, ErrorCode::InvalidRequest),
        (ConsumerGroupHeartbeatParams { member_epoch: -2, ..a.full() }, ErrorCode::InvalidRequest),
        (ConsumerGroupHeartbeatParams { rebalance_timeout_ms: -1, ..a.full() }, ErrorCode::InvalidRequest),
        (ConsumerGroupHeartbeatParams { topic_partitions: None, ..a.full() }, ErrorCode::InvalidRequest),
        (
            ConsumerGroupHeartbeatParams { topic_partitions: Some(owned), ..a.full() },
            ErrorCode::InvalidRequest,
        ),
        (
            ConsumerGroupHeartbeatParams { subscribed_topic_names: None, ..a.full() },
            ErrorCode::InvalidRequest,
        ),
        (
            ConsumerGroupHeartbeatParams { server_assignor: Some("sticky"), ..a.full() },
            ErrorCode::UnsupportedAssignor,
        ),
        (ConsumerGroupHeartbeatParams { member_epoch: 1, ..a.full() }, ErrorCode::GroupIdNotFound),
        (ConsumerGroupHeartbeatParams { member_epoch: -1, ..a.full() }, ErrorCode::GroupIdNotFound),
        (
            ConsumerGroupHeartbeatParams {
                subscribed_topic_names: None,
                subscribed_topic_regex: Some("("),
                ..a.full()
            },
            ErrorCode::InvalidRegularExpression,
        ),
    ] {
        assert_eq!(ask(params), expected);
    }
    assert!(!fixture.coordinator.has_group(GROUP), "none of them has made a group");
    // Before members brought their ids, they got them.
    let without_id = ConsumerGroupHeartbeatParams { member_id: "", requires_member_id: false, ..a.full() };
    let joined = fixture.coordinator.consumer_group_heartbeat(&without_id).unwrap();
    assert_eq!(joined.member_id.len(), 22);
    assert_eq!(ask(ConsumerGroupHeartbeatParams { member_epoch: 5, ..a.full() }), ErrorCode::UnknownMemberId);
}

#[test]
fn a_full_group_takes_nobody_in() {
    let fixture = Fixture::with_config(|config| config.group_consumer_max_size = 1);
    fixture.topics.put("events", 1);
    let (mut a, mut b) = (Client::new("a", &["events"]), Client::new("b", &["events"]));
    a.heartbeat(&fixture).unwrap();
    assert_eq!(code(b.heartbeat(&fixture)), ErrorCode::GroupMaxSizeReached);
    a.heartbeat(&fixture).unwrap();
}

#[test]
fn topics_that_come_grow_and_go_are_noticed_with_the_next_heartbeat() {
    let fixture = fixture();
    let mut a = Client::new("a", &["events", "later"]);
    a.heartbeat(&fixture).unwrap();
    assert_eq!((a.epoch, a.count()), (2, 6));
    fixture.topics.put("unrelated", 1);
    a.heartbeat(&fixture).unwrap();
    assert_eq!(a.epoch, 2, "nobody reads that");
    fixture.topics.put("events", 8);
    a.heartbeat(&fixture).unwrap();
    assert_eq!((a.epoch, a.count()), (3, 8));
    fixture.topics.put("later", 2);
    a.heartbeat(&fixture).unwrap();
    assert_eq!((a.epoch, a.count()), (4, 10));
    fixture.topics.delete("events");
    a.heartbeat(&fixture).unwrap();
    assert_eq!(a.count(), 2, "it is to give back what is gone");
    a.heartbeat(&fixture).unwrap();
    assert_eq!((a.epoch, a.count()), (5, 2));
}

#[test]
fn a_pattern_matches_topics_that_come_later() {
    let fixture = fixture();
    let mut a = Client::of_regex("a", "ev.*|or.*");
    a.heartbeat(&fixture).unwrap();
    assert_eq!(a.count(), 6);
    fixture.topics.put("orders", 2);
    a.heartbeat(&fixture).unwrap();
    assert_eq!(a.count(), 6, "it is not looked up all the time");
    fixture.advance_ms(10_001);
    a.heartbeat(&fixture).unwrap();
    assert_eq!(a.count(), 8);
    a.leave(&fixture, -1).unwrap();
    let listed = fixture.coordinator.list_groups(&[], &["consumer"]).1;
    assert_eq!(listed[0].state, GroupState::Empty);
}

/// The second pattern was looked up by itself, with the new topic there already: where its name comes first, it stood for
/// the first one, which did not hear of the topic.
#[test]
fn a_pattern_that_comes_after_a_topic_hides_it_from_none_that_was_there() {
    for second in ["a.*", "z.*"] {
        let fixture = fixture();
        let mut a = Client::of_regex("a", "or.*");
        fixture.topics.put("orders", 1);
        a.heartbeat(&fixture).unwrap();
        assert_eq!(a.count(), 1);
        fixture.advance_ms(5_000);
        fixture.topics.put("orders-2", 1);
        let mut b = Client::of_regex("b", second);
        b.heartbeat(&fixture).unwrap();
        a.heartbeat(&fixture).unwrap();
        assert_eq!(a.count(), 1, "it is not looked up all the time");
        fixture.advance_ms(5_001);
        settle(&fixture, &mut [&mut a, &mut b]);
        assert_eq!((a.count(), b.count()), (2, 0), "beside {second}");
    }
}

#[test]
fn members_that_read_different_topics_share_what_both_read() {
    let fixture = fixture();
    fixture.topics.put("orders", 4);
    let (mut a, mut b) = (Client::new("a", &["events", "orders"]), Client::new("b", &["events"]));
    settle(&fixture, &mut [&mut a, &mut b]);
    assert_eq!((a.count(), b.count()), (5, 5));
}

#[test]
fn a_static_member_that_is_back_has_what_it_had_and_its_old_id_is_unknown() {
    let fixture = fixture();
    let mut a = Client::of_instance("a", "i1", &["events"]);
    let mut b = Client::of_instance("b", "i2", &["events"]);
    settle(&fixture, &mut [&mut a, &mut b]);
    let epoch = describe(&fixture).group_epoch;
    let mut again = Client::of_instance("a2", "i1", &["events"]);
    assert_eq!(code(again.heartbeat(&fixture)), ErrorCode::UnreleasedInstanceId);
    assert_eq!(a.leave(&fixture, -2).unwrap().member_epoch, -2);
    again.heartbeat(&fixture).unwrap();
    assert_eq!(again.owned, a.owned);
    assert_eq!(describe(&fixture).group_epoch, epoch, "nobody else notices");
    b.heartbeat(&fixture).unwrap();
    assert_eq!(b.count(), 3);
    assert_eq!(code(a.heartbeat(&fixture)), ErrorCode::FencedInstanceId);
    assert_eq!(code(Client::of_instance("x", "i9", &[]).leave(&fixture, -1)), ErrorCode::UnknownMemberId);
}

#[test]
fn an_empty_group_is_forgotten_in_time_and_not_with_whichever_topic_goes() {
    let fixture = fixture();
    let mut a = Client::new("a", &["events"]);
    a.heartbeat(&fixture).unwrap();
    fixture.advance_ms(SESSION_MS);
    fixture.coordinator.on_topics_deleted(&["other"]);
    // Clients join again then, and are at their end if there is no such group.
    assert_eq!(code(a.heartbeat(&fixture)), ErrorCode::UnknownMemberId);
    fixture.coordinator.expire_offsets();
    assert_eq!(code(a.heartbeat(&fixture)), ErrorCode::GroupIdNotFound);
}

#[test]
fn a_static_member_that_stays_away_is_removed_when_its_session_ends() {
    let fixture = fixture();
    let mut a = Client::of_instance("a", "i1", &["events"]);
    let mut b = Client::new("b", &["events"]);
    settle(&fixture, &mut [&mut a, &mut b]);
    a.leave(&fixture, -2).unwrap();
    fixture.advance_ms(SESSION_MS / 2);
    b.heartbeat(&fixture).unwrap();
    assert_eq!(b.count(), 3);
    fixture.advance_ms(SESSION_MS / 2);
    b.heartbeat(&fixture).unwrap();
    assert_eq!(b.count(), 6);
}

#[test]
fn a_commit_counts_if_the_member_had_the_partition_in_the_epoch_that_it_names() {
    let fixture = fixture();
    let (mut a, mut b) = (Client::new("a", &["events"]), Client::new("b", &["events"]));
    settle(&fixture, &mut [&mut a, &mut b]);
    let mine = *a.owned.values().flatten().next().unwrap();
    let theirs = *b.owned.values().flatten().next().unwrap();
    assert_eq!(commit(&fixture, &a, a.epoch, mine, true), ErrorCode::None);
    assert_eq!(commit(&fixture, &a, a.epoch - 1, mine, true), ErrorCode::None, "it has had it since then");
    assert_eq!(commit(&fixture, &a, a.epoch - 1, theirs, true), ErrorCode::StaleMemberEpoch);
    assert_eq!(commit(&fixture, &a, a.epoch + 1, mine, true), ErrorCode::StaleMemberEpoch);
    assert_eq!(commit(&fixture, &a, a.epoch, mine, false), ErrorCode::UnsupportedVersion);
    assert_eq!(commit(&fixture, &Client::new("x", &[]), 1, mine, true), ErrorCode::UnknownMemberId);
    let fetch = |id, epoch| {
        let member = FetchingMember { id, epoch };
        fixture.coordinator.fetch_offsets_as(member, GROUP, None, false).map(|offsets| offsets.len())
    };
    assert_eq!(fetch(None, -1), Ok(1));
    assert_eq!(fetch(Some("a"), a.epoch), Ok(1));
    assert_eq!(fetch(Some("a"), a.epoch - 1), Err(ErrorCode::StaleMemberEpoch));
    assert_eq!(fetch(Some("x"), 1), Err(ErrorCode::UnknownMemberId));
}

#[test]
fn offsets_of_topics_that_members_read_are_not_deleted_and_a_group_with_members_is_not_either() {
    let fixture = fixture();
    let mut a = Client::new("a", &["events"]);
    a.heartbeat(&fixture).unwrap();
    assert_eq!(commit(&fixture, &a, a.epoch, 0, true), ErrorCode::None);
    let partition = TopicPartition::new("events", 0);
    let outcome = fixture.coordinator.delete_offsets(GROUP, std::slice::from_ref(&partition));
    assert_eq!(outcome, Ok(vec![ErrorCode::GroupSubscribedToTopic]));
    assert_eq!(fixture.coordinator.delete_groups(&[GROUP]), [ErrorCode::NonEmptyGroup]);
    assert_eq!(fixture.coordinator.describe_group(GROUP), Err(ErrorCode::GroupIdNotFound));
    a.leave(&fixture, -1).unwrap();
    assert_eq!(fixture.coordinator.delete_groups(&[GROUP]), [ErrorCode::None]);
    let mut fixture = fixture;
    fixture.fail_over();
    assert!(!fixture.coordinator.has_group(GROUP));
}

#[test]
fn after_a_restart_the_group_is_as_it_was_and_sessions_begin_anew() {
    let mut fixture = fixture();
    fixture.topics.put("orders", 3);
    let (mut a, mut b) =
        (Client::of_instance("a", "i1", &["events"]), Client::of_regex("b", "orders|events"));
    settle(&fixture, &mut [&mut a, &mut b]);
    assert_eq!(commit(&fixture, &a, a.epoch, 0, true), ErrorCode::None);
    let before = describe(&fixture);
    fixture.advance_ms(SESSION_MS - 1);
    fixture.fail_over();
    assert_eq!(describe(&fixture), before);
    fixture.advance_ms(SESSION_MS - 1);
    let epoch = a.epoch;
    a.heartbeat(&fixture).unwrap();
    assert_eq!(a.epoch, epoch, "nothing has changed");
    fixture.advance_ms(1);
    a.heartbeat(&fixture).unwrap();
    a.heartbeat(&fixture).unwrap();
    assert_eq!(a.count(), 6);
    assert_eq!(code(b.heartbeat(&fixture)), ErrorCode::UnknownMemberId);
}

#[test]
fn a_heartbeat_that_cannot_be_written_changes_nothing() {
    let fixture = fixture();
    let (mut a, mut b) = (Client::new("a", &["events"]), Client::new("b", &["events"]));
    a.heartbeat(&fixture).unwrap();
    let before = describe(&fixture);
    for (of_log, of_member) in REFUSED_APPENDS {
        fixture.log.fail_appends(Some(of_log));
        assert_eq!(code(b.heartbeat(&fixture)), of_member, "{of_log}");
        assert_eq!(code(a.leave(&fixture, -1)), of_member, "{of_log}");
        assert_eq!(describe(&fixture), before);
    }
    fixture.advance_ms(SESSION_MS);
    assert_eq!(describe(&fixture), before, "also its end has to be written");
    fixture.log.fail_appends(None);
    fixture.advance_ms(500);
    assert_eq!(describe(&fixture).state, GroupState::Empty);
}

#[test]
fn a_static_member_whose_leave_cannot_be_written_keeps_its_place_until_it_leaves_or_its_session_ends() {
    for leaves_again in [true, false] {
        let fixture = fixture();
        let mut a = Client::of_instance("a", "i1", &["events"]);
        let mut again = Client::of_instance("a2", "i1", &["events"]);
        a.heartbeat(&fixture).unwrap();
        fixture.log.fail_appends(Some(ErrorCode::KafkaStorageError));
        assert_eq!(code(a.leave(&fixture, -2)), ErrorCode::NotCoordinator);
        assert_eq!(code(again.heartbeat(&fixture)), ErrorCode::UnreleasedInstanceId);
        fixture.log.fail_appends(None);
        assert_eq!(code(again.heartbeat(&fixture)), ErrorCode::UnreleasedInstanceId);
        match leaves_again {
            true => assert_eq!(a.leave(&fixture, -2).unwrap().member_epoch, -2),
            false => fixture.advance_ms(SESSION_MS),
        }
        again.heartbeat(&fixture).unwrap();
        assert_eq!(again.count(), 6);
        assert_eq!(code(a.heartbeat(&fixture)), ErrorCode::FencedInstanceId);
    }
}

#[test]
fn assignments_come_no_faster_than_the_interval_allows() {
    let fixture = Fixture::new();
    fixture.topics.put("events", 6);
    let (mut a, mut b) = (Client::new("a", &["events"]), Client::new("b", &["events"]));
    a.heartbeat(&fixture).unwrap();
    b.heartbeat(&fixture).unwrap();
    assert_eq!(describe(&fixture).state, GroupState::Assigning);
    assert_eq!(b.epoch, 2, "there is no newer target yet");
    fixture.advance_ms(1000);
    settle(&fixture, &mut [&mut a, &mut b]);
    assert_eq!((a.count(), b.count()), (3, 3));
}

#[test]
fn a_classic_group_without_members_becomes_a_consumer_group_and_back_and_keeps_its_offsets() {
    let mut fixture = fixture();
    assert_eq!(fixture.commit(None, "events", 5), ErrorCode::None);
    let mut a = Client::new("a", &["events"]);
    a.heartbeat(&fixture).unwrap();
    let types = |fixture: &Fixture| {
        fixture.coordinator.list_groups(&[], &[]).1.iter().map(|g| g.group_type).collect::<Vec<_>>()
    };
    assert_eq!(types(&fixture), [GroupType::Consumer]);
    a.leave(&fixture, -1).unwrap();
    fixture.fail_over();
    assert_eq!(types(&fixture), [GroupType::Consumer]);
    let joined = fixture.join(consumer());
    fixture.end_initial_delay();
    assert_eq!(joined.get().error, ErrorCode::None);
    assert_eq!(types(&fixture), [GroupType::Classic]);
    assert_eq!(fixture.coordinator.fetch_offsets(GROUP, None, false).unwrap()[0].offset, 5);
}
