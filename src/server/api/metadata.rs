//! Metadata, 0-13: the brokers, and where the partitions of topics are led.
//!
//! 0 came with 0.8, and no topic means all of them there; 1 says so with null, and adds the controller, racks and
//! internal topics (KIP-4); 2 the cluster id (KIP-78); 4 lets the client forbid that topics are made; 5 offline replicas
//! (KIP-112); 7 leader epochs (KIP-320); 8 authorized operations (KIP-430), those of the cluster only up to 10
//! (KIP-700); 10 topic ids and 12 questions by id (KIP-516); 13 an error for the whole answer (KIP-1102).
//!
//! A topic that is missing is made where client and `auto.create.topics.enable` allow it, and the answer has it already:
//! see `broker/metadata/auto_create.rs`.

use std::collections::HashSet;
use std::sync::Arc;

use super::authorized_operations;
use super::request::{Call, RequestContext};
use crate::broker::{Partition, Topic};
use crate::model::{ErrorCode, Uuid, is_internal_topic, validate_topic_name};
use crate::protocol::messages::metadata::{
    MetadataRequestTopic, MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use crate::protocol::{MetadataRequest, MetadataResponse, StrBytes};
use crate::server::network::Outcome;

/// The first version that asks by id.
const FIRST_BY_ID: i16 = 12;

pub(super) fn handle(call: Call<'_>, request: MetadataRequest) -> Outcome {
    if may_create(&call.context, &request) {
        return call.respond_in_order_on_io_thread(request, answer);
    }
    let response = answer(&call.context, request);
    call.respond(&response)
}

fn allows_creation(context: &RequestContext, request: &MetadataRequest) -> bool {
    request.allow_auto_topic_creation && context.core.config().auto_create_topics_enable
}

/// Whether the answer may have to make a topic, which writes to the disk.
fn may_create(context: &RequestContext, request: &MetadataRequest) -> bool {
    let is_missing = |topic: &MetadataRequestTopic| {
        topic.name.as_deref().is_some_and(|name| context.core.metadata.topic(name).is_none())
    };
    request.topics.iter().flatten().any(is_missing) && allows_creation(context, request)
}

fn answer(context: &RequestContext, request: MetadataRequest) -> MetadataResponse {
    let core = &context.core;
    let rack = core.config().broker_rack.as_deref().map(StrBytes::from);
    let brokers = context.brokers().into_iter().map(|(node_id, address)| MetadataResponseBroker {
        node_id,
        host: address.host,
        port: i32::from(address.port),
        rack: rack.clone(),
    });
    MetadataResponse {
        brokers: brokers.collect(),
        cluster_id: Some(core.cluster_id.as_str().into()),
        controller_id: context.controller_id(),
        topics: answer_topics(context, &request),
        cluster_authorized_operations: authorized_operations::on_cluster(
            request.include_cluster_authorized_operations,
        ),
        ..MetadataResponse::default()
    }
}

fn answer_topics(context: &RequestContext, request: &MetadataRequest) -> Vec<MetadataResponseTopic> {
    let asked = request.include_topic_authorized_operations;
    let describe = |topic: &Arc<Topic>| describe(topic, context, asked);
    let topics = match &request.topics {
        None => return context.core.metadata.topics().iter().map(describe).collect(),
        Some(none) if none.is_empty() && context.version() == 0 => {
            return context.core.metadata.topics().iter().map(describe).collect();
        }
        Some(topics) => topics,
    };
    let version = context.version();
    let asks_too_early = |topic: &MetadataRequestTopic| topic.name.is_none() || !topic.topic_id.is_zero();
    if version < FIRST_BY_ID && topics.iter().any(asks_too_early) {
        return topics.iter().map(refuse_id).collect();
    }
    let allows_creation = allows_creation(context, request);
    let mut seen = HashSet::with_capacity(topics.len());
    let mut answers = Vec::with_capacity(topics.len());
    for topic in topics {
        if !seen.insert((&topic.name, topic.topic_id)) {
            continue;
        }
        let found = if topic.topic_id.is_zero() {
            let name = topic.name.clone().unwrap_or_default();
            find_or_create(context, &name, allows_creation).map_err(|error| by_name(name, error))
        } else {
            context.core.metadata.topic_by_id(topic.topic_id).ok_or_else(|| unknown_id(topic.topic_id))
        };
        answers.push(found.as_ref().map_or_else(Clone::clone, describe));
    }
    answers
}

/// Versions 10 and 11 have a field for the id, but only later ones may use it.
fn refuse_id(topic: &MetadataRequestTopic) -> MetadataResponseTopic {
    let name = Some(topic.name.clone().unwrap_or_default());
    MetadataResponseTopic { error_code: ErrorCode::InvalidRequest.code(), name, ..Default::default() }
}

fn by_name(name: StrBytes, error: ErrorCode) -> MetadataResponseTopic {
    MetadataResponseTopic {
        error_code: error.code(),
        is_internal: is_internal_topic(&name),
        name: Some(name),
        ..MetadataResponseTopic::default()
    }
}

fn unknown_id(topic_id: Uuid) -> MetadataResponseTopic {
    let error_code = ErrorCode::UnknownTopicId.code();
    MetadataResponseTopic { error_code, name: None, topic_id, ..MetadataResponseTopic::default() }
}

fn find_or_create(
    context: &RequestContext,
    name: &str,
    allows_creation: bool,
) -> Result<Arc<Topic>, ErrorCode> {
    let core = &context.core;
    if let Some(topic) = core.metadata.topic(name) {
        return Ok(topic);
    }
    validate_topic_name(name).map_err(|_| ErrorCode::InvalidTopicException)?;
    if !allows_creation {
        return Err(ErrorCode::UnknownTopicOrPartition);
    }
    core.topic_or_auto_create(name).map_err(|error| {
        tracing::warn!("{context}: cannot make topic {name}, which it asked for: {error}");
        error.code()
    })
}

fn describe(topic: &Arc<Topic>, context: &RequestContext, asks_operations: bool) -> MetadataResponseTopic {
    let partitions = topic.partitions();
    let partitions =
        (0..).zip(&partitions).map(|(index, partition)| describe_partition(index, partition, context));
    MetadataResponseTopic {
        name: Some(topic.name().as_ref().into()),
        topic_id: topic.id(),
        is_internal: topic.is_internal(),
        partitions: partitions.collect(),
        topic_authorized_operations: authorized_operations::on_topic(asks_operations),
        ..MetadataResponseTopic::default()
    }
}

fn describe_partition(
    index: i32,
    partition: &Partition,
    context: &RequestContext,
) -> MetadataResponsePartition {
    // Where the disk of a partition has failed, nobody leads it.
    let placement = context.core.placement(partition);
    let error = if placement.leader.is_some() { ErrorCode::None } else { ErrorCode::LeaderNotAvailable };
    MetadataResponsePartition {
        error_code: error.code(),
        partition_index: index,
        leader_id: placement.leader_id(),
        leader_epoch: partition.leader_epoch(),
        replica_nodes: placement.replicas,
        isr_nodes: placement.in_sync,
        offline_replicas: placement.offline,
    }
}
