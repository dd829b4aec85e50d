//! Describing, listing and deleting groups, and deleting offsets.

use std::sync::Arc;

use bytes::Bytes;

use super::fixture::*;
use crate::broker::coordinator::group::*;
use crate::broker::coordinator::{MemoryLog, REFUSED_APPENDS};
use crate::model::{ErrorCode, TopicPartition};

#[test]
fn a_stable_group_is_described_with_metadata_and_assignments() {
    let fixture = Fixture::new();
    let members = fixture.stable_group_of(vec![consumer(), static_consumer("one")]);
    let group = fixture.coordinator.describe_group(GROUP).unwrap();
    assert_eq!(
        (group.state.name(), &*group.protocol_type, &*group.protocol_name),
        ("Stable", "consumer", "range")
    );
    assert_eq!((group.generation_id, group.leader_id), (1, Some(members[0].member_id.clone())));
    assert_eq!(
        group.members[1],
        DescribedGroupMember {
            member_id: members[1].member_id.clone(),
            group_instance_id: Some("one".into()),
            client_id: "app".into(),
            client_host: "/127.0.0.1".into(),
            metadata: subscription(&["events"]),
            assignment: Bytes::copy_from_slice(members[1].member_id.as_bytes()),
        }
    );
}

#[test]
fn outside_the_stable_state_metadata_and_assignments_are_left_out() {
    let fixture = Fixture::new();
    let members = fixture.stable_group(2);
    let join = fixture.rejoin(&members[0]);
    let group = fixture.coordinator.describe_group(GROUP).unwrap();
    assert_eq!((group.state.name(), &*group.protocol_name), ("PreparingRebalance", ""));
    assert!(group.members.iter().all(|member| member.metadata.is_empty() && member.assignment.is_empty()));
    fixture.rejoin(&members[1]).get();
    join.get();
    let group = fixture.coordinator.describe_group(GROUP).unwrap();
    assert_eq!((group.state.name(), &*group.protocol_name), ("CompletingRebalance", ""));
    assert_eq!(group.members.len(), 2);
}

#[test]
fn the_reason_of_the_last_rebalance_is_kept_in_words() {
    let fixture = Fixture::new();
    let members = fixture.stable_group(1);
    let reason = || fixture.coordinator.describe_group(GROUP).unwrap().last_rebalance_reason.unwrap();
    assert!(
        reason().contains("new member") && reason().ends_with("client reason: not provided"),
        "{}",
        reason()
    );
    let again =
        JoinGroupParams { member_id: &members[0].member_id, reason: Some("more topics"), ..consumer() };
    fixture.join(again).get();
    assert_eq!(
        reason(),
        format!("leader {} re-joining in Stable; client reason: more topics", members[0].member_id)
    );
}

#[test]
fn a_group_that_does_not_exist_cannot_be_described() {
    let fixture = Fixture::new();
    assert_eq!(fixture.coordinator.describe_group("nobody"), Err(ErrorCode::GroupIdNotFound));
}

#[test]
fn groups_are_listed_by_state_and_type_without_regard_to_case() {
    let fixture = Fixture::new();
    fixture.stable_group(1);
    let commit = |group_id| CommitOffsetsParams {
        group_id,
        generation_id: -1,
        offsets: vec![offset_of("events", 1)],
        ..CommitOffsetsParams::default()
    };
    fixture.coordinator.commit_offsets(commit("simple"));
    let list = |states: &[&str], types: &[&str]| {
        let (error, groups) = fixture.coordinator.list_groups(states, types);
        assert_eq!(error, ErrorCode::None);
        groups.into_iter().map(|group| group.group_id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(list(&[], &[]), [GROUP, "simple"]);
    assert_eq!(list(&["sTaBlE"], &[]), [GROUP]);
    assert_eq!(list(&["stable", "empty"], &["Classic"]), [GROUP, "simple"]);
    assert!(list(&["preparingrebalance", "no such state"], &[]).is_empty());
    assert!(list(&[], &["consumer", "share", "streams"]).is_empty());
    let (_, groups) = fixture.coordinator.list_groups(&["Stable"], &[]);
    assert_eq!((&*groups[0].protocol_type, groups[0].group_type.name()), ("consumer", "classic"));
}

#[test]
fn only_groups_without_members_are_deleted_and_their_offsets_with_them() {
    let mut fixture = Fixture::new();
    let member = fixture.stable_group(1).remove(0);
    fixture.commit(Some(&member), "events", 3);
    let delete = |fixture: &Fixture| fixture.coordinator.delete_groups(&[GROUP, "nobody"]);
    assert_eq!(delete(&fixture), [ErrorCode::NonEmptyGroup, ErrorCode::GroupIdNotFound]);
    fixture.leave_as(&member);
    assert_eq!(delete(&fixture), [ErrorCode::None, ErrorCode::GroupIdNotFound]);
    assert_eq!(delete(&fixture), [ErrorCode::GroupIdNotFound, ErrorCode::GroupIdNotFound]);
    assert_eq!(fixture.committed("events"), -1);
    let records = fixture.log.records(fixture.partition());
    let [.., (_, None), (_, None)] = &records[..] else { panic!("two tombstones come last") };

    fixture.fail_over();
    assert_eq!(fixture.coordinator.describe_group(GROUP), Err(ErrorCode::GroupIdNotFound));
    assert_eq!(fixture.committed("events"), -1);
}

#[test]
fn a_deletion_that_cannot_be_written_deletes_nothing() {
    let fixture = Fixture::new();
    fixture.commit(None, "events", 3);
    for (of_log, of_client) in REFUSED_APPENDS {
        fixture.log.fail_appends(Some(of_log));
        assert_eq!(fixture.coordinator.delete_groups(&[GROUP]), [of_client], "{of_log}");
        let partitions = [TopicPartition::new("events", 0)];
        assert_eq!(fixture.coordinator.delete_offsets(GROUP, &partitions), Err(of_client), "{of_log}");
        assert_eq!(fixture.committed("events"), 3);
    }
}

#[test]
fn offsets_of_topics_that_members_read_cannot_be_deleted() {
    let mut fixture = Fixture::new();
    let member = fixture.stable_group(1).remove(0);
    fixture.commit(Some(&member), "events", 1);
    fixture.commit(Some(&member), "old", 2);
    let partitions = ["events", "old", "never"].map(|topic| TopicPartition::new(topic, 0));
    assert_eq!(
        fixture.coordinator.delete_offsets(GROUP, &partitions).unwrap(),
        [ErrorCode::GroupSubscribedToTopic, ErrorCode::None, ErrorCode::None]
    );
    assert_eq!((fixture.committed("events"), fixture.committed("old")), (1, -1));
    fixture.fail_over();
    assert_eq!((fixture.committed("events"), fixture.committed("old")), (1, -1));
}

#[test]
fn offsets_of_an_empty_group_can_be_deleted_and_the_group_stays() {
    let fixture = Fixture::new();
    fixture.commit(None, "events", 1);
    let partitions = [TopicPartition::new("events", 0)];
    assert_eq!(fixture.coordinator.delete_offsets(GROUP, &partitions).unwrap(), [ErrorCode::None]);
    assert_eq!(fixture.committed("events"), -1);
    assert_eq!(fixture.state(), GroupState::Empty);
}

#[test]
fn offsets_of_members_whose_reading_is_unknown_cannot_be_deleted() {
    let fixture = Fixture::without_delay();
    let partitions = [TopicPartition::new("events", 0)];
    assert_eq!(fixture.coordinator.delete_offsets(GROUP, &partitions), Err(ErrorCode::GroupIdNotFound));
    assert_eq!(fixture.coordinator.delete_offsets("", &partitions), Err(ErrorCode::InvalidGroupId));
    let connect = JoinGroupParams { protocol_type: "connect", ..consumer() };
    fixture.join(connect).get();
    assert_eq!(fixture.coordinator.delete_offsets(GROUP, &partitions), Err(ErrorCode::NonEmptyGroup));

    // A consumer's subscription that cannot be read counts as reading everything.
    let fixture = Fixture::without_delay();
    let protocols = vec![protocol("range", Bytes::from_static(&[0, 0, 0x7f, 0xff, 0xff, 0xff]))];
    fixture.join(JoinGroupParams { protocols, ..consumer() }).get();
    assert_eq!(
        fixture.coordinator.delete_offsets(GROUP, &partitions).unwrap(),
        [ErrorCode::GroupSubscribedToTopic]
    );
}

#[test]
fn after_shutdown_everything_that_waits_is_answered_and_nothing_is_taken_up() {
    let fixture = Fixture::new();
    fixture.coordinator.schedule_offset_expiry();
    let join = fixture.join(consumer());
    fixture.coordinator.shutdown();
    assert_eq!(join.get().error, ErrorCode::CoordinatorNotAvailable);
    assert_eq!(fixture.join(consumer()).get().error, ErrorCode::CoordinatorNotAvailable);
    assert_eq!(fixture.commit(None, "events", 1), ErrorCode::CoordinatorNotAvailable);
    assert_eq!(fixture.coordinator.list_groups(&[], &[]).0, ErrorCode::CoordinatorNotAvailable);
    assert_eq!(fixture.timer.len(), 0);
}

#[test]
fn as_long_as_the_topic_does_not_exist_no_coordinator_is_available() {
    let fixture = Fixture::new();
    let coordinator = fixture.new_coordinator(Arc::new(MemoryLog::new(0)));
    coordinator.load_all().unwrap();
    assert_eq!(coordinator.partition_for(GROUP), None);
    let (answer, callback) = Answer::new();
    coordinator.join_group(consumer(), callback);
    assert_eq!(answer.get().error, ErrorCode::CoordinatorNotAvailable);
}

#[test]
fn ten_thousand_groups_are_stable_at_once() {
    let fixture = Fixture::without_delay();
    let names: Vec<_> = (0..10_000).map(|n| format!("group-{n}")).collect();
    for group_id in &names {
        let joined = fixture.join(JoinGroupParams { group_id, ..consumer() }).get();
        assert_eq!(
            fixture.sync(SyncGroupParams { group_id, ..sync_of(&joined) }).get().error,
            ErrorCode::None
        );
    }
    assert_eq!(fixture.coordinator.list_groups(&["stable"], &[]).1.len(), 10_000);
    assert_eq!(fixture.timer.len(), 10_000);
    fixture.advance_ms(SESSION_MS);
    assert_eq!(fixture.coordinator.list_groups(&["empty"], &[]).1.len(), 10_000);
    assert_eq!(fixture.timer.len(), 0);
}
