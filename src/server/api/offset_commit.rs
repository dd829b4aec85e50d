//! OffsetCommit, 0-10: how far a group, or a reader without one, has read.
//!
//! 1 comes from members of groups, and may bring its own time; 2 to 4 say how long the offsets are to be kept; 6 has
//! leader epochs (KIP-320); 7 knows static members (KIP-345); 8 is flexible; 9 is for KIP-848; 10 names topics by id
//! (KIP-848).
//!
//! What is committed is in `__consumer_offsets` when the answer leaves. Partitions that do not exist are refused, each
//! for itself.

use super::request::{Call, RequestContext};
use crate::broker::{CommitOffsetsParams, OffsetCommit};
use crate::model::{ErrorCode, TopicPartition};
use crate::protocol::messages::offset_commit::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic, OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
};
use crate::protocol::{OffsetCommitRequest, OffsetCommitResponse};
use crate::server::network::Outcome;

/// The first version that names topics by id.
const FIRST_TOPIC_IDS: i16 = 10;
/// The first version that tells a generation that is over from a group that is gone (KIP-848).
const FIRST_GROUP_ID_NOT_FOUND: i16 = 9;
/// "As long as the broker keeps them", and "the broker's time".
const NOT_SAID: i64 = -1;

pub(super) fn handle(call: Call<'_>, request: OffsetCommitRequest) -> Outcome {
    let context = &call.context;
    let mut response = OffsetCommitResponse::default();
    let mut offsets = Vec::new();
    // Where the code of each of `offsets` belongs.
    let mut places = Vec::new();
    for (at, topic) in request.topics.iter().enumerate() {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for (index, partition) in topic.partitions.iter().enumerate() {
            let mut error = ErrorCode::None;
            match resolve(context, topic, partition.partition_index) {
                Ok(tp) => {
                    offsets.push(offset_commit(tp, partition));
                    places.push((at, index));
                }
                Err(unknown) => error = unknown,
            }
            let partition_index = partition.partition_index;
            partitions.push(OffsetCommitResponsePartition { partition_index, error_code: error.code() });
        }
        let OffsetCommitRequestTopic { name, topic_id, .. } = topic;
        response.topics.push(OffsetCommitResponseTopic {
            name: name.clone(),
            topic_id: *topic_id,
            partitions,
        });
    }
    if !offsets.is_empty() {
        let codes = context.core.groups.commit_offsets(CommitOffsetsParams {
            group_id: &request.group_id,
            member_id: &request.member_id,
            group_instance_id: request.group_instance_id.as_deref(),
            generation_id: request.generation_id_or_member_epoch,
            knows_member_epochs: context.version() >= FIRST_GROUP_ID_NOT_FOUND,
            retention_time_ms: Some(request.retention_time_ms).filter(|time| *time != NOT_SAID),
            offsets,
        });
        let is_missing = context.version() >= FIRST_GROUP_ID_NOT_FOUND
            && request.generation_id_or_member_epoch >= 0
            && !context.core.groups.has_group(&request.group_id);
        for ((at, index), mut code) in places.into_iter().zip(codes) {
            if is_missing && code == ErrorCode::IllegalGeneration {
                code = ErrorCode::GroupIdNotFound;
            }
            let topic = response.topics.get_mut(at);
            if let Some(partition) = topic.and_then(|topic| topic.partitions.get_mut(index)) {
                partition.error_code = code.code();
            }
        }
    }
    call.respond(&response)
}

fn resolve(
    context: &RequestContext,
    topic: &OffsetCommitRequestTopic,
    partition: i32,
) -> Result<TopicPartition, ErrorCode> {
    let metadata = &context.core.metadata;
    let found = if context.version() >= FIRST_TOPIC_IDS {
        metadata.topic_by_id(topic.topic_id).ok_or(ErrorCode::UnknownTopicId)?
    } else {
        metadata.topic(&topic.name).ok_or(ErrorCode::UnknownTopicOrPartition)?
    };
    let partition = found.partition(partition).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    Ok(partition.tp().clone())
}

fn offset_commit(
    topic_partition: TopicPartition,
    partition: &OffsetCommitRequestPartition,
) -> OffsetCommit<'_> {
    OffsetCommit {
        topic_partition,
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata: partition.committed_metadata.as_deref().unwrap_or_default(),
        commit_timestamp: Some(partition.commit_timestamp).filter(|time| *time != NOT_SAID),
    }
}
