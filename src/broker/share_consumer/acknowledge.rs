use std::sync::Arc;

use super::ShareConsumer;
use super::builder::AcknowledgementMode;
use super::records::ShareRecord;
use crate::broker::SharePartitionKey;
use crate::broker::share::{self, AcknowledgementBatch};
use crate::error::{Error, Result};
use crate::model::{ErrorCode, Offset, TopicPartition};

/// What has become of a record. Kafka: `AcknowledgeType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AcknowledgeType {
    /// It is dealt with.
    Accept,
    /// It is to be delivered again, to whoever comes.
    Release,
    /// Nobody can deal with it: it is not delivered again.
    Reject,
    /// It takes longer: the lock begins again. The record stays with the program, is not given by a poll again, and must
    /// be acknowledged once more.
    Renew,
}

impl AcknowledgeType {
    fn id(self) -> i8 {
        match self {
            AcknowledgeType::Accept => share::ACCEPT,
            AcknowledgeType::Release => share::RELEASE,
            AcknowledgeType::Reject => share::REJECT,
            AcknowledgeType::Renew => share::RENEW,
        }
    }
}

/// Where a record is that was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivered {
    /// Nothing was said of it.
    Open,
    /// To be committed.
    Decided(AcknowledgeType),
    /// Held for longer.
    Renewed,
}

impl ShareConsumer {
    /// Says what has become of a record of the last poll, or of one that was renewed. It counts with the next
    /// [`commit`](Self::commit) or [`poll`](Self::poll); until then it may be said otherwise.
    ///
    /// # Errors
    /// [`InvalidRequest`](ErrorCode::InvalidRequest): the consumer acknowledges implicitly.
    /// [`InvalidRecordState`](ErrorCode::InvalidRecordState): the record is not held by this consumer (any more).
    pub fn acknowledge(&mut self, record: &ShareRecord, of: AcknowledgeType) -> Result<()> {
        if self.options.acknowledgement_mode == AcknowledgementMode::Implicit {
            let message = "the consumer acknowledges implicitly: see AcknowledgementMode::Explicit";
            return Err(Error::new(ErrorCode::InvalidRequest, message));
        }
        let of_partition = self.delivered.get_mut(&(record.topic_id, record.partition()));
        let Some(delivered) = of_partition.and_then(|of| of.get_mut(&record.offset())) else {
            let message = format!("the record at offset {} of {} is not held", record.offset(), record.tp);
            return Err(Error::new(ErrorCode::InvalidRecordState, message));
        };
        *delivered = Delivered::Decided(of);
        Ok(())
    }

    /// Commits what was acknowledged; in implicit mode all records of the last poll are accepted. When this returns, what
    /// was committed is kept, in `__share_group_state`.
    ///
    /// # Errors
    /// The first partition's; the other partitions' acknowledgements count nevertheless.
    /// [`InvalidRecordState`](ErrorCode::InvalidRecordState): a lock has ended, so that a record is, or was, given to
    /// another; or the group does not let locks be renewed. Of what was acknowledged of that partition nothing is
    /// committed, and none of it is held any more.
    /// [`KafkaStorageError`](ErrorCode::KafkaStorageError): it could not be written. The records are held as long as
    /// their locks last, and the next commit or poll tries again.
    /// [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable): the broker is closed.
    pub fn commit(&mut self) -> Result<()> {
        self.core.ensure_open()?;
        self.accept_if_implicit();
        self.commit_decided()
    }

    fn accept_if_implicit(&mut self) {
        if self.options.acknowledgement_mode != AcknowledgementMode::Implicit {
            return;
        }
        for delivered in self.delivered.values_mut().flat_map(|of| of.values_mut()) {
            *delivered = Delivered::Decided(AcknowledgeType::Accept);
        }
    }

    /// What is left of the last poll is dealt with.
    pub(super) fn before_poll(&mut self) -> Result<()> {
        self.accept_if_implicit();
        if let Err(error) = self.commit_decided() {
            // As in Kafka, polling goes on: the records are, or will be, delivered again. Who must know calls `commit`.
            tracing::warn!(group = self.group_id(), %error, "acknowledgements were not committed");
        }
        let is_open = |delivered: &Delivered| *delivered == Delivered::Open;
        if self.delivered.values().flat_map(|of| of.values()).any(is_open) {
            let message = "a record of the last poll was not acknowledged, which explicit mode asks for";
            return Err(Error::new(ErrorCode::InvalidRequest, message));
        }
        Ok(())
    }

    pub(super) fn commit_decided(&mut self) -> Result<()> {
        let mut first_error = None;
        for ((topic_id, partition), of) in &mut self.delivered {
            let batches = batches(of.iter().filter_map(|(offset, delivered)| match delivered {
                Delivered::Decided(of) => Some((*offset, of.id())),
                Delivered::Open | Delivered::Renewed => None,
            }));
            if batches.is_empty() {
                continue;
            }
            let key = SharePartitionKey::new(Arc::clone(&self.membership.group_id), *topic_id, *partition);
            let outcome = self.core.share_groups.acknowledge(&key, &self.membership.member_id, &batches);
            if let Err(error) = outcome {
                let topic = self.core.metadata.topic_by_id(*topic_id);
                let name =
                    topic.map_or_else(|| topic_id.to_string().into(), |topic| Arc::clone(topic.name()));
                let tp = TopicPartition::new(name, *partition);
                first_error.get_or_insert_with(|| match self.core.share_state_failure(&key, error.code) {
                    Some(failure) => failure.context(tp),
                    None => Error::new(error.code, format!("{tp}: {error}")),
                });
                // What could not be kept yet is still held: to be told again that it was committed would be a lie.
                if error.code != ErrorCode::CoordinatorNotAvailable {
                    of.retain(|_, delivered| !matches!(delivered, Delivered::Decided(_)));
                }
                continue;
            }
            of.retain(|_, delivered| match delivered {
                Delivered::Decided(AcknowledgeType::Renew) => {
                    *delivered = Delivered::Renewed;
                    true
                }
                Delivered::Decided(_) => false,
                Delivered::Open | Delivered::Renewed => true,
            });
        }
        self.delivered.retain(|_, of| !of.is_empty());
        first_error.map_or(Ok(()), Err)
    }
}

/// Consecutive offsets of which the same is said, each run in one batch.
fn batches(said: impl Iterator<Item = (Offset, i8)>) -> Vec<AcknowledgementBatch> {
    let mut batches: Vec<AcknowledgementBatch> = Vec::new();
    for (offset, of) in said {
        match batches.last_mut() {
            Some(batch) if batch.last_offset + 1 == offset && batch.types == [of] => {
                batch.last_offset = offset
            }
            _ => batches.push(AcknowledgementBatch {
                first_offset: offset,
                last_offset: offset,
                types: vec![of],
            }),
        }
    }
    batches
}
