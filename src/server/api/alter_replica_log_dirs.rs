//! AlterReplicaLogDirs, 0-2: moves partitions to other log directories while they are written (KIP-113).
//!
//! 2 is flexible.
//!
//! The answer comes when the moves have begun; DescribeLogDirs tells how far they are. A move to where the partition is
//! ends one that is under way.

use std::collections::BTreeMap;
use std::path::Path;

use super::request::{Call, RequestContext};
use crate::error::Error;
use crate::model::{ErrorCode, TopicPartition};
use crate::protocol::messages::alter_replica_log_dirs::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult,
};
use crate::protocol::{AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse, StrBytes};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: AlterReplicaLogDirsRequest) -> Outcome {
    call.respond_in_order_on_io_thread(request, |context, request| {
        let mut results: BTreeMap<StrBytes, Vec<AlterReplicaLogDirPartitionResult>> = BTreeMap::new();
        for ((name, partition_index), path) in wanted(&request) {
            let outcome = alter(context, &name, partition_index, Path::new(&**path));
            let error_code = outcome.map_or_else(ErrorCode::code, |()| ErrorCode::None.code());
            let partition = AlterReplicaLogDirPartitionResult { partition_index, error_code };
            results.entry(name).or_default().push(partition);
        }
        let results = results.into_iter();
        let result = |(topic_name, partitions)| AlterReplicaLogDirTopicResult { topic_name, partitions };
        AlterReplicaLogDirsResponse { results: results.map(result).collect(), throttle_time_ms: 0 }
    })
}

/// Where each partition is to go: the last place, if there are several.
fn wanted(request: &AlterReplicaLogDirsRequest) -> BTreeMap<(StrBytes, i32), &StrBytes> {
    let mut wanted = BTreeMap::new();
    for dir in &request.dirs {
        for topic in &dir.topics {
            for partition in &topic.partitions {
                wanted.insert((topic.name.clone(), *partition), &dir.path);
            }
        }
    }
    wanted
}

fn alter(context: &RequestContext, topic: &str, partition: i32, to: &Path) -> Result<(), ErrorCode> {
    let tp = TopicPartition::new(topic, partition);
    context.core.move_to_log_dir(&tp, to).map_err(|error: Error| match error.code() {
        // Kafka keeps the older name of the error here.
        ErrorCode::NotLeaderOrFollower => ErrorCode::ReplicaNotAvailable,
        code => code,
    })
}
