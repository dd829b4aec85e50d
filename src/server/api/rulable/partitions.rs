//! Requests about what is in partitions, and where.

use super::*;

impl Rulable for m::ProduceRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::ProduceResponse {
        use m::produce::{PartitionProduceResponse, TopicProduceResponse};
        let partition = |index| PartitionProduceResponse {
            index,
            error_code: code.code(),
            base_offset: -1,
            ..Default::default()
        };
        let responses = self.topic_data.iter().map(|topic| TopicProduceResponse {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partition_responses: topic.partition_data.iter().map(|data| partition(data.index)).collect(),
        });
        m::ProduceResponse { responses: responses.collect(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let found = self
            .topic_data
            .iter()
            .map(|t| topic(context, &t.name, t.topic_id, t.partition_data.iter().map(|data| data.index)));
        let transactional_ids = self.transactional_id.iter().map(|id| id.to_string()).collect();
        Scope { transactional_ids, ..topics(found) }
    }

    by_partition! {
        topic_data.partition_data: |t, p| (&t.name, t.topic_id, p.index),
        responses.partition_responses: |a, b| (&a.name, a.topic_id) == (&b.name, b.topic_id),
        also node_endpoints
    }

    fn wants_answer(&self) -> bool {
        self.acks != 0
    }
}

impl Rulable for m::FetchRequest {
    fn error_response(&self, code: ErrorCode, version: i16) -> m::FetchResponse {
        use m::fetch::{FetchableTopicResponse, PartitionData};
        let partition = |partition_index| PartitionData {
            partition_index,
            error_code: code.code(),
            high_watermark: -1,
            records: Some(Default::default()),
            ..Default::default()
        };
        let responses = self.topics.iter().map(|topic| FetchableTopicResponse {
            topic: topic.topic.clone(),
            topic_id: topic.topic_id,
            partitions: topic.partitions.iter().map(|asked| partition(asked.partition)).collect(),
        });
        // The place for the whole request is for what is wrong with the session.
        let of_session = matches!(
            code,
            ErrorCode::FetchSessionIdNotFound
                | ErrorCode::InvalidFetchSessionEpoch
                | ErrorCode::FetchSessionTopicIdError
        );
        match of_session && version >= 7 {
            true => m::FetchResponse { error_code: code.code(), ..Default::default() },
            false => m::FetchResponse { responses: responses.collect(), ..Default::default() },
        }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let asked = self
            .topics
            .iter()
            .map(|t| topic(context, &t.topic, t.topic_id, t.partitions.iter().map(|p| p.partition)));
        let forgotten = self.forgotten_topics_data.iter();
        let forgotten = forgotten.map(|t| topic(context, &t.topic, t.topic_id, t.partitions.iter().copied()));
        topics(asked.chain(forgotten))
    }

    by_partition! {
        topics.partitions: |t, p| (&t.topic, t.topic_id, p.partition),
        responses.partitions: |a, b| (&a.topic, a.topic_id) == (&b.topic, b.topic_id),
        // An error is told at once.
        then |rest| rest.max_wait_ms = 0,
        also node_endpoints
    }
}

impl Rulable for m::ListOffsetsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::ListOffsetsResponse {
        use m::list_offsets::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse};
        let partition = |partition_index| ListOffsetsPartitionResponse {
            partition_index,
            error_code: code.code(),
            ..Default::default()
        };
        let topics = self.topics.iter().map(|topic| ListOffsetsTopicResponse {
            name: topic.name.clone(),
            partitions: topic.partitions.iter().map(|asked| partition(asked.partition_index)).collect(),
        });
        m::ListOffsetsResponse { topics: topics.collect(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        topics(
            self.topics
                .iter()
                .map(|t| topic(context, &t.name, Uuid::ZERO, t.partitions.iter().map(|p| p.partition_index))),
        )
    }

    by_partition! {
        topics.partitions: |t, p| (&t.name, Uuid::ZERO, p.partition_index),
        topics.partitions: |a, b| a.name == b.name
    }
}

impl Rulable for m::OffsetForLeaderEpochRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::OffsetForLeaderEpochResponse {
        use m::offset_for_leader_epoch::{EpochEndOffset, OffsetForLeaderTopicResult};
        let partition =
            |partition| EpochEndOffset { partition, error_code: code.code(), ..Default::default() };
        let topics = self.topics.iter().map(|topic| OffsetForLeaderTopicResult {
            topic: topic.topic.clone(),
            partitions: topic.partitions.iter().map(|asked| partition(asked.partition)).collect(),
        });
        m::OffsetForLeaderEpochResponse { topics: topics.collect(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        topics(
            self.topics
                .iter()
                .map(|t| topic(context, &t.topic, Uuid::ZERO, t.partitions.iter().map(|p| p.partition))),
        )
    }

    by_partition! {
        topics.partitions: |t, p| (&t.topic, Uuid::ZERO, p.partition),
        topics.partitions: |a, b| a.topic == b.topic
    }
}

impl Rulable for m::DeleteRecordsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::DeleteRecordsResponse {
        use m::delete_records::{DeleteRecordsPartitionResult, DeleteRecordsTopicResult};
        let partition = |partition_index| DeleteRecordsPartitionResult {
            partition_index,
            low_watermark: -1,
            error_code: code.code(),
        };
        let topics = self.topics.iter().map(|topic| DeleteRecordsTopicResult {
            name: topic.name.clone(),
            partitions: topic.partitions.iter().map(|asked| partition(asked.partition_index)).collect(),
        });
        m::DeleteRecordsResponse { topics: topics.collect(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        topics(
            self.topics
                .iter()
                .map(|t| topic(context, &t.name, Uuid::ZERO, t.partitions.iter().map(|p| p.partition_index))),
        )
    }

    by_partition! {
        topics.partitions: |t, p| (&t.name, Uuid::ZERO, p.partition_index),
        topics.partitions: |a, b| a.name == b.name
    }
}

impl Rulable for m::DescribeProducersRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::DescribeProducersResponse {
        use m::describe_producers::{DescribeProducersPartitionResponse, DescribeProducersTopicResponse};
        let partition = |partition_index: &i32| DescribeProducersPartitionResponse {
            partition_index: *partition_index,
            error_code: code.code(),
            ..Default::default()
        };
        let topics = self.topics.iter().map(|topic| DescribeProducersTopicResponse {
            name: topic.name.clone(),
            partitions: topic.partition_indexes.iter().map(partition).collect(),
        });
        m::DescribeProducersResponse { topics: topics.collect(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let all = self.topics.iter();
        topics(all.map(|t| topic(context, &t.name, Uuid::ZERO, t.partition_indexes.iter().copied())))
    }

    by_partition! {
        topics.partition_indexes: |t, p| (&t.name, Uuid::ZERO, *p),
        topics.partitions: |a, b| a.name == b.name
    }
}

impl Rulable for m::AlterReplicaLogDirsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::AlterReplicaLogDirsResponse {
        use m::alter_replica_log_dirs::{AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult};
        let partition = |partition_index: &i32| AlterReplicaLogDirPartitionResult {
            partition_index: *partition_index,
            error_code: code.code(),
        };
        let asked = self.dirs.iter().flat_map(|dir| &dir.topics);
        let results = asked.map(|topic| AlterReplicaLogDirTopicResult {
            topic_name: topic.name.clone(),
            partitions: topic.partitions.iter().map(partition).collect(),
        });
        m::AlterReplicaLogDirsResponse { results: results.collect(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let asked = self.dirs.iter().flat_map(|dir| &dir.topics);
        topics(asked.map(|t| topic(context, &t.name, Uuid::ZERO, t.partitions.iter().copied())))
    }

    fn take(&mut self, context: &RequestContext, selection: &Selection<'_>) -> Taken<Self> {
        let take = |topics: &mut Vec<m::alter_replica_log_dirs::AlterReplicaLogDirTopic>| {
            take_partitions(
                topics,
                |topic| &mut topic.partitions,
                |topic, number| {
                    let name = topic_name(context, &topic.name, Uuid::ZERO);
                    (selection.means)(Place::Partition(&name, *number))
                },
            )
        };
        let dirs = take_nested(&mut self.dirs, |dir| &mut dir.topics, take);
        match dirs.is_empty() {
            true => Taken::Nothing,
            false => Taken::Part(m::AlterReplicaLogDirsRequest { dirs }),
        }
    }

    fn is_spent(&self) -> bool {
        self.dirs.is_empty()
    }

    fn merge(response: &mut m::AlterReplicaLogDirsResponse, wrong: &m::AlterReplicaLogDirsResponse) {
        merge_partitions(
            &mut response.results,
            &wrong.results,
            |topic| &mut topic.partitions,
            |a, b| a.topic_name == b.topic_name,
        );
    }
}

impl Rulable for m::DescribeLogDirsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::DescribeLogDirsResponse {
        m::DescribeLogDirsResponse { error_code: code.code(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let asked = self.topics.iter().flatten();
        topics(asked.map(|t| topic(context, &t.topic, Uuid::ZERO, t.partitions.iter().copied())))
    }

    /// No partition has an error of its own here: the directory that it is in has it.
    fn take(&mut self, _: &RequestContext, selection: &Selection<'_>) -> Taken<Self> {
        if selection.is_of_topics { Taken::ByHandler } else { Taken::Whole }
    }
}
