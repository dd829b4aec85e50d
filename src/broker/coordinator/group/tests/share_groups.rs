use std::collections::{BTreeMap, BTreeSet};

use super::fixture::*;
use crate::broker::coordinator::group::*;
use crate::broker::coordinator::share::{Persister, SharePartitionKey};
use crate::broker::coordinator::{CoordinatorLog, MemoryLog, REFUSED_APPENDS};
use crate::model::{ErrorCode, TopicPartition, Uuid};

/// A consumer of a share group as its client would see itself.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) epoch: i32,
    pub(super) reads: BTreeMap<Uuid, BTreeSet<i32>>,
    topics: BTreeSet<&'static str>,
}

type Heartbeat = Result<ShareGroupHeartbeatResult, GroupError>;

impl Client {
    pub(super) fn new(id: &str, topics: &[&'static str]) -> Self {
        let topics = topics.iter().copied().collect();
        Client { id: id.to_owned(), epoch: 0, reads: BTreeMap::new(), topics }
    }

    fn brief(&self) -> ShareGroupHeartbeatParams<'_> {
        ShareGroupHeartbeatParams {
            group_id: GROUP,
            member_id: &self.id,
            member_epoch: self.epoch,
            client_id: "client",
            client_host: "/127.0.0.1",
            ..ShareGroupHeartbeatParams::default()
        }
    }

    /// One heartbeat, and what a client makes of the answer.
    pub(super) fn heartbeat(&mut self, fixture: &Fixture) -> Heartbeat {
        let names = (self.epoch == 0).then(|| self.topics.clone());
        let params = ShareGroupHeartbeatParams { subscribed_topic_names: names, ..self.brief() };
        let result = fixture.coordinator.share_group_heartbeat(&params)?;
        self.epoch = result.member_epoch;
        if let Some(assignment) = &result.assignment {
            self.reads = assignment.clone();
        }
        Ok(result)
    }

    /// Its first two heartbeats: from the second on it has partitions that the group did not read before.
    fn join(&mut self, fixture: &Fixture) {
        self.heartbeat(fixture).unwrap();
        self.heartbeat(fixture).unwrap();
    }

    pub(super) fn leave(&self, fixture: &Fixture) -> Heartbeat {
        let params = ShareGroupHeartbeatParams { member_epoch: -1, ..self.brief() };
        fixture.coordinator.share_group_heartbeat(&params)
    }

    fn reads_of(&self, topic: Uuid) -> Vec<i32> {
        self.reads.get(&topic).into_iter().flatten().copied().collect()
    }
}

pub(super) fn code<T>(outcome: Result<T, GroupError>) -> ErrorCode {
    outcome.map_or_else(|error| error.code, |_| ErrorCode::None)
}

pub(super) fn fixture() -> Fixture {
    Fixture::with_config(|config| config.group_share_assignment_interval_ms = 0)
}

pub(super) fn describe(fixture: &Fixture) -> ShareGroupDescription {
    fixture.coordinator.describe_share_group(GROUP).unwrap()
}

fn starts(fixture: &Fixture, topic: Uuid) -> BTreeMap<i32, (i32, i64)> {
    fixture.persister.states(GROUP, topic)
}

#[test]
fn the_second_answer_has_the_partitions_since_their_state_is_begun_after_the_first() {
    let fixture = fixture();
    let topic = fixture.topics.put("events", 3);
    let mut client = Client::new("a", &["events"]);
    let result = client.heartbeat(&fixture).unwrap();
    assert_eq!((result.member_epoch, result.heartbeat_interval_ms), (2, 5_000));
    assert!(result.assignment.unwrap().is_empty());
    assert_eq!(starts(&fixture, topic), BTreeMap::from([(0, (2, -1)), (1, (2, -1)), (2, (2, -1))]));
    assert_eq!(client.heartbeat(&fixture).unwrap().member_epoch, 3);
    assert_eq!(client.reads_of(topic), [0, 1, 2]);
    let brief = client.heartbeat(&fixture).unwrap();
    assert_eq!((brief.member_epoch, brief.assignment), (3, None));
}

#[test]
fn members_share_a_partition_when_there_are_more_of_them_than_partitions() {
    let fixture = fixture();
    let topic = fixture.topics.put("events", 1);
    let mut clients = [Client::new("a", &["events"]), Client::new("b", &["events"])];
    for _ in 0..3 {
        clients.iter_mut().for_each(|client| _ = client.heartbeat(&fixture).unwrap());
    }
    for client in &clients {
        assert_eq!(client.reads_of(topic), [0], "{}", client.id);
    }
    let group = describe(&fixture);
    assert_eq!((group.state, group.group_epoch), (GroupState::Stable, group.assignment_epoch));
    assert_eq!(&*group.assignor_name, "simple");
}

#[test]
fn a_group_of_another_type_is_not_a_share_group_and_a_share_group_is_none_of_theirs() {
    let fixture = fixture();
    fixture.topics.put("events", 1);
    let classic = fixture.join(consumer());
    let outcome = Client::new("a", &["events"]).heartbeat(&fixture).unwrap_err();
    assert_eq!(outcome.code, ErrorCode::GroupIdNotFound);
    assert_eq!(outcome.message, format!("Group {GROUP} is not a share group."));
    drop(classic);

    let fixture = self::fixture();
    fixture.topics.put("events", 1);
    Client::new("a", &["events"]).heartbeat(&fixture).unwrap();
    let joined = fixture.join(consumer()).get();
    assert_eq!((joined.error, &*joined.member_id), (ErrorCode::InconsistentGroupProtocol, ""));
    let mut consumer = super::consumer_groups::Client::new("b", &["events"]);
    assert_eq!(consumer.heartbeat(&fixture).unwrap_err().code, ErrorCode::GroupIdNotFound);
    assert_eq!(fixture.commit(None, "events", 5), ErrorCode::GroupIdNotFound);
    assert_eq!(fixture.committed("events"), -1);
    let partition = TopicPartition::new("events", 0);
    let deleted = fixture.coordinator.delete_offsets(GROUP, &[partition]);
    assert_eq!(deleted.unwrap_err(), ErrorCode::GroupIdNotFound);
    assert_eq!(fixture.coordinator.describe_group(GROUP).unwrap_err(), ErrorCode::GroupIdNotFound);
    let (_, listed) = fixture.coordinator.list_groups(&["stable"], &["share"]);
    let listed: Vec<_> = listed.iter().map(|group| (group.group_type, &*group.protocol_type)).collect();
    assert_eq!(listed, [(GroupType::Share, "share")]);
}

#[test]
fn what_a_member_says_is_checked_in_kafkas_words() {
    let fixture = fixture();
    fixture.topics.put("events", 1);
    let valid = Client::new("a", &["events"]);
    let names = Some(BTreeSet::from(["events"]));
    let valid = ShareGroupHeartbeatParams { subscribed_topic_names: names, ..valid.brief() };
    for (params, code, message) in [
        (ShareGroupHeartbeatParams { member_id: "", ..valid.clone() }, 42, "MemberId can't be empty."),
        (ShareGroupHeartbeatParams { group_id: "", ..valid.clone() }, 42, "GroupId can't be empty."),
        (ShareGroupHeartbeatParams { rack_id: Some(""), ..valid.clone() }, 42, "RackId can't be empty."),
        (
            ShareGroupHeartbeatParams { subscribed_topic_names: None, ..valid.clone() },
            42,
            "SubscribedTopicNames must be set in first request.",
        ),
        (ShareGroupHeartbeatParams { member_epoch: -2, ..valid.clone() }, 42, "MemberEpoch is invalid."),
        (
            ShareGroupHeartbeatParams { member_epoch: 1, ..valid.clone() },
            69,
            "Share group readers not found.",
        ),
        (
            ShareGroupHeartbeatParams { member_epoch: -1, ..valid.clone() },
            69,
            "Share group readers not found.",
        ),
    ] {
        let error = fixture.coordinator.share_group_heartbeat(&params).unwrap_err();
        assert_eq!((error.code.code(), &*error.message), (code, message));
    }
    assert!(!fixture.coordinator.has_group(GROUP));
    fixture.coordinator.share_group_heartbeat(&valid).unwrap();
    let stranger = ShareGroupHeartbeatParams { member_id: "b", member_epoch: 2, ..valid.clone() };
    let error = fixture.coordinator.share_group_heartbeat(&stranger).unwrap_err();
    assert_eq!(error.message, "Member b is not a member of group readers.");
    for epoch in [1, 3] {
        let fenced = ShareGroupHeartbeatParams { member_epoch: epoch, ..valid.clone() };
        let outcome = fixture.coordinator.share_group_heartbeat(&fenced);
        assert_eq!(code(outcome), ErrorCode::FencedMemberEpoch, "{epoch}");
    }
}

#[test]
fn a_member_one_epoch_behind_is_told_again() {
    let fixture = fixture();
    let topic = fixture.topics.put("events", 2);
    let mut first = Client::new("a", &["events"]);
    first.join(&fixture);
    Client::new("b", &["events"]).heartbeat(&fixture).unwrap();
    let behind = first.clone();
    assert_eq!(first.heartbeat(&fixture).unwrap().member_epoch, 4);
    assert_eq!(first.reads_of(topic).len(), 1);
    // The answer was lost.
    let mut again = behind;
    assert_eq!(again.heartbeat(&fixture).unwrap().member_epoch, 4);
}

#[test]
fn a_group_has_no_more_members_than_it_may() {
    let fixture = Fixture::with_config(|config| config.group_share_max_size = 1);
    fixture.topics.put("events", 1);
    let mut first = Client::new("a", &["events"]);
    first.heartbeat(&fixture).unwrap();
    let refused = Client::new("b", &["events"]).heartbeat(&fixture).unwrap_err();
    assert_eq!(refused.code, ErrorCode::GroupMaxSizeReached);
    assert_eq!(refused.message, "The share group has reached its maximum capacity of 1 members.");
    first.heartbeat(&fixture).unwrap();
}

#[test]
fn a_member_of_whom_nothing_is_heard_is_removed_and_the_others_read_on() {
    let fixture = fixture();
    let topic = fixture.topics.put("events", 2);
    let (mut alive, mut silent) = (Client::new("a", &["events"]), Client::new("b", &["events"]));
    alive.heartbeat(&fixture).unwrap();
    silent.heartbeat(&fixture).unwrap();
    for _ in 0..10 {
        fixture.advance_ms(5_000);
        alive.heartbeat(&fixture).unwrap();
    }
    assert_eq!(describe(&fixture).members.len(), 1);
    assert_eq!(alive.reads_of(topic), [0, 1]);
    assert_eq!(code(silent.heartbeat(&fixture)), ErrorCode::UnknownMemberId);
    alive.leave(&fixture).unwrap();
    let group = describe(&fixture);
    assert_eq!((group.state, group.group_epoch), (GroupState::Empty, group.assignment_epoch));
}

#[test]
fn a_member_whose_end_cannot_be_written_stays_until_it_can_be() {
    for leaves_again in [true, false] {
        let fixture = fixture();
        let topic = fixture.topics.put("events", 1);
        let mut client = Client::new("a", &["events"]);
        client.join(&fixture);
        let before = describe(&fixture);
        for (of_log, of_member) in REFUSED_APPENDS {
            fixture.log.fail_appends(Some(of_log));
            assert_eq!(code(client.leave(&fixture)), of_member, "{of_log}");
            assert_eq!(code(Client::new("b", &["events"]).heartbeat(&fixture)), of_member, "{of_log}");
        }
        assert_eq!(describe(&fixture), before);
        fixture.advance_ms(45_000);
        assert_eq!(describe(&fixture), before, "also the end of its session has to be written");
        fixture.log.fail_appends(None);
        match leaves_again {
            true => assert_eq!(client.leave(&fixture).unwrap().member_epoch, -1),
            false => fixture.advance_ms(500),
        }
        assert_eq!(describe(&fixture).state, GroupState::Empty);
        let mut next = Client::new("c", &["events"]);
        next.join(&fixture);
        assert_eq!(next.reads_of(topic), [0]);
    }
}

#[test]
fn partitions_that_are_added_are_read_from_their_first_record_on() {
    let fixture = fixture();
    let topic = fixture.topics.put("events", 1);
    let mut client = Client::new("a", &["events"]);
    client.join(&fixture);
    fixture.topics.put("events", 3);
    client.heartbeat(&fixture).unwrap();
    assert_eq!(client.reads_of(topic), [0]);
    client.heartbeat(&fixture).unwrap();
    assert_eq!(client.reads_of(topic), [0, 1, 2]);
    assert_eq!(starts(&fixture, topic), BTreeMap::from([(0, (2, -1)), (1, (4, 0)), (2, (4, 0))]));
}

#[test]
fn partitions_without_a_state_are_not_assigned_until_they_have_one() {
    let fixture = fixture();
    let topic = fixture.topics.put("events", 1);
    fixture.persister.fail(Some(ErrorCode::CoordinatorNotAvailable));
    let mut client = Client::new("a", &["events"]);
    client.heartbeat(&fixture).unwrap();
    client.heartbeat(&fixture).unwrap();
    assert!(client.reads_of(topic).is_empty() && client.epoch == 2);
    fixture.persister.fail(None);
    client.heartbeat(&fixture).unwrap();
    client.heartbeat(&fixture).unwrap();
    assert_eq!((client.reads_of(topic), client.epoch), (vec![0], 3));
}

#[test]
fn state_that_was_asked_for_before_a_crash_is_asked_for_again() {
    let mut fixture = fixture();
    let topic = fixture.topics.put("events", 1);
    fixture.persister.fail(Some(ErrorCode::CoordinatorNotAvailable));
    let mut client = Client::new("a", &["events"]);
    // What came of it cannot be written down.
    let log = std::sync::Arc::clone(&fixture.log);
    client.heartbeat(&fixture).unwrap();
    let asked = log.records(fixture.partition()).len();
    assert!(asked > 0);
    fixture.fail_over();
    fixture.persister.fail(None);
    client.heartbeat(&fixture).unwrap();
    client.heartbeat(&fixture).unwrap();
    assert_eq!(client.reads_of(topic), [0]);
}

#[test]
fn what_may_have_been_asked_for_before_a_crash_is_asked_for_again_after_the_interval_for_that() {
    for (retry_interval_ms, commit_timeout_ms, expected) in [(6_000, 5_000, 6_000), (1_000, 5_001, 5_001)] {
        let mut fixture = Fixture::with_config(|config| {
            config.group_share_assignment_interval_ms = 0;
            config.group_share_initialize_retry_interval_ms = retry_interval_ms;
            config.offsets_commit_timeout_ms = commit_timeout_ms;
        });
        let topic = fixture.topics.put("events", 1);
        let mut client = Client::new("a", &["events"]);
        client.heartbeat(&fixture).unwrap();
        // The last batch says that the state is there, and is lost like the state.
        let mut batches = fixture.log.batches(fixture.partition());
        batches.pop().unwrap();
        let log = MemoryLog::new(5);
        for batch in batches {
            log.append(fixture.partition(), batch).unwrap();
        }
        fixture.persister.delete(&SharePartitionKey::new(GROUP, topic, 0)).unwrap();
        fixture.log = std::sync::Arc::new(log);
        fixture.fail_over();
        fixture.advance_ms(expected - 1);
        client.heartbeat(&fixture).unwrap();
        assert!(starts(&fixture, topic).is_empty());
        fixture.advance_ms(1);
        client.heartbeat(&fixture).unwrap();
        assert_eq!(starts(&fixture, topic).len(), 1);
    }
}

#[test]
fn a_group_that_is_loaded_goes_on_as_it_was() {
    let mut fixture = fixture();
    let topic = fixture.topics.put("events", 4);
    let mut clients = [Client::new("a", &["events"]), Client::new("b", &["events"])];
    for _ in 0..3 {
        clients.iter_mut().for_each(|client| _ = client.heartbeat(&fixture).unwrap());
    }
    let before = describe(&fixture);
    fixture.fail_over();
    assert_eq!(describe(&fixture), before);
    for client in &mut clients {
        let reads = client.reads_of(topic);
        client.heartbeat(&fixture).unwrap();
        assert_eq!((client.epoch, client.reads_of(topic)), (before.group_epoch, reads));
    }
    // Sessions start anew.
    fixture.advance_ms(44_999);
    assert_eq!(describe(&fixture).members.len(), 2);
    fixture.advance_ms(1);
    assert_eq!(describe(&fixture).members.len(), 0);
}

/// As in Kafka, where the group is made before it is looked at what is asked.
#[test]
fn a_group_is_made_for_offsets_of_partitions_that_are_not_there_but_not_for_none() {
    let mut fixture = fixture();
    let at = |partition| TopicPartition::new("nowhere", partition);
    assert_eq!(fixture.coordinator.alter_share_group_offsets(GROUP, &[]).unwrap(), []);
    assert_eq!(fixture.coordinator.list_groups(&[], &[]).1, []);
    let altered = fixture.coordinator.alter_share_group_offsets(GROUP, &[(at(0), 1)]).unwrap();
    assert_eq!(altered[0].error.as_ref().map(|error| error.code), Some(ErrorCode::UnknownTopicOrPartition));
    for _ in 0..2 {
        let listed = fixture.coordinator.list_groups(&[], &["share"]).1;
        assert_eq!((listed.len(), listed[0].state), (1, GroupState::Empty));
        fixture.fail_over();
    }
}

#[test]
fn offsets_are_seen_set_and_deleted_while_a_group_has_no_members() {
    let fixture = fixture();
    let topic = fixture.topics.put("events", 2);
    let at = |partition| TopicPartition::new("events", partition);
    let altered = fixture.coordinator.alter_share_group_offsets(GROUP, &[(at(0), 7), (at(5), 1)]).unwrap();
    let errors: Vec<_> = altered.iter().map(|outcome| outcome.error.as_ref().map(|e| e.code)).collect();
    assert_eq!(errors, [None, Some(ErrorCode::UnknownTopicOrPartition)]);
    assert_eq!(starts(&fixture, topic), BTreeMap::from([(0, (1, 7))]));
    assert_eq!(describe(&fixture).state, GroupState::Empty);
    let offsets = fixture.coordinator.all_share_group_offsets(GROUP).unwrap();
    let seen: Vec<_> =
        offsets.iter().map(|o| (o.topic_partition.clone(), o.summary.map(|s| s.start_offset))).collect();
    assert_eq!(seen, [(at(0), Some(7))]);

    let mut client = Client::new("a", &["events"]);
    client.heartbeat(&fixture).unwrap();
    assert_eq!(starts(&fixture, topic)[&0], (1, 7), "what was set stays");
    assert_eq!(
        code(fixture.coordinator.alter_share_group_offsets(GROUP, &[(at(0), 1)])),
        ErrorCode::NonEmptyGroup
    );
    assert_eq!(
        code(fixture.coordinator.delete_share_group_offsets(GROUP, &["events"])),
        ErrorCode::NonEmptyGroup
    );
    client.leave(&fixture).unwrap();
    let deleted = fixture.coordinator.delete_share_group_offsets(GROUP, &["events", "others"]).unwrap();
    let deleted: Vec<_> = deleted.iter().map(|o| (&*o.topic, o.error.as_ref().map(|e| e.code))).collect();
    assert_eq!(deleted, [("others", Some(ErrorCode::UnknownTopicOrPartition)), ("events", None)]);
    assert!(starts(&fixture, topic).is_empty());
    let again = fixture.coordinator.delete_share_group_offsets(GROUP, &["events"]).unwrap();
    assert_eq!(again[0].error.as_ref().unwrap().message, "There is no offset information to delete.");
}

#[test]
fn a_group_is_deleted_with_its_state_and_stays_while_that_cannot_be_deleted() {
    let mut fixture = fixture();
    let topic = fixture.topics.put("events", 2);
    let mut client = Client::new("a", &["events"]);
    client.heartbeat(&fixture).unwrap();
    assert_eq!(fixture.coordinator.delete_groups(&[GROUP]), [ErrorCode::NonEmptyGroup]);
    client.leave(&fixture).unwrap();
    fixture.persister.fail(Some(ErrorCode::CoordinatorLoadInProgress));
    assert_eq!(fixture.coordinator.delete_groups(&[GROUP]), [ErrorCode::CoordinatorLoadInProgress]);
    assert_eq!(starts(&fixture, topic).len(), 2);
    fixture.persister.fail(None);
    assert_eq!(fixture.coordinator.delete_groups(&[GROUP]), [ErrorCode::None]);
    assert!(starts(&fixture, topic).is_empty());
    fixture.fail_over();
    assert!(!fixture.coordinator.has_group(GROUP));
}

#[test]
fn a_topic_that_is_deleted_is_forgotten_and_one_of_its_name_is_new() {
    let mut fixture = fixture();
    fixture.topics.put("events", 1);
    let mut client = Client::new("a", &["events"]);
    client.join(&fixture);
    assert!(!client.reads.is_empty());
    fixture.topics.delete("events");
    fixture.coordinator.on_topics_deleted(&["events"]);
    client.heartbeat(&fixture).unwrap();
    assert!(client.reads.values().all(BTreeSet::is_empty), "{:?}", client.reads);
    fixture.fail_over();
    assert!(fixture.coordinator.all_share_group_offsets(GROUP).unwrap().is_empty());
    let topic = fixture.topics.put("events", 1);
    client.join(&fixture);
    assert_eq!(client.reads_of(topic), [0]);
    assert_eq!(starts(&fixture, topic)[&0].1, -1);
}

#[test]
fn a_share_group_without_members_stays_when_offsets_are_cleaned_up() {
    let fixture = fixture();
    fixture.topics.put("events", 1);
    let mut client = Client::new("a", &["events"]);
    client.heartbeat(&fixture).unwrap();
    client.leave(&fixture).unwrap();
    fixture.coordinator.expire_offsets();
    assert!(fixture.coordinator.has_group(GROUP));
}

#[test]
fn a_groups_own_settings_count_from_the_next_heartbeat_on() {
    let fixture = fixture();
    fixture.topics.put("events", 1);
    let mut client = Client::new("a", &["events"]);
    assert_eq!(client.heartbeat(&fixture).unwrap().heartbeat_interval_ms, 5_000);
    let settings = crate::config::GroupSettings {
        share_heartbeat_interval_ms: 6_000,
        share_session_timeout_ms: 50_000,
        ..crate::config::GroupSettings::default()
    };
    fixture.coordinator.set_group_settings(GROUP, Some(settings));
    assert_eq!(client.heartbeat(&fixture).unwrap().heartbeat_interval_ms, 6_000);
    fixture.advance_ms(49_999);
    assert_eq!(describe(&fixture).members.len(), 1);
    fixture.advance_ms(1);
    assert_eq!(describe(&fixture).members.len(), 0);
    fixture.coordinator.set_group_settings(GROUP, None);
    assert_eq!(Client::new("b", &["events"]).heartbeat(&fixture).unwrap().heartbeat_interval_ms, 5_000);
}
