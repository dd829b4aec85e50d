//! Where a consumer is in its partitions.

use std::collections::BTreeMap;
use std::time::Duration;

use super::builder::AutoOffsetReset;
use super::{Consumer, Reading};
use crate::broker::replica::{ListedOffset, OffsetSpec, list_offset};
use crate::broker::topic::OffsetAndTimestamp;
use crate::error::{Error, Result};
use crate::log::FetchIsolation;
use crate::model::{ErrorCode, Offset, TopicPartition};

/// How long to wait before asking again for what cannot be told yet (Kafka: `retry.backoff.ms`).
pub(in crate::broker) const RETRY_BACKOFF: Duration = Duration::from_millis(100);

impl Consumer {
    /// Lets the next poll go on at `offset` of a partition that is assigned. An offset that does not exist is treated
    /// by [`auto_offset_reset`](crate::ConsumerBuilder::auto_offset_reset) then.
    ///
    /// # Errors
    /// [`InvalidRequest`](ErrorCode::InvalidRequest): the partition is not assigned, or the offset is negative.
    pub fn seek(&mut self, tp: &TopicPartition, offset: i64) -> Result<()> {
        let i = self.index_of(tp)?;
        if offset < 0 {
            return Err(Error::new(
                ErrorCode::InvalidRequest,
                format!("offset {offset} of {tp} is negative"),
            ));
        }
        if let Some(partition) = self.assigned.get_mut(i) {
            partition.seek(offset);
        }
        Ok(())
    }

    /// Lets the next poll start over with the first record that is still there, in these partitions, or in all that
    /// are assigned if none is named.
    ///
    /// # Errors
    /// [`InvalidRequest`](ErrorCode::InvalidRequest): a partition is not assigned. As
    /// [`beginning_offsets`](Self::beginning_offsets).
    pub fn seek_to_beginning(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.seek_to(partitions, OffsetSpec::Earliest)
    }

    /// Lets the next poll give only what comes from now on, in these partitions, or in all that are assigned if none
    /// is named.
    ///
    /// # Errors
    /// As [`seek_to_beginning`](Self::seek_to_beginning).
    pub fn seek_to_end(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.seek_to(partitions, OffsetSpec::Latest)
    }

    fn seek_to(&mut self, partitions: &[TopicPartition], spec: OffsetSpec) -> Result<()> {
        let all: Vec<TopicPartition> = match partitions {
            [] => self.assignment(),
            some => some.to_vec(),
        };
        for tp in &all {
            let i = self.index_of(tp)?;
            let listed = self.list_offset(tp, spec)?;
            if let (Some(partition), Some(listed)) = (self.assigned.get_mut(i), listed) {
                partition.seek(listed.offset);
            }
        }
        Ok(())
    }

    /// The offset of the next record that a poll gives of this partition (or a lower one, if those between are gone).
    /// Where that is not known yet, it is looked up: in what is committed, then by
    /// [`auto_offset_reset`](crate::ConsumerBuilder::auto_offset_reset).
    ///
    /// # Errors
    /// [`InvalidRequest`](ErrorCode::InvalidRequest): the partition is not assigned.
    /// [`OffsetOutOfRange`](ErrorCode::OffsetOutOfRange): there is none, and [`AutoOffsetReset::None`].
    /// [`UnknownTopicOrPartition`](ErrorCode::UnknownTopicOrPartition): it does not exist.
    /// [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable): the broker is closed.
    pub fn position(&mut self, tp: &TopicPartition) -> Result<i64> {
        self.core.ensure_open()?;
        let i = self.index_of(tp)?;
        self.ensure_positions()?;
        self.assigned
            .get(i)
            .and_then(super::assigned::AssignedPartition::position)
            .ok_or_else(|| Error::new(ErrorCode::UnknownTopicOrPartition, format!("{tp} does not exist")))
    }

    /// Finds out where to start in the partitions of which that is not known.
    pub(super) fn ensure_positions(&mut self) -> Result<()> {
        if self
            .assigned
            .iter()
            .all(|partition| partition.position().is_some() && partition.partition().is_some())
        {
            return Ok(());
        }
        self.attach_partitions()?;
        let is_unknown = |partition: &&mut super::assigned::AssignedPartition| {
            partition.position().is_none() && partition.partition().is_some()
        };
        let mut unknown: Vec<_> = self.assigned.iter_mut().filter(is_unknown).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        if let Some(group_id) = &self.options.group_id {
            let tps: Vec<TopicPartition> = unknown.iter().map(|partition| partition.tp().clone()).collect();
            let Some(committed) = super::offsets::fetch_committed(&self.core, group_id, &tps)? else {
                // A transaction that commits offsets has not ended, or the group is being loaded.
                self.positions_retry_at = Some(self.core.env.clock.monotonic().saturating_add(RETRY_BACKOFF));
                return Ok(());
            };
            for (partition, fetched) in unknown.iter_mut().zip(committed) {
                if fetched.offset >= 0 {
                    partition.seek(fetched.offset);
                    partition.committed = Some(fetched.offset);
                }
            }
        }
        for i in 0..self.assigned.len() {
            self.reset_to_policy(i)?;
        }
        Ok(())
    }

    /// Finds the partitions themselves, which may have been made since, or made anew.
    fn attach_partitions(&mut self) -> Result<()> {
        let is_manual = matches!(self.reading, Reading::Assigned);
        for assigned in self.assigned.iter_mut().filter(|assigned| assigned.partition().is_none()) {
            match self.core.partition(assigned.tp().topic(), assigned.tp().partition()) {
                Ok(partition) => assigned.attach(partition),
                Err(code) if is_manual => {
                    return Err(Error::new(code, format!("{} does not exist", assigned.tp())));
                }
                // The group is going to hear of it.
                Err(_) => {}
            }
        }
        Ok(())
    }

    pub(super) fn reset_to_policy(&mut self, i: usize) -> Result<()> {
        let Some(assigned) = self.assigned.get_mut(i) else { return Ok(()) };
        let (None, Some(partition)) = (assigned.position(), assigned.partition()) else { return Ok(()) };
        let spec = match self.options.auto_offset_reset {
            AutoOffsetReset::Earliest => OffsetSpec::Earliest,
            AutoOffsetReset::Latest => OffsetSpec::Latest,
            AutoOffsetReset::ByDuration(duration) => {
                let age_ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
                OffsetSpec::ForTimestamp(self.core.env.clock.now_ms().saturating_sub(age_ms).max(0))
            }
            AutoOffsetReset::None => {
                return Err(Error::new(
                    ErrorCode::OffsetOutOfRange,
                    format!("nothing is committed of {}, and auto.offset.reset is none", assigned.tp()),
                ));
            }
        };
        let isolation = FetchIsolation::from(self.options.limits.isolation);
        let listed = match list_offset(partition, spec, isolation) {
            // No record is as young as it should be.
            Ok(None) => list_offset(partition, OffsetSpec::Latest, isolation),
            listed => listed,
        };
        match listed {
            Ok(Some(listed)) => assigned.seek(listed.offset),
            Ok(None) => {}
            Err(error) if error.code() == ErrorCode::UnknownTopicOrPartition => assigned.detach(),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The offset of the first record that is still there, of each partition; they need not be assigned.
    ///
    /// # Errors
    /// [`UnknownTopicOrPartition`](ErrorCode::UnknownTopicOrPartition),
    /// [`KafkaStorageError`](ErrorCode::KafkaStorageError), [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable).
    pub fn beginning_offsets(
        &self,
        partitions: impl IntoIterator<Item = TopicPartition>,
    ) -> Result<BTreeMap<TopicPartition, i64>> {
        self.offsets(partitions, OffsetSpec::Earliest)
    }

    /// The offset after the last record that this consumer may see, of each partition; they need not be assigned.
    ///
    /// # Errors
    /// As [`beginning_offsets`](Self::beginning_offsets).
    pub fn end_offsets(
        &self,
        partitions: impl IntoIterator<Item = TopicPartition>,
    ) -> Result<BTreeMap<TopicPartition, i64>> {
        self.offsets(partitions, OffsetSpec::Latest)
    }

    fn offsets(
        &self,
        partitions: impl IntoIterator<Item = TopicPartition>,
        spec: OffsetSpec,
    ) -> Result<BTreeMap<TopicPartition, Offset>> {
        let mut offsets = BTreeMap::new();
        for tp in partitions {
            if let Some(listed) = self.list_offset(&tp, spec)? {
                offsets.insert(tp, listed.offset);
            }
        }
        Ok(offsets)
    }

    /// For each partition the first record whose timestamp is at least the one given, in milliseconds since the Unix
    /// epoch; `None` where there is none. They need not be assigned.
    ///
    /// # Errors
    /// As [`beginning_offsets`](Self::beginning_offsets).
    pub fn offsets_for_times(
        &self,
        timestamps: impl IntoIterator<Item = (TopicPartition, i64)>,
    ) -> Result<BTreeMap<TopicPartition, Option<OffsetAndTimestamp>>> {
        let mut offsets = BTreeMap::new();
        for (tp, timestamp) in timestamps {
            let found = self.list_offset(&tp, OffsetSpec::ForTimestamp(timestamp))?;
            offsets.insert(tp, found.map(OffsetAndTimestamp::from));
        }
        Ok(offsets)
    }

    fn list_offset(&self, tp: &TopicPartition, spec: OffsetSpec) -> Result<Option<ListedOffset>> {
        self.core.ensure_open()?;
        let partition = self
            .core
            .partition(tp.topic(), tp.partition())
            .map_err(|code| Error::new(code, format!("{tp} does not exist")))?;
        list_offset(&partition, spec, FetchIsolation::from(self.options.limits.isolation))
    }
}
