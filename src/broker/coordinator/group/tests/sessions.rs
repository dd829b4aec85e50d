//! Heartbeats, sessions that end, and members that leave.

use std::sync::Arc;
use std::time::Duration;

use super::fixture::*;
use crate::broker::coordinator::group::*;
use crate::model::ErrorCode;
use crate::sys::Clock;

#[test]
fn a_heartbeat_says_where_the_group_stands() {
    let fixture = Fixture::new();
    let join = fixture.join(consumer());
    fixture.advance_ms(DELAY_MS);
    let member = join.get();
    assert_eq!(fixture.heartbeat_as(&member), ErrorCode::None, "completing");
    fixture.sync_as(&member).get();
    assert_eq!(fixture.heartbeat_as(&member), ErrorCode::None, "stable");
    let new = fixture.join(consumer());
    assert_eq!(fixture.heartbeat_as(&member), ErrorCode::RebalanceInProgress, "preparing");
    assert!(new.is_waiting());
}

#[test]
fn a_heartbeat_of_another_generation_or_member_is_refused() {
    let fixture = Fixture::new();
    let member = fixture.stable_group(1).remove(0);
    let heartbeat = |change: &dyn Fn(&mut HeartbeatParams<'static>)| {
        let member_id: &'static str = Box::leak(member.member_id.to_string().into_boxed_str());
        let mut params =
            HeartbeatParams { group_id: GROUP, member_id, group_instance_id: None, generation_id: 1 };
        change(&mut params);
        fixture.coordinator.heartbeat(params)
    };
    assert_eq!(heartbeat(&|_| {}), ErrorCode::None);
    assert_eq!(heartbeat(&|params| params.generation_id = 2), ErrorCode::IllegalGeneration);
    assert_eq!(heartbeat(&|params| params.member_id = "stranger"), ErrorCode::UnknownMemberId);
    assert_eq!(heartbeat(&|params| params.group_id = "nobody"), ErrorCode::UnknownMemberId);
    assert_eq!(heartbeat(&|params| params.group_id = ""), ErrorCode::InvalidGroupId);
    assert_eq!(heartbeat(&|params| params.group_instance_id = Some("x")), ErrorCode::UnknownMemberId);
}

#[test]
fn a_member_that_is_not_heard_of_is_removed_when_its_session_ends() {
    let fixture = Fixture::new();
    let members = fixture.stable_group(2);
    fixture.advance_ms(SESSION_MS - 1);
    assert_eq!(fixture.heartbeat_as(&members[0]), ErrorCode::None);
    fixture.advance_ms(1);
    assert_eq!(fixture.heartbeat_as(&members[0]), ErrorCode::RebalanceInProgress);
    assert_eq!(fixture.heartbeat_as(&members[1]), ErrorCode::UnknownMemberId);
    let reason = fixture.coordinator.describe_group(GROUP).unwrap().last_rebalance_reason.unwrap();
    assert!(reason.contains(&*members[1].member_id) && reason.contains("session expired"), "{reason}");
}

#[test]
fn a_heartbeat_that_is_due_before_the_end_of_a_session_comes_before_it_however_late_the_timer_is() {
    let fixture = Fixture::new();
    let members = fixture.stable_group(2);
    fixture.advance_ms(SESSION_MS / 2);
    assert_eq!(fixture.heartbeat_as(&members[1]), ErrorCode::None);
    let second = members[1].clone();
    let coordinator = Arc::clone(&fixture.coordinator);
    // After the end of the first member's session, before the end of the second's.
    let between = Duration::from_millis(u64::try_from(SESSION_MS / 4 * 3).unwrap());
    fixture.timer.schedule_repetition_at(fixture.clock.monotonic() + between, move || {
        coordinator.heartbeat(HeartbeatParams {
            group_id: GROUP,
            member_id: &second.member_id,
            group_instance_id: None,
            generation_id: second.generation_id,
        });
    });
    fixture.advance_ms(SESSION_MS * 2);
    assert_eq!(fixture.heartbeat_as(&members[0]), ErrorCode::UnknownMemberId);
    assert_eq!(fixture.heartbeat_as(&members[1]), ErrorCode::RebalanceInProgress);
}

#[test]
fn members_whose_sessions_end_at_the_same_instant_are_removed_together_and_the_others_hear_of_it_once() {
    let fixture = Fixture::new();
    let members = fixture.stable_group(100);
    fixture.advance_ms(SESSION_MS - 1);
    assert_eq!(fixture.heartbeat_as(&members[0]), ErrorCode::None);
    fixture.advance_ms(1);
    let group = fixture.coordinator.describe_group(GROUP).unwrap();
    assert_eq!((group.state, group.members.len()), (GroupState::PreparingRebalance, 1));
    let reason = group.last_rebalance_reason.unwrap();
    assert!(reason.starts_with("99 members failed"), "{reason}");
    assert!(members[1..].iter().all(|member| reason.contains(&*member.member_id)), "{reason}");
    // Nobody else is to be waited for.
    let joined = fixture.rejoin(&members[0]).get();
    assert_eq!((joined.error, joined.members.len()), (ErrorCode::None, 1));
}

#[test]
fn heartbeats_syncs_joins_and_commits_keep_a_session_alive() {
    let fixture = Fixture::new();
    let members = fixture.stable_group(2);
    let [leader, follower] = &members[..] else { unreachable!() };
    type Sign = fn(&Fixture, &JoinGroupResult) -> ErrorCode;
    let signs: [Sign; 4] = [
        |fixture, member| fixture.heartbeat_as(member),
        |fixture, member| fixture.sync_as(member).get().error,
        |fixture, member| fixture.rejoin(member).get().error,
        |fixture, member| fixture.commit(Some(member), "events", 1),
    ];
    for sign in signs.iter().cycle().take(20) {
        fixture.advance_ms(SESSION_MS - 1);
        assert_eq!(fixture.heartbeat_as(leader), ErrorCode::None);
        assert_eq!(sign(&fixture, follower), ErrorCode::None);
    }
}

#[test]
fn a_member_that_waits_for_others_does_not_expire() {
    let fixture = Fixture::new();
    let members = fixture.stable_group(2);
    let waiting = fixture.rejoin(&members[0]);
    for _ in 0..5 {
        fixture.advance_ms(SESSION_MS - 1);
        assert_eq!(fixture.heartbeat_as(&members[1]), ErrorCode::RebalanceInProgress);
    }
    assert!(waiting.is_waiting());
    let follower = fixture.rejoin(&members[1]).get();
    let leader = waiting.get();
    let waiting = fixture.sync_as(&follower);
    for _ in 0..5 {
        fixture.advance_ms(SESSION_MS - 1);
        assert_eq!(fixture.heartbeat_as(&leader), ErrorCode::None);
    }
    assert!(waiting.is_waiting());
    fixture.sync_as(&leader).get();
    assert_eq!(waiting.get().error, ErrorCode::None);
    // Once answered, its session starts anew.
    fixture.advance_ms(SESSION_MS - 1);
    assert_eq!(fixture.heartbeat_as(&follower), ErrorCode::None);
}

#[test]
fn a_session_that_ends_completes_the_rebalance_that_waited_for_it() {
    let fixture = Fixture::new();
    let members = fixture.stable_group(2);
    let leader = fixture.rejoin(&members[0]);
    fixture.advance_ms(SESSION_MS);
    let leader = leader.get();
    assert_eq!((leader.generation_id, leader.members.len()), (2, 1));
}

#[test]
fn the_timer_holds_one_task_for_each_group_however_often_its_members_are_heard_of() {
    let fixture = Fixture::new();
    let members = fixture.stable_group(50);
    for _ in 0..100 {
        fixture.advance_ms(100);
        for member in &members {
            fixture.heartbeat_as(member);
        }
        assert_eq!(fixture.timer.len(), 1);
    }
}

#[test]
fn leaving_starts_a_rebalance_at_once() {
    let fixture = Fixture::new();
    let members = fixture.stable_group(2);
    assert_eq!(fixture.leave_as(&members[0]).members, [ErrorCode::None]);
    assert_eq!(fixture.heartbeat_as(&members[1]), ErrorCode::RebalanceInProgress);
    let joined = fixture.rejoin(&members[1]).get();
    assert_eq!(joined.leader_id, members[1].member_id);
}

#[test]
fn when_the_last_member_leaves_the_group_is_empty_and_keeps_its_offsets() {
    let fixture = Fixture::new();
    let member = fixture.stable_group(1).remove(0);
    fixture.commit(Some(&member), "events", 7);
    fixture.leave_as(&member);
    let group = fixture.coordinator.describe_group(GROUP).unwrap();
    assert_eq!((group.state, group.generation_id), (GroupState::Empty, 2));
    assert_eq!(fixture.committed("events"), 7);
    assert_eq!(fixture.heartbeat_as(&member), ErrorCode::UnknownMemberId);
}

#[test]
fn a_parked_request_of_a_member_that_leaves_is_answered() {
    let fixture = Fixture::new();
    let members = fixture.stable_group(2);
    let join = fixture.rejoin(&members[0]);
    fixture.leave_as(&members[0]);
    let joined = join.get();
    assert_eq!((joined.error, &*joined.member_id), (ErrorCode::UnknownMemberId, ""));

    let follower = fixture.rejoin(&members[1]).get();
    let new = fixture.join(consumer());
    let leader = fixture.rejoin(&follower).get();
    let new = new.get();
    let sync = fixture.sync_as(&new);
    fixture.leave_as(&new);
    assert_eq!(sync.get().error, ErrorCode::UnknownMemberId);
    assert_eq!(fixture.heartbeat_as(&leader), ErrorCode::RebalanceInProgress);
}

#[test]
fn several_members_leave_with_an_outcome_each() {
    let fixture = Fixture::new();
    let members =
        fixture.stable_group_of(vec![consumer(), static_consumer("one"), static_consumer("two"), consumer()]);
    let leaving = |member_id, group_instance_id| LeavingMember { member_id, group_instance_id, reason: None };
    let left = fixture.coordinator.leave_group(
        GROUP,
        &[
            leaving(&members[0].member_id, None),
            leaving("", Some("one")),
            leaving("", Some("nobody")),
            leaving("stranger", Some("two")),
            leaving("stranger", None),
            leaving("", None),
        ],
    );
    assert_eq!(left.error, ErrorCode::None);
    assert_eq!(
        left.members,
        [
            ErrorCode::None,
            ErrorCode::None,
            ErrorCode::UnknownMemberId,
            ErrorCode::FencedInstanceId,
            ErrorCode::UnknownMemberId,
            ErrorCode::UnknownMemberId,
        ]
    );
    let left = fixture.coordinator.describe_group(GROUP).unwrap().members;
    let ids: Vec<_> = left.into_iter().map(|member| member.member_id).collect();
    assert_eq!(ids, [members[2].member_id.clone(), members[3].member_id.clone()]);
    let reason = fixture.coordinator.describe_group(GROUP).unwrap().last_rebalance_reason.unwrap();
    assert!(reason.contains("left"), "{reason}");
}

#[test]
fn nobody_leaves_a_group_that_does_not_exist() {
    let fixture = Fixture::new();
    let left = fixture.coordinator.leave_group(GROUP, &[LeavingMember::default()]);
    assert_eq!(left, LeaveGroupResult { error: ErrorCode::None, members: vec![ErrorCode::UnknownMemberId] });
    let left = fixture.coordinator.leave_group("", &[LeavingMember::default()]);
    assert_eq!(left.error, ErrorCode::InvalidGroupId);
}

#[test]
fn a_first_member_that_leaves_during_the_initial_delay_leaves_the_group_empty() {
    let fixture = Fixture::new();
    let refused = fixture.join(JoinGroupParams { require_known_member_id: true, ..consumer() }).get();
    let join = fixture.join(JoinGroupParams { member_id: &refused.member_id, ..consumer() });
    fixture.leave_as(&refused);
    assert_eq!(join.get().error, ErrorCode::UnknownMemberId);
    assert_eq!(fixture.state(), GroupState::PreparingRebalance);
    fixture.advance_ms(DELAY_MS);
    assert_eq!(fixture.state(), GroupState::Empty);
}
