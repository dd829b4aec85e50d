//! DeleteRecords, 0-2: moves the start of partitions (KIP-107); 2 is flexible.
//!
//! Offset -1 stands for the high watermark. Answered is the first offset that is left. Internal topics, and topics
//! whose `cleanup.policy` does not have `delete`, keep their records.

use super::request::{Call, RequestContext};
use crate::error::{Error, Result};
use crate::model::{ErrorCode, Offset, is_internal_topic};
use crate::protocol::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use crate::protocol::{DeleteRecordsRequest, DeleteRecordsResponse};
use crate::server::network::Outcome;

/// "No offset is known", for a partition that keeps its records.
const INVALID_LOW_WATERMARK: Offset = -1;

pub(super) fn handle(call: Call<'_>, request: DeleteRecordsRequest) -> Outcome {
    call.respond_in_order_on_io_thread(request, |context, request| {
        let topics = request.topics.into_iter().map(|topic| DeleteRecordsTopicResult {
            partitions: topic.partitions.iter().map(|asked| answer(context, &topic.name, asked)).collect(),
            name: topic.name,
        });
        DeleteRecordsResponse { topics: topics.collect(), ..DeleteRecordsResponse::default() }
    })
}

fn answer(
    context: &RequestContext,
    topic: &str,
    asked: &DeleteRecordsPartition,
) -> DeleteRecordsPartitionResult {
    let deleted = delete(context, topic, asked);
    if let Err(error) = &deleted {
        tracing::debug!("{context}: {error}");
    }
    DeleteRecordsPartitionResult {
        partition_index: asked.partition_index,
        low_watermark: *deleted.as_ref().unwrap_or(&INVALID_LOW_WATERMARK),
        error_code: deleted.map_or_else(|error| error.code(), |_| ErrorCode::None).code(),
    }
}

fn delete(context: &RequestContext, topic: &str, asked: &DeleteRecordsPartition) -> Result<Offset> {
    let partition = context.core.partition(topic, asked.partition_index)?;
    if is_internal_topic(topic) {
        return Err(Error::new(
            ErrorCode::InvalidTopicException,
            format!("Cannot delete records of internal topic {topic}"),
        ));
    }
    partition.delete_records(asked.offset)
}
