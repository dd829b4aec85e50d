//! DescribeShareGroupOffsets, 0-1: from where on share groups read, partition by partition (KIP-932); 1 tells how many
//! records are left (KIP-1226).
//!
//! Of what a group does not read, -1 is answered, and so it is of groups and topics that do not exist.

use super::request::{Call, RequestContext};
use crate::broker::{GroupError, ShareGroupOffsetAndLag};
use crate::model::TopicPartition;
use crate::protocol::messages::describe_share_group_offsets::{
    DescribeShareGroupOffsetsRequestGroup, DescribeShareGroupOffsetsResponseGroup,
    DescribeShareGroupOffsetsResponsePartition, DescribeShareGroupOffsetsResponseTopic,
};
use crate::protocol::{DescribeShareGroupOffsetsRequest, DescribeShareGroupOffsetsResponse, StrBytes};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: DescribeShareGroupOffsetsRequest) -> Outcome {
    let groups = request.groups.into_iter().map(|asked| {
        let group_id = asked.group_id.clone();
        describe(&call.context, asked).unwrap_or_else(|error| DescribeShareGroupOffsetsResponseGroup {
            group_id,
            error_code: error.code.code(),
            error_message: Some(error.message.into()),
            ..DescribeShareGroupOffsetsResponseGroup::default()
        })
    });
    let response = DescribeShareGroupOffsetsResponse { groups: groups.collect(), ..Default::default() };
    call.respond(&response)
}

fn describe(
    context: &RequestContext,
    asked: DescribeShareGroupOffsetsRequestGroup,
) -> Result<DescribeShareGroupOffsetsResponseGroup, GroupError> {
    let partitions = asked.topics.map(|topics| {
        let of_topic = topics.into_iter().flat_map(|topic| {
            let name = topic.topic_name;
            topic.partitions.into_iter().map(move |partition| TopicPartition::new(&*name, partition))
        });
        of_topic.collect()
    });
    let mut topics: Vec<DescribeShareGroupOffsetsResponseTopic> = Vec::new();
    // Topics that do not exist come last.
    let mut offsets = context.core.share_group_offsets(&asked.group_id, partitions)?;
    offsets.sort_by_key(|of| of.offset.topic_id == crate::model::Uuid::ZERO);
    for of in offsets {
        let name = of.offset.topic_partition.topic();
        if topics.last().is_none_or(|topic| &*topic.topic_name != name) {
            topics.push(DescribeShareGroupOffsetsResponseTopic {
                topic_name: StrBytes::from(name),
                topic_id: of.offset.topic_id,
                partitions: Vec::new(),
            });
        }
        if let Some(topic) = topics.last_mut() {
            topic.partitions.push(partition(&of));
        }
    }
    Ok(DescribeShareGroupOffsetsResponseGroup { group_id: asked.group_id, topics, ..Default::default() })
}

fn partition(of: &ShareGroupOffsetAndLag) -> DescribeShareGroupOffsetsResponsePartition {
    DescribeShareGroupOffsetsResponsePartition {
        partition_index: of.offset.topic_partition.partition(),
        start_offset: of.start_offset(),
        leader_epoch: of.offset.summary.as_ref().map_or(0, |summary| summary.leader_epoch),
        lag: of.lag.unwrap_or(-1),
        ..DescribeShareGroupOffsetsResponsePartition::default()
    }
}
