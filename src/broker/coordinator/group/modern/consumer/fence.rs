//! How members go (Kafka: `GroupMetadataManager#consumerGroupFenceMembers`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::group::ConsumerGroup;
use super::heartbeat::GroupError;
use super::member::ConsumerGroupMember;
use crate::broker::coordinator::group::modern::group::TargetAssignmentMetadata;
use crate::broker::coordinator::group::modern::topics::metadata_hash;
use crate::broker::coordinator::group::record::{ConsumerGroupRecord, GroupEpoch};
use crate::broker::coordinator::group::turn::GroupTurn;
use crate::model::ErrorCode;

pub(super) fn member_not_found(group_id: &str, member_id: &str) -> GroupError {
    let message = format!("{member_id} is not a member of group {group_id}");
    GroupError::new(ErrorCode::UnknownMemberId, message)
}

impl GroupTurn<'_> {
    /// Removes members with what they had, and has the others share it.
    ///
    /// # Errors
    /// The append's. The members stay then.
    pub(in crate::broker::coordinator::group) fn fence_consumer_members(
        &mut self,
        ids: &BTreeSet<Arc<str>>,
    ) -> Result<(), ErrorCode> {
        let Some(group) = self.state.consumer() else { return Ok(()) };
        let leaving: Vec<&ConsumerGroupMember> = ids.iter().filter_map(|id| group.member(id)).collect();
        if leaving.is_empty() {
            return Ok(());
        }
        let leaving_ids: BTreeSet<Arc<str>> = leaving.iter().map(|member| Arc::clone(&member.id)).collect();
        if self.may_downgrade_without(group, &leaving_ids) {
            return self.downgrade_without(&leaving_ids);
        }
        let records = self.records_without(group, &leaving);
        self.append_consumer_records(false, &records)?;
        self.tell_of_gone(&records, &leaving_ids.into_iter().collect::<Vec<_>>());
        if let Some(group) = self.state.consumer_mut() {
            records.iter().for_each(|record| group.replay(record));
        }
        Ok(())
    }

    fn records_without(
        &self,
        group: &ConsumerGroup,
        leaving: &[&ConsumerGroupMember],
    ) -> Vec<ConsumerGroupRecord> {
        let mut records: Vec<ConsumerGroupRecord> =
            leaving.iter().flat_map(|member| member.tombstones()).collect();
        let mut topics = group.modern.subscribed_topics.clone();
        for member in leaving {
            topics.remove_names(&member.metadata.subscribed_topic_names);
        }
        for (regex, subscribers) in &group.regexes {
            let going = leaving.iter().filter(|member| member.regex() == Some(regex)).count();
            if going == *subscribers {
                records.push(ConsumerGroupRecord::Regex(Arc::clone(regex), None));
                if let Some(resolved) = group.resolved_regexes.get(regex) {
                    topics.remove_matches(&resolved.topics);
                }
            }
        }
        let epoch = group.modern.epoch.saturating_add(1);
        let metadata_hash = metadata_hash(topics.names(), self.coordinator.image());
        records.push(ConsumerGroupRecord::Epoch(Some(GroupEpoch { epoch, metadata_hash })));
        if leaving.len() == group.len() {
            // There is nobody left to assign to: that counts as done.
            let target = TargetAssignmentMetadata { epoch, timestamp: 0 };
            records.push(ConsumerGroupRecord::TargetMetadata(Some(target)));
        }
        records
    }
}
