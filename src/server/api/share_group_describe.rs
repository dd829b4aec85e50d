//! ShareGroupDescribe, 1: epochs, members and assignments of share groups (KIP-932).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::authorized_operations;
use super::request::{Call, RequestContext};
use crate::broker::{ShareGroupDescription, ShareGroupMemberDescription};
use crate::model::Uuid;
use crate::protocol::messages::share_group_describe::{Assignment, DescribedGroup, Member, TopicPartitions};
use crate::protocol::{ShareGroupDescribeRequest, ShareGroupDescribeResponse, StrBytes};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: ShareGroupDescribeRequest) -> Outcome {
    let asked = request.include_authorized_operations;
    let groups = request.group_ids.into_iter().map(|group_id| describe(&call.context, group_id, asked));
    let response = ShareGroupDescribeResponse { groups: groups.collect(), ..Default::default() };
    call.respond(&response)
}

fn describe(context: &RequestContext, group_id: StrBytes, asks_operations: bool) -> DescribedGroup {
    match context.core.groups.describe_share_group(&group_id) {
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

fn described(context: &RequestContext, group_id: StrBytes, group: ShareGroupDescription) -> DescribedGroup {
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

fn member(context: &RequestContext, member: ShareGroupMemberDescription) -> Member {
    let text = |text: &Arc<str>| StrBytes::from(&**text);
    Member {
        member_id: text(&member.member_id),
        rack_id: member.rack_id.as_ref().map(text),
        member_epoch: member.member_epoch,
        client_id: text(&member.client_id),
        client_host: text(&member.client_host),
        subscribed_topic_names: member.subscribed_topic_names.iter().map(text).collect(),
        assignment: assignment(context, &member.assignment),
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
