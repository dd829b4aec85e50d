use std::collections::BTreeSet;

use super::consumer_groups::{Client, code, describe, fixture, settle};
use super::fixture::*;
use crate::broker::consumer::protocol::Assignment;
use crate::broker::coordinator::group::*;
use crate::config::GroupMigrationPolicy;
use crate::model::{ErrorCode, TopicPartition};

fn group_type(fixture: &Fixture) -> GroupType {
    fixture.coordinator.list_groups(&[], &[]).1[0].group_type
}

/// What a classic member reads after its sync.
fn sync(fixture: &Fixture, joined: &JoinGroupResult) -> Result<BTreeSet<i32>, ErrorCode> {
    let synced = fixture.sync(sync_of(joined)).get();
    if !synced.error.is_none() {
        return Err(synced.error);
    }
    let assignment = Assignment::decode(&synced.assignment).unwrap();
    Ok(assignment.partitions.iter().map(|partition| partition.partition()).collect())
}

/// A classic member with all six partitions of its topic.
fn classic_group(fixture: &Fixture) -> JoinGroupResult {
    let joined = fixture.join(consumer());
    fixture.end_initial_delay();
    let joined = joined.get();
    let all = (0..6).map(|partition| TopicPartition::new("events", partition)).collect();
    let assignment = Assignment { partitions: all, user_data: None }.encode_as(1);
    let params = SyncGroupParams { assignments: vec![(&*joined.member_id, assignment)], ..sync_of(&joined) };
    assert_eq!(fixture.sync(params).get().error, ErrorCode::None);
    joined
}

#[test]
fn a_classic_member_stays_when_the_group_becomes_a_consumer_group_and_back() {
    let mut fixture = fixture();
    let classic = classic_group(&fixture);
    let mut a = Client::new("a", &["events"]);
    let joined = a.heartbeat(&fixture).unwrap();
    assert_eq!((group_type(&fixture), a.count()), (GroupType::Consumer, 0));
    assert!(joined.member_epoch > classic.generation_id);
    fixture.fail_over();
    assert_eq!(describe(&fixture).members.len(), 2);
    // The classic member is told to join again, gives back what is not its any more, and joins once more.
    assert_eq!(fixture.heartbeat_as(&classic), ErrorCode::RebalanceInProgress);
    let mut again = fixture.rejoin(&classic).get();
    assert_eq!((again.error, again.members.len()), (ErrorCode::None, 0));
    let kept = sync(&fixture, &again).unwrap();
    assert_eq!(kept.len(), 3);
    assert_eq!(again.generation_id, joined.member_epoch, "it owned nothing by what it said: it is through");
    a.heartbeat(&fixture).unwrap();
    assert_eq!(a.count(), 3);
    assert!(a.owned.values().flatten().all(|partition| !kept.contains(partition)));
    assert_eq!(fixture.heartbeat_as(&again), ErrorCode::None);
    // The last member of the consumer protocol leaves.
    a.leave(&fixture, -1).unwrap();
    assert_eq!(group_type(&fixture), GroupType::Classic);
    fixture.fail_over();
    assert_eq!(group_type(&fixture), GroupType::Classic);
    again.generation_id = fixture.coordinator.describe_group(GROUP).unwrap().generation_id;
    let outcome = fixture.heartbeat_as(&again);
    assert!(matches!(outcome, ErrorCode::None | ErrorCode::RebalanceInProgress), "{outcome}");
    let rejoined = fixture.rejoin(&again);
    fixture.advance_ms(1);
    assert_eq!(rejoined.get().error, ErrorCode::None);
}

#[test]
fn members_of_both_protocols_share_partitions_in_one_group() {
    let fixture = fixture();
    let mut a = Client::new("a", &["events"]);
    a.heartbeat(&fixture).unwrap();
    let asked = fixture.join(JoinGroupParams { require_known_member_id: true, ..consumer() }).get();
    assert_eq!(asked.error, ErrorCode::MemberIdRequired);
    let joined = fixture.rejoin(&asked).get();
    assert_eq!((joined.error, joined.protocol_name.as_deref()), (ErrorCode::None, Some("range")));
    assert_eq!(sync(&fixture, &joined), Ok(BTreeSet::new()), "all partitions are still the other's");
    assert_eq!(fixture.heartbeat_as(&joined), ErrorCode::None, "there is nothing to join for yet");
    a.heartbeat(&fixture).unwrap();
    a.heartbeat(&fixture).unwrap();
    assert_eq!(fixture.heartbeat_as(&joined), ErrorCode::RebalanceInProgress);
    let joined = fixture.rejoin(&joined).get();
    assert_eq!(sync(&fixture, &joined).unwrap().len(), 3);
    assert_eq!(describe(&fixture).state, GroupState::Stable);
    let types: Vec<bool> = describe(&fixture).members.iter().map(|member| member.is_classic).collect();
    assert_eq!(types.iter().filter(|is_classic| **is_classic).count(), 1);
    let wrong = JoinGroupParams {
        member_id: "",
        protocols: vec![protocol("sticky", subscription(&["events"]))],
        ..consumer()
    };
    assert_eq!(fixture.join(wrong).get().error, ErrorCode::InconsistentGroupProtocol);
    assert_eq!(fixture.leave_as(&joined).members, [ErrorCode::None]);
    settle(&fixture, &mut [&mut a]);
    assert_eq!(a.count(), 6);
}

#[test]
fn a_classic_member_that_does_not_come_back_or_does_not_sync_is_removed() {
    let fixture = fixture();
    let mut a = Client::new("a", &["events"]);
    a.heartbeat(&fixture).unwrap();
    let joined = fixture.join(consumer()).get();
    for _ in 0..REBALANCE_MS / 5_000 {
        fixture.advance_ms(5_000);
        a.heartbeat(&fixture).unwrap();
        fixture.heartbeat_as(&joined);
    }
    assert_eq!(describe(&fixture).members.len(), 1, "it has not asked for its assignment");
}

#[test]
fn the_policy_decides_whether_a_group_may_change() {
    for (policy, upgrades) in [
        (GroupMigrationPolicy::Disabled, false),
        (GroupMigrationPolicy::Upgrade, true),
        (GroupMigrationPolicy::Downgrade, false),
        (GroupMigrationPolicy::Bidirectional, true),
    ] {
        let fixture = Fixture::with_config(|config| config.group_consumer_migration_policy = policy);
        fixture.topics.put("events", 6);
        classic_group(&fixture);
        let outcome = code(Client::new("a", &["events"]).heartbeat(&fixture));
        let expected = if upgrades { ErrorCode::None } else { ErrorCode::GroupIdNotFound };
        assert_eq!(outcome, expected, "{policy:?}");
        let fixture = Fixture::with_config(|config| config.group_consumer_migration_policy = policy);
        fixture.topics.put("events", 6);
        Client::new("a", &["events"]).heartbeat(&fixture).unwrap();
        // That a classic member joins a consumer group changes the group into nothing else.
        assert_eq!(fixture.join(consumer()).get().error, ErrorCode::None, "{policy:?}");
    }
}

#[test]
fn the_last_static_consumer_that_comes_back_as_a_classic_one_brings_the_group_with_it() {
    let mut fixture = fixture();
    let mut a = Client::of_instance("a", "i1", &["events"]);
    a.heartbeat(&fixture).unwrap();
    let joined = fixture.join(static_consumer("i1")).get();
    assert_eq!((joined.error, group_type(&fixture)), (ErrorCode::None, GroupType::Classic));
    let params = SyncGroupParams { group_instance_id: Some("i1"), ..sync_of(&joined) };
    let synced = fixture.sync(params).get();
    assert_eq!(synced.error, ErrorCode::None);
    assert_eq!(Assignment::decode(&synced.assignment).unwrap().partitions.len(), 6);
    assert_eq!(code(a.heartbeat(&fixture)), ErrorCode::GroupIdNotFound);
    fixture.fail_over();
    assert_eq!(group_type(&fixture), GroupType::Classic);
}

#[test]
fn an_administrator_removes_members_of_either_protocol() {
    let fixture = fixture();
    let mut a = Client::of_instance("a", "i1", &["events"]);
    a.heartbeat(&fixture).unwrap();
    let by_instance = LeavingMember { group_instance_id: Some("i1"), ..LeavingMember::default() };
    let unknown = LeavingMember { member_id: "who", ..LeavingMember::default() };
    let left = fixture.coordinator.leave_group(GROUP, &[by_instance, unknown]);
    assert_eq!(left.members, [ErrorCode::None, ErrorCode::UnknownMemberId]);
    assert_eq!(code(a.heartbeat(&fixture)), ErrorCode::UnknownMemberId);
}
