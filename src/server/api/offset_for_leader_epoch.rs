//! OffsetForLeaderEpoch, 0-4: where a leader's term ended, so that a reader notices that records it has read are lost.
//!
//! 0 came for followers (KIP-101), 1 answers the epoch that was found (KIP-279), 2 lets consumers ask, who say which
//! leader they know (KIP-320), 3 says who asks (KIP-392), 4 is flexible.
//!
//! The answer is the largest epoch up to the one asked for, and the offset at which it ended; -1 and -1 where the log
//! knows none.

use super::request::{Call, RequestContext};
use crate::broker::{check_leader_epoch, last_offset_for_epoch};
use crate::error::Error;
use crate::model::ErrorCode;
use crate::protocol::messages::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderPartition, OffsetForLeaderTopicResult,
};
use crate::protocol::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: OffsetForLeaderEpochRequest) -> Outcome {
    let topics = request.topics.into_iter().map(|topic| OffsetForLeaderTopicResult {
        partitions: topic.partitions.iter().map(|asked| answer(&call.context, &topic.topic, asked)).collect(),
        topic: topic.topic,
    });
    let response = OffsetForLeaderEpochResponse { topics: topics.collect(), ..Default::default() };
    call.respond(&response)
}

fn answer(context: &RequestContext, topic: &str, asked: &OffsetForLeaderPartition) -> EpochEndOffset {
    let found = context.core.partition(topic, asked.partition).map_err(Error::from).and_then(|partition| {
        check_leader_epoch(&partition, asked.current_leader_epoch)?;
        last_offset_for_epoch(&partition, asked.leader_epoch)
    });
    let answer = EpochEndOffset { partition: asked.partition, ..EpochEndOffset::default() };
    match found {
        Ok(end) => EpochEndOffset {
            error_code: ErrorCode::None.code(),
            leader_epoch: end.epoch,
            end_offset: end.end_offset,
            ..answer
        },
        Err(error) => EpochEndOffset { error_code: error.code().code(), ..answer },
    }
}
