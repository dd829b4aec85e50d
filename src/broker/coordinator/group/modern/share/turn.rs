//! What the requests of share groups have in common.

use super::group::ShareGroup;
use super::update::{Plan, Surroundings};
use crate::broker::coordinator::group::modern::consumer::{GroupError, News, names_of, rebalance};
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
        let news = match fresh.as_ref().or(self.state.share()) {
            Some(group) => self.share_news(group, &plan),
            None => News::default(),
        };
        self.change_share_group(fresh, &plan.records)?;
        self.tell(news);
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

    /// What a plan comes to.
    fn share_news(&self, group: &ShareGroup, plan: &Plan) -> News {
        let mut news = News::default();
        if !self.outbox.is_heard() {
            return news;
        }
        let (id, group_id) = (&plan.member.id, &self.group.id);
        let is_new = group.member(id).is_none();
        if is_new {
            let (client, host) = (&plan.member.metadata.client_id, &plan.member.metadata.client_host);
            news.group.push(format!("Member {id} of client {client} at {host} joins share group {group_id}"));
        }
        if let Some(cause) = plan.cause {
            news.group.push(rebalance(group_id, plan.epoch, &cause.words(id, is_new)));
        }
        if !self.outbox.is_heard_in_detail() {
            return news;
        }
        for record in &plan.records {
            if let ShareGroupRecord::Target(of, Some(partitions)) = record {
                let names = names_of(partitions, self.coordinator.image());
                news.members.push(format!("Member {of} is to read {names} in epoch {}", plan.epoch));
            }
        }
        news
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
