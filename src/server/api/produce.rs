//! Produce, 0-13: appends batches.
//!
//! 0 to 2 take message sets of magic 0 and 1 and convert them; from 3 on (KIP-98) a partition gets exactly one batch of
//! magic 2. 5 answers the log start offset (KIP-107); 7 may carry zstd (KIP-110); 8 gets the errors of single records
//! (KIP-467); 9 is flexible; 10 gets the present leader where this broker is not it (KIP-951); 11 and 12 are for
//! transactions (KIP-890); 13 names topics by id (KIP-516).
//!
//! Records are appended on the thread that read them, out of the frame. This broker has no followers, so acks=all is
//! reached by the append itself; only where a topic wants a flush (`flush.messages`) the answer waits, and no thread with
//! it. With acks=0 there is no answer, so an error ends the connection: the client then asks for metadata again.
//!
//! A batch of a transaction is appended while the transaction cannot end. Its partition must have been added before, or
//! is added now (12); a client below 11 learns with INVALID_TXN_STATE that it was not, a newer one with
//! TRANSACTION_ABORTABLE.

mod transaction;

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::Arc;

use parking_lot::Mutex;

use super::request::{Call, Reply, RequestContext};
use crate::broker::{AppendRecordsParams, IoThreads, Partition};
use crate::error::Error;
use crate::model::{BrokerId, ErrorCode, Offset, TopicPartition, Uuid, is_internal_topic};
use crate::protocol::messages::produce::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, NodeEndpoint, PartitionProduceData,
    PartitionProduceResponse, TopicProduceData, TopicProduceResponse,
};
use crate::protocol::{ProduceRequest, ProduceResponse, StrBytes};
use crate::record::{AppendOrigin, BatchError, Batches, CompressionType, RecordBatchRef, Records};
use crate::server::network::Outcome;

/// The first version whose batches have magic 2.
const FIRST_BATCH_FORMAT: i16 = 3;
/// The first version whose client knows zstd.
const FIRST_ZSTD: i16 = 7;
/// The first version that names topics by id.
const FIRST_TOPIC_IDS: i16 = 13;
/// The client that may write to internal topics (Kafka: `AdminUtils.ADMIN_CLIENT_ID`).
const ADMIN_CLIENT_ID: &str = "__admin_client";

pub(super) fn handle(call: Call<'_>, request: ProduceRequest) -> Outcome {
    // It may add a partition to a transaction, and wait for whoever ends it.
    if request.transactional_id.is_some() && call.context.core.coordinators_may_flush() {
        return call.handle_on_io_thread(request, append_and_respond);
    }
    append_and_respond(call, request)
}

fn append_and_respond(call: Call<'_>, request: ProduceRequest) -> Outcome {
    let acks = request.acks;
    let transaction = transaction::of_request(&call.context, &request);
    let (transaction, refusal) = match (is_acks_valid(acks), transaction) {
        (false, _) => (None, Some(ErrorCode::InvalidRequiredAcks)),
        (true, Ok(transaction)) => (transaction, None),
        (true, Err(refusal)) => (None, Some(refusal)),
    };
    let mut appends = Appends::new(&call.context, refusal);
    let responses = match transaction {
        None => appends.append_all(request.topic_data),
        Some(transaction) => transaction.append_all(&mut appends, request.topic_data),
    };
    let mut response = ProduceResponse { responses, ..ProduceResponse::default() };
    let Appends { flushes, error, .. } = appends;
    if let Some(leader) = own_endpoint_if_moved(&call.context, &response) {
        response.node_endpoints.push(leader);
    }
    if !flushes.is_empty() {
        let io_threads = Arc::clone(&call.context.core.io_threads);
        let (reply, left) = (call.defer(), flushes.len());
        let answer = UnflushedAnswer { reply, response, acks, error, left };
        return flush_and_respond(answer, flushes, &io_threads);
    }
    if acks != 0 {
        return call.respond(&response);
    }
    match error {
        None => call.no_response(),
        Some(error) => {
            log_failure_without_answer(&call.context, &error);
            call.close()
        }
    }
}

fn log_failure_without_answer(context: &RequestContext, (partition, error): &(TopicPartition, ErrorCode)) {
    tracing::info!(%partition, %error, "{context}: the append failed; acks=0, so the connection is closed");
}

fn is_acks_valid(acks: i16) -> bool {
    matches!(acks, -1..=1)
}

fn first_batch(records: Option<&Records>) -> Option<RecordBatchRef<'_>> {
    match records? {
        Records::Bytes(bytes) => Batches::new(bytes).next()?.ok(),
        // What comes from a frame is in memory, in one piece.
        Records::File(_) | Records::Mixed(_) => None,
    }
}

/// What is appended for one request, and what is still to be done for it.
struct Appends<'a> {
    context: &'a RequestContext,
    refusal: Option<ErrorCode>,
    /// The partitions of the request's transaction that cannot be written to, and why.
    refused: HashMap<TopicPartition, ErrorCode>,
    /// The transaction's lock is held, so that nobody may be woken now; who is to be woken later.
    is_in_transaction: bool,
    unwoken: Vec<Arc<Partition>>,
    flushes: Vec<Flush>,
    /// The first one.
    error: Option<(TopicPartition, ErrorCode)>,
}

/// A partition whose append counts only once it is on the disk.
struct Flush {
    partition: Arc<Partition>,
    up_to: Offset,
}

/// What an append comes to.
struct Appended {
    base_offset: Offset,
    log_append_time_ms: i64,
    log_start_offset: Offset,
}

impl<'a> Appends<'a> {
    fn new(context: &'a RequestContext, refusal: Option<ErrorCode>) -> Self {
        Appends {
            context,
            refusal,
            refused: HashMap::new(),
            is_in_transaction: false,
            unwoken: Vec::new(),
            flushes: Vec::new(),
            error: None,
        }
    }

    fn append_all(&mut self, topics: Vec<TopicProduceData>) -> Vec<TopicProduceResponse> {
        // A topic without partitions is left out, as Kafka does.
        let topics = topics.into_iter().filter(|topic| !topic.partition_data.is_empty());
        topics.map(|topic| self.append_to_topic(topic)).collect()
    }

    fn append_to_topic(&mut self, topic: TopicProduceData) -> TopicProduceResponse {
        let TopicProduceData { name, topic_id, partition_data } = topic;
        let resolved = resolve(self.context, &name, topic_id);
        let mut partition_responses = Vec::with_capacity(partition_data.len());
        for data in partition_data {
            let index = data.index;
            let partition = match (self.refusal, &resolved) {
                (Some(refusal), _) => Err(refusal),
                (None, Err(error)) => Err(*error),
                (None, Ok(topic)) => topic.partition(index).ok_or(ErrorCode::UnknownTopicOrPartition),
            };
            let appended = match &partition {
                Ok(partition) => self.append(partition, data),
                Err(error) => Err(Error::from(*error)),
            };
            if let Err(error) = &appended
                && self.error.is_none()
            {
                let topic =
                    resolved.as_ref().map_or_else(|_| Arc::from(&*name), |topic| Arc::clone(topic.name()));
                self.error = Some((TopicPartition::new(topic, index), error.code()));
            }
            partition_responses.push(self.partition_response(index, partition.ok().as_deref(), &appended));
        }
        TopicProduceResponse { name, topic_id, partition_responses }
    }

    fn append(&mut self, partition: &Arc<Partition>, data: PartitionProduceData) -> Result<Appended, Error> {
        let version = self.context.version();
        let first = first_batch(data.records.as_ref());
        // The older ones know neither zstd nor batches, and nothing of a batch is checked for them.
        if (FIRST_BATCH_FORMAT..FIRST_ZSTD).contains(&version)
            && first.is_some_and(|batch| matches!(batch.compression_type(), Ok(CompressionType::Zstd)))
        {
            return Err(Error::new(
                ErrorCode::UnsupportedCompressionType,
                format!("Produce requests of version {version} are not allowed to use ZStandard compression"),
            ));
        }
        let is_empty = first.is_none() && is_cut_or_empty(data.records.as_ref());
        if version < FIRST_BATCH_FORMAT && is_empty {
            // Old clients may say nothing, which is no error.
            let log_start_offset = partition.log()?.log_start_offset();
            return Ok(Appended { base_offset: -1, log_append_time_ms: -1, log_start_offset });
        }
        let records = match &data.records {
            Some(Records::Bytes(records)) => records.clone(),
            Some(Records::File(_) | Records::Mixed(_)) | None => bytes::Bytes::new(),
        };
        let params = AppendRecordsParams {
            origin: AppendOrigin::Client,
            requires_batch_format: version >= FIRST_BATCH_FORMAT,
        };
        if let Some(error) = self.refused.get(partition.tp())
            && first.is_some_and(|batch| batch.is_transactional())
        {
            return Err(transaction::refusal(*error));
        }
        let appended = if self.is_in_transaction {
            partition
                .append_without_waking(&records, params)
                .inspect(|_| self.unwoken.push(Arc::clone(partition)))
        } else {
            partition.append_records_to_leader(&records, params)
        };
        let info = appended.inspect_err(|error| self.note_if_fenced(partition, first, error))?;
        if info.needs_flush {
            self.flushes.push(Flush { partition: Arc::clone(partition), up_to: info.last_offset + 1 });
        }
        Ok(Appended {
            base_offset: info.first_offset,
            log_append_time_ms: info.log_append_time,
            log_start_offset: info.log_start_offset,
        })
    }

    /// Keeps that a producer has written with an epoch that is over, if somebody wants to know.
    fn note_if_fenced(&self, partition: &Partition, batch: Option<RecordBatchRef<'_>>, error: &Error) {
        let history = self.context.core.producer_history();
        if let Some(batch) =
            batch.filter(|_| error.code() == ErrorCode::InvalidProducerEpoch && history.is_kept())
        {
            let text = format!("A batch for {} is refused: {error}", partition.tp());
            history.note(&batch.producer_id().to_string().into(), text);
        }
    }

    fn partition_response(
        &self,
        index: i32,
        partition: Option<&Partition>,
        appended: &Result<Appended, Error>,
    ) -> PartitionProduceResponse {
        match appended {
            Ok(appended) => PartitionProduceResponse {
                index,
                base_offset: appended.base_offset,
                log_append_time_ms: appended.log_append_time_ms,
                log_start_offset: appended.log_start_offset,
                ..PartitionProduceResponse::default()
            },
            Err(error) => PartitionProduceResponse {
                record_errors: record_errors(error),
                error_message: Some(error.to_string().into()),
                log_start_offset: partition.map_or(-1, |partition| log_start_offset(partition, error)),
                current_leader: match (error.code(), partition) {
                    (ErrorCode::NotLeaderOrFollower, Some(partition)) => LeaderIdAndEpoch {
                        leader_id: self.context.node_id(),
                        leader_epoch: partition.leader_epoch(),
                    },
                    _ => LeaderIdAndEpoch::default(),
                },
                ..failed(index, error.code())
            },
        }
    }
}

fn resolve(
    context: &RequestContext,
    name: &str,
    topic_id: Uuid,
) -> Result<Arc<crate::broker::Topic>, ErrorCode> {
    let metadata = &context.core.metadata;
    let topic = if context.version() >= FIRST_TOPIC_IDS {
        metadata.topic_by_id(topic_id).ok_or(ErrorCode::UnknownTopicId)?
    } else {
        metadata.topic(name).ok_or(ErrorCode::UnknownTopicOrPartition)?
    };
    if is_internal_topic(topic.name()) && context.client_id() != ADMIN_CLIENT_ID {
        return Err(ErrorCode::InvalidTopicException);
    }
    Ok(topic)
}

/// Where the log starts, which is said of records that the log itself refused (Kafka:
/// `ReplicaManager#appendRecordsToLeader`), and -1 of those that did not come that far.
fn log_start_offset(partition: &Partition, error: &Error) -> Offset {
    let reached_log = match error.source().and_then(|source| source.downcast_ref::<BatchError>()) {
        Some(BatchError::NoBatch | BatchError::SeveralBatches | BatchError::OldMagic(_)) => false,
        Some(_) => true,
        // What was refused before, such as by the transaction, has nothing behind it.
        None => error.source().is_some(),
    };
    let is_told = !matches!(
        error.code(),
        ErrorCode::UnknownTopicOrPartition
            | ErrorCode::NotLeaderOrFollower
            | ErrorCode::MessageTooLarge
            | ErrorCode::RecordListTooLarge
            | ErrorCode::CorruptMessage
            | ErrorCode::KafkaStorageError
    );
    match partition.existing_log() {
        Some(log) if reached_log && is_told => log.log_start_offset(),
        _ => -1,
    }
}

fn failed(index: i32, error: ErrorCode) -> PartitionProduceResponse {
    PartitionProduceResponse {
        index,
        error_code: error.code(),
        base_offset: -1,
        ..PartitionProduceResponse::default()
    }
}

/// No batch at all, or only the start of one, which is not the same as a batch that is wrong.
fn is_cut_or_empty(records: Option<&Records>) -> bool {
    match records {
        Some(Records::Bytes(bytes)) => Batches::new(bytes).next().is_none(),
        _ => true,
    }
}

/// Which records of the batch were refused, and why.
fn record_errors(error: &Error) -> Vec<BatchIndexAndErrorMessage> {
    let Some(error) = error.source().and_then(|source| source.downcast_ref::<BatchError>()) else {
        return Vec::new();
    };
    let of_record = |error: &crate::record::RecordError| BatchIndexAndErrorMessage {
        batch_index: error.batch_index,
        batch_index_error_message: Some(StrBytes::from(error.message.as_str())),
    };
    error.record_errors().iter().map(of_record).collect()
}

/// The address that goes with `current_leader`.
fn own_endpoint_if_moved(context: &RequestContext, response: &ProduceResponse) -> Option<NodeEndpoint> {
    let partitions = response.responses.iter().flat_map(|topic| &topic.partition_responses);
    let leader_id = partitions.map(|partition| partition.current_leader.leader_id).find(|id| *id >= 0)?;
    endpoint_of(context, leader_id)
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

/// An answer that waits until what was appended is on the disk.
struct UnflushedAnswer {
    reply: Reply,
    response: ProduceResponse,
    acks: i16,
    error: Option<(TopicPartition, ErrorCode)>,
    /// Partitions that are not flushed yet.
    left: usize,
}

impl UnflushedAnswer {
    fn on_flushed(&mut self, partition: &Partition, flushed: Result<(), Error>) {
        self.left -= 1;
        let Err(failure) = flushed else { return };
        let tp = partition.tp();
        tracing::error!(partition = %tp, error = %failure, "cannot flush what was produced");
        fail_partition(&mut self.response, partition, &failure);
        self.error.get_or_insert_with(|| (tp.clone(), failure.code()));
    }

    fn send(self) {
        match (self.acks, self.error) {
            (0, None) => self.reply.none(),
            (0, Some(error)) => {
                if let Some(context) = self.reply.context() {
                    log_failure_without_answer(&context, &error);
                }
                self.reply.close();
            }
            _ => self.reply.send(&self.response),
        }
    }
}

/// No thread waits for the disk on behalf of a request: whoever flushes a partition answers all that wait for it.
fn flush_and_respond(answer: UnflushedAnswer, flushes: Vec<Flush>, io_threads: &Arc<IoThreads>) -> Outcome {
    let answer = Arc::new(Mutex::new(Some(answer)));
    for Flush { partition, up_to } in flushes {
        let (answer, flushed_partition) = (Arc::clone(&answer), Arc::clone(&partition));
        partition.flush_then(io_threads, up_to, move |flushed| {
            let mut waiting = answer.lock();
            if let Some(answer) = waiting.as_mut() {
                answer.on_flushed(&flushed_partition, flushed);
            }
            let complete = waiting.take_if(|answer| answer.left == 0);
            drop(waiting);
            if let Some(answer) = complete {
                answer.send();
            }
        });
    }
    Outcome::Pending
}

fn fail_partition(response: &mut ProduceResponse, partition: &Partition, error: &Error) {
    let tp = partition.tp();
    let is_it = |topic: &&mut TopicProduceResponse| {
        &*topic.name == tp.topic() || (topic.topic_id == partition.topic_id() && !topic.topic_id.is_zero())
    };
    let partitions =
        response.responses.iter_mut().filter(is_it).flat_map(|topic| &mut topic.partition_responses);
    for answer in partitions.filter(|answer| answer.index == tp.partition() && answer.error_code == 0) {
        *answer = PartitionProduceResponse {
            error_message: Some(error.to_string().into()),
            ..failed(answer.index, error.code())
        };
    }
}
