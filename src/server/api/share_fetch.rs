//! ShareFetch, 1-2: a member of a share group acquires records, and acknowledges others on the way (KIP-932).
//!
//! 2 adds a strict limit of records (KIP-1206), and the renewal of locks (KIP-1222), with which nothing is fetched. Epoch 0
//! opens a session, -1 ends it: what the member still holds is given back.
//!
//! Acknowledgements count before anything is fetched. A fetch that finds nothing to acquire waits without a thread.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::request::{Call, Reply, RequestContext};
use super::share_acknowledgements::{
    Acknowledgements, FIRST_RENEW, ShareMember, acknowledge, leader_of, refusal, told,
};
use crate::broker::share::{
    AcknowledgementBatch, FINAL_EPOCH, INITIAL_EPOCH, ShareError, ShareFetchParams, ShareFetchPartitionData,
    ShareSessionRequest, ShareTarget,
};
use crate::model::{ErrorCode, Uuid};
use crate::protocol::messages::share_fetch::{
    AcquiredRecords, FetchPartition, LeaderIdAndEpoch, NodeEndpoint, PartitionData,
    ShareFetchableTopicResponse,
};
use crate::protocol::{ShareFetchRequest, ShareFetchResponse};
use crate::server::network::Outcome;

/// "Whole batches, even if they are more than asked for".
const BATCH_OPTIMIZED: i8 = 0;
/// "No more records than that".
const RECORD_LIMIT: i8 = 1;

/// What is answered of acknowledgements.
type Acknowledged = BTreeMap<(Uuid, i32), Result<(), ShareError>>;

/// What the answer to a fetch needs besides what was fetched.
struct Answering {
    member: ShareMember,
    epoch: i32,
    acknowledged: Acknowledged,
}

pub(super) fn handle(call: Call<'_>, request: ShareFetchRequest) -> Outcome {
    let is_renew_ack = call.version() >= FIRST_RENEW && request.is_renew_ack;
    let member = match ShareMember::of(request.group_id.as_ref(), request.member_id.as_ref()) {
        Ok(member) => member,
        Err(message) => return call.respond(&refused(ErrorCode::InvalidRequest, message.to_owned())),
    };
    if let Some(message) = wrong_renewal(&request).filter(|_| is_renew_ack) {
        return call.respond(&refused(ErrorCode::InvalidRequest, message));
    }
    if call.version() >= FIRST_RENEW && ![BATCH_OPTIMIZED, RECORD_LIMIT].contains(&request.share_acquire_mode)
    {
        let message = format!("Unknown share acquire mode {}.", request.share_acquire_mode);
        return call.respond(&refused(ErrorCode::InvalidRequest, message));
    }
    let core = Arc::clone(&call.context.core);
    let partitions = match core.share_groups.open_session(session_request(&call.context, &member, &request)) {
        Ok(partitions) => partitions,
        Err(error) if error == ErrorCode::ShareSessionLimitReached => {
            return refuse_later(call, &request, error);
        }
        Err(error) => return call.respond(&refused(error, error.to_string())),
    };
    let acknowledged = acknowledge_all(&call.context, &member, &request, is_renew_ack);
    let epoch = request.share_session_epoch;
    let answering = Answering { member, epoch, acknowledged };
    if epoch == FINAL_EPOCH || is_renew_ack {
        return respond(call, &answering, Vec::new());
    }
    let mut params = fetch_params(&call.context, &answering.member, &request);
    let targets = partitions.into_iter().map(|(topic_id, index)| target(&call.context, topic_id, index));
    let targets: Vec<ShareTarget> = targets.collect();
    let is_refused = |target: &ShareTarget| {
        let topic = core.metadata.topic_by_id(target.topic_id);
        topic.is_some_and(|topic| refusal(&call.context, topic.name(), target.index).is_some())
    };
    if targets.iter().any(is_refused) {
        // The client had better know at once.
        params.max_wait_ms = 0;
    }
    let mut waiting = Some((call, answering));
    let data = core.share_groups.fetch_or_wait(params, targets, |_| match waiting.take() {
        Some((call, answering)) => {
            let reply = call.defer();
            Box::new(move |data| send(reply, &answering, data))
        }
        None => Box::new(|_| ()),
    });
    match (data, waiting) {
        (Some(data), Some((call, answering))) => respond(call, &answering, data),
        _ => Outcome::Pending,
    }
}

fn refused(error: ErrorCode, message: String) -> ShareFetchResponse {
    ShareFetchResponse {
        error_code: error.code(),
        error_message: Some(message.into()),
        ..ShareFetchResponse::default()
    }
}

/// There are too many sessions: the client is not to ask again at once.
fn refuse_later(call: Call<'_>, request: &ShareFetchRequest, error: ErrorCode) -> Outcome {
    let timer = Arc::clone(&call.context.core.timer);
    let max_wait = std::time::Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
    let reply = call.defer();
    timer.schedule(max_wait, move || reply.send(&refused(error, error.to_string())));
    Outcome::Pending
}

/// Kafka's words for a renewal that would fetch, too.
fn wrong_renewal(request: &ShareFetchRequest) -> Option<String> {
    let fields = [
        ("maxBytes", request.max_bytes),
        ("minBytes", request.min_bytes),
        ("maxRecords", request.max_records),
        ("maxWaitMs", request.max_wait_ms),
    ];
    let wrong: String = fields
        .iter()
        .filter(|(_, value)| *value != 0)
        .map(|(name, _)| format!("{name} must be set to 0, "))
        .collect();
    (!wrong.is_empty()).then(|| format!("{wrong}if isRenewAck is true."))
}

fn session_request(
    context: &RequestContext,
    member: &ShareMember,
    request: &ShareFetchRequest,
) -> ShareSessionRequest {
    let partitions = request.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| (topic.topic_id, partition.partition_index))
    });
    let forgotten = request
        .forgotten_topics_data
        .iter()
        .flat_map(|topic| topic.partitions.iter().map(|partition| (topic.topic_id, *partition)));
    let asked = request.topics.iter().flat_map(|topic| &topic.partitions);
    ShareSessionRequest {
        key: member.session_key(context),
        epoch: request.share_session_epoch,
        partitions: partitions.collect(),
        forgotten: forgotten.collect(),
        has_acknowledgements: asked.into_iter().any(|asked| !asked.acknowledgement_batches.is_empty()),
        connection_id: Some(context.connection.id),
    }
}

fn acknowledge_all(
    context: &RequestContext,
    member: &ShareMember,
    request: &ShareFetchRequest,
    is_renew_ack: bool,
) -> Acknowledged {
    let asked = request.topics.iter().flat_map(|topic| topic.partitions.iter().map(|p| (topic.topic_id, p)));
    let said = asked.filter(|(_, asked)| !asked.acknowledgement_batches.is_empty());
    said.map(|(topic_id, asked)| {
        let said = acknowledgements(topic_id, asked);
        ((topic_id, said.index), acknowledge(context, member, &said, is_renew_ack))
    })
    .collect()
}

fn acknowledgements(topic_id: Uuid, asked: &FetchPartition) -> Acknowledgements {
    let batches = asked.acknowledgement_batches.iter().map(|batch| AcknowledgementBatch {
        first_offset: batch.first_offset,
        last_offset: batch.last_offset,
        types: batch.acknowledge_types.clone(),
    });
    Acknowledgements { topic_id, index: asked.partition_index, batches: batches.collect() }
}

fn fetch_params(
    context: &RequestContext,
    member: &ShareMember,
    request: &ShareFetchRequest,
) -> ShareFetchParams {
    let max_bytes = request.max_bytes.min(context.core.config().fetch_max_bytes);
    ShareFetchParams {
        group_id: Arc::clone(&member.group_id),
        member_id: Arc::clone(&member.member_id),
        session_epoch: request.share_session_epoch,
        max_wait_ms: request.max_wait_ms,
        min_bytes: request.min_bytes.min(max_bytes),
        max_bytes,
        max_records: request.max_records,
        batch_size: request.batch_size,
        is_record_limit: request.share_acquire_mode == RECORD_LIMIT,
    }
}

fn target(context: &RequestContext, topic_id: Uuid, index: i32) -> ShareTarget {
    let topic = context.core.metadata.topic_by_id(topic_id).ok_or(ErrorCode::UnknownTopicId);
    let partition = topic.and_then(|topic| {
        let found = topic.partition(index).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        refusal(context, topic.name(), index).map_or(Ok(found), Err)
    });
    ShareTarget { topic_id, index, partition }
}

/// Answers on the thread of the connection.
fn respond(call: Call<'_>, answering: &Answering, data: Vec<ShareFetchPartitionData>) -> Outcome {
    let response = response(&call.context, answering, data);
    call.respond(&response)
}

/// Answers on the thread that ended the wait.
fn send(reply: Reply, answering: &Answering, data: Vec<ShareFetchPartitionData>) {
    let Some(context) = reply.context() else { return };
    let response = response(&context, answering, data);
    drop(context);
    reply.send(&response);
}

fn response(
    context: &RequestContext,
    answering: &Answering,
    data: Vec<ShareFetchPartitionData>,
) -> ShareFetchResponse {
    let share_groups = &context.core.share_groups;
    let group_id = &answering.member.group_id;
    let mut partitions: BTreeMap<(Uuid, i32), PartitionData> = BTreeMap::new();
    for fetched in data {
        // In a session, who gets nothing is not told so.
        if answering.epoch != INITIAL_EPOCH && fetched.error.is_none() && fetched.acquired.is_empty() {
            continue;
        }
        let key = (fetched.topic_id, fetched.index);
        partitions.insert(key, partition_data(fetched));
    }
    for ((topic_id, index), outcome) in &answering.acknowledged {
        let data = partitions
            .entry((*topic_id, *index))
            .or_insert_with(|| PartitionData { partition_index: *index, ..PartitionData::default() });
        if let Err(error) = outcome {
            (data.acknowledge_error_code, data.acknowledge_error_message) = told(error);
        }
    }
    let mut responses: Vec<ShareFetchableTopicResponse> = Vec::new();
    for ((topic_id, _), data) in partitions {
        match responses.last_mut().filter(|topic| topic.topic_id == topic_id) {
            Some(topic) => topic.partitions.push(data),
            None => responses.push(ShareFetchableTopicResponse { topic_id, partitions: vec![data] }),
        }
    }
    if answering.epoch == FINAL_EPOCH {
        share_groups.release_session(&answering.member.session_key(context));
    }
    let mut response = ShareFetchResponse {
        acquisition_lock_timeout_ms: share_groups.settings(group_id).record_lock_duration_ms,
        responses,
        ..ShareFetchResponse::default()
    };
    tell_leaders(context, &mut response);
    response
}

/// Who leads what is led elsewhere.
fn tell_leaders(context: &RequestContext, response: &mut ShareFetchResponse) {
    let not_here = ErrorCode::NotLeaderOrFollower.code();
    for topic in &mut response.responses {
        let refused =
            |data: &&mut PartitionData| [data.error_code, data.acknowledge_error_code].contains(&not_here);
        for data in topic.partitions.iter_mut().filter(refused) {
            let found = leader_of(context, topic.topic_id, data.partition_index);
            let Some((node_id, leader_epoch, address)) = found else { continue };
            data.current_leader = LeaderIdAndEpoch { leader_id: node_id, leader_epoch };
            if let Some(address) =
                address.filter(|_| response.node_endpoints.iter().all(|of| of.node_id != node_id))
            {
                let (host, port) = (address.host, i32::from(address.port));
                response.node_endpoints.push(NodeEndpoint { node_id, host, port, ..NodeEndpoint::default() });
            }
        }
    }
}

fn partition_data(fetched: ShareFetchPartitionData) -> PartitionData {
    let (error_code, error_message) = fetched.error.as_ref().map(told).unwrap_or_default();
    let acquired = fetched.acquired.iter().map(|acquired| AcquiredRecords {
        first_offset: acquired.first_offset,
        last_offset: acquired.last_offset,
        delivery_count: acquired.delivery_count,
    });
    PartitionData {
        partition_index: fetched.index,
        error_code,
        error_message,
        acquired_records: acquired.collect(),
        records: Some(fetched.records),
        ..PartitionData::default()
    }
}
