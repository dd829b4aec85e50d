//! What the records of a consumer group do to it (Kafka: `GroupMetadataManager#replay`).

use std::sync::Arc;

use super::group::ConsumerGroup;
use super::member::ConsumerGroupMember;
use crate::broker::coordinator::group::modern::assignment::PartitionsWithEpochs;
use crate::broker::coordinator::group::modern::group::TargetAssignmentMetadata;
use crate::broker::coordinator::group::record::{ConsumerGroupRecord, CurrentAssignment};

/// Of a member of which the record of what it has is gone, and of a group without a target assignment.
const GONE: i32 = -1;

impl ConsumerGroup {
    /// Takes in what stands in the log. After compaction, what a record relies on may be missing, and what it undoes.
    pub(in crate::broker::coordinator::group) fn replay(&mut self, record: &ConsumerGroupRecord) {
        match record {
            ConsumerGroupRecord::Epoch(value) => {
                if let Some(value) = value {
                    self.modern.epoch = value.epoch;
                    self.modern.metadata_hash = value.metadata_hash;
                }
            }
            ConsumerGroupRecord::PartitionMetadata(is_there) => {
                self.has_subscription_metadata_record = *is_there;
            }
            ConsumerGroupRecord::Member(id, Some(metadata)) => {
                let mut member = self.member_or_new(id);
                member.metadata = metadata.clone();
                self.put_member(member);
            }
            ConsumerGroupRecord::Member(id, None) => self.remove_member(id),
            ConsumerGroupRecord::TargetMetadata(value) => {
                self.modern.target = value.unwrap_or(TargetAssignmentMetadata { epoch: GONE, timestamp: 0 });
            }
            ConsumerGroupRecord::Target(id, Some(partitions)) => {
                self.modern.target_assignment.insert(Arc::clone(id), partitions.clone());
            }
            ConsumerGroupRecord::Target(id, None) => _ = self.modern.target_assignment.remove(id),
            ConsumerGroupRecord::Current(id, value) => self.replay_current(id, value.as_ref()),
            ConsumerGroupRecord::Regex(regex, value) => {
                if let Some(before) = self.resolved_regexes.remove(regex) {
                    self.modern.subscribed_topics.remove_matches(&before.topics);
                }
                if let Some(resolved) = value {
                    self.modern.subscribed_topics.add_matches(&resolved.topics);
                    self.resolved_regexes.insert(Arc::clone(regex), resolved.clone());
                }
            }
        }
    }

    fn replay_current(&mut self, id: &Arc<str>, value: Option<&CurrentAssignment>) {
        let mut member = match value {
            Some(_) => self.member_or_new(id),
            None => match self.member(id) {
                Some(member) => member.clone(),
                None => return,
            },
        };
        match value {
            Some(value) => {
                member.epoch = value.epoch;
                member.previous_epoch = value.previous_epoch;
                member.state = value.state;
                member.assigned = value.assigned.clone();
                member.pending_revocation = value.pending_revocation.clone();
            }
            None => {
                member.epoch = GONE;
                member.previous_epoch = GONE;
                member.assigned = PartitionsWithEpochs::new();
                member.pending_revocation = PartitionsWithEpochs::new();
            }
        }
        self.put_member(member);
    }

    fn member_or_new(&self, id: &Arc<str>) -> ConsumerGroupMember {
        self.member(id).cloned().unwrap_or_else(|| ConsumerGroupMember::new(Arc::clone(id)))
    }

    /// The versions in what was loaded are those of another time.
    pub(in crate::broker::coordinator::group) fn forget_topic_versions(&mut self) {
        self.resolved_regexes.values_mut().for_each(|resolved| resolved.version = 0);
    }

    /// The records that remove the group from the log, with all that is in it.
    pub(in crate::broker::coordinator::group) fn tombstones(&self) -> Vec<ConsumerGroupRecord> {
        let ids = || self.modern.members.keys().cloned();
        let mut records: Vec<ConsumerGroupRecord> =
            ids().map(|id| ConsumerGroupRecord::Current(id, None)).collect();
        records.extend(ids().map(|id| ConsumerGroupRecord::Target(id, None)));
        records.push(ConsumerGroupRecord::TargetMetadata(None));
        records.extend(ids().map(|id| ConsumerGroupRecord::Member(id, None)));
        let regexes = self.resolved_regexes.keys();
        records.extend(regexes.map(|regex| ConsumerGroupRecord::Regex(Arc::clone(regex), None)));
        records.push(ConsumerGroupRecord::PartitionMetadata(false));
        records.push(ConsumerGroupRecord::Epoch(None));
        records
    }
}

impl ConsumerGroupMember {
    /// The record of what the member says about itself.
    pub(super) fn metadata_record(&self) -> ConsumerGroupRecord {
        ConsumerGroupRecord::Member(Arc::clone(&self.id), Some(self.metadata.clone()))
    }

    /// The record of what the member has.
    pub(super) fn current_record(&self) -> ConsumerGroupRecord {
        let current = CurrentAssignment {
            epoch: self.epoch,
            previous_epoch: self.previous_epoch,
            state: self.state,
            assigned: self.assigned.clone(),
            pending_revocation: self.pending_revocation.clone(),
        };
        ConsumerGroupRecord::Current(Arc::clone(&self.id), Some(current))
    }

    /// The records that remove the member.
    pub(super) fn tombstones(&self) -> [ConsumerGroupRecord; 3] {
        [
            ConsumerGroupRecord::Current(Arc::clone(&self.id), None),
            ConsumerGroupRecord::Target(Arc::clone(&self.id), None),
            ConsumerGroupRecord::Member(Arc::clone(&self.id), None),
        ]
    }
}
