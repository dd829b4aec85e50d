//! Fetch, 0-18: records of many partitions, now or once there are enough.
//!
//! 3 adds the limit of the whole answer, and with it at least one whole batch of the first partition that has any
//! (KIP-74); 4 isolation levels, and records of magic 2 as they are stored (KIP-98); 5 the log start offset (KIP-107); 7
//! sessions (KIP-227); 9 leader epochs (KIP-320); 10 zstd (KIP-110); 11 racks (KIP-392); 12 is flexible and tells a client
//! whose log diverges (KIP-595); 13 names topics by id (KIP-516); 15 names the replica with its epoch (KIP-903); 16 gives
//! the present leader's address (KIP-951); 17 and 18 are between brokers (KIP-858, KIP-1166).
//!
//! Records leave as ranges of the segment files. A fetch that finds too little waits without a thread, and is answered
//! by the append or the timer that ends its wait. Clients below 4 know neither magic 2 nor, below 2, timestamps: what they
//! get is converted on an I/O thread. There are no other replicas, so no other one is ever preferred.

use std::sync::Arc;

use super::isolation_level;
use super::request::{Call, Reply, RequestContext};
use crate::broker::{
    FetchContext, FetchIsolation, FetchParams, FetchPartition, FetchPartitionData, FetchSessionRequest,
    FetchTarget, FetchTopic, Partition, fetch_or_wait,
};
use crate::config::TopicCompression;
use crate::model::{BrokerId, ErrorCode, NO_LEADER_EPOCH, Uuid};
use crate::protocol::messages::fetch::{
    AbortedTransaction, EpochEndOffset, FetchableTopicResponse, LeaderIdAndEpoch, NodeEndpoint, PartitionData,
};
use crate::protocol::{FetchRequest, FetchResponse, StrBytes};
use crate::record::{
    BatchError, Batches, DownConvertParams, MAGIC_VALUE_V0, MAGIC_VALUE_V1, Records, down_convert,
};
use crate::server::network::Outcome;

/// The first version with a limit of the whole answer, and so with a promise of one batch.
const FIRST_MAX_BYTES: i16 = 3;
/// The first version whose client knows magic 1.
const FIRST_MAGIC_V1: i16 = 2;
/// The first version whose client knows magic 2.
const FIRST_MAGIC_V2: i16 = 4;
/// The first version whose client knows zstd.
const FIRST_ZSTD: i16 = 10;
/// The first version that names topics by id.
const FIRST_TOPIC_IDS: i16 = 13;
/// The first version that says in a struct of its own which replica asks.
const FIRST_REPLICA_STATE: i16 = 15;
/// "No replica, but a consumer."
const CONSUMER_REPLICA_ID: i32 = -1;
/// What one batch may grow to when it is converted.
const DECOMPRESSION_LIMIT_BYTES: usize = 100 << 20;

pub(super) fn handle(call: Call<'_>, mut request: FetchRequest) -> Outcome {
    let params = fetch_params(&call.context, &request);
    let core = Arc::clone(&call.context.core);
    let session = session_request(&call.context, &mut request);
    let fetch = match core.fetch_sessions.open(session) {
        Ok(fetch) => fetch,
        Err(error) => {
            tracing::debug!("{}: {error}", call.context);
            return call.respond(&FetchResponse { error_code: error.code(), ..FetchResponse::default() });
        }
    };
    let partitions = fetch.targets().iter().map(|target| fetch_partition(&call.context, target)).collect();
    let mut waiting = Some((call, fetch));
    let data = fetch_or_wait(&core.timer, params, partitions, || match waiting.take() {
        Some((call, fetch)) => {
            let reply = call.defer();
            Box::new(move |data| send(reply, fetch, data))
        }
        None => Box::new(|_| ()),
    });
    match (data, waiting) {
        (Some(data), Some((call, fetch))) => respond(call, fetch, data),
        _ => Outcome::Pending,
    }
}

fn replica_id(context: &RequestContext, request: &FetchRequest) -> i32 {
    if context.version() >= FIRST_REPLICA_STATE {
        request.replica_state.replica_id
    } else {
        request.replica_id
    }
}

fn fetch_params(context: &RequestContext, request: &FetchRequest) -> FetchParams {
    let isolation = match replica_id(context, request) {
        CONSUMER_REPLICA_ID => isolation_level(request.isolation_level).into(),
        _ => FetchIsolation::LogEnd,
    };
    let max_bytes = request.max_bytes.min(context.core.config().fetch_max_bytes);
    FetchParams {
        isolation,
        max_wait_ms: request.max_wait_ms,
        min_bytes: request.min_bytes.min(max_bytes),
        max_bytes,
        min_one_message: context.version() >= FIRST_MAX_BYTES,
    }
}

fn session_request(context: &RequestContext, request: &mut FetchRequest) -> FetchSessionRequest {
    let uses_topic_ids = context.version() >= FIRST_TOPIC_IDS;
    let topic_of = |name: &str, id: Uuid| match uses_topic_ids {
        true => FetchTopic::Id(id),
        // The broker's own copy of the name, if it knows the topic.
        false => FetchTopic::Name(
            context.core.metadata.topic(name).map_or_else(|| name.into(), |topic| Arc::clone(topic.name())),
        ),
    };
    let mut targets = Vec::with_capacity(request.topics.iter().map(|topic| topic.partitions.len()).sum());
    for topic in &request.topics {
        let name = topic_of(&topic.topic, topic.topic_id);
        targets.extend(topic.partitions.iter().map(|partition| FetchTarget {
            topic: name.clone(),
            partition: partition.partition,
            fetch_offset: partition.fetch_offset,
            max_bytes: partition.partition_max_bytes,
            current_leader_epoch: partition.current_leader_epoch,
            last_fetched_epoch: partition.last_fetched_epoch,
        }));
    }
    let mut forgotten = Vec::new();
    for topic in &request.forgotten_topics_data {
        let name = topic_of(&topic.topic, topic.topic_id);
        forgotten.extend(topic.partitions.iter().map(|partition| (name.clone(), *partition)));
    }
    FetchSessionRequest {
        session_id: request.session_id,
        session_epoch: request.session_epoch,
        is_follower: replica_id(context, request) >= 0,
        uses_topic_ids,
        targets,
        forgotten,
    }
}

fn find_partition(context: &RequestContext, target: &FetchTarget) -> Result<Arc<Partition>, ErrorCode> {
    match &target.topic {
        FetchTopic::Name(name) => context.core.partition(name, target.partition),
        FetchTopic::Id(id) => context
            .core
            .metadata
            .topic_by_id(*id)
            .ok_or(ErrorCode::UnknownTopicId)?
            .partition(target.partition)
            .ok_or(ErrorCode::UnknownTopicOrPartition),
    }
}

fn fetch_partition(context: &RequestContext, target: &FetchTarget) -> FetchPartition {
    FetchPartition {
        partition: find_partition(context, target),
        fetch_offset: target.fetch_offset,
        max_bytes: target.max_bytes,
        current_leader_epoch: target.current_leader_epoch,
        last_fetched_epoch: target.last_fetched_epoch,
    }
}

/// Answers on the thread of the connection.
fn respond(call: Call<'_>, fetch: FetchContext, data: Vec<FetchPartitionData>) -> Outcome {
    if needs_conversion(&call.context, &data) {
        return call.respond_on_io_thread((fetch, data), |context, (fetch, data)| {
            response(context, &fetch, convert_all(context, &fetch, data))
        });
    }
    let data = refuse_unknown_codec(&call.context, &fetch, data);
    let response = response(&call.context, &fetch, data);
    call.respond(&response)
}

/// Answers on the thread that ended the wait, which must not be kept for long.
fn send(reply: Reply, fetch: FetchContext, data: Vec<FetchPartitionData>) {
    let Some(context) = reply.context() else { return };
    if needs_conversion(&context, &data) {
        let io_threads = Arc::clone(&context.core.io_threads);
        io_threads.run(move || {
            let response = response(&context, &fetch, convert_all(&context, &fetch, data));
            drop(context);
            reply.send(&response);
        });
        return;
    }
    let data = refuse_unknown_codec(&context, &fetch, data);
    let response = response(&context, &fetch, data);
    drop(context);
    reply.send(&response);
}

fn response(context: &RequestContext, fetch: &FetchContext, data: Vec<FetchPartitionData>) -> FetchResponse {
    let answer = context.core.fetch_sessions.complete(fetch, &data);
    let mut response = FetchResponse {
        error_code: answer.error.code(),
        session_id: answer.session_id,
        ..FetchResponse::default()
    };
    let mut previous: Option<&FetchTopic> = None;
    for ((target, data), included) in fetch.targets().iter().zip(data).zip(answer.included) {
        if !included {
            continue;
        }
        if previous != Some(&target.topic) {
            response.responses.push(topic_response(&target.topic));
            previous = Some(&target.topic);
        }
        let data = at_present_leader(context, target, data);
        let data = partition_data(leader_of(context, target, data.error), target.partition, data);
        let leader_id = data.current_leader.leader_id;
        if leader_id >= 0 && !response.node_endpoints.iter().any(|known| known.node_id == leader_id) {
            response.node_endpoints.extend(endpoint_of(context, leader_id));
        }
        if let Some(topic) = response.responses.last_mut() {
            topic.partitions.push(data);
        }
    }
    response
}

fn topic_response(topic: &FetchTopic) -> FetchableTopicResponse {
    match topic {
        FetchTopic::Name(name) => {
            FetchableTopicResponse { topic: StrBytes::from(&**name), ..FetchableTopicResponse::default() }
        }
        FetchTopic::Id(topic_id) => {
            FetchableTopicResponse { topic_id: *topic_id, ..FetchableTopicResponse::default() }
        }
    }
}

/// The leader of a partition, if the client has to be told.
fn leader_of(context: &RequestContext, target: &FetchTarget, error: ErrorCode) -> Option<BrokerId> {
    match error {
        ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch => {
            context.core.placement(&*find_partition(context, target).ok()?).leader
        }
        _ => None,
    }
}

fn partition_data(leader: Option<BrokerId>, index: i32, data: FetchPartitionData) -> PartitionData {
    let current_leader = match leader {
        Some(leader_id) if data.leader_epoch != NO_LEADER_EPOCH => {
            LeaderIdAndEpoch { leader_id, leader_epoch: data.leader_epoch }
        }
        _ => LeaderIdAndEpoch::default(),
    };
    let diverging =
        data.diverging_epoch.map(|end| EpochEndOffset { epoch: end.epoch, end_offset: end.end_offset });
    PartitionData {
        partition_index: index,
        error_code: data.error.code(),
        high_watermark: data.high_watermark,
        last_stable_offset: data.last_stable_offset,
        log_start_offset: data.log_start_offset,
        diverging_epoch: diverging.unwrap_or_default(),
        current_leader,
        aborted_transactions: data.aborted_transactions.map(|aborted| {
            let wire = aborted.iter().map(|aborted| AbortedTransaction {
                producer_id: aborted.producer_id,
                first_offset: aborted.first_offset,
            });
            wire.collect()
        }),
        records: Some(data.records),
        ..PartitionData::default()
    }
}

/// A fetch may have waited while another broker has become the leader: what came since is for that one to tell.
fn at_present_leader(
    context: &RequestContext,
    target: &FetchTarget,
    data: FetchPartitionData,
) -> FetchPartitionData {
    let Some(here) = context.node() else { return data };
    let Ok(partition) = find_partition(context, target) else { return data };
    let is_here = context.core.placement(&partition).leader == Some(here);
    let is_refused = !is_here && data.error != ErrorCode::KafkaStorageError;
    match is_refused {
        true => FetchPartitionData::error(ErrorCode::NotLeaderOrFollower, partition.leader_epoch()),
        false => data,
    }
}

pub(super) fn endpoint_of(context: &RequestContext, node_id: BrokerId) -> Option<NodeEndpoint> {
    let address = context.address_of(node_id)?;
    Some(NodeEndpoint {
        node_id,
        host: address.host,
        port: i32::from(address.port),
        rack: context.core.config().broker_rack.as_deref().map(StrBytes::from),
    })
}

/// Whether a client is too old for what is stored.
fn needs_conversion(context: &RequestContext, data: &[FetchPartitionData]) -> bool {
    context.version() < FIRST_MAGIC_V2 && data.iter().any(|data| !data.records.is_empty())
}

/// A topic that is kept in zstd gives nothing to clients that cannot know it. (Where only the producers chose zstd, the
/// records are sent nevertheless, as in Kafka: the client may know more than the version that it speaks.)
fn refuse_unknown_codec(
    context: &RequestContext,
    fetch: &FetchContext,
    mut data: Vec<FetchPartitionData>,
) -> Vec<FetchPartitionData> {
    if context.version() < FIRST_ZSTD {
        for (target, data) in fetch.targets().iter().zip(&mut data) {
            let is_zstd = find_partition(context, target)
                .is_ok_and(|partition| partition.config().compression_type == TopicCompression::Zstd);
            if is_zstd {
                *data = FetchPartitionData::error(ErrorCode::UnsupportedCompressionType, data.leader_epoch);
            }
        }
    }
    data
}

fn convert_all(
    context: &RequestContext,
    fetch: &FetchContext,
    data: Vec<FetchPartitionData>,
) -> Vec<FetchPartitionData> {
    let mut data = refuse_unknown_codec(context, fetch, data);
    for (target, data) in fetch.targets().iter().zip(&mut data).filter(|(_, data)| !data.records.is_empty()) {
        match convert(context, target, &data.records) {
            Ok(records) => data.records = records,
            Err(error) => *data = FetchPartitionData::error(error, data.leader_epoch),
        }
    }
    data
}

/// The records as an old client can read them (Kafka: `LazyDownConversionRecords`).
fn convert(context: &RequestContext, target: &FetchTarget, records: &Records) -> Result<Records, ErrorCode> {
    if !find_partition(context, target)?.config().message_downconversion_enable {
        return Err(ErrorCode::UnsupportedVersion);
    }
    let failed = |error: &dyn std::fmt::Display, code| {
        tracing::error!("{context}: cannot convert records for an old client: {error}");
        code
    };
    let stored = records.read().map_err(|error| failed(&error, ErrorCode::KafkaStorageError))?;
    if Batches::new(&stored).next().is_none() {
        // The first batch is cut by the client's limits. Old and new formats start alike, with offset and size, so the
        // client sees as much: a message that is larger than it asked for.
        return Ok(Records::Bytes(stored));
    }
    let params = DownConvertParams {
        to_magic: if context.version() < FIRST_MAGIC_V1 { MAGIC_VALUE_V0 } else { MAGIC_VALUE_V1 },
        first_offset: target.fetch_offset,
        decompression_limit_bytes: DECOMPRESSION_LIMIT_BYTES,
    };
    match down_convert(&stored, params) {
        Ok(converted) => Ok(Records::Bytes(converted)),
        Err(error @ (BatchError::UnsupportedCompression { .. } | BatchError::UnknownCompression { .. })) => {
            tracing::debug!("{context}: {error}");
            Err(ErrorCode::UnsupportedCompressionType)
        }
        Err(error) => Err(failed(&error, error.code())),
    }
}
