//! The APIs of groups. What a group does is tested beside its code; here it is what each version says of it.

use bytes::Bytes;
use kafka_protocol_015::messages as old;
use kafka_protocol_018::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol_018::messages::join_group_response::JoinGroupResponse;
use kafka_protocol_018::messages::leave_group_request::MemberIdentity;
use kafka_protocol_018::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol_018::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, GroupId, HeartbeatRequest, JoinGroupRequest,
    LeaveGroupRequest, ListGroupsRequest, SyncGroupRequest, SyncGroupResponse,
};
use ottla::ErrorCode;

use super::client::Client;
use super::find_coordinator::find_group_coordinator;
use super::fixture::{Fixture, code, text};

/// A connection to a broker that is ready for groups.
pub(super) fn connect(fixture: &Fixture) -> Client {
    let mut client = fixture.connect();
    find_group_coordinator(&mut client, "g");
    client
}

fn group() -> GroupId {
    GroupId(text("g"))
}

fn join_request(member_id: &str) -> JoinGroupRequest {
    let protocol = JoinGroupRequestProtocol::default()
        .with_name(text("range"))
        .with_metadata(Bytes::from_static(b"subscription"));
    JoinGroupRequest::default()
        .with_group_id(group())
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(10_000)
        .with_member_id(text(member_id))
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol])
}

/// Joins, with the second round that versions from 4 on ask for.
pub(super) fn join(client: &mut Client, version: i16) -> JoinGroupResponse {
    let first = client.call(version, &join_request(""));
    if code(first.error_code) != ErrorCode::MemberIdRequired {
        return first;
    }
    client.call(version, &join_request(&first.member_id))
}

fn sync(client: &mut Client, version: i16, joined: &JoinGroupResponse) -> SyncGroupResponse {
    let assignments = joined.members.iter().map(|member| {
        SyncGroupRequestAssignment::default()
            .with_member_id(member.member_id.clone())
            .with_assignment(Bytes::from_static(b"assignment"))
    });
    let request = SyncGroupRequest::default()
        .with_group_id(group())
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone())
        .with_assignments(assignments.collect());
    let names_protocol = version >= 5;
    let request = request
        .with_protocol_type(names_protocol.then(|| text("consumer")))
        .with_protocol_name(names_protocol.then(|| text("range")));
    client.call(version, &request)
}

fn heartbeat(client: &mut Client, version: i16, joined: &JoinGroupResponse) -> ErrorCode {
    let request = HeartbeatRequest::default()
        .with_group_id(group())
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone());
    code(client.call(version, &request).error_code)
}

fn leave(client: &mut Client, version: i16, member_id: &str) -> ErrorCode {
    let request = LeaveGroupRequest::default().with_group_id(group());
    if version < 3 {
        return code(client.call(version, &request.with_member_id(text(member_id))).error_code);
    }
    let member = MemberIdentity::default().with_member_id(text(member_id));
    let response = client.call(version, &request.with_members(vec![member]));
    assert_eq!(code(response.error_code), ErrorCode::None);
    assert_eq!(response.members[0].member_id.as_str(), member_id);
    code(response.members[0].error_code)
}

#[test]
fn every_version_joins_syncs_beats_and_leaves() {
    let fixture = Fixture::start();
    let mut client = connect(&fixture);
    for version in 0..=9 {
        let joined = join(&mut client, version);
        assert_eq!(code(joined.error_code), ErrorCode::None, "version {version}");
        assert_eq!(joined.leader, joined.member_id);
        assert!(joined.member_id.starts_with("test-"), "{}", joined.member_id.as_str());
        assert_eq!(joined.protocol_name.as_ref().unwrap().as_str(), "range");
        assert_eq!(joined.protocol_type.is_some(), version >= 7);
        assert_eq!(joined.members[0].metadata.as_ref(), b"subscription");
        let synced = sync(&mut client, version.min(5), &joined);
        assert_eq!(
            (code(synced.error_code), synced.assignment.as_ref()),
            (ErrorCode::None, &b"assignment"[..])
        );
        assert_eq!(heartbeat(&mut client, version.min(4), &joined), ErrorCode::None);
        assert_eq!(leave(&mut client, version.min(5), &joined.member_id), ErrorCode::None);
        assert_eq!(leave(&mut client, version.min(5), &joined.member_id), ErrorCode::UnknownMemberId);
        assert_eq!(heartbeat(&mut client, version.min(4), &joined), ErrorCode::UnknownMemberId);
    }
}

#[test]
fn a_new_member_gets_its_id_first_from_version_4_on_unless_it_is_static() {
    let fixture = Fixture::start();
    let mut client = connect(&fixture);
    let first = client.call(4, &join_request(""));
    assert_eq!(code(first.error_code), ErrorCode::MemberIdRequired);
    assert!(!first.member_id.is_empty());
    let instance = join_request("").with_group_id(GroupId(text("statics")));
    let response = client.call(5, &instance.with_group_instance_id(Some(text("one"))));
    assert_eq!(code(response.error_code), ErrorCode::None);
    assert!(response.member_id.starts_with("one-"));
}

#[test]
fn a_failed_join_says_so_in_every_version() {
    let fixture = Fixture::start();
    let mut client = connect(&fixture);
    for version in 0..=9 {
        let unknown = client.call(version, &join_request("nobody"));
        assert_eq!(code(unknown.error_code), ErrorCode::UnknownMemberId, "version {version}");
        assert_eq!((unknown.member_id.as_str(), unknown.generation_id), ("nobody", -1));
        assert_eq!(unknown.protocol_name.is_none(), version >= 7);
        let hasty = client.call(version, &join_request("").with_session_timeout_ms(1));
        assert_eq!(code(hasty.error_code), ErrorCode::InvalidSessionTimeout);
        let unnamed = client.call(version, &join_request("").with_group_id(GroupId(text(""))));
        assert_eq!(code(unnamed.error_code), ErrorCode::InvalidGroupId);
    }
}

#[test]
fn a_join_waits_for_the_other_members_and_a_sync_for_the_leader() {
    let fixture = Fixture::start();
    let (mut leader, mut follower) = (connect(&fixture), fixture.connect());
    let alone = join(&mut leader, 5);
    sync(&mut leader, 3, &alone);
    let id = follower.call(5, &join_request("")).member_id;
    follower.send(5, &join_request(&id));
    // The leader learns of it by its heartbeat, and joins again.
    while heartbeat(&mut leader, 3, &alone) != ErrorCode::RebalanceInProgress {}
    let joined = leader.call(5, &join_request(&alone.member_id));
    let follows = follower.receive::<JoinGroupRequest>(5).1;
    assert_eq!((joined.members.len(), follows.members.len()), (2, 0));
    assert_eq!((&follows.leader, follows.generation_id), (&joined.member_id, joined.generation_id));
    let request = SyncGroupRequest::default()
        .with_group_id(group())
        .with_generation_id(follows.generation_id)
        .with_member_id(follows.member_id.clone());
    follower.send(3, &request);
    sync(&mut leader, 3, &joined);
    let synced = follower.receive::<SyncGroupRequest>(3).1;
    assert_eq!((code(synced.error_code), synced.assignment.as_ref()), (ErrorCode::None, &b"assignment"[..]));
}

#[test]
fn a_sync_from_version_5_on_must_name_the_protocol() {
    let fixture = Fixture::start();
    let mut client = connect(&fixture);
    let joined = join(&mut client, 7);
    let request = SyncGroupRequest::default()
        .with_group_id(group())
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone());
    let unnamed = client.call(5, &request);
    assert_eq!(code(unnamed.error_code), ErrorCode::InconsistentGroupProtocol);
    let other = request.with_protocol_type(Some(text("connect"))).with_protocol_name(Some(text("range")));
    assert_eq!(code(client.call(5, &other).error_code), ErrorCode::InconsistentGroupProtocol);
    assert_eq!(code(sync(&mut client, 5, &joined).error_code), ErrorCode::None);
}

#[test]
fn several_members_may_leave_at_once_each_with_its_own_error() {
    let fixture = Fixture::start();
    let mut client = connect(&fixture);
    let joined = join(&mut client, 5);
    let members = [joined.member_id.as_str(), "nobody"]
        .map(|id| MemberIdentity::default().with_member_id(text(id)))
        .to_vec();
    let request = LeaveGroupRequest::default().with_group_id(group()).with_members(members);
    let response = client.call(5, &request);
    let codes: Vec<_> = response.members.iter().map(|member| code(member.error_code)).collect();
    assert_eq!(codes, [ErrorCode::None, ErrorCode::UnknownMemberId]);
}

#[test]
fn every_version_describes_a_stable_group_with_its_members() {
    let fixture = Fixture::start();
    let mut client = connect(&fixture);
    let joined = join(&mut client, 5);
    sync(&mut client, 3, &joined);
    for version in 0..=6 {
        let request = DescribeGroupsRequest::default()
            .with_groups(vec![group()])
            .with_include_authorized_operations(version >= 3);
        let described = client.call(version, &request).groups.remove(0);
        assert_eq!((code(described.error_code), described.group_state.as_str()), (ErrorCode::None, "Stable"));
        assert_eq!(
            (described.protocol_type.as_str(), described.protocol_data.as_str()),
            ("consumer", "range")
        );
        assert_eq!(described.authorized_operations, if version >= 3 { 3400 } else { i32::MIN });
        let member = &described.members[0];
        assert_eq!(member.member_id, joined.member_id);
        assert_eq!((member.client_id.as_str(), member.client_host.as_str()), ("test", "/127.0.0.1"));
        assert_eq!(member.member_metadata.as_ref(), b"subscription");
        assert_eq!(member.member_assignment.as_ref(), b"assignment");
    }
}

#[test]
fn a_group_that_does_not_exist_is_dead_and_from_version_6_on_not_found() {
    let fixture = Fixture::start();
    let mut client = connect(&fixture);
    for version in 0..=6 {
        let request = DescribeGroupsRequest::default().with_groups(vec![GroupId(text("none"))]);
        let described = client.call(version, &request).groups.remove(0);
        let expected = if version < 6 { ErrorCode::None } else { ErrorCode::GroupIdNotFound };
        assert_eq!((code(described.error_code), described.group_state.as_str()), (expected, "Dead"));
        assert_eq!(described.error_message.is_some(), version >= 6);
    }
}

#[test]
fn groups_are_listed_by_state_and_type() {
    let fixture = Fixture::start();
    let mut client = connect(&fixture);
    let joined = join(&mut client, 5);
    sync(&mut client, 3, &joined);
    for version in 0..=5 {
        let response = client.call(version, &ListGroupsRequest::default());
        let listed = &response.groups[0];
        assert_eq!((listed.group_id.as_str(), listed.protocol_type.as_str()), ("g", "consumer"));
        assert_eq!(listed.group_state.as_str(), if version >= 4 { "Stable" } else { "" });
        assert_eq!(listed.group_type.as_str(), if version >= 5 { "classic" } else { "" });
    }
    let mut count = |states: &[&str], types: &[&str]| {
        let texts = |names: &[&str]| names.iter().map(|name| text(name)).collect::<Vec<_>>();
        let request =
            ListGroupsRequest::default().with_states_filter(texts(states)).with_types_filter(texts(types));
        client.call(5, &request).groups.len()
    };
    assert_eq!(count(&["stable"], &["Classic"]), 1);
    assert_eq!(count(&["Empty"], &[]), 0);
    assert_eq!(count(&[], &["consumer"]), 0);
}

#[test]
fn a_group_is_deleted_once_it_has_no_members() {
    let fixture = Fixture::start();
    let mut client = connect(&fixture);
    let joined = join(&mut client, 5);
    let names = ["g", "none", "g"].map(|name| GroupId(text(name))).to_vec();
    let request = DeleteGroupsRequest::default().with_groups_names(names);
    let codes = |client: &mut Client, version: i16| -> Vec<ErrorCode> {
        client.call(version, &request).results.iter().map(|result| code(result.error_code)).collect()
    };
    assert_eq!(codes(&mut client, 0), [ErrorCode::NonEmptyGroup, ErrorCode::GroupIdNotFound]);
    leave(&mut client, 3, &joined.member_id);
    assert_eq!(codes(&mut client, 2), [ErrorCode::None, ErrorCode::GroupIdNotFound]);
    assert_eq!(codes(&mut client, 1), [ErrorCode::GroupIdNotFound, ErrorCode::GroupIdNotFound]);
}

#[test]
fn the_oldest_join_has_one_timeout_for_everything() {
    let fixture = Fixture::start();
    let mut client = connect(&fixture);
    let protocol = old::join_group_request::JoinGroupRequestProtocol::default()
        .with_name(kafka_protocol_015::protocol::StrBytes::from_static_str("range"));
    let request = old::JoinGroupRequest::default()
        .with_group_id(old::GroupId(kafka_protocol_015::protocol::StrBytes::from_static_str("g")))
        .with_session_timeout_ms(10_000)
        .with_protocol_type(kafka_protocol_015::protocol::StrBytes::from_static_str("consumer"))
        .with_protocols(vec![protocol]);
    for version in 0..=1 {
        let request = match version {
            0 => request.clone(),
            _ => request.clone().with_rebalance_timeout_ms(10_000),
        };
        let joined = client.call_old(version, &request);
        assert_eq!(code(joined.error_code), ErrorCode::None);
        assert_eq!(leave(&mut client, 0, &joined.member_id), ErrorCode::None);
    }
}
