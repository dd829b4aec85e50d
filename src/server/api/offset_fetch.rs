//! OffsetFetch, 0-10: how far groups have read.
//!
//! 1 asks the coordinator rather than ZooKeeper; 2 may ask for all partitions with null, and has an error of the whole
//! answer; 5 has leader epochs (KIP-320); 6 is flexible; 7 wants to know of transactions that are not over (KIP-447); 8
//! asks for several groups (KIP-709); 9 is for KIP-848; 10 names topics by id (KIP-848).
//!
//! Where nothing is committed the offset is -1, which is no error.

use std::sync::Arc;

use super::request::{Call, RequestContext};
use crate::broker::{FetchedOffset, FetchingMember};
use crate::model::{ErrorCode, NO_LEADER_EPOCH, TopicPartition, Uuid};
use crate::protocol::messages::offset_fetch::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics, OffsetFetchResponseGroup,
    OffsetFetchResponsePartition, OffsetFetchResponsePartitions, OffsetFetchResponseTopic,
    OffsetFetchResponseTopics,
};
use crate::protocol::{OffsetFetchRequest, OffsetFetchResponse, StrBytes};
use crate::server::network::Outcome;

/// The first version with an error of the whole answer; those before have it in each partition.
const FIRST_GROUP_ERROR: i16 = 2;
/// The first version that asks for several groups.
const FIRST_GROUPS: i16 = 8;
/// The first version that names topics by id.
const FIRST_TOPIC_IDS: i16 = 10;
/// "Nothing is committed."
const INVALID_OFFSET: i64 = -1;

pub(super) fn handle(call: Call<'_>, request: OffsetFetchRequest) -> Outcome {
    let context = &call.context;
    if context.version() >= FIRST_GROUPS {
        let groups = request.groups.into_iter().map(|group| fetch(context, group, request.require_stable));
        let response = OffsetFetchResponse { groups: groups.collect(), ..OffsetFetchResponse::default() };
        return call.respond(&response);
    }
    let topics = request.topics.map(|topics| topics.into_iter().map(as_of_group).collect());
    let group = OffsetFetchRequestGroup { group_id: request.group_id, topics, ..Default::default() };
    let fetched = fetch(context, group, request.require_stable);
    let response = OffsetFetchResponse {
        error_code: fetched.error_code,
        topics: fetched.topics.into_iter().map(as_alone).collect(),
        ..OffsetFetchResponse::default()
    };
    call.respond(&response)
}

fn as_of_group(topic: OffsetFetchRequestTopic) -> OffsetFetchRequestTopics {
    let OffsetFetchRequestTopic { name, partition_indexes } = topic;
    OffsetFetchRequestTopics { name, partition_indexes, ..OffsetFetchRequestTopics::default() }
}

fn as_alone(topic: OffsetFetchResponseTopics) -> OffsetFetchResponseTopic {
    let partitions = topic.partitions.into_iter().map(|partition| {
        let OffsetFetchResponsePartitions {
            partition_index,
            committed_offset,
            committed_leader_epoch,
            metadata,
            error_code,
        } = partition;
        OffsetFetchResponsePartition {
            partition_index,
            committed_offset,
            committed_leader_epoch,
            metadata,
            error_code,
        }
    });
    OffsetFetchResponseTopic { name: topic.name, partitions: partitions.collect() }
}

fn fetch(
    context: &RequestContext,
    asked: OffsetFetchRequestGroup,
    require_stable: bool,
) -> OffsetFetchResponseGroup {
    let group = Asked {
        group_id: &asked.group_id,
        member: FetchingMember { id: asked.member_id.as_deref(), epoch: asked.member_epoch },
        require_stable,
    };
    let fetched = match &asked.topics {
        None => fetch_all(context, group),
        Some(topics) => fetch_named(context, group, topics),
    };
    let (topics, error) = match fetched {
        Ok(topics) => (topics, ErrorCode::None),
        Err(error) if context.version() < FIRST_GROUP_ERROR => {
            let topics = asked.topics.unwrap_or_default().into_iter();
            (topics.map(|topic| refuse(topic, error)).collect(), error)
        }
        Err(error) => (Vec::new(), error),
    };
    OffsetFetchResponseGroup { group_id: asked.group_id, topics, error_code: error.code() }
}

fn refuse(topic: OffsetFetchRequestTopics, error: ErrorCode) -> OffsetFetchResponseTopics {
    OffsetFetchResponseTopics {
        name: topic.name,
        topic_id: topic.topic_id,
        partitions: topic.partition_indexes.into_iter().map(|index| without_offset(index, error)).collect(),
    }
}

fn without_offset(partition_index: i32, error: ErrorCode) -> OffsetFetchResponsePartitions {
    OffsetFetchResponsePartitions {
        partition_index,
        committed_offset: INVALID_OFFSET,
        committed_leader_epoch: NO_LEADER_EPOCH,
        metadata: Some(StrBytes::new()),
        error_code: error.code(),
    }
}

/// Which group's offsets are asked for, and by whom.
#[derive(Clone, Copy)]
struct Asked<'a> {
    group_id: &'a str,
    member: FetchingMember<'a>,
    require_stable: bool,
}

impl Asked<'_> {
    fn fetch(
        self,
        context: &RequestContext,
        partitions: Option<&[TopicPartition]>,
    ) -> Result<Vec<FetchedOffset>, ErrorCode> {
        context.core.groups.fetch_offsets_as(self.member, self.group_id, partitions, self.require_stable)
    }
}

fn fetch_named(
    context: &RequestContext,
    group: Asked<'_>,
    topics: &[OffsetFetchRequestTopics],
) -> Result<Vec<OffsetFetchResponseTopics>, ErrorCode> {
    let names: Vec<Option<Arc<str>>> = topics.iter().map(|topic| name_of(context, topic)).collect();
    let known = topics.iter().zip(&names).filter_map(|(topic, name)| Some((topic, name.as_ref()?)));
    let partitions: Vec<TopicPartition> = known
        .flat_map(|(topic, name)| {
            topic.partition_indexes.iter().map(|index| TopicPartition::new(Arc::clone(name), *index))
        })
        .collect();
    let mut fetched = group.fetch(context, Some(&partitions))?.into_iter();
    let answers = topics.iter().zip(names).map(|(topic, name)| match name {
        Some(_) => OffsetFetchResponseTopics {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partitions: fetched.by_ref().take(topic.partition_indexes.len()).map(partition).collect(),
        },
        None => refuse(topic.clone(), ErrorCode::UnknownTopicId),
    });
    Ok(answers.collect())
}

/// `None` for an id that no topic has. A name may also be that of a topic that was deleted.
fn name_of(context: &RequestContext, topic: &OffsetFetchRequestTopics) -> Option<Arc<str>> {
    let metadata = &context.core.metadata;
    if context.version() >= FIRST_TOPIC_IDS {
        return metadata.topic_by_id(topic.topic_id).map(|topic| Arc::clone(topic.name()));
    }
    let known = metadata.topic(&topic.name).map(|topic| Arc::clone(topic.name()));
    Some(known.unwrap_or_else(|| Arc::from(&*topic.name)))
}

fn fetch_all(
    context: &RequestContext,
    group: Asked<'_>,
) -> Result<Vec<OffsetFetchResponseTopics>, ErrorCode> {
    let mut fetched = group.fetch(context, None)?;
    fetched.sort_by(|a, b| a.topic_partition.cmp(&b.topic_partition));
    let mut topics: Vec<OffsetFetchResponseTopics> = Vec::new();
    for offset in fetched {
        let name = offset.topic_partition.shared_topic();
        if topics.last().is_none_or(|last| *last.name != *name) {
            let topic_id = context.core.metadata.topic(&name).map_or(Uuid::ZERO, |topic| topic.id());
            let name = StrBytes::from(&*name);
            topics.push(OffsetFetchResponseTopics { name, topic_id, partitions: Vec::new() });
        }
        if let Some(topic) = topics.last_mut() {
            topic.partitions.push(partition(offset));
        }
    }
    if context.version() >= FIRST_TOPIC_IDS {
        // A topic that is gone has no id that could be told.
        topics.retain(|topic| !topic.topic_id.is_zero());
    }
    Ok(topics)
}

fn partition(fetched: FetchedOffset) -> OffsetFetchResponsePartitions {
    OffsetFetchResponsePartitions {
        partition_index: fetched.topic_partition.partition(),
        committed_offset: fetched.offset,
        committed_leader_epoch: fetched.leader_epoch,
        metadata: Some(StrBytes::from(&*fetched.metadata)),
        error_code: fetched.error.code(),
    }
}
