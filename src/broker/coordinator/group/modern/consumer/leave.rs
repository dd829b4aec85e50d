//! The last heartbeat of a member (Kafka: `GroupMetadataManager#consumerGroupLeave`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::fence::member_not_found;
use super::heartbeat::{
    ConsumerGroupHeartbeatParams, ConsumerGroupHeartbeatResult, GroupError, LEAVE_STATIC_EPOCH,
    group_not_found,
};
use crate::broker::coordinator::group::turn::GroupTurn;

impl GroupTurn<'_> {
    pub(super) fn leave_consumer_group(
        &mut self,
        params: &ConsumerGroupHeartbeatParams<'_>,
    ) -> Result<ConsumerGroupHeartbeatResult, GroupError> {
        let Some(group) = self.state.consumer() else { return Err(group_not_found(params.group_id)) };
        let member = match params.instance_id {
            None => {
                let member = group.member(params.member_id);
                member.ok_or_else(|| member_not_found(&self.group.id, params.member_id))?
            }
            Some(instance_id) => self.static_member(group, params.member_id, instance_id)?,
        };
        let id = Arc::clone(&member.id);
        let group_id = &self.group.id;
        if params.instance_id.is_some() && params.member_epoch == LEAVE_STATIC_EPOCH {
            // What it has stays its, until it is back or its session ends.
            let mut gone = member.clone();
            gone.epoch = LEAVE_STATIC_EPOCH;
            gone.assigned
                .values_mut()
                .flat_map(|partitions| partitions.values_mut())
                .for_each(|epoch| *epoch = 0);
            gone.pending_revocation.clear();
            let records = [gone.current_record()];
            self.outbox.info(|| format!("Static member {id} leaves group {group_id} for a while"));
            self.append_consumer_records(false, &records)?;
            if let Some(group) = self.state.consumer_mut() {
                records.iter().for_each(|record| group.replay(record));
            }
        } else {
            self.outbox.info(|| format!("Member {id} leaves group {group_id}"));
            self.fence_consumer_members(&BTreeSet::from([Arc::clone(&id)]))?;
        }
        Ok(ConsumerGroupHeartbeatResult {
            member_id: id,
            member_epoch: params.member_epoch,
            heartbeat_interval_ms: 0,
            assignment: None,
        })
    }
}
