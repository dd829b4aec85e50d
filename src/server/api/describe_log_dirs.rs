//! DescribeLogDirs, 0-5: the directories with their partitions, and how large these are (KIP-113).
//!
//! 2 is flexible; 3 has an error for the whole answer (KIP-784), 4 the room of each volume (KIP-827), 5 tells of
//! directories that take no new partitions (KIP-1066).

use std::collections::{BTreeMap, HashSet};

use super::request::{Call, RequestContext};
use crate::model::{ErrorCode, TopicPartition};
use crate::protocol::messages::describe_log_dirs::{
    DescribableLogDirTopic, DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use crate::protocol::{DescribeLogDirsRequest, DescribeLogDirsResponse, StrBytes};
use crate::server::network::Outcome;

/// "The system does not tell."
const UNKNOWN_BYTES: i64 = -1;

pub(super) fn handle(call: Call<'_>, request: DescribeLogDirsRequest) -> Outcome {
    call.respond_on_io_thread(request, |context, request| {
        let wanted = Wanted(request.topics.as_deref().map(partitions_of));
        let results = describe(context, &wanted);
        DescribeLogDirsResponse { results, ..DescribeLogDirsResponse::default() }
    })
}

fn partitions_of<'a>(topics: &'a [DescribableLogDirTopic]) -> HashSet<(&'a str, i32)> {
    let of_topic = |topic: &'a DescribableLogDirTopic| {
        topic.partitions.iter().map(|partition| (&*topic.topic, *partition))
    };
    topics.iter().flat_map(of_topic).collect()
}

/// The partitions that are asked for; `None` is all of them.
struct Wanted<'a>(Option<HashSet<(&'a str, i32)>>);

impl Wanted<'_> {
    fn has(&self, tp: &TopicPartition) -> bool {
        self.0.as_ref().is_none_or(|wanted| wanted.contains(&(tp.topic(), tp.partition())))
    }
}

fn describe(context: &RequestContext, wanted: &Wanted<'_>) -> Vec<DescribeLogDirsResult> {
    let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    let mut results = Vec::new();
    for dir in context.core.log_manager.describe_log_dirs() {
        let mut result = DescribeLogDirsResult {
            log_dir: dir.path.to_string_lossy().as_ref().into(),
            total_bytes: dir.space.map_or(UNKNOWN_BYTES, |space| bytes(space.total_bytes)),
            usable_bytes: dir.space.map_or(UNKNOWN_BYTES, |space| bytes(space.usable_bytes)),
            is_cordoned: dir.is_cordoned,
            ..DescribeLogDirsResult::default()
        };
        let mut asked = dir.partitions.iter().map(|(tp, _)| tp).filter(|tp| wanted.has(tp));
        let fault = asked.find_map(|tp| context.fault_of(tp.topic(), tp.partition()));
        if dir.offline.is_some() {
            result.error_code = ErrorCode::KafkaStorageError.code();
        } else if let Some(fault) = fault {
            result.error_code = fault.code();
        } else {
            let mut topics: BTreeMap<&str, Vec<DescribeLogDirsPartition>> = BTreeMap::new();
            for (tp, size) in dir.partitions.iter().filter(|(tp, _)| wanted.has(tp)) {
                topics.entry(tp.topic()).or_default().push(DescribeLogDirsPartition {
                    partition_index: tp.partition(),
                    partition_size: bytes(*size),
                    ..DescribeLogDirsPartition::default()
                });
            }
            for future in dir.futures.iter().filter(|future| wanted.has(&future.partition)) {
                let of_topic = topics.entry(future.partition.topic()).or_default();
                of_topic.push(DescribeLogDirsPartition {
                    partition_index: future.partition.partition(),
                    partition_size: bytes(future.size_bytes),
                    offset_lag: future.offset_lag,
                    is_future_key: true,
                });
            }
            let topics = topics.into_iter();
            result.topics = topics
                .map(|(name, partitions)| DescribeLogDirsTopic { name: StrBytes::from(name), partitions })
                .collect();
        }
        results.push(result);
    }
    results
}
