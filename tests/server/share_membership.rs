//! ShareGroupHeartbeat and ShareGroupDescribe, and from where on share groups read: the APIs of share groups' coordinator.

use kafka_protocol_018::messages::alter_share_group_offsets_request::{
    AlterShareGroupOffsetsRequestPartition, AlterShareGroupOffsetsRequestTopic,
};
use kafka_protocol_018::messages::delete_share_group_offsets_request::DeleteShareGroupOffsetsRequestTopic;
use kafka_protocol_018::messages::describe_share_group_offsets_request::{
    DescribeShareGroupOffsetsRequestGroup, DescribeShareGroupOffsetsRequestTopic,
};
use kafka_protocol_018::messages::describe_share_group_offsets_response::DescribeShareGroupOffsetsResponseTopic;
use kafka_protocol_018::messages::leave_group_request::MemberIdentity;
use kafka_protocol_018::messages::{
    AlterShareGroupOffsetsRequest, DeleteGroupsRequest, DeleteShareGroupOffsetsRequest,
    DescribeShareGroupOffsetsRequest, GroupId, LeaveGroupRequest, ListGroupsRequest,
    ShareGroupDescribeRequest, ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse,
};
use ottla::ErrorCode;

use super::client::Client;
use super::fixture::{Fixture, code, text, topic_name};
use super::groups::connect;

fn group() -> GroupId {
    GroupId(text("g"))
}

/// What the one member that these tests have is told.
pub(super) fn heartbeat(
    client: &mut Client,
    epoch: i32,
    topics: Option<&[&str]>,
) -> ShareGroupHeartbeatResponse {
    let request = ShareGroupHeartbeatRequest::default()
        .with_group_id(group())
        .with_member_id(text("member"))
        .with_member_epoch(epoch)
        .with_subscribed_topic_names(topics.map(|names| names.iter().map(|name| topic_name(name)).collect()));
    client.call(1, &request)
}

fn offsets(client: &mut Client, topics: Option<&[&str]>) -> Vec<DescribeShareGroupOffsetsResponseTopic> {
    let topics = topics.map(|names| {
        let topic = |name: &&str| {
            DescribeShareGroupOffsetsRequestTopic::default()
                .with_topic_name(topic_name(name))
                .with_partitions(vec![0])
        };
        names.iter().map(topic).collect()
    });
    let asked = DescribeShareGroupOffsetsRequestGroup::default().with_group_id(group()).with_topics(topics);
    let request = DescribeShareGroupOffsetsRequest::default().with_groups(vec![asked]);
    let mut groups = client.call(0, &request).groups;
    assert_eq!(code(groups[0].error_code), ErrorCode::None);
    groups.remove(0).topics
}

#[test]
fn a_member_of_a_share_group_joins_is_told_what_to_read_is_seen_and_leaves() {
    let fixture = Fixture::start();
    drop(fixture.create_topic("t", 2, &[]));
    let mut client = connect(&fixture);
    let refused = heartbeat(&mut client, 0, None);
    assert_eq!(code(refused.error_code), ErrorCode::InvalidRequest);
    let joined = heartbeat(&mut client, 0, Some(&["t"]));
    assert_eq!(code(joined.error_code), ErrorCode::None, "{:?}", joined.error_message);
    assert!(joined.assignment.unwrap().topic_partitions.is_empty(), "as Kafka, which begins their state now");
    let joined = heartbeat(&mut client, joined.member_epoch, None);
    assert_eq!(joined.assignment.unwrap().topic_partitions[0].partitions, [0, 1]);

    let describe = ShareGroupDescribeRequest::default().with_group_ids(vec![group()]);
    let described = client.call(1, &describe).groups.remove(0);
    assert_eq!((&*described.group_state, &*described.assignor_name), ("Stable", "simple"));
    assert_eq!(described.members[0].member_epoch, joined.member_epoch);
    assert_eq!(described.members[0].assignment.topic_partitions[0].partitions, [0, 1]);
    let list = ListGroupsRequest::default().with_types_filter(vec![text("share")]);
    let listed = client.call(5, &list).groups;
    assert_eq!((&*listed[0].group_type, &*listed[0].protocol_type), ("share", "share"));
    let delete = DeleteGroupsRequest::default().with_groups_names(vec![group()]);
    assert_eq!(code(client.call(2, &delete).results[0].error_code), ErrorCode::NonEmptyGroup);

    let left = heartbeat(&mut client, -1, None);
    assert_eq!((code(left.error_code), left.member_epoch), (ErrorCode::None, -1));
    assert_eq!(code(client.call(2, &delete).results[0].error_code), ErrorCode::None);
    let described = client.call(1, &describe).groups.remove(0);
    assert_eq!(code(described.error_code), ErrorCode::GroupIdNotFound);
}

#[test]
fn offsets_of_a_share_group_are_described_altered_and_deleted() {
    let fixture = Fixture::start();
    drop(fixture.create_topic("t", 1, &[]));
    let mut client = connect(&fixture);
    let partition = |index| {
        AlterShareGroupOffsetsRequestPartition::default().with_partition_index(index).with_start_offset(5)
    };
    let topic = AlterShareGroupOffsetsRequestTopic::default()
        .with_topic_name(topic_name("t"))
        .with_partitions(vec![partition(0), partition(1)]);
    let alter = AlterShareGroupOffsetsRequest::default().with_group_id(group()).with_topics(vec![topic]);
    let altered = client.call(0, &alter);
    let codes: Vec<ErrorCode> =
        altered.responses[0].partitions.iter().map(|partition| code(partition.error_code)).collect();
    assert_eq!(codes, [ErrorCode::None, ErrorCode::UnknownTopicOrPartition]);

    let all = offsets(&mut client, None);
    assert_eq!((all.len(), all[0].partitions[0].start_offset), (1, 5));
    let some = offsets(&mut client, Some(&["t", "unknown"]));
    let starts: Vec<i64> = some.iter().map(|topic| topic.partitions[0].start_offset).collect();
    assert_eq!(starts, [5, -1]);

    let topic = DeleteShareGroupOffsetsRequestTopic::default().with_topic_name(topic_name("t"));
    let delete = DeleteShareGroupOffsetsRequest::default().with_group_id(group()).with_topics(vec![topic]);
    assert_eq!(code(client.call(0, &delete).responses[0].error_code), ErrorCode::None);
    assert!(offsets(&mut client, None).is_empty());
}

#[test]
fn a_member_with_a_name_longer_than_an_id_is_refused() {
    let fixture = Fixture::start();
    drop(fixture.create_topic("t", 1, &[]));
    let mut client = connect(&fixture);
    let join = |name: &str| {
        ShareGroupHeartbeatRequest::default()
            .with_group_id(group())
            .with_member_id(text(name))
            .with_subscribed_topic_names(vec![topic_name("t")].into())
    };
    assert_eq!(code(client.call(1, &join(&"m".repeat(37))).error_code), ErrorCode::InvalidRequest);
    assert_eq!(code(client.call(1, &join(&"m".repeat(36))).error_code), ErrorCode::None);
}

#[test]
fn a_member_of_a_share_group_is_unknown_to_who_would_have_it_leave_as_a_classic_one() {
    let fixture = Fixture::start();
    drop(fixture.create_topic("t", 1, &[]));
    let mut client = connect(&fixture);
    heartbeat(&mut client, 0, Some(&["t"]));
    let leaving = MemberIdentity::default().with_member_id(text("member"));
    let request = LeaveGroupRequest::default().with_group_id(group()).with_members(vec![leaving]);
    let response = client.call(3, &request);
    assert_eq!(code(response.error_code), ErrorCode::None);
    assert_eq!(code(response.members[0].error_code), ErrorCode::UnknownMemberId);
}
