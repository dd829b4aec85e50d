//! What the requests of share groups have in common.

use super::group::ShareGroup;
use super::update::{Plan, Surroundings};
use crate::broker::coordinator::group::modern::consumer::GroupError;
use crate::broker::coordinator::group::record::{CoordinatorRecord, ShareGroupRecord};
use crate::broker::coordinator::group::turn::GroupTurn;
use crate::model::ErrorCode;

impl GroupTurn<'_> {
    pub(super) fn share_surroundings(&self) -> Surroundings<'_> {
        let config = self.coordinator.config();
        Surroundings {
            image: self.coordinator.image(),
            assignment_interval_ms: self.share_assignment_interval_ms(),
            initialize_retry_interval_ms: config
                .group_share_initialize_retry_interval_ms
                .max(config.offsets_commit_timeout_ms),
            now_ms: self.now_ms(),
        }
    }

    /// Appends what a plan comes to, and lets it be so.
    pub(super) fn carry_out_share(
        &mut self,
        fresh: Option<ShareGroup>,
        plan: Plan,
    ) -> Result<(), GroupError> {
        self.change_share_group(fresh, &plan.records)?;
        let version = self.coordinator.image().version();
        let Some(group) = self.state.share_mut() else { return Ok(()) };
        if plan.is_compared {
            group.modern.topics_version = Some(version);
        }
        let is_initialized =
            group.state_partitions.as_ref().is_none_or(|known| known.initializing.is_empty());
        group.is_settled = is_initialized && plan.to_initialize.is_empty() && !group.is_assignment_pending();
        Ok(())
    }

    /// Appends records as one batch, then has them change the group, which is made of a blank one if it is `fresh`.
    pub(super) fn change_share_group(
        &mut self,
        fresh: Option<ShareGroup>,
        records: &[ShareGroupRecord],
    ) -> Result<(), ErrorCode> {
        if records.is_empty() {
            return Ok(());
        }
        let encoded = records.iter().map(|record| record.encode(&self.group.id));
        let encoded: Result<Vec<CoordinatorRecord>, _> = encoded.collect();
        self.append_encoded(&encoded.map_err(|_| ErrorCode::UnknownServerError)?)?;
        let now_ms = self.now_ms();
        if let Some(fresh) = fresh {
            self.state.become_share(fresh, now_ms);
            let group = &self.group.id;
            self.outbox.info(|| format!("Group {group} is a share group"));
        }
        if let Some(group) = self.state.share_mut() {
            records.iter().for_each(|record| group.replay(record, now_ms));
        }
        Ok(())
    }
}
