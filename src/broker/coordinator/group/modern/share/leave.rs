//! How members go (Kafka: `GroupMetadataManager#shareGroupLeave`, `#shareGroupFenceMember`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::heartbeat::{ShareGroupHeartbeatResult, not_a_share_group, unknown_member};
use crate::broker::coordinator::group::modern::consumer::{GroupError, rebalance};
use crate::broker::coordinator::group::modern::group::TargetAssignmentMetadata;
use crate::broker::coordinator::group::modern::topics::metadata_hash;
use crate::broker::coordinator::group::record::{GroupEpoch, ShareGroupRecord};
use crate::broker::coordinator::group::turn::GroupTurn;
use crate::model::ErrorCode;

impl GroupTurn<'_> {
    pub(super) fn leave_share_group(
        &mut self,
        member_id: &str,
    ) -> Result<ShareGroupHeartbeatResult, GroupError> {
        let Some(group) = self.state.share() else { return Err(not_a_share_group(&self.group.id)) };
        let member = group.member(member_id).ok_or_else(|| unknown_member(&self.group.id, member_id))?;
        let id = Arc::clone(&member.id);
        let group_id = &self.group.id;
        self.outbox.info(|| format!("Member {id} leaves share group {group_id}"));
        self.fence_share_members(&BTreeSet::from([Arc::clone(&id)]))?;
        Ok(ShareGroupHeartbeatResult {
            member_id: id,
            member_epoch: -1,
            heartbeat_interval_ms: 0,
            assignment: None,
        })
    }

    /// Removes members, one after the other as Kafka does.
    ///
    /// # Errors
    /// The append's. The members stay then.
    pub(super) fn fence_share_members(&mut self, ids: &BTreeSet<Arc<str>>) -> Result<(), ErrorCode> {
        let Some(group) = self.state.share() else { return Ok(()) };
        let mut topics = group.modern.subscribed_topics.clone();
        let (mut left, mut epoch) = (group.modern.members.len(), group.modern.epoch);
        let mut records = Vec::new();
        for member in ids.iter().filter_map(|id| group.member(id)) {
            records.extend(member.tombstones());
            topics.remove_names(&member.metadata.subscribed_topic_names);
            left -= 1;
            epoch = epoch.saturating_add(1);
            let metadata_hash = metadata_hash(topics.names(), self.coordinator.image());
            records.push(ShareGroupRecord::Epoch(Some(GroupEpoch { epoch, metadata_hash })));
        }
        if left == 0 {
            // There is nobody left to assign to: that counts as done.
            let target = TargetAssignmentMetadata { epoch, timestamp: 0 };
            records.push(ShareGroupRecord::TargetMetadata(Some(target)));
        }
        self.change_share_group(None, &records)?;
        let group_id = &self.group.id;
        let gone: Vec<&str> = ids.iter().map(|id| &**id).collect();
        self.outbox
            .info(|| rebalance(group_id, epoch, &format!("without member {}", gone.join(", member "))));
        Ok(())
    }
}
