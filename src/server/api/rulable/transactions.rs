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
        let old = Some(&self.v3_and_below_transactional_id).filter(|_| self.transactions.is_empty());
        let ids = self.transactions.iter().map(|transaction| &transaction.transactional_id).chain(old);
        Scope { transactional_ids: ids.map(|id| id.to_string()).collect(), ..topics(all) }
    }

    fn take(&mut self, context: &RequestContext, selection: &Selection<'_>) -> Taken<Self> {
        let mut taken = self.clone();
        if selection.is_of_topics {
            let means = |topic: &m::add_partitions_to_txn::AddPartitionsToTxnTopic, number: &i32| {
                let name = topic_name(context, &topic.name, Uuid::ZERO);
                (selection.means)(Place::Partition(&name, *number))
            };
            let old = &mut self.v3_and_below_topics;
            taken.v3_and_below_topics = take_partitions(old, |topic| &mut topic.partitions, means);
            let new = &mut self.transactions;
            taken.transactions = take_nested(
                new,
                |one| &mut one.topics,
                |topics| take_partitions(topics, |topic| &mut topic.partitions, means),
            );
        } else if self.transactions.is_empty() {
            return Taken::Whole;
        } else {
            taken.transactions = take_some(&mut self.transactions, |one| {
                (selection.means)(Place::TransactionalId(&one.transactional_id))
            });
        }
        match taken.is_spent() {
            true => Taken::Nothing,
            false => Taken::Part(taken),
        }
    }

    fn is_spent(&self) -> bool {
        self.v3_and_below_topics.is_empty() && self.transactions.is_empty()
    }

    fn merge(response: &mut m::AddPartitionsToTxnResponse, wrong: &m::AddPartitionsToTxnResponse) {
        fn merge_topics(
            topics: &mut Vec<m::add_partitions_to_txn::AddPartitionsToTxnTopicResult>,
            added: &[m::add_partitions_to_txn::AddPartitionsToTxnTopicResult],
        ) {
            merge_partitions(topics, added, |topic| &mut topic.results_by_partition, |a, b| a.name == b.name);
        }
        merge_topics(&mut response.results_by_topic_v3_and_below, &wrong.results_by_topic_v3_and_below);
        for added in &wrong.results_by_transaction {
            let mut known = response.results_by_transaction.iter_mut();
            match known.find(|known| known.transactional_id == added.transactional_id) {
                Some(known) => merge_topics(&mut known.topic_results, &added.topic_results),
                None => response.results_by_transaction.push(added.clone()),
            }
        }
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

    fn take(&mut self, context: &RequestContext, selection: &Selection<'_>) -> Taken<Self> {
        let take = |topics: &mut Vec<m::write_txn_markers::WritableTxnMarkerTopic>| {
            take_partitions(
                topics,
                |topic| &mut topic.partition_indexes,
                |topic, number| {
                    let name = topic_name(context, &topic.name, Uuid::ZERO);
                    (selection.means)(Place::Partition(&name, *number))
                },
            )
        };
        let markers = take_nested(&mut self.markers, |marker| &mut marker.topics, take);
        match markers.is_empty() {
            true => Taken::Nothing,
            false => Taken::Part(m::WriteTxnMarkersRequest { markers }),
        }
    }

    fn is_spent(&self) -> bool {
        self.markers.is_empty()
    }

    fn merge(response: &mut m::WriteTxnMarkersResponse, wrong: &m::WriteTxnMarkersResponse) {
        for added in &wrong.markers {
            let mut known = response.markers.iter_mut();
            match known.find(|known| known.producer_id == added.producer_id) {
                Some(known) => merge_partitions(
                    &mut known.topics,
                    &added.topics,
                    |topic| &mut topic.partitions,
                    |a, b| a.name == b.name,
                ),
                None => response.markers.push(added.clone()),
            }
        }
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
            transactional_ids: self.transactional_ids.iter().map(|id| id.to_string()).collect(),
            ..Scope::default()
        }
    }

    one_by_one! { transactional_ids: |one| Place::TransactionalId(one), transaction_states }
}
