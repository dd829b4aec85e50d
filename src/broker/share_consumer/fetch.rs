use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::ShareConsumer;
use super::acknowledge::Delivered;
use super::acquired::Acquired;
use super::builder::ShareAcquireMode;
use super::records::{ShareRecord, ShareRecords};
use crate::broker::consumer::RETRY_BACKOFF;
use crate::broker::share::{ShareFetchParams, ShareFetchPartitionData, ShareSessionRequest, ShareTarget};
use crate::broker::{Partition, SharePartitionKey};
use crate::error::{Error, Result};

use crate::model::{ErrorCode, TopicPartition, Uuid};
use crate::record::{AppendOrigin, BatchError, RecordBatch};

/// Where the answer to a fetch that waits is left.
type Answer = Mutex<Option<Vec<ShareFetchPartitionData>>>;

impl ShareConsumer {
    /// Acquires what there is, or waits for it, until there is news of another kind.
    pub(super) fn fetch(
        &mut self,
        assignment: &[(Uuid, i32)],
        max_wait: Duration,
        seen: u64,
    ) -> Result<ShareRecords> {
        self.open_session(assignment)?;
        let targets = assignment.iter().map(|(topic_id, index)| ShareTarget {
            topic_id: *topic_id,
            index: *index,
            partition: self.partition(*topic_id, *index),
        });
        let targets = targets.collect();
        let answer: Arc<Answer> = Arc::default();
        let mut wait = None;
        let at_once = self.core.share_groups.fetch_or_wait(self.fetch_params(max_wait), targets, |waiting| {
            wait = Some(waiting);
            let (place, signal) = (Arc::clone(&answer), Arc::clone(&self.signal));
            Box::new(move |data| {
                *place.lock() = Some(data);
                signal.notify();
            })
        });
        let Some(wait) = wait else { return Ok(self.deliver(at_once.unwrap_or_default())) };
        // The fetch's own timer ends it, unless something else happens.
        self.signal.wait(seen, None);
        loop {
            let seen = self.signal.generation();
            if let Some(data) = answer.lock().take() {
                return Ok(self.deliver(data));
            }
            if wait.cancel() {
                return Ok(ShareRecords::default());
            }
            // Somebody is about to answer: what was acquired must not be lost.
            self.core.ensure_open()?;
            self.signal.wait(seen, None);
        }
    }

    fn fetch_params(&self, max_wait: Duration) -> ShareFetchParams {
        ShareFetchParams {
            group_id: Arc::clone(&self.membership.group_id),
            member_id: Arc::clone(&self.membership.member_id),
            session_epoch: self.session_epoch,
            max_wait_ms: i32::try_from(max_wait.as_millis()).unwrap_or(i32::MAX),
            min_bytes: self.options.fetch_min_bytes,
            max_bytes: self.options.fetch_max_bytes,
            max_records: self.options.max_poll_records,
            batch_size: self.options.max_poll_records,
            is_record_limit: self.options.acquire_mode == ShareAcquireMode::RecordLimit,
        }
    }

    fn partition(&self, topic_id: Uuid, index: i32) -> Result<Arc<Partition>, ErrorCode> {
        let topic = self.core.metadata.topic_by_id(topic_id).ok_or(ErrorCode::UnknownTopicId)?;
        topic.partition(index).ok_or(ErrorCode::UnknownTopicOrPartition)
    }

    /// A session says to the broker which partitions are fetched, so that what was acquired there is given back when the
    /// member leaves.
    fn open_session(&mut self, assignment: &[(Uuid, i32)]) -> Result<()> {
        let mut is_new = self.session_epoch == 0 || self.fetched != assignment;
        loop {
            let request = ShareSessionRequest {
                key: self.membership.session_key.clone(),
                epoch: if is_new { 0 } else { self.session_epoch },
                partitions: if is_new { assignment.to_vec() } else { Vec::new() },
                forgotten: Vec::new(),
                has_acknowledgements: false,
                connection_id: None,
            };
            match self.core.share_groups.open_session(request) {
                Ok(_) => {
                    self.session_epoch =
                        if is_new { 1 } else { self.session_epoch.checked_add(1).unwrap_or(1) };
                    self.fetched = assignment.to_vec();
                    return Ok(());
                }
                // It was ended, since the program had not polled for long.
                Err(ErrorCode::ShareSessionNotFound | ErrorCode::InvalidShareSessionEpoch) if !is_new => {
                    is_new = true;
                }
                Err(error) => {
                    self.session_epoch = 0;
                    return Err(Error::new(error, format!("cannot fetch in {}", self.membership.group_id)));
                }
            }
        }
    }

    /// Takes what was acquired, and says of offsets without a record that there is none.
    fn deliver(&mut self, data: Vec<ShareFetchPartitionData>) -> ShareRecords {
        let mut delivered = ShareRecords::default();
        for data in data {
            let Some(topic) = self.core.metadata.topic_by_id(data.topic_id) else { continue };
            let tp = TopicPartition::new(Arc::clone(topic.name()), data.index);
            if let Some(error) = &data.error {
                tracing::debug!(partition = %tp, %error, "cannot fetch");
                self.retry_at = Some(self.now().saturating_add(RETRY_BACKOFF));
                continue;
            }
            let mut acquired = Acquired::new(&data.acquired);
            if let Err(error) = self.take(&data, &tp, &mut acquired, &mut delivered) {
                // Its locks end by themselves.
                self.failure.get_or_insert(error);
                continue;
            }
            let said = acquired.finish();
            if said.is_empty() {
                continue;
            }
            let key =
                SharePartitionKey::new(Arc::clone(&self.membership.group_id), data.topic_id, data.index);
            if let Err(error) = self.core.share_groups.acknowledge(&key, &self.membership.member_id, &said) {
                tracing::warn!(%key, %error, "cannot say which offsets have no record");
            }
        }
        delivered
    }

    /// Moves the records that were acquired to `delivered`.
    fn take(
        &mut self,
        data: &ShareFetchPartitionData,
        tp: &TopicPartition,
        acquired: &mut Acquired<'_>,
        delivered: &mut ShareRecords,
    ) -> Result<()> {
        if data.acquired.is_empty() {
            return Ok(());
        }
        let storage =
            |error| Error::caused(ErrorCode::KafkaStorageError, format_args!("cannot read {tp}"), error);
        let mut bytes = data.records.read().map_err(storage)?;
        let partition = self.partition(data.topic_id, data.index);
        let partition = partition.map_err(|code| Error::new(code, format!("{tp} is gone")))?;
        let limit = partition.log()?.validation_options(AppendOrigin::Client, true).decompression_limit_bytes;
        while let Some(batch) = RecordBatch::split_from(&mut bytes)? {
            let (base_offset, last_offset) = (batch.view().base_offset(), batch.view().last_offset());
            if batch.view().is_control() || !acquired.overlaps(base_offset, last_offset) {
                continue;
            }
            if let Err(error) = self.take_batch(&batch, limit, (data.topic_id, tp), acquired, delivered) {
                // Nobody could read it, however often it is delivered.
                acquired.reject(base_offset, last_offset);
                let error = Error::from(error).context(format_args!("{tp} at offset {base_offset}"));
                tracing::error!(%error, "a batch is rejected, since it cannot be read");
                self.failure.get_or_insert(error);
            }
        }
        Ok(())
    }

    fn take_batch(
        &mut self,
        batch: &RecordBatch,
        decompression_limit: usize,
        (topic_id, tp): (Uuid, &TopicPartition),
        acquired: &mut Acquired<'_>,
        delivered: &mut ShareRecords,
    ) -> Result<(), BatchError> {
        batch.view().ensure_valid()?;
        let held = self.delivered.entry((topic_id, tp.partition())).or_default();
        for record in batch.records(decompression_limit)? {
            let record = record?;
            let Some(delivery_count) = acquired.take(record.offset()) else { continue };
            held.insert(record.offset(), Delivered::Open);
            delivered.records.push(ShareRecord { tp: tp.clone(), topic_id, delivery_count, record });
        }
        Ok(())
    }
}
