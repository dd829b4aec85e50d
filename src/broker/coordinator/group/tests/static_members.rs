//! Members that keep their place under a name of their own: `group.instance.id`.

use bytes::Bytes;

use super::fixture::*;
use crate::broker::coordinator::group::*;
use crate::model::ErrorCode;

/// A leader "one" and a follower "two", both static, stable.
fn stable_pair(fixture: &Fixture) -> [JoinGroupResult; 2] {
    let members = fixture.stable_group_of(vec![static_consumer("one"), static_consumer("two")]);
    members.try_into().unwrap()
}

fn heartbeat(fixture: &Fixture, joined: &JoinGroupResult, instance_id: &str) -> ErrorCode {
    fixture.coordinator.heartbeat(HeartbeatParams {
        group_id: GROUP,
        member_id: &joined.member_id,
        group_instance_id: Some(instance_id),
        generation_id: joined.generation_id,
    })
}

#[test]
fn a_static_member_joins_without_being_sent_back_for_an_id() {
    let fixture = Fixture::new();
    let join = fixture.join(JoinGroupParams { require_known_member_id: true, ..static_consumer("one") });
    fixture.advance_ms(DELAY_MS);
    let joined = join.get();
    assert_eq!(joined.error, ErrorCode::None);
    assert!(joined.member_id.starts_with("one-"), "{}", joined.member_id);
    assert_eq!(joined.members[0].group_instance_id.as_deref(), Some("one"));
}

#[test]
fn a_static_follower_that_returns_gets_a_new_id_and_its_old_assignment_without_a_rebalance() {
    let fixture = Fixture::new();
    let [leader, follower] = stable_pair(&fixture);
    let again = fixture.join(static_consumer("two")).get();
    assert_eq!(again.error, ErrorCode::None);
    assert_eq!(again.generation_id, follower.generation_id);
    assert_eq!(again.leader_id, leader.member_id);
    assert_ne!(again.member_id, follower.member_id);
    assert_eq!(fixture.state(), GroupState::Stable);
    assert_eq!(heartbeat(&fixture, &leader, "one"), ErrorCode::None);
    assert_eq!(fixture.sync_as(&again).get().assignment, follower.member_id.as_bytes());
}

#[test]
fn the_old_id_of_a_static_member_is_fenced_everywhere() {
    let fixture = Fixture::new();
    let [_, follower] = stable_pair(&fixture);
    fixture.join(static_consumer("two")).get();
    let old = &*follower.member_id;
    assert_eq!(heartbeat(&fixture, &follower, "two"), ErrorCode::FencedInstanceId);
    let join = JoinGroupParams { member_id: old, ..static_consumer("two") };
    assert_eq!(fixture.join(join).get().error, ErrorCode::FencedInstanceId);
    let sync = SyncGroupParams { group_instance_id: Some("two"), ..sync_of(&follower) };
    assert_eq!(fixture.sync(sync).get().error, ErrorCode::FencedInstanceId);
    let commit = CommitOffsetsParams {
        knows_member_epochs: true,
        group_id: GROUP,
        member_id: old,
        group_instance_id: Some("two"),
        generation_id: follower.generation_id,
        retention_time_ms: None,
        offsets: vec![offset_of("events", 1)],
    };
    assert_eq!(fixture.coordinator.commit_offsets(commit), [ErrorCode::FencedInstanceId]);
    let leave = LeavingMember { member_id: old, group_instance_id: Some("two"), reason: None };
    assert_eq!(fixture.coordinator.leave_group(GROUP, &[leave]).members, [ErrorCode::FencedInstanceId]);
    // Without the instance id nobody can tell that it once was one.
    assert_eq!(fixture.heartbeat_as(&follower), ErrorCode::UnknownMemberId);
}

#[test]
fn parked_requests_of_the_old_id_are_fenced_when_the_member_returns() {
    let fixture = Fixture::new();
    let joins = [fixture.join(static_consumer("one")), fixture.join(static_consumer("two"))];
    let replacement = fixture.join(static_consumer("two"));
    fixture.end_initial_delay();
    let [leader, fenced] = joins.map(Answer::get);
    assert_eq!(fenced.error, ErrorCode::FencedInstanceId);
    let follower = replacement.get();
    assert_eq!(follower.error, ErrorCode::None);

    let parked = fixture.sync_as(&follower);
    let again = fixture.join(static_consumer("two"));
    assert_eq!(parked.get().error, ErrorCode::FencedInstanceId);
    // The leader's assignment would name an id that is gone: the group starts over.
    assert_eq!(fixture.state(), GroupState::PreparingRebalance);
    let rejoined = fixture.join(JoinGroupParams { member_id: &leader.member_id, ..static_consumer("one") });
    assert_eq!(rejoined.get().generation_id, again.get().generation_id);
}

#[test]
fn a_static_leader_that_returns_is_kept_from_assigning() {
    let fixture = Fixture::new();
    let [leader, _] = stable_pair(&fixture);
    // Before JoinGroup v9: it is shown its old id as the leader, and takes itself for a follower.
    let old_client = fixture.join(static_consumer("one")).get();
    assert_eq!(old_client.leader_id, leader.member_id);
    assert_ne!(old_client.member_id, leader.member_id);
    assert!(old_client.members.is_empty() && !old_client.skip_assignment);

    let params = JoinGroupParams { supports_skipping_assignment: true, ..static_consumer("one") };
    let new_client = fixture.join(params).get();
    assert_eq!(new_client.leader_id, new_client.member_id);
    assert!(new_client.skip_assignment);
    assert_eq!(new_client.members.len(), 2);
    assert_eq!(fixture.state(), GroupState::Stable);

    let params = JoinGroupParams { supports_skipping_assignment: true, ..static_consumer("two") };
    let follower = fixture.join(params).get();
    assert!(!follower.skip_assignment && follower.members.is_empty());
    assert_eq!(follower.leader_id, new_client.member_id);
}

#[test]
fn the_new_id_of_a_static_member_survives_a_failover() {
    let mut fixture = Fixture::new();
    let [_, follower] = stable_pair(&fixture);
    let again = fixture.join(static_consumer("two")).get();
    fixture.fail_over();
    assert_eq!(heartbeat(&fixture, &again, "two"), ErrorCode::None);
    assert_eq!(heartbeat(&fixture, &follower, "two"), ErrorCode::FencedInstanceId);
    assert_eq!(fixture.sync_as(&again).get().assignment, follower.member_id.as_bytes());
}

#[test]
fn a_return_that_cannot_be_written_is_undone() {
    let fixture = Fixture::new();
    let [leader, follower] = stable_pair(&fixture);
    fixture.log.fail_appends(Some(ErrorCode::NotEnoughReplicas));
    let failed = fixture
        .join(JoinGroupParams {
            protocols: vec![protocol("range", Bytes::from_static(b"new"))],
            ..static_consumer("one")
        })
        .get();
    assert_eq!((failed.error, &*failed.member_id), (ErrorCode::CoordinatorNotAvailable, ""));
    assert_eq!(heartbeat(&fixture, &leader, "one"), ErrorCode::None);
    assert_eq!(heartbeat(&fixture, &follower, "two"), ErrorCode::None);
    let group = fixture.coordinator.describe_group(GROUP).unwrap();
    assert_eq!(group.leader_id, Some(leader.member_id));
    assert_eq!(group.members[0].metadata, subscription(&["events"]));
}

#[test]
fn a_return_with_another_protocol_to_choose_starts_a_rebalance() {
    let fixture = Fixture::new();
    let both =
        |first: &str, second: &str| vec![protocol(first, Bytes::new()), protocol(second, Bytes::new())];
    let of = |instance, protocols| JoinGroupParams { protocols, ..static_consumer(instance) };
    let members = fixture.stable_group_of(vec![of("one", both("a", "b")), of("two", both("a", "b"))]);
    assert_eq!(members[0].protocol_name.as_deref(), Some("a"));
    let again = fixture.join(of("two", vec![protocol("b", Bytes::new())]));
    assert!(again.is_waiting());
    assert_eq!(fixture.state(), GroupState::PreparingRebalance);
    let leader = JoinGroupParams { member_id: &members[0].member_id, ..of("one", both("a", "b")) };
    assert_eq!(fixture.join(leader).get().protocol_name.as_deref(), Some("b"));
    assert_eq!(again.get().protocol_name.as_deref(), Some("b"));
}

#[test]
fn static_members_are_missed_in_a_rebalance_only_when_their_session_ends() {
    let fixture = Fixture::new();
    let short = |instance| JoinGroupParams { rebalance_timeout_ms: 6_000, ..static_consumer(instance) };
    let members = fixture.stable_group_of(vec![short("one"), short("two")]);
    // The leader joins again; "two" is restarting and says nothing.
    let leader = fixture.join(JoinGroupParams { member_id: &members[0].member_id, ..short("one") });
    fixture.advance_ms(6_000);
    let leader = leader.get();
    assert_eq!(leader.members.len(), 2, "still a member");
    fixture.sync_as(&leader).get();
    let again = fixture.join(short("two")).get();
    assert_eq!((again.error, again.generation_id), (ErrorCode::None, leader.generation_id));
}

#[test]
fn a_rebalance_that_no_static_member_joins_waits_for_their_sessions() {
    let fixture = Fixture::new();
    let short = |instance| JoinGroupParams { rebalance_timeout_ms: 4_000, ..static_consumer(instance) };
    let members = fixture.stable_group_of(vec![
        short("one"),
        short("two"),
        JoinGroupParams { rebalance_timeout_ms: 4_000, ..consumer() },
    ]);
    fixture.leave_as(&members[2]);
    for _ in 0..(SESSION_MS / 1_000 - 1) {
        fixture.advance_ms(1_000);
        assert_eq!(fixture.state(), GroupState::PreparingRebalance);
    }
    fixture.advance_ms(1_000);
    assert_eq!(fixture.state(), GroupState::Empty);
}

#[test]
fn looking_for_static_members_is_no_busy_loop_even_without_a_rebalance_timeout() {
    let fixture = Fixture::new();
    let none = |instance| JoinGroupParams { rebalance_timeout_ms: 0, ..static_consumer(instance) };
    let joins = [fixture.join(none("one")), fixture.join(none("two"))];
    fixture.clock.advance(std::time::Duration::from_secs(6));
    assert!(fixture.timer.run_due() < 20);
    drop(joins);
    fixture.clock.advance(std::time::Duration::from_secs(60));
    assert!(fixture.timer.run_due() < 200);
    assert_eq!(fixture.state(), GroupState::Empty);
}

#[test]
fn an_instance_id_that_is_unknown_or_anothers_is_refused() {
    let fixture = Fixture::new();
    let [leader, follower] = stable_pair(&fixture);
    assert_eq!(heartbeat(&fixture, &leader, "two"), ErrorCode::FencedInstanceId);
    assert_eq!(heartbeat(&fixture, &follower, "three"), ErrorCode::UnknownMemberId);
    let params = JoinGroupParams { member_id: &leader.member_id, ..static_consumer("three") };
    assert_eq!(fixture.join(params).get().error, ErrorCode::UnknownMemberId);
}
