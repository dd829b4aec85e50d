//! What becomes of offsets that nobody needs any more.

use super::fixture::*;
use crate::broker::coordinator::group::*;
use crate::model::{ErrorCode, TopicPartition};

const MINUTE_MS: i32 = 60_000;

/// A fixture that keeps offsets for an hour.
fn an_hour() -> Fixture {
    Fixture::with_config(|config| config.offsets_retention_minutes = 60)
}

fn keep_alive(fixture: &Fixture, members: &[JoinGroupResult], minutes: i32) {
    for _ in 0..minutes * 10 {
        fixture.advance_ms(MINUTE_MS / 10);
        for member in members {
            assert_eq!(fixture.heartbeat_as(member), ErrorCode::None);
        }
    }
}

#[test]
fn offsets_committed_without_members_expire_one_retention_after_the_commit() {
    let mut fixture = an_hour();
    fixture.commit(None, "early", 1);
    fixture.advance_ms(MINUTE_MS);
    fixture.commit(None, "late", 2);
    fixture.advance_ms(59 * MINUTE_MS - 1);
    assert_eq!(fixture.coordinator.expire_offsets(), 0);
    fixture.advance_ms(1);
    assert_eq!(fixture.coordinator.expire_offsets(), 1);
    assert_eq!((fixture.committed("early"), fixture.committed("late")), (-1, 2));
    fixture.fail_over();
    assert_eq!((fixture.committed("early"), fixture.committed("late")), (-1, 2));
}

#[test]
fn offsets_of_a_group_whose_members_left_expire_one_retention_after_the_last_left() {
    let fixture = an_hour();
    let members = fixture.stable_group(1);
    fixture.commit(Some(&members[0]), "events", 1);
    keep_alive(&fixture, &members, 90);
    fixture.leave_as(&members[0]);
    fixture.advance_ms(60 * MINUTE_MS - 1);
    assert_eq!(fixture.coordinator.expire_offsets(), 0);
    assert_eq!(fixture.state(), GroupState::Empty);
    fixture.advance_ms(1);
    assert_eq!(fixture.coordinator.expire_offsets(), 1);
    assert_eq!(fixture.coordinator.describe_group(GROUP), Err(ErrorCode::GroupIdNotFound));
}

#[test]
fn a_stable_group_loses_offsets_of_topics_that_it_reads_no_more() {
    let fixture = an_hour();
    let members = fixture.stable_group(1);
    fixture.commit(Some(&members[0]), "events", 1);
    fixture.commit(Some(&members[0]), "old", 2);
    keep_alive(&fixture, &members, 60);
    assert_eq!(fixture.coordinator.expire_offsets(), 1);
    assert_eq!((fixture.committed("events"), fixture.committed("old")), (1, -1));
    assert_eq!(fixture.state(), GroupState::Stable);
}

#[test]
fn a_group_of_another_kind_keeps_all_offsets_while_it_has_members() {
    let fixture = an_hour();
    let members = fixture.stable_group_of(vec![JoinGroupParams { protocol_type: "connect", ..consumer() }]);
    fixture.commit(Some(&members[0]), "old", 2);
    keep_alive(&fixture, &members, 90);
    assert_eq!(fixture.coordinator.expire_offsets(), 0);
    assert_eq!(fixture.committed("old"), 2);
}

#[test]
fn an_offset_with_a_retention_of_its_own_goes_by_that() {
    let mut fixture = an_hour();
    let commit = |topic: &str, retention_time_ms| CommitOffsetsParams {
        group_id: GROUP,
        generation_id: -1,
        retention_time_ms,
        offsets: vec![offset_of(topic, 1)],
        ..CommitOffsetsParams::default()
    };
    fixture.coordinator.commit_offsets(commit("short", Some(1_000)));
    fixture.coordinator.commit_offsets(commit("long", Some(7_200_000)));
    fixture.coordinator.commit_offsets(commit("default", None));
    fixture.fail_over();
    fixture.advance_ms(1_000);
    assert_eq!(fixture.coordinator.expire_offsets(), 1);
    assert_eq!(fixture.committed("short"), -1);
    fixture.advance_ms(60 * MINUTE_MS);
    assert_eq!(fixture.coordinator.expire_offsets(), 1);
    assert_eq!((fixture.committed("default"), fixture.committed("long")), (-1, 1));
    fixture.advance_ms(60 * MINUTE_MS);
    assert_eq!(fixture.coordinator.expire_offsets(), 1);
    assert_eq!(fixture.coordinator.describe_group(GROUP), Err(ErrorCode::GroupIdNotFound));
}

#[test]
fn a_commit_may_say_when_it_was_made() {
    let fixture = an_hour();
    let offset = OffsetCommit {
        commit_timestamp: Some(START_MS - i64::from(60 * MINUTE_MS)),
        ..offset_of("events", 1)
    };
    let commit = CommitOffsetsParams {
        group_id: GROUP,
        generation_id: -1,
        offsets: vec![offset],
        ..CommitOffsetsParams::default()
    };
    fixture.coordinator.commit_offsets(commit);
    assert_eq!(fixture.coordinator.expire_offsets(), 1);
}

#[test]
fn a_group_without_members_and_offsets_is_removed_with_its_record() {
    let mut fixture = an_hour();
    let member = fixture.stable_group(1).remove(0);
    fixture.leave_as(&member);
    fixture.coordinator.expire_offsets();
    assert_eq!(fixture.coordinator.describe_group(GROUP), Err(ErrorCode::GroupIdNotFound));
    let (_, value) = fixture.log.records(fixture.partition()).pop().unwrap();
    assert_eq!(value, None);
    fixture.fail_over();
    assert_eq!(fixture.coordinator.describe_group(GROUP), Err(ErrorCode::GroupIdNotFound));
}

#[test]
fn a_group_is_not_removed_while_somebody_is_about_to_join_it() {
    let fixture = an_hour();
    let pending = fixture.join(JoinGroupParams { require_known_member_id: true, ..consumer() }).get();
    fixture.coordinator.expire_offsets();
    let join = fixture.join(JoinGroupParams { member_id: &pending.member_id, ..consumer() });
    assert!(join.is_waiting());
}

#[test]
fn expired_offsets_that_cannot_be_removed_from_the_log_stay_until_they_can() {
    let fixture = an_hour();
    fixture.commit(None, "events", 1);
    fixture.advance_ms(60 * MINUTE_MS);
    fixture.log.fail_appends(Some(ErrorCode::KafkaStorageError));
    assert_eq!(fixture.coordinator.expire_offsets(), 0);
    assert_eq!(fixture.committed("events"), 1);
    fixture.log.fail_appends(None);
    assert_eq!(fixture.coordinator.expire_offsets(), 1);
}

#[test]
fn offsets_expire_by_themselves_once_scheduled() {
    let fixture = Fixture::with_config(|config| {
        config.offsets_retention_minutes = 1;
        config.offsets_retention_check_interval_ms = 90_000;
    });
    fixture.coordinator.schedule_offset_expiry();
    for _ in 0..2 {
        fixture.commit(None, "events", 1);
        fixture.advance_ms(89_999);
        assert_eq!(fixture.committed("events"), 1);
        fixture.advance_ms(1);
        assert_eq!(fixture.committed("events"), -1);
    }
}

#[test]
fn the_offsets_of_a_deleted_topic_go_with_it() {
    let mut fixture = Fixture::new();
    let member = fixture.stable_group(1).remove(0);
    fixture.commit(Some(&member), "events", 1);
    fixture.commit(Some(&member), "kept", 2);
    assert_eq!(fixture.coordinator.on_topics_deleted(&["events", "unknown"]), 1);
    assert_eq!((fixture.committed("events"), fixture.committed("kept")), (-1, 2));
    assert_eq!(fixture.state(), GroupState::Stable);
    fixture.fail_over();
    let partitions = [TopicPartition::new("events", 0), TopicPartition::new("kept", 0)];
    let fetched = fixture.coordinator.fetch_offsets(GROUP, Some(&partitions), false).unwrap();
    assert_eq!([fetched[0].offset, fetched[1].offset], [-1, 2]);
}
