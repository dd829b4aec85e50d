//! Requests about transactions.

use super::*;

impl Rulable for m::AddPartitionsToTxnRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::AddPartitionsToTxnResponse {
        use m::add_partitions_to_txn::{
            AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult, AddPartitionsToTxnTopic,
            AddPartitionsToTxnTopicResult,
        };
        let partition = |partition_index: &i32| AddPartitionsToTxnPartitionResult {
            partition_index: *partition_index,
            partition_error_code: code.code(),
        };
        let results = |topics: &[AddPartitionsToTxnTopic]| -> Vec<_> {
            let result = |topic: &AddPartitionsToTxnTopic| AddPartitionsToTxnTopicResult {
                name: topic.name.clone(),
                results_by_partition: topic.partitions.iter().map(partition).collect(),
            };
            topics.iter().map(result).collect()
        };
        let by_transaction = self.transactions.iter().map(|transaction| AddPartitionsToTxnResult {
            transactional_id: transaction.transactional_id.clone(),
            topic_results: results(&transaction.topics),
        });
        m::AddPartitionsToTxnResponse {
            results_by_transaction: by_transaction.collect(),
            results_by_topic_v3_and_below: results(&self.v3_and_below_topics),
            ..Default::default()
        }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let new = self.transactions.iter().flat_map(|transaction| &transaction.topics);
        let all = self.v3_and_below_topics.iter().chain(new);
        let all = all.map(|t| topic(context, &t.name, Uuid::ZERO, t.partitions.iter().copied()));
        let id =
            self.transactions.first().map_or(&self.v3_and_below_transactional_id, |t| &t.transactional_id);
        Scope { transactional_id: Some(id.to_string()), ..topics(all) }
    }
}

impl Rulable for m::WriteTxnMarkersRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::WriteTxnMarkersResponse {
        use m::write_txn_markers::{
            WritableTxnMarkerPartitionResult, WritableTxnMarkerResult, WritableTxnMarkerTopic,
            WritableTxnMarkerTopicResult,
        };
        let partition = |partition_index: &i32| WritableTxnMarkerPartitionResult {
            partition_index: *partition_index,
            error_code: code.code(),
        };
        let result = |topic: &WritableTxnMarkerTopic| WritableTxnMarkerTopicResult {
            name: topic.name.clone(),
            partitions: topic.partition_indexes.iter().map(partition).collect(),
        };
        let markers = self.markers.iter().map(|marker| WritableTxnMarkerResult {
            producer_id: marker.producer_id,
            topics: marker.topics.iter().map(result).collect(),
        });
        m::WriteTxnMarkersResponse { markers: markers.collect() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let all = self.markers.iter().flat_map(|marker| &marker.topics);
        topics(all.map(|t| topic(context, &t.name, Uuid::ZERO, t.partition_indexes.iter().copied())))
    }
}

impl Rulable for m::TxnOffsetCommitRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::TxnOffsetCommitResponse {
        use m::txn_offset_commit::{TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic};
        let partition =
            |partition_index| TxnOffsetCommitResponsePartition { partition_index, error_code: code.code() };
        let topics = self.topics.iter().map(|topic| TxnOffsetCommitResponseTopic {
            name: topic.name.clone(),
            partitions: topic.partitions.iter().map(|asked| partition(asked.partition_index)).collect(),
        });
        m::TxnOffsetCommitResponse { topics: topics.collect(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let all = self.topics.iter();
        let all =
            all.map(|t| topic(context, &t.name, Uuid::ZERO, t.partitions.iter().map(|p| p.partition_index)));
        Scope {
            topics: all.collect(),
            groups: vec![self.group_id.to_string()],
            ..transaction(&self.transactional_id)
        }
    }

    by_partition! {
        topics.partitions: |t, p| (&t.name, Uuid::ZERO, p.partition_index),
        topics.partitions: |a, b| a.name == b.name
    }
}

impl Rulable for m::DescribeTransactionsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::DescribeTransactionsResponse {
        let states =
            self.transactional_ids.iter().map(|id| m::describe_transactions::DescribeTransactionsState {
                error_code: code.code(),
                transactional_id: id.clone(),
                ..Default::default()
            });
        m::DescribeTransactionsResponse { transaction_states: states.collect(), ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        Scope {
            transactional_id: self.transactional_ids.first().map(|id| id.to_string()),
            ..Scope::default()
        }
    }

    one_by_one! { transactional_ids: |one| Place::TransactionalId(one), transaction_states }
}
