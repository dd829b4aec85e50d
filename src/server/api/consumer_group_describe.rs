//! ConsumerGroupDescribe, 0-1: epochs, members and assignments of consumer groups (KIP-848). 1 tells by which protocol a
//! member takes part.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::authorized_operations;
use super::request::{Call, RequestContext};
use crate::broker::{ConsumerGroupDescription, ConsumerGroupMemberDescription};
use crate::model::{ErrorCode, Uuid};
use crate::protocol::messages::consumer_group_describe::{
    Assignment, DescribedGroup, Member, TopicPartitions,
};
use crate::protocol::{ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, StrBytes};
use crate::server::network::Outcome;

/// How a member takes part: it joins and syncs, or it sends heartbeats of this kind.
const CLASSIC_MEMBER: i8 = 0;
const CONSUMER_MEMBER: i8 = 1;

pub(super) fn handle(call: Call<'_>, request: ConsumerGroupDescribeRequest) -> Outcome {
    let asked = request.include_authorized_operations;
    let groups = request.group_ids.into_iter().map(|group_id| describe(&call.context, group_id, asked));
    let response = ConsumerGroupDescribeResponse { groups: groups.collect(), ..Default::default() };
    call.respond(&response)
}

fn describe(context: &RequestContext, group_id: StrBytes, asks_operations: bool) -> DescribedGroup {
    let groups = &context.core.groups;
    let found = match groups.is_consumer_protocol_enabled() {
        true => groups.describe_consumer_group(&group_id),
        false => Err(ErrorCode::UnsupportedVersion.into()),
    };
    match found {
        Ok(group) => DescribedGroup {
            authorized_operations: authorized_operations::on_group(asks_operations),
            ..described(context, group_id, group)
        },
        Err(error) => DescribedGroup {
            error_code: error.code.code(),
            error_message: Some(error.message.into()),
            group_id,
            ..DescribedGroup::default()
        },
    }
}

fn described(
    context: &RequestContext,
    group_id: StrBytes,
    group: ConsumerGroupDescription,
) -> DescribedGroup {
    DescribedGroup {
        group_id,
        group_state: StrBytes::from_static(group.state.name()),
        group_epoch: group.group_epoch,
        assignment_epoch: group.assignment_epoch,
        assignor_name: StrBytes::from(&*group.assignor_name),
        members: group.members.into_iter().map(|of| member(context, of)).collect(),
        ..DescribedGroup::default()
    }
}

fn member(context: &RequestContext, member: ConsumerGroupMemberDescription) -> Member {
    let text = |text: &Arc<str>| StrBytes::from(&**text);
    Member {
        member_id: text(&member.member_id),
        instance_id: member.instance_id.as_ref().map(text),
        rack_id: member.rack_id.as_ref().map(text),
        member_epoch: member.member_epoch,
        client_id: text(&member.client_id),
        client_host: text(&member.client_host),
        subscribed_topic_names: member.subscribed_topic_names.iter().map(text).collect(),
        subscribed_topic_regex: member.subscribed_topic_regex.as_ref().map(text),
        assignment: assignment(context, &member.assignment),
        target_assignment: assignment(context, &member.target_assignment),
        member_type: if member.is_classic { CLASSIC_MEMBER } else { CONSUMER_MEMBER },
    }
}

/// Topics that are gone are left out: they have no name any more.
fn assignment(context: &RequestContext, partitions: &BTreeMap<Uuid, BTreeSet<i32>>) -> Assignment {
    let topics = partitions.iter().filter_map(|(id, partitions)| {
        let topic = context.core.metadata.topic_by_id(*id)?;
        Some(TopicPartitions {
            topic_id: *id,
            topic_name: StrBytes::from(&**topic.name()),
            partitions: partitions.iter().copied().collect(),
        })
    });
    Assignment { topic_partitions: topics.collect() }
}
