use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;

use super::JoinGroupProtocol;
use super::coordinator::GroupCoordinator;
use super::group_metadata::{GroupMetadata, LoadedGroup};
use super::group_offsets::{CommittedOffset, GroupOffsets};
use super::member::{Member, NewMember};
use super::modern::{ConsumerGroup, ShareGroup};
use super::record::{
    ConsumerGroupRecord, GroupMetadataValue, OffsetCommitValue, RecordKey, ShareGroupRecord,
};
use super::turn::{Group, GroupTurn};
use crate::broker::coordinator::loading::{LoadError, RecordReader};
use crate::broker::purgatory::WatcherList;
use crate::model::{CONSUMER_OFFSETS_TOPIC, ErrorCode, NO_TIMESTAMP, ProducerId, Timestamp};
use crate::record::{EndTransactionMarker, RecordBatchRef, RecordRef};

impl GroupCoordinator {
    /// Takes over every partition of `__consumer_offsets`.
    ///
    /// # Errors
    /// The first partition's that could not be read; the others are taken over nevertheless.
    pub(crate) fn load_all(&self) -> Result<(), ErrorCode> {
        let outcomes = (0..self.log().partition_count()).map(|partition| self.load_partition(partition));
        outcomes.fold(Ok(()), Result::and)
    }

    /// Takes over the groups of a partition: reads all of its records, on this thread. Requests for these
    /// groups get COORDINATOR_LOAD_IN_PROGRESS meanwhile. Does nothing if the partition is owned already.
    ///
    /// # Errors
    /// Why the partition could not be read; it is not taken over then.
    pub(crate) fn load_partition(&self, partition: i32) -> Result<(), ErrorCode> {
        self.partitions.load(partition, || self.read_partition(partition))
    }

    fn read_partition(&self, partition: i32) -> Result<(), ErrorCode> {
        // What ends while the partition is read would be missed: before what is read now, or after it was taken over.
        let no_end = self.transaction_ends(partition).write();
        let mut loader = Loader { now_ms: self.clock().now_ms(), ..Loader::default() };
        let mut reader = RecordReader::default();
        let mut take = |batch: RecordBatchRef<'_>| {
            reader.read(batch, |record| {
                if batch.is_control() { loader.marker(batch, record) } else { loader.record(batch, record) }
            });
        };
        self.log().read_all(partition, &mut take).inspect_err(|error| {
            tracing::error!("Groups of {CONSUMER_OFFSETS_TOPIC}-{partition} could not be loaded: {error}");
        })?;
        reader.report(CONSUMER_OFFSETS_TOPIC, partition);
        let mut loaded = Vec::new();
        for (id, group) in loader.groups {
            if let Some(state) = group.into_metadata(self.clock().now_ms()) {
                let watchers = WatcherList::default();
                let group =
                    Arc::new(Group { id: Arc::clone(&id), partition, state: Mutex::new(state), watchers });
                for producer_id in group.state.lock().offsets.open_transactions() {
                    self.note_transaction(partition, producer_id, &group.id);
                }
                self.insert_group(Arc::clone(&group));
                loaded.push(group);
            }
        }
        drop(no_end);
        for group in &loaded {
            self.with_group(group, |turn| turn.start_loaded_group());
        }
        let loaded = loaded.len();
        // Most partitions have none, and there are fifty of them.
        if loaded > 0 {
            tracing::info!("Loaded {loaded} groups from {CONSUMER_OFFSETS_TOPIC}-{partition}");
        }
        Ok(())
    }

    /// Hands the groups of a partition over: what waits is answered with NOT_COORDINATOR, and they are
    /// forgotten here.
    pub(crate) fn unload_partition(&self, partition: i32) {
        self.partitions.release(partition);
        self.open_transactions.lock().retain(|(of, _), _| *of != partition);
        for group in self.all_groups() {
            if group.partition == partition {
                self.forget_group(&group, ErrorCode::NotCoordinator);
            }
        }
    }

    /// Whether any partition is being loaded.
    pub(crate) fn is_loading(&self) -> bool {
        self.partitions.is_loading()
    }
}

impl GroupTurn<'_> {
    /// The members of a group that was loaded have their whole session from now.
    fn start_loaded_group(&mut self) {
        if self.state.consumer().is_some() {
            return self.start_loaded_consumer_group();
        }
        if self.state.share().is_some() {
            return self.start_loaded_share_group();
        }
        let max_size = usize::try_from(self.coordinator.config().group_max_size).unwrap_or(0);
        let (group, generation) = (&self.group.id, self.state.generation_id);
        self.outbox.debug(|| format!("Loaded group {group} with generation {generation}"));
        for id in self.state.members().ids() {
            self.renew_session(&id);
        }
        if self.state.members().len() > max_size {
            self.prepare_rebalance(format!(
                "the group was loaded with {} members, more than group.max.size={max_size}",
                self.state.members().len()
            ));
        }
    }
}

/// What a partition says of its groups, as far as it was read.
#[derive(Default)]
struct Loader {
    now_ms: Timestamp,
    /// In the order in which the log names them.
    groups: Vec<(Arc<str>, LoadingGroup)>,
    index_of: HashMap<Arc<str>, usize>,
    /// The groups of which producers have committed offsets in a transaction that has not ended.
    open_transactions: HashMap<ProducerId, BTreeSet<usize>>,
}

#[derive(Default)]
struct LoadingGroup {
    /// What the last readable record of the group itself says.
    metadata: Option<GroupMetadataValue>,
    /// What the records say of a group of the consumer protocol.
    consumer: Option<Box<ConsumerGroup>>,
    /// What they say of a share group.
    share: Option<Box<ShareGroup>>,
    offsets: GroupOffsets,
}

impl Loader {
    /// A transaction ends: what it committed in this partition counts from here on, or never.
    fn marker(&mut self, batch: RecordBatchRef<'_>, record: &RecordRef<'_>) -> Result<(), LoadError> {
        if let Some(marker) = EndTransactionMarker::parse(record.key(), record.value())? {
            let groups = self.open_transactions.remove(&batch.producer_id()).unwrap_or_default();
            for index in groups {
                if let Some((_, group)) = self.groups.get_mut(index) {
                    group.offsets.complete_transaction(batch.producer_id(), marker.is_commit);
                }
            }
        }
        Ok(())
    }

    fn record(&mut self, batch: RecordBatchRef<'_>, record: &RecordRef<'_>) -> Result<(), LoadError> {
        match RecordKey::parse(record.key().ok_or(LoadError::NoKey)?)? {
            RecordKey::OffsetCommit { group_id, topic_partition } => {
                let value = record.value().map(OffsetCommitValue::parse).transpose()?;
                let index = self.index_of_group(group_id);
                if value.is_some() && batch.is_transactional() {
                    self.open_transactions.entry(batch.producer_id()).or_default().insert(index);
                }
                let offsets = &mut self.groups[index].1.offsets;
                match (value, batch.is_transactional()) {
                    (Some(commit), is_transactional) => {
                        let committed = CommittedOffset { record_offset: batch.base_offset(), commit };
                        if is_transactional {
                            offsets.commit_transactional(batch.producer_id(), topic_partition, committed);
                        } else {
                            offsets.commit(topic_partition, committed);
                        }
                    }
                    (None, true) => offsets.remove_transactional(batch.producer_id(), &topic_partition),
                    (None, false) => _ = offsets.remove(&topic_partition),
                }
            }
            RecordKey::GroupMetadata { group_id } => {
                let value = record.value().map(GroupMetadataValue::parse).transpose()?;
                let index = self.index_of_group(group_id);
                let group = &mut self.groups[index].1;
                if value.is_some() {
                    group.consumer = None;
                }
                group.metadata = value;
            }
            RecordKey::ConsumerGroup { group_id, key } => {
                let said = ConsumerGroupRecord::parse(key, record.value())?;
                let index = self.index_of_group(group_id);
                self.groups[index].1.replay(&said, record.value().is_some());
            }
            RecordKey::ShareGroup { group_id, key } => {
                let said = ShareGroupRecord::parse(key, record.value())?;
                let index = self.index_of_group(group_id);
                self.groups[index].1.replay_share(&said, record.value().is_some(), self.now_ms);
            }
            RecordKey::Other { kind } => {
                // Left by a newer Kafka, for groups of a type that is not known here. It stays in the log.
                tracing::debug!("A record of key type {kind} at offset {} is passed over", record.offset());
            }
        }
        Ok(())
    }

    /// The place of a group among `groups`, made if need be.
    fn index_of_group(&mut self, group_id: &str) -> usize {
        if let Some(index) = self.index_of.get(group_id) {
            return *index;
        }
        let id: Arc<str> = Arc::from(group_id);
        self.index_of.insert(Arc::clone(&id), self.groups.len());
        self.groups.push((id, LoadingGroup::default()));
        self.groups.len() - 1
    }
}

impl LoadingGroup {
    fn replay(&mut self, record: &ConsumerGroupRecord, is_there: bool) {
        if is_there {
            self.metadata = None;
            self.consumer.get_or_insert_with(|| Box::new(ConsumerGroup::new()));
        }
        if let Some(consumer) = &mut self.consumer {
            consumer.replay(record);
        }
        if matches!(record, ConsumerGroupRecord::Epoch(None)) {
            self.consumer = None;
        }
    }

    fn replay_share(&mut self, record: &ShareGroupRecord, is_there: bool, now_ms: Timestamp) {
        if is_there {
            self.share.get_or_insert_with(|| Box::new(ShareGroup::new()));
        }
        if let Some(share) = &mut self.share {
            share.replay(record, now_ms);
        }
        if matches!(record, ShareGroupRecord::Epoch(None)) {
            self.share = None;
        }
    }

    /// `None` if nothing is left of the group.
    fn into_metadata(self, now_ms: i64) -> Option<GroupMetadata> {
        let mut group = match self.metadata {
            Some(value) => load_group(value),
            None if self.consumer.is_some() => {
                let mut group = GroupMetadata::new(now_ms);
                if let Some(mut consumer) = self.consumer {
                    consumer.forget_topic_versions();
                    group.become_consumer(*consumer, now_ms);
                }
                group
            }
            None if self.share.is_some() => {
                let mut group = GroupMetadata::new(now_ms);
                if let Some(share) = self.share {
                    group.become_share(*share, now_ms);
                }
                group
            }
            None if self.offsets.is_empty() => return None,
            // Offsets alone: somebody committed them without being a member.
            None => GroupMetadata::new(now_ms),
        };
        group.offsets = self.offsets;
        Some(group)
    }
}

fn load_group(value: GroupMetadataValue) -> GroupMetadata {
    let protocol_name = value.protocol_name.clone().unwrap_or_default();
    let members = value.members.into_iter().map(|stored| {
        let mut member = Member::new(NewMember {
            id: stored.member_id,
            group_instance_id: stored.group_instance_id,
            client_id: stored.client_id,
            client_host: stored.client_host,
            session_timeout_ms: stored.session_timeout_ms,
            rebalance_timeout_ms: stored.rebalance_timeout_ms,
            // What it said for other protocols was not written down.
            protocols: vec![JoinGroupProtocol {
                name: Arc::clone(&protocol_name),
                metadata: stored.subscription,
            }],
        });
        member.assignment = stored.assignment;
        member
    });
    let loaded = LoadedGroup {
        protocol_type: value.protocol_type,
        generation_id: value.generation_id,
        protocol_name: value.protocol_name,
        leader_id: value.leader_id,
        state_timestamp: Some(value.state_timestamp).filter(|at| *at != NO_TIMESTAMP),
    };
    GroupMetadata::load(loaded, members.collect())
}
