//! ListOffsets, 0-11: offsets by timestamp, and of special places in the log.
//!
//! 0 answers the starts of segments; from 1 on (KIP-79) it is one offset with its timestamp. 2 adds isolation levels
//! (KIP-98); 4 leader epochs (KIP-320); 6 is flexible; 7 adds the record with the largest timestamp (-3, KIP-734), 8 the
//! local start (-4, KIP-405), 9 the end of what is tiered (-5, KIP-1005), 10 a timeout for slow tiers (KIP-1075), 11 the
//! first that is to be tiered (-6, KIP-1023).
//!
//! Nothing is tiered here, so the local start is the start, and -5 and -6 answer -1. A version that is too low for a
//! special timestamp gets UNSUPPORTED_VERSION. A search by timestamp reads files, on an I/O thread.

use std::collections::HashMap;

use super::isolation_level;
use super::request::{Call, RequestContext};
use crate::broker::{
    FetchIsolation, OffsetSpec, Partition, check_leader_epoch, legacy_fetch_offsets, list_offset,
};
use crate::error::Error;
use crate::model::{ErrorCode, Timestamp};
use crate::protocol::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsTopic, ListOffsetsTopicResponse,
};
use crate::protocol::{ListOffsetsRequest, ListOffsetsResponse, StrBytes};
use crate::server::network::Outcome;

const LATEST_TIMESTAMP: Timestamp = -1;
const EARLIEST_TIMESTAMP: Timestamp = -2;
const MAX_TIMESTAMP: Timestamp = -3;
const EARLIEST_LOCAL_TIMESTAMP: Timestamp = -4;
const LATEST_TIERED_TIMESTAMP: Timestamp = -5;
const EARLIEST_PENDING_UPLOAD_TIMESTAMP: Timestamp = -6;

/// "A consumer asks."
const CONSUMER_REPLICA_ID: i32 = -1;

pub(super) fn handle(call: Call<'_>, request: ListOffsetsRequest) -> Outcome {
    let reads_files = |partition: &ListOffsetsPartition| {
        partition.timestamp >= 0 || partition.timestamp == MAX_TIMESTAMP || call.version() == 0
    };
    if request.topics.iter().flat_map(|topic| &topic.partitions).any(reads_files) {
        return call.respond_on_io_thread(request, answer);
    }
    let response = answer(&call.context, request);
    call.respond(&response)
}

fn answer(context: &RequestContext, request: ListOffsetsRequest) -> ListOffsetsResponse {
    let duplicates = Duplicates::of(&request.topics);
    let isolation = isolation(&request);
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            // Version 0 may ask several times for one partition.
            if context.version() > 0 && duplicates.contain(&topic.name, partition.partition_index) {
                return failed(partition, ErrorCode::InvalidRequest);
            }
            let found = context
                .core
                .partition(&topic.name, partition.partition_index)
                .map_err(Error::from)
                .and_then(|found| answer_partition(context, &found, partition, isolation));
            found.unwrap_or_else(|error| {
                if error.code() == ErrorCode::UnknownServerError {
                    tracing::error!(
                        topic = &*topic.name,
                        partition = partition.partition_index,
                        "{context}: {error}"
                    );
                }
                failed(partition, error.code())
            })
        });
        ListOffsetsTopicResponse { name: topic.name.clone(), partitions: partitions.collect() }
    });
    ListOffsetsResponse { topics: topics.collect(), ..ListOffsetsResponse::default() }
}

fn failed(partition: &ListOffsetsPartition, error: ErrorCode) -> ListOffsetsPartitionResponse {
    ListOffsetsPartitionResponse {
        partition_index: partition.partition_index,
        error_code: error.code(),
        ..ListOffsetsPartitionResponse::default()
    }
}

/// How far the client sees.
fn isolation(request: &ListOffsetsRequest) -> FetchIsolation {
    match request.replica_id {
        CONSUMER_REPLICA_ID => isolation_level(request.isolation_level).into(),
        _ => FetchIsolation::LogEnd,
    }
}

fn answer_partition(
    context: &RequestContext,
    partition: &Partition,
    request: &ListOffsetsPartition,
    isolation: FetchIsolation,
) -> Result<ListOffsetsPartitionResponse, Error> {
    check_leader_epoch(partition, request.current_leader_epoch)?;
    let ListOffsetsPartition { timestamp, max_num_offsets, .. } = *request;
    let answer = failed(request, ErrorCode::None);
    if context.version() == 0 {
        let old_style_offsets = legacy_fetch_offsets(partition, timestamp, max_num_offsets, isolation)?;
        return Ok(ListOffsetsPartitionResponse { old_style_offsets, ..answer });
    }
    let Some(spec) = offset_spec(context.version(), timestamp)? else { return Ok(answer) };
    let Some(found) = list_offset(partition, spec, isolation)? else { return Ok(answer) };
    Ok(ListOffsetsPartitionResponse {
        timestamp: found.timestamp,
        offset: found.offset,
        leader_epoch: found.leader_epoch,
        ..answer
    })
}

/// What a timestamp asks for; `None` is what this broker never has.
fn offset_spec(version: i16, timestamp: Timestamp) -> Result<Option<OffsetSpec>, ErrorCode> {
    let (since, spec) = match timestamp {
        LATEST_TIMESTAMP => (0, Some(OffsetSpec::Latest)),
        EARLIEST_TIMESTAMP => (0, Some(OffsetSpec::Earliest)),
        MAX_TIMESTAMP => (7, Some(OffsetSpec::MaxTimestamp)),
        EARLIEST_LOCAL_TIMESTAMP => (8, Some(OffsetSpec::Earliest)),
        LATEST_TIERED_TIMESTAMP => (9, None),
        EARLIEST_PENDING_UPLOAD_TIMESTAMP => (11, None),
        timestamp if timestamp < 0 => return Err(ErrorCode::UnsupportedVersion),
        timestamp => (0, Some(OffsetSpec::ForTimestamp(timestamp))),
    };
    if version < since { Err(ErrorCode::UnsupportedVersion) } else { Ok(spec) }
}

/// The partitions that a request names more than once.
struct Duplicates<'a>(HashMap<(&'a StrBytes, i32), usize>);

impl<'a> Duplicates<'a> {
    fn of(topics: &'a [ListOffsetsTopic]) -> Self {
        let mut counts = HashMap::new();
        for topic in topics {
            for partition in &topic.partitions {
                *counts.entry((&topic.name, partition.partition_index)).or_default() += 1;
            }
        }
        Duplicates(counts)
    }

    fn contain(&self, topic: &StrBytes, partition: i32) -> bool {
        self.0.get(&(topic, partition)).is_some_and(|count| *count > 1)
    }
}
