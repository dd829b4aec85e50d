//! Syncs: who is given what, and what becomes of a rebalance that does not get there.

use bytes::Bytes;

use super::fixture::*;
use crate::broker::coordinator::group::*;
use crate::model::ErrorCode;

fn two_joined(fixture: &Fixture) -> [JoinGroupResult; 2] {
    let joins = [fixture.join(consumer()), fixture.join(consumer())];
    fixture.end_initial_delay();
    joins.map(Answer::get)
}

#[test]
fn followers_wait_for_the_leader_and_get_what_it_assigned() {
    let fixture = Fixture::new();
    let [leader, follower] = two_joined(&fixture);
    let waiting = fixture.sync_as(&follower);
    assert!(waiting.is_waiting());
    let synced = fixture.sync_as(&leader).get();
    assert_eq!(synced.assignment, leader.member_id.as_bytes());
    assert_eq!(synced.protocol_type.as_deref(), Some("consumer"));
    assert_eq!(synced.protocol_name.as_deref(), Some("range"));
    assert_eq!(waiting.get().assignment, follower.member_id.as_bytes());
}

#[test]
fn a_member_that_the_leader_left_out_gets_nothing() {
    let fixture = Fixture::new();
    let [leader, follower] = two_joined(&fixture);
    let waiting = fixture.sync_as(&follower);
    let assignments = vec![(&*leader.member_id, Bytes::from_static(b"all")), ("stranger", Bytes::new())];
    let synced = fixture.sync(SyncGroupParams { assignments, ..sync_of(&leader) }).get();
    assert_eq!(synced.assignment.as_ref(), b"all");
    let synced = waiting.get();
    assert_eq!((synced.error, synced.assignment.len()), (ErrorCode::None, 0));
}

#[test]
fn what_a_follower_assigns_is_not_looked_at() {
    let fixture = Fixture::new();
    let [leader, follower] = two_joined(&fixture);
    let assignments = vec![(&*leader.member_id, Bytes::from_static(b"mine"))];
    let waiting = fixture.sync(SyncGroupParams { assignments, ..sync_of(&follower) });
    assert!(waiting.is_waiting());
    assert_eq!(fixture.sync_as(&leader).get().assignment, leader.member_id.as_bytes());
}

#[test]
fn in_a_stable_group_a_sync_repeats_the_assignment() {
    let fixture = Fixture::new();
    let members = fixture.stable_group(2);
    for _ in 0..2 {
        assert_eq!(fixture.sync_as(&members[1]).get().assignment, members[1].member_id.as_bytes());
    }
}

#[test]
fn a_sync_of_another_generation_member_or_protocol_is_refused() {
    let fixture = Fixture::new();
    let [leader, _] = two_joined(&fixture);
    let refused = |params: SyncGroupParams<'_>| fixture.sync(params).get().error;
    let good = sync_of(&leader);
    assert_eq!(refused(SyncGroupParams { generation_id: 2, ..good.clone() }), ErrorCode::IllegalGeneration);
    assert_eq!(
        refused(SyncGroupParams { member_id: "stranger", ..good.clone() }),
        ErrorCode::UnknownMemberId
    );
    assert_eq!(refused(SyncGroupParams { group_id: "nobody", ..good.clone() }), ErrorCode::UnknownMemberId);
    assert_eq!(
        refused(SyncGroupParams { protocol_type: Some("connect"), ..good.clone() }),
        ErrorCode::InconsistentGroupProtocol
    );
    assert_eq!(
        refused(SyncGroupParams { protocol_name: Some("sticky"), ..good.clone() }),
        ErrorCode::InconsistentGroupProtocol
    );
    let named = SyncGroupParams { protocol_type: Some("consumer"), protocol_name: Some("range"), ..good };
    assert_eq!(refused(named), ErrorCode::None);
}

#[test]
fn a_sync_during_a_rebalance_is_told_to_join() {
    let fixture = Fixture::new();
    let members = fixture.stable_group(2);
    let joining = fixture.rejoin(&members[0]);
    assert_eq!(fixture.sync_as(&members[1]).get().error, ErrorCode::RebalanceInProgress);
    assert!(joining.is_waiting());
}

#[test]
fn the_assignment_is_in_the_log_before_anybody_hears_of_it() {
    let fixture = Fixture::new();
    let [leader, _] = two_joined(&fixture);
    let partition = fixture.partition();
    assert_eq!(fixture.log.batches(partition).len(), 0);
    let log = fixture.log.clone();
    let (answer, callback) = Answer::new();
    let seen: SyncCallback = Box::new(move |synced| {
        assert_eq!(log.batches(partition).len(), 1);
        assert_eq!(log.wakes(partition), 0);
        callback(synced);
    });
    fixture.coordinator.sync_group(sync_of(&leader), seen);
    assert_eq!(answer.get().error, ErrorCode::None);
    assert_eq!(fixture.log.wakes(partition), 1);
}

#[test]
fn an_assignment_that_cannot_be_written_fails_for_all_and_starts_over() {
    let cases = [
        (ErrorCode::NotEnoughReplicas, ErrorCode::CoordinatorNotAvailable),
        (ErrorCode::UnknownTopicOrPartition, ErrorCode::CoordinatorNotAvailable),
        (ErrorCode::NotLeaderOrFollower, ErrorCode::NotCoordinator),
        (ErrorCode::KafkaStorageError, ErrorCode::NotCoordinator),
        (ErrorCode::RequestTimedOut, ErrorCode::RebalanceInProgress),
        (ErrorCode::MessageTooLarge, ErrorCode::UnknownServerError),
    ];
    for (of_log, of_member) in cases {
        let fixture = Fixture::new();
        let [leader, follower] = two_joined(&fixture);
        let waiting = fixture.sync_as(&follower);
        fixture.log.fail_appends(Some(of_log));
        assert_eq!(fixture.sync_as(&leader).get().error, of_member);
        assert_eq!(waiting.get().error, of_member);
        assert_eq!(fixture.state(), GroupState::PreparingRebalance);

        fixture.log.fail_appends(None);
        let joins = [fixture.rejoin(&leader), fixture.rejoin(&follower)];
        let [leader, follower] = joins.map(Answer::get);
        assert_eq!(leader.generation_id, 2);
        let waiting = fixture.sync_as(&follower);
        assert_eq!(fixture.sync_as(&leader).get().error, ErrorCode::None);
        assert_eq!(waiting.get().error, ErrorCode::None);
    }
}

#[test]
fn members_that_do_not_sync_within_the_rebalance_timeout_are_removed() {
    let fixture = Fixture::new();
    let [leader, follower] = two_joined(&fixture);
    // The leader stays alive and keeps silent; the follower waits for it.
    let waiting = fixture.sync_as(&follower);
    for _ in 0..11 {
        fixture.advance_ms(5_000);
        assert_eq!(fixture.heartbeat_as(&leader), ErrorCode::None);
    }
    assert!(waiting.is_waiting());
    fixture.advance_ms(5_000);
    assert_eq!(waiting.get().error, ErrorCode::RebalanceInProgress);
    assert_eq!(fixture.heartbeat_as(&leader), ErrorCode::UnknownMemberId);
    let again = fixture.rejoin(&follower).get();
    assert_eq!(again.leader_id, follower.member_id);
}

#[test]
fn a_member_that_does_not_sync_is_removed_from_a_stable_group_too() {
    let fixture = Fixture::new();
    let [leader, follower] = two_joined(&fixture);
    fixture.sync_as(&leader).get();
    for _ in 0..12 {
        fixture.advance_ms(5_000);
        fixture.heartbeat_as(&leader);
        fixture.heartbeat_as(&follower);
    }
    assert_eq!(fixture.heartbeat_as(&leader), ErrorCode::RebalanceInProgress);
    assert_eq!(fixture.heartbeat_as(&follower), ErrorCode::UnknownMemberId);
}

#[test]
fn members_that_have_synced_are_not_asked_to_again() {
    let fixture = Fixture::new();
    let members = fixture.stable_group(2);
    for _ in 0..30 {
        fixture.advance_ms(5_000);
        for member in &members {
            assert_eq!(fixture.heartbeat_as(member), ErrorCode::None);
        }
    }
}

#[test]
fn a_sync_replaces_the_parked_one_of_the_same_member_which_is_answered() {
    let fixture = Fixture::new();
    let [leader, follower] = two_joined(&fixture);
    let first = fixture.sync_as(&follower);
    let second = fixture.sync_as(&follower);
    assert_eq!(first.get().error, ErrorCode::RebalanceInProgress);
    fixture.sync_as(&leader).get();
    assert_eq!(second.get().assignment, follower.member_id.as_bytes());
}

#[test]
fn a_new_member_ends_the_wait_for_an_assignment() {
    let fixture = Fixture::new();
    let [leader, follower] = two_joined(&fixture);
    let waiting = fixture.sync_as(&follower);
    let third = fixture.join(consumer());
    assert_eq!(waiting.get().error, ErrorCode::RebalanceInProgress);
    assert_eq!(fixture.sync_as(&leader).get().error, ErrorCode::RebalanceInProgress);
    assert!(third.is_waiting());
}
