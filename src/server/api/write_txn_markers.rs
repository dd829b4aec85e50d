//! WriteTxnMarkers, 0-2: ends transactions in partitions, past the coordinator.
//!
//! A cluster's coordinators send it to the other brokers; here it is for administrators, who end with it what hangs
//! (`kafka-transactions.sh abort`). 1 is flexible; 2 tells the generation of the transaction, in the second of which the
//! epoch must be above the one that the partition knows while a transaction is open there (KIP-1228).

use super::request::{Call, RequestContext};
use crate::broker::{ProducerIdAndEpoch, TransactionMarker};
use crate::error::Error;
use crate::model::{ErrorCode, TopicPartition};
use crate::protocol::messages::write_txn_markers::{
    WritableTxnMarker, WritableTxnMarkerPartitionResult, WritableTxnMarkerResult,
    WritableTxnMarkerTopicResult,
};
use crate::protocol::{WriteTxnMarkersRequest, WriteTxnMarkersResponse};
use crate::server::network::Outcome;

/// The generation in which every end raises the epoch.
const SECOND_GENERATION: i8 = 2;
/// What Kafka's brokers have within for a generation that nobody told them, and take for a mistake of theirs in a marker.
const NO_GENERATION: i8 = -1;

pub(super) fn handle(call: Call<'_>, request: WriteTxnMarkersRequest) -> Outcome {
    // A marker may have to be flushed.
    call.respond_in_order_on_io_thread(request, |context, request| WriteTxnMarkersResponse {
        markers: request.markers.iter().map(|marker| write(context, marker)).collect(),
    })
}

fn write(context: &RequestContext, asked: &WritableTxnMarker) -> WritableTxnMarkerResult {
    let marker = TransactionMarker {
        producer: ProducerIdAndEpoch { producer_id: asked.producer_id, producer_epoch: asked.producer_epoch },
        is_commit: asked.transaction_result,
        coordinator_epoch: asked.coordinator_epoch,
    };
    let topics = asked.topics.iter().map(|topic| WritableTxnMarkerTopicResult {
        name: topic.name.clone(),
        partitions: topic
            .partition_indexes
            .iter()
            .map(|index| {
                let tp = TopicPartition::new(&*topic.name, *index);
                let written = write_one(context, &tp, &marker, asked.transaction_version);
                let error_code = written.err().map_or(ErrorCode::None, |error| error.code());
                WritableTxnMarkerPartitionResult { partition_index: *index, error_code: error_code.code() }
            })
            .collect(),
    });
    WritableTxnMarkerResult { producer_id: asked.producer_id, topics: topics.collect() }
}

fn write_one(
    context: &RequestContext,
    tp: &TopicPartition,
    marker: &TransactionMarker,
    generation: i8,
) -> Result<(), Error> {
    let core = &context.core;
    let partition = core.partition(tp.topic(), tp.partition())?;
    let known = partition.log()?.producer(marker.producer.producer_id);
    let epoch = marker.producer.producer_epoch;
    // A lower epoch is refused for what it is.
    if generation == NO_GENERATION && known.as_ref().is_none_or(|known| known.producer_epoch <= epoch) {
        return Err(Error::from(ErrorCode::UnknownServerError));
    }
    // In the epoch that is known already it is the marker of before once more, if no transaction is open.
    let is_behind = known.is_some_and(|known| {
        known.producer_epoch > epoch
            || known.producer_epoch == epoch && known.current_txn_first_offset.is_some()
    });
    if generation >= SECOND_GENERATION && is_behind {
        let ProducerIdAndEpoch { producer_id, producer_epoch } = marker.producer;
        let text = format!(
            "A marker for {tp} is refused: its epoch {producer_epoch} is not above that of the producer there"
        );
        core.producer_history().note(&producer_id.to_string().into(), text);
        return Err(Error::from(ErrorCode::InvalidProducerEpoch));
    }
    core.append_marker(tp, marker).inspect_err(|error| {
        let id = marker.producer.producer_id.to_string();
        core.producer_history().note(&id.into(), format!("A marker for {tp} is refused: {error}"));
        tracing::warn!(partition = %tp, "{context}: cannot append a marker: {error}");
    })?;
    partition.watchers().check();
    Ok(())
}
