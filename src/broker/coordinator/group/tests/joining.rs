//! Joins: who may, how long they wait, what they hear.

use std::collections::HashSet;

use bytes::Bytes;

use super::fixture::*;
use crate::broker::coordinator::group::*;
use crate::model::ErrorCode;

#[test]
fn a_first_member_is_answered_after_the_initial_delay_and_leads() {
    let fixture = Fixture::new();
    let join = fixture.join(consumer());
    fixture.advance_ms(DELAY_MS - 1);
    assert!(join.is_waiting());
    fixture.advance_ms(1);
    let joined = join.get();
    assert_eq!(joined.error, ErrorCode::None);
    assert_eq!(joined.generation_id, 1);
    assert_eq!(joined.leader_id, joined.member_id);
    assert_eq!(joined.protocol_type.as_deref(), Some("consumer"));
    assert_eq!(joined.protocol_name.as_deref(), Some("range"));
    assert_eq!(joined.members.len(), 1);
    assert_eq!(joined.members[0].metadata, subscription(&["events"]));
    assert!(!joined.skip_assignment);
}

#[test]
fn a_group_becomes_stable_once_its_leader_has_assigned() {
    let fixture = Fixture::new();
    let members = fixture.stable_group(3);
    let ids: HashSet<_> = members.iter().map(|member| member.member_id.clone()).collect();
    assert_eq!(ids.len(), 3);
    for member in &members {
        assert_eq!(fixture.sync_as(member).get().assignment, member.member_id.as_bytes());
        assert_eq!(fixture.heartbeat_as(member), ErrorCode::None);
    }
    assert_eq!(fixture.commit(Some(&members[1]), "events", 42), ErrorCode::None);
    assert_eq!(fixture.committed("events"), 42);
}

#[test]
fn only_the_leader_learns_of_the_members_and_all_learn_of_the_leader() {
    let fixture = Fixture::new();
    let members = fixture.stable_group(3);
    assert_eq!(members[0].members.len(), 3);
    assert_eq!(members[0].leader_id, members[0].member_id);
    for follower in &members[1..] {
        assert_eq!(follower.leader_id, members[0].member_id);
        assert!(follower.members.is_empty());
        assert_eq!(follower.generation_id, members[0].generation_id);
    }
}

#[test]
fn without_an_initial_delay_the_first_member_is_answered_at_once() {
    let fixture = Fixture::without_delay();
    assert_eq!(fixture.join(consumer()).get().generation_id, 1);
    assert_eq!(fixture.state(), GroupState::CompletingRebalance);
}

#[test]
fn the_initial_delay_goes_on_while_new_members_arrive() {
    let fixture = Fixture::new();
    let first = fixture.join(consumer());
    fixture.advance_ms(DELAY_MS - 1);
    let second = fixture.join(consumer());
    fixture.advance_ms(1);
    assert!(first.is_waiting());
    fixture.advance_ms(DELAY_MS - 1);
    assert!(first.is_waiting() && second.is_waiting());
    fixture.advance_ms(1);
    assert_eq!(first.get().generation_id, 1);
    assert_eq!(second.get().generation_id, 1);
}

#[test]
fn so_it_does_when_the_members_of_a_group_that_was_there_before_start_again() {
    let fixture = Fixture::new();
    let before = fixture.stable_group(1).remove(0);
    fixture.leave_as(&before);
    let first = fixture.join(consumer());
    fixture.advance_ms(DELAY_MS - 1);
    let second = fixture.join(consumer());
    fixture.advance_ms(1);
    assert!(first.is_waiting());
    fixture.advance_ms(DELAY_MS);
    let generation = first.get().generation_id;
    assert!(generation > before.generation_id);
    assert_eq!(second.get().generation_id, generation);
}

#[test]
fn the_initial_delay_ends_with_the_largest_rebalance_timeout() {
    let fixture = Fixture::new();
    let params = || JoinGroupParams { rebalance_timeout_ms: 7_000, ..consumer() };
    let first = fixture.join(params());
    let mut others = Vec::new();
    for _ in 0..6 {
        fixture.advance_ms(1_000);
        others.push(fixture.join(params()));
        assert!(first.is_waiting());
    }
    fixture.advance_ms(1_000);
    assert_eq!(first.get().members.len(), 7);
    assert!(others.into_iter().all(|other| other.get().error == ErrorCode::None));
}

#[test]
fn a_session_timeout_outside_the_limits_is_refused() {
    let fixture = Fixture::new();
    for session_timeout_ms in [-1, 5_999, 1_800_001] {
        let joined = fixture.join(JoinGroupParams { session_timeout_ms, ..consumer() }).get();
        assert_eq!(joined.error, ErrorCode::InvalidSessionTimeout);
    }
    assert!(fixture.coordinator.describe_group(GROUP).is_err());
}

#[test]
fn an_unknown_member_id_is_refused_whether_or_not_the_group_exists() {
    let fixture = Fixture::without_delay();
    let stranger = || JoinGroupParams { member_id: "stranger", ..consumer() };
    assert_eq!(fixture.join(stranger()).get().error, ErrorCode::UnknownMemberId);
    assert!(fixture.coordinator.describe_group(GROUP).is_err());
    fixture.stable_group(1);
    assert_eq!(fixture.join(stranger()).get().error, ErrorCode::UnknownMemberId);
}

#[test]
fn a_new_dynamic_member_is_first_given_an_id_and_joins_with_it() {
    let fixture = Fixture::without_delay();
    let required = JoinGroupParams { require_known_member_id: true, ..consumer() };
    let refused = fixture.join(required.clone()).get();
    assert_eq!(refused.error, ErrorCode::MemberIdRequired);
    let uuid = refused.member_id.strip_prefix("app-").unwrap();
    let lengths: Vec<_> = uuid.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    assert_eq!(uuid.as_bytes()[14], b'4');

    let joined = fixture.join(JoinGroupParams { member_id: &refused.member_id, ..required }).get();
    assert_eq!(joined.error, ErrorCode::None);
    assert_eq!(joined.member_id, refused.member_id);
}

#[test]
fn an_id_that_was_handed_out_expires_with_the_session_timeout() {
    let fixture = Fixture::without_delay();
    let required = JoinGroupParams { require_known_member_id: true, ..consumer() };
    let refused = fixture.join(required.clone()).get();
    fixture.advance_ms(SESSION_MS);
    let late = fixture.join(JoinGroupParams { member_id: &refused.member_id, ..required }).get();
    assert_eq!(late.error, ErrorCode::UnknownMemberId);
}

#[test]
fn a_rebalance_waits_for_ids_that_were_handed_out() {
    let fixture = Fixture::without_delay();
    let members = fixture.stable_group(2);
    let required = JoinGroupParams { require_known_member_id: true, ..consumer() };
    let pending = fixture.join(required.clone()).get();
    let leader = fixture.rejoin(&members[0]);
    let follower = fixture.rejoin(&members[1]);
    assert!(leader.is_waiting() && follower.is_waiting());
    let third = fixture.join(JoinGroupParams { member_id: &pending.member_id, ..required.clone() });
    assert_eq!(third.get().generation_id, leader.get().generation_id);
    assert_eq!(follower.get().error, ErrorCode::None);

    // An id that nobody comes back for holds the next one up until it expires, or is given back.
    let abandoned = fixture.join(required).get();
    let joins: Vec<_> = [&members[0].member_id, &members[1].member_id, &pending.member_id]
        .map(|member_id| {
            let protocols = vec![protocol("range", subscription(&["others"]))];
            fixture.join(JoinGroupParams { member_id, protocols, ..consumer() })
        })
        .into();
    assert!(joins.iter().all(Answer::is_waiting));
    assert_eq!(fixture.leave_as(&abandoned).members, [ErrorCode::None]);
    assert!(joins.into_iter().all(|join| join.get().error == ErrorCode::None));
}

#[test]
fn a_pending_id_with_an_instance_id_is_refused() {
    let fixture = Fixture::without_delay();
    let pending = fixture.join(JoinGroupParams { require_known_member_id: true, ..consumer() }).get();
    let params = JoinGroupParams { member_id: &pending.member_id, ..static_consumer("one") };
    assert_eq!(fixture.join(params).get().error, ErrorCode::UnknownMemberId);
}

#[test]
fn protocol_type_and_a_common_protocol_are_required() {
    let fixture = Fixture::without_delay();
    let refused = |params: JoinGroupParams<'_>| {
        assert_eq!(fixture.join(params).get().error, ErrorCode::InconsistentGroupProtocol);
    };
    refused(JoinGroupParams { protocols: Vec::new(), ..consumer() });
    refused(JoinGroupParams { protocol_type: "", ..consumer() });
    fixture.stable_group(1);
    refused(JoinGroupParams { protocol_type: "connect", ..consumer() });
    refused(JoinGroupParams { protocols: vec![protocol("sticky", Bytes::new())], ..consumer() });
}

#[test]
fn an_empty_group_takes_members_of_another_protocol_type() {
    let fixture = Fixture::without_delay();
    let member = fixture.stable_group(1).remove(0);
    fixture.leave_as(&member);
    assert_eq!(fixture.state(), GroupState::Empty);
    let params = JoinGroupParams { protocol_type: "connect", ..consumer() };
    assert_eq!(fixture.join(params).get().protocol_type.as_deref(), Some("connect"));
}

#[test]
fn the_protocol_that_most_members_prefer_among_common_ones_is_chosen() {
    let fixture = Fixture::new();
    let knows = |names: &[&str]| JoinGroupParams {
        protocols: names.iter().map(|name| protocol(name, Bytes::new())).collect(),
        ..consumer()
    };
    let joins = [
        knows(&["own", "a", "b"]),
        knows(&["b", "a"]),
        knows(&["b", "a"]),
        knows(&["a", "b"]),
        knows(&["b", "a"]),
    ]
    .map(|params| fixture.join(params));
    fixture.end_initial_delay();
    for join in joins {
        // "own" has no second friend, so its member votes for "a": 2 for "a", 3 for "b".
        assert_eq!(join.get().protocol_name.as_deref(), Some("b"));
    }
}

#[test]
fn of_protocols_with_as_many_votes_the_one_named_first_is_chosen() {
    for (first, second) in [("x", "y"), ("y", "x")] {
        let fixture = Fixture::new();
        let knows = |names: [&str; 2]| JoinGroupParams {
            protocols: names.map(|name| protocol(name, Bytes::new())).into(),
            ..consumer()
        };
        let join = fixture.join(knows([first, second]));
        fixture.join(knows([second, first]));
        fixture.end_initial_delay();
        assert_eq!(join.get().protocol_name.as_deref(), Some(first));
    }
}

#[test]
fn a_full_group_takes_no_new_member_but_lets_its_own_rejoin() {
    let fixture = Fixture::with_config(|config| config.group_max_size = 2);
    let members = fixture.stable_group(2);
    let third = fixture.join(consumer()).get();
    assert_eq!(third.error, ErrorCode::GroupMaxSizeReached);
    assert_eq!(&*third.member_id, "");
    let leader = fixture.rejoin(&members[0]);
    assert_eq!(fixture.join(consumer()).poll().map(|joined| joined.error), None);
    // The new member took the last place: the follower that comes back last is the one that goes.
    let follower = fixture.rejoin(&members[1]).get();
    assert_eq!(follower.error, ErrorCode::GroupMaxSizeReached);
    assert_eq!(leader.get().members.len(), 2);
}

#[test]
fn a_follower_with_nothing_new_hears_of_the_current_generation_at_once() {
    let fixture = Fixture::without_delay();
    let members = fixture.stable_group(2);
    let again = fixture.rejoin(&members[1]).get();
    assert_eq!(again, members[1]);
    assert_eq!(fixture.state(), GroupState::Stable);
}

#[test]
fn a_leader_that_joins_again_starts_a_rebalance() {
    let fixture = Fixture::without_delay();
    let members = fixture.stable_group(2);
    let leader = fixture.rejoin(&members[0]);
    assert!(leader.is_waiting());
    assert_eq!(fixture.heartbeat_as(&members[1]), ErrorCode::RebalanceInProgress);
    let follower = fixture.rejoin(&members[1]).get();
    assert_eq!(follower.generation_id, members[1].generation_id + 1);
    assert_eq!(leader.get().generation_id, follower.generation_id);
}

#[test]
fn a_follower_with_changed_metadata_starts_a_rebalance() {
    let fixture = Fixture::without_delay();
    let members = fixture.stable_group(2);
    let protocols = vec![protocol("range", subscription(&["events", "more"]))];
    let follower =
        fixture.join(JoinGroupParams { member_id: &members[1].member_id, protocols, ..consumer() });
    assert!(follower.is_waiting());
    let leader = fixture.rejoin(&members[0]).get();
    assert_eq!(leader.members[1].metadata, subscription(&["events", "more"]));
    let reason = fixture.coordinator.describe_group(GROUP).unwrap().last_rebalance_reason.unwrap();
    assert!(reason.contains("changed metadata"), "{reason}");
}

#[test]
fn while_the_assignment_is_awaited_a_rejoin_with_nothing_new_changes_nothing() {
    let fixture = Fixture::new();
    let joins = [fixture.join(consumer()), fixture.join(consumer())];
    fixture.end_initial_delay();
    let [leader, follower] = joins.map(Answer::get);
    assert_eq!(fixture.rejoin(&leader).get(), leader);
    assert_eq!(fixture.rejoin(&follower).get(), follower);
    assert_eq!(fixture.state(), GroupState::CompletingRebalance);

    let waiting = fixture.sync_as(&follower);
    let protocols = vec![protocol("range", Bytes::new())];
    let changed = fixture.join(JoinGroupParams { member_id: &leader.member_id, protocols, ..consumer() });
    assert!(changed.is_waiting());
    assert_eq!(waiting.get().error, ErrorCode::RebalanceInProgress);
}

#[test]
fn members_that_do_not_rejoin_in_time_are_removed_and_another_one_leads() {
    let fixture = Fixture::new();
    let members = fixture.stable_group(3);
    let rejoining = JoinGroupParams {
        protocols: vec![protocol("range", subscription(&["more"]))],
        rebalance_timeout_ms: 20_000,
        ..consumer()
    };
    let second = fixture.join(JoinGroupParams { member_id: &members[1].member_id, ..rejoining.clone() });
    let third = fixture.join(JoinGroupParams { member_id: &members[2].member_id, ..rejoining });
    // The leader stays alive, yet does not join; its own rebalance timeout is the largest.
    for _ in 0..11 {
        fixture.advance_ms(5_000);
        assert_eq!(fixture.heartbeat_as(&members[0]), ErrorCode::RebalanceInProgress);
    }
    assert!(second.is_waiting());
    fixture.advance_ms(5_000);
    let second = second.get();
    assert_eq!(second.leader_id, second.member_id);
    assert_eq!(second.members.len(), 2);
    assert_eq!(third.get().leader_id, second.member_id);
    assert_eq!(fixture.heartbeat_as(&members[0]), ErrorCode::UnknownMemberId);
}

#[test]
fn a_join_replaces_the_parked_one_of_the_same_member_which_is_answered() {
    let fixture = Fixture::without_delay();
    let members = fixture.stable_group(2);
    let first = fixture.rejoin(&members[0]);
    let second = fixture.rejoin(&members[0]);
    assert_eq!(first.get().error, ErrorCode::RebalanceInProgress);
    assert!(second.is_waiting());
    fixture.rejoin(&members[1]).get();
    assert_eq!(second.get().error, ErrorCode::None);
}

#[test]
fn a_new_member_is_kept_waiting_for_five_minutes_at_most() {
    let fixture = Fixture::new();
    let members =
        fixture.stable_group_of(vec![JoinGroupParams { rebalance_timeout_ms: 900_000, ..consumer() }]);
    let new = fixture.join(consumer());
    for _ in 0..60 {
        assert!(new.is_waiting());
        fixture.advance_ms(5_000);
        assert_eq!(fixture.heartbeat_as(&members[0]), ErrorCode::RebalanceInProgress);
    }
    assert_eq!(new.get().error, ErrorCode::UnknownMemberId);
}

#[test]
fn protocols_named_twice_count_once() {
    let fixture = Fixture::new();
    let twice =
        vec![protocol("range", Bytes::from_static(b"1")), protocol("range", Bytes::from_static(b"2"))];
    let join = fixture.join(JoinGroupParams { protocols: twice, ..consumer() });
    fixture.join(consumer());
    fixture.end_initial_delay();
    let joined = join.get();
    assert_eq!(joined.protocol_name.as_deref(), Some("range"));
    assert_eq!(joined.members[0].metadata.as_ref(), b"1");
}

#[test]
fn names_that_do_not_fit_a_record_are_refused() {
    let fixture = Fixture::new();
    let long = "x".repeat(40_000);
    let joined = fixture.join(JoinGroupParams { client_id: &long, ..consumer() }).get();
    assert_eq!(joined.error, ErrorCode::InvalidRequest);
    let joined = fixture.join(JoinGroupParams { group_id: &long, ..consumer() }).get();
    assert_eq!(joined.error, ErrorCode::InvalidGroupId);
}

#[test]
fn after_the_last_generation_comes_the_first() {
    let mut fixture = Fixture::new();
    let mut value = super::loading::stored_group();
    value.generation_id = i32::MAX;
    super::loading::append_group(&fixture, &value);
    fixture.fail_over();
    let join = fixture.join(JoinGroupParams { member_id: "m1", ..consumer() });
    assert_eq!(join.get().generation_id, 1);
}

#[test]
fn a_callback_may_turn_to_the_coordinator_again() {
    let fixture = Fixture::without_delay();
    let coordinator = fixture.coordinator.clone();
    let (answer, synced) = Answer::new();
    fixture
        .coordinator
        .join_group(consumer(), Box::new(move |joined| coordinator.sync_group(sync_of(&joined), synced)));
    assert_eq!(answer.get().error, ErrorCode::None);
    assert_eq!(fixture.state(), GroupState::Stable);
}
