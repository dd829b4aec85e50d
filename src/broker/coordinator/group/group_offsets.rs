use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::model::{LeaderEpoch, Offset, ProducerId, Timestamp, TopicPartition};

/// How far a group has read a partition, as a member said it (Kafka: `OffsetAndMetadata`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OffsetAndMetadata {
    pub(crate) offset: Offset,
    /// Of the last record read; [`NO_LEADER_EPOCH`](crate::model::NO_LEADER_EPOCH) if the member did not say.
    pub(crate) leader_epoch: LeaderEpoch,
    pub(crate) metadata: Arc<str>,
    pub(crate) commit_timestamp: Timestamp,
    /// When the commit expires, if the member asked for a retention of its own.
    pub(crate) expire_timestamp: Option<Timestamp>,
}

/// A commit, and where its record stands in the log: of two commits the later record counts, also when the
/// earlier one belongs to a transaction that ends after it (Kafka: `CommitRecordMetadataAndOffset`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CommittedOffset {
    pub(super) record_offset: Offset,
    pub(super) commit: OffsetAndMetadata,
}

/// The offsets of one group: committed ones, and those whose transaction has not ended yet.
#[derive(Debug, Default)]
pub(super) struct GroupOffsets {
    committed: BTreeMap<TopicPartition, CommittedOffset>,
    pending_transactional: BTreeMap<ProducerId, BTreeMap<TopicPartition, CommittedOffset>>,
}

impl GroupOffsets {
    pub(super) fn get(&self, partition: &TopicPartition) -> Option<&OffsetAndMetadata> {
        self.committed.get(partition).map(|committed| &committed.commit)
    }

    /// Every committed offset, sorted by topic and partition.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&TopicPartition, &OffsetAndMetadata)> {
        self.committed.iter().map(|(partition, committed)| (partition, &committed.commit))
    }

    /// Whether nothing is committed and nothing can still become so.
    pub(super) fn is_empty(&self) -> bool {
        self.committed.is_empty() && self.pending_transactional.is_empty()
    }

    /// Takes over a commit whose record is in the log, unless a later one is known.
    pub(super) fn commit(&mut self, partition: TopicPartition, committed: CommittedOffset) {
        match self.committed.entry(partition) {
            Entry::Vacant(entry) => {
                entry.insert(committed);
            }
            Entry::Occupied(mut entry) if entry.get().record_offset <= committed.record_offset => {
                entry.insert(committed);
            }
            Entry::Occupied(_) => {}
        }
    }

    /// Keeps a commit of a transaction until the transaction ends.
    pub(super) fn commit_transactional(
        &mut self,
        producer_id: ProducerId,
        partition: TopicPartition,
        committed: CommittedOffset,
    ) {
        self.pending_transactional.entry(producer_id).or_default().insert(partition, committed);
    }

    /// Ends the transaction of a producer: its commits count now, or are forgotten.
    pub(super) fn complete_transaction(&mut self, producer_id: ProducerId, is_commit: bool) {
        let pending = self.pending_transactional.remove(&producer_id).unwrap_or_default();
        if is_commit {
            for (partition, committed) in pending {
                self.commit(partition, committed);
            }
        }
    }

    /// The producers whose transactions have not ended.
    pub(super) fn open_transactions(&self) -> Vec<ProducerId> {
        self.pending_transactional.keys().copied().collect()
    }

    /// Whether a transaction that has not ended has committed this partition.
    pub(super) fn is_unstable(&self, partition: &TopicPartition) -> bool {
        self.pending_transactional.values().any(|pending| pending.contains_key(partition))
    }

    /// Forgets a partition, pending commits included. Returns whether an offset was committed.
    pub(super) fn remove(&mut self, partition: &TopicPartition) -> bool {
        self.pending_transactional.retain(|_, pending| {
            pending.remove(partition);
            !pending.is_empty()
        });
        self.committed.remove(partition).is_some()
    }

    /// Takes a partition out of what the transaction of a producer commits.
    pub(super) fn remove_transactional(&mut self, producer_id: ProducerId, partition: &TopicPartition) {
        if let Some(pending) = self.pending_transactional.get_mut(&producer_id) {
            pending.remove(partition);
        }
    }

    /// Every partition that something is known of, committed or pending.
    pub(super) fn partitions(&self) -> Vec<TopicPartition> {
        let pending = self.pending_transactional.values().flat_map(BTreeMap::keys);
        let mut all: Vec<_> = self.committed.keys().chain(pending).cloned().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The partitions whose commit `expires` says is over; pending ones stay.
    pub(super) fn expired(
        &self,
        expires: impl Fn(&TopicPartition, &OffsetAndMetadata) -> bool,
    ) -> Vec<TopicPartition> {
        let expired = self.iter().filter(|(partition, commit)| expires(partition, commit));
        expired
            .map(|(partition, _)| partition.clone())
            .filter(|partition| !self.is_unstable(partition))
            .collect()
    }
}
