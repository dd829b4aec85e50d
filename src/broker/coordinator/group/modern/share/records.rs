//! What the records of a share group do to it (Kafka: `GroupMetadataManager#replay`).

use std::sync::Arc;

use super::group::ShareGroup;
use super::member::ShareGroupMember;
use crate::broker::coordinator::group::modern::assignment::Partitions;
use crate::broker::coordinator::group::modern::group::TargetAssignmentMetadata;
use crate::broker::coordinator::group::record::{ShareCurrentAssignment, ShareGroupRecord};
use crate::model::Timestamp;

/// Of a member of which the record of what it has is gone, and of a group without a target assignment.
const GONE: i32 = -1;

impl ShareGroup {
    /// Takes in what stands in the log. After compaction, what a record relies on may be missing, and what it undoes.
    pub(in crate::broker::coordinator::group) fn replay(
        &mut self,
        record: &ShareGroupRecord,
        now_ms: Timestamp,
    ) {
        self.is_settled = false;
        match record {
            ShareGroupRecord::Member(id, Some(metadata)) => {
                let mut member = self.member_or_new(id);
                member.metadata = metadata.clone();
                self.put_member(member);
            }
            ShareGroupRecord::Member(id, None) => self.remove_member(id),
            ShareGroupRecord::Epoch(value) => {
                if let Some(value) = value {
                    self.modern.epoch = value.epoch;
                    self.modern.metadata_hash = value.metadata_hash;
                }
            }
            ShareGroupRecord::TargetMetadata(value) => {
                self.modern.target = value.unwrap_or(TargetAssignmentMetadata { epoch: GONE, timestamp: 0 });
            }
            ShareGroupRecord::Target(id, Some(partitions)) => {
                self.modern.target_assignment.insert(Arc::clone(id), partitions.clone());
            }
            ShareGroupRecord::Target(id, None) => _ = self.modern.target_assignment.remove(id),
            ShareGroupRecord::Current(id, value) => self.replay_current(id, value.as_ref()),
            ShareGroupRecord::StatePartitions(value) => {
                self.state_partitions.clone_from(value);
                self.state_partitions_at = now_ms;
            }
        }
    }

    fn replay_current(&mut self, id: &Arc<str>, value: Option<&ShareCurrentAssignment>) {
        match value {
            Some(value) => {
                let mut member = self.member_or_new(id);
                member.epoch = value.epoch;
                member.previous_epoch = value.previous_epoch;
                member.state = value.state;
                member.assigned = value.assigned.clone();
                self.put_member(member);
            }
            None => {
                if let Some(member) = self.modern.members.get_mut(id) {
                    member.epoch = GONE;
                    member.previous_epoch = GONE;
                    member.assigned = Partitions::new();
                }
            }
        }
    }

    fn member_or_new(&self, id: &Arc<str>) -> ShareGroupMember {
        self.member(id).cloned().unwrap_or_else(|| ShareGroupMember::new(Arc::clone(id)))
    }

    fn put_member(&mut self, member: ShareGroupMember) {
        let topics = &mut self.modern.subscribed_topics;
        topics.add_names(&member.metadata.subscribed_topic_names);
        if let Some(before) = self.modern.members.insert(Arc::clone(&member.id), member) {
            self.modern.subscribed_topics.remove_names(&before.metadata.subscribed_topic_names);
        }
    }

    fn remove_member(&mut self, id: &str) {
        self.sessions.remove(id);
        if let Some(member) = self.modern.members.remove(id) {
            self.modern.subscribed_topics.remove_names(&member.metadata.subscribed_topic_names);
        }
    }

    /// The records that remove the group from the log, with all that is in it.
    pub(in crate::broker::coordinator::group) fn tombstones(&self) -> Vec<ShareGroupRecord> {
        let ids = || self.modern.members.keys().cloned();
        let mut records: Vec<ShareGroupRecord> =
            ids().map(|id| ShareGroupRecord::Current(id, None)).collect();
        records.extend(ids().map(|id| ShareGroupRecord::Target(id, None)));
        records.push(ShareGroupRecord::TargetMetadata(None));
        records.extend(ids().map(|id| ShareGroupRecord::Member(id, None)));
        records.push(ShareGroupRecord::StatePartitions(None));
        records.push(ShareGroupRecord::Epoch(None));
        records
    }
}

impl ShareGroupMember {
    /// The record of what the member has.
    pub(super) fn current_record(&self) -> ShareGroupRecord {
        let current = ShareCurrentAssignment {
            epoch: self.epoch,
            previous_epoch: self.previous_epoch,
            state: self.state,
            assigned: self.assigned.clone(),
        };
        ShareGroupRecord::Current(Arc::clone(&self.id), Some(current))
    }

    /// The records that remove the member.
    pub(super) fn tombstones(&self) -> [ShareGroupRecord; 3] {
        [
            ShareGroupRecord::Current(Arc::clone(&self.id), None),
            ShareGroupRecord::Target(Arc::clone(&self.id), None),
            ShareGroupRecord::Member(Arc::clone(&self.id), None),
        ]
    }
}
