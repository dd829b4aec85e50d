//! Transactions of a producer in this process.

use std::fmt;
use std::sync::Arc;

use super::Producer;
use super::handle::{SendHandle, not_appended};
use super::record::ProducerRecord;
use super::shared::{Open, Shared};
use super::transactions::{TransactionNumber, Transactions};
use crate::broker::consumer::{Consumer, OffsetAndMetadata};
use crate::error::{Error, Result};
use crate::model::{ErrorCode, TopicPartition};

/// A transaction that is open: what is sent within it, to any topics and partitions, is read by consumers of committed
/// records as a whole, once it is committed, or never.
///
/// Made by [`Producer::begin_transaction`] and by [`Producer::transaction`]. It may be shared between threads. Dropped
/// without [`commit`](Self::commit), it is aborted.
///
/// # Examples
/// From one topic to another, each record once, whatever fails in between:
/// ```
/// use std::time::Duration;
/// use ottla::{AutoOffsetReset, Broker, IsolationLevel, NewTopic, ProducerRecord};
/// # fn main() -> Result<(), ottla::Error> {
/// let broker = Broker::temporary()?;
/// broker.admin().create_topic(NewTopic::new("orders", 1))?;
/// broker.admin().create_topic(NewTopic::new("invoices", 1))?;
/// broker.producer().send(ProducerRecord::new("orders").value("two pears"))?.wait()?;
///
/// let producer = broker.producer_builder().transactional_id("billing").build()?;
/// let consumer = broker.consumer_builder().group_id("billing").enable_auto_commit(false);
/// let mut consumer = consumer
///     .auto_offset_reset(AutoOffsetReset::Earliest)
///     .isolation_level(IsolationLevel::ReadCommitted)
///     .build()?;
/// consumer.subscribe(["orders"])?;
///
/// let orders = consumer.poll(Duration::from_secs(5))?;
/// let transaction = producer.begin_transaction()?;
/// for order in &orders {
///     transaction.send(ProducerRecord::new("invoices").value(order.value().unwrap()))?;
/// }
/// transaction.send_offsets(&consumer)?;
/// transaction.commit()?;
///
/// let tp = consumer.assignment().remove(0);
/// assert_eq!(consumer.committed(&tp)?.unwrap().offset, 1);
/// assert_eq!(broker.topic("invoices")?.partition(0)?.read_from(0).count(), 1);
/// # Ok(())
/// # }
/// ```
#[must_use = "a transaction that is dropped is aborted"]
pub struct Transaction {
    shared: Arc<Open>,
    number: TransactionNumber,
}

impl Producer {
    /// Begins a transaction. There is one at a time in a producer, all handles of it together; as long as it is open,
    /// what any of them sends is part of it.
    ///
    /// # Errors
    /// - [`InvalidTxnState`](ErrorCode::InvalidTxnState): one is open already, or the producer has no
    ///   [`transactional_id`](crate::ProducerBuilder::transactional_id).
    /// - [`ProducerFenced`](ErrorCode::ProducerFenced): another producer has the id now. This one is of no more use.
    /// - [`KafkaStorageError`](ErrorCode::KafkaStorageError): the one before could not be aborted, nor can it now: the
    ///   disk is full, or broken.
    /// - [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable): the broker is closed.
    ///
    /// # Examples
    /// ```
    /// use ottla::{Broker, ErrorCode, IsolationLevel, NewTopic, ProducerRecord};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let broker = Broker::temporary()?;
    /// broker.admin().create_topic(NewTopic::new("orders", 1))?;
    /// let partition = broker.topic("orders")?.partition(0)?;
    /// let committed = || partition.read_from(0).isolation_level(IsolationLevel::ReadCommitted).count();
    /// let producer = broker.producer_builder().transactional_id("shop").build()?;
    ///
    /// let transaction = producer.begin_transaction()?;
    /// transaction.send(ProducerRecord::new("orders").value("two pears"))?.wait()?;
    /// assert_eq!(committed(), 0);
    /// transaction.commit()?;
    /// assert_eq!(committed(), 1);
    ///
    /// let transaction = producer.begin_transaction()?;
    /// transaction.send(ProducerRecord::new("orders").value("no pears"))?.wait()?;
    /// drop(transaction);
    /// assert_eq!(committed(), 1);
    ///
    /// let error = broker.producer().begin_transaction().unwrap_err();
    /// assert_eq!(error.code(), ErrorCode::InvalidTxnState);
    /// # Ok(())
    /// # }
    /// ```
    pub fn begin_transaction(&self) -> Result<Transaction> {
        self.shared.common.core.ensure_open()?;
        let number = self.shared.common.transactions()?.begin(&self.shared.common.core)?;
        Ok(Transaction { shared: Arc::clone(&self.shared), number })
    }

    /// Calls `work` within a transaction, and commits it if that succeeds; if it fails, or panics, the transaction is
    /// aborted.
    ///
    /// # Errors
    /// Those of `work`, of [`begin_transaction`](Self::begin_transaction) and of [`Transaction::commit`].
    ///
    /// # Examples
    /// ```
    /// use ottla::{Broker, NewTopic, ProducerRecord};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let broker = Broker::temporary()?;
    /// broker.admin().create_topic(NewTopic::new("debits", 1))?;
    /// broker.admin().create_topic(NewTopic::new("credits", 1))?;
    /// let producer = broker.producer_builder().transactional_id("transfers").build()?;
    ///
    /// let transfer = |amount: i32| {
    ///     producer.transaction(|transaction| -> Result<(), Box<dyn std::error::Error>> {
    ///         transaction.send(ProducerRecord::new("debits").value(&amount.to_string()))?;
    ///         if amount > 1000 {
    ///             return Err("too much".into());
    ///         }
    ///         transaction.send(ProducerRecord::new("credits").value(&amount.to_string()))?;
    ///         Ok(())
    ///     })
    /// };
    /// transfer(12)?;
    /// assert_eq!(transfer(1200).unwrap_err().to_string(), "too much");
    /// # Ok(())
    /// # }
    /// ```
    pub fn transaction<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&Transaction) -> Result<T, E>,
    ) -> Result<T, E> {
        let transaction = self.begin_transaction()?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }
}

impl Transaction {
    /// Sends a record within the transaction: as [`Producer::send`].
    ///
    /// # Errors
    /// As [`Producer::send`], and [`InvalidTxnState`](ErrorCode::InvalidTxnState) if the transaction was ended by the
    /// producer's being closed.
    pub fn send(&self, record: ProducerRecord<'_>) -> Result<SendHandle> {
        self.shared.send(record)
    }

    /// Makes how far a consumer has read part of the transaction: the positions of all partitions that are assigned to
    /// it are committed for its group together with the records, or not at all. The consumer should neither commit
    /// otherwise ([`enable_auto_commit`](crate::ConsumerBuilder::enable_auto_commit)) nor read what is not committed.
    ///
    /// # Errors
    /// The transaction can only be aborted then.
    /// - As [`Consumer::commit`].
    /// - [`InvalidRequest`](ErrorCode::InvalidRequest): the consumer is one of another broker.
    /// - [`ProducerFenced`](ErrorCode::ProducerFenced): another producer has the id now, or the transaction was open
    ///   for longer than its timeout.
    pub fn send_offsets(&self, consumer: &Consumer) -> Result<()> {
        self.send_offsets_of(consumer, consumer.positions_to_commit())
    }

    /// The same with these offsets, each that of the next record to read.
    ///
    /// # Errors
    /// As [`send_offsets`](Self::send_offsets).
    pub fn send_offsets_of<O: Into<OffsetAndMetadata>>(
        &self,
        consumer: &Consumer,
        offsets: impl IntoIterator<Item = (TopicPartition, O)>,
    ) -> Result<()> {
        let offsets: Vec<_> = offsets.into_iter().map(|(tp, offset)| (tp, offset.into())).collect();
        let Err(error) = self.try_send_offsets(consumer, &offsets) else { return Ok(()) };
        let error = Arc::new(error);
        self.transactions()?.note_failure(self.number, &error);
        Err(Error::with_source(error.code(), error.to_string(), error))
    }

    fn try_send_offsets(
        &self,
        consumer: &Consumer,
        offsets: &[(TopicPartition, OffsetAndMetadata)],
    ) -> Result<()> {
        let (core, transactions) = (&self.shared.common.core, self.transactions()?);
        if !consumer.is_of(core) {
            return Err(Error::new(ErrorCode::InvalidRequest, "the consumer is one of another broker"));
        }
        consumer.commit_within(offsets, |partition, commit| {
            transactions.append(core, self.number, partition, commit)
        })
    }

    /// Commits: appends what was sent, and makes all of it visible. When this returns, that is in the log.
    ///
    /// # Errors
    /// Nothing is committed then, and the transaction is aborted.
    /// - The first failure of a record that was sent within it, or of offsets.
    /// - [`ProducerFenced`](ErrorCode::ProducerFenced): another producer has the id now. This one is of no more use.
    /// - [`InvalidTxnState`](ErrorCode::InvalidTxnState): it was open for longer than its
    ///   [`transaction_timeout_ms`](crate::ProducerBuilder::transaction_timeout_ms), and is aborted.
    /// - [`KafkaStorageError`](ErrorCode::KafkaStorageError): the disk is full, or broken, so that it could not be
    ///   decided.
    /// - [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable): the broker is closed.
    pub fn commit(self) -> Result<()> {
        self.shared.common.core.ensure_open()?;
        let transactions = self.transactions()?;
        if !transactions.start_ending(self.number) {
            return Err(Error::new(
                ErrorCode::InvalidTxnState,
                "the producer was closed, and has aborted it",
            ));
        }
        self.shared.append_all();
        if let Some(failure) = transactions.take_failure() {
            return Err(not_appended(&failure).context("the transaction is aborted"));
        }
        transactions.commit(&self.shared.common.core)
    }

    /// Aborts: what was sent within it is never seen by readers of committed records.
    ///
    /// # Errors
    /// The transaction is over all the same, and will be aborted before the next one begins, or when its time is up.
    /// - [`ProducerFenced`](ErrorCode::ProducerFenced): another producer has the id now, and has aborted it.
    /// - [`KafkaStorageError`](ErrorCode::KafkaStorageError): the disk is full, or broken.
    /// - [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable): the broker is closed.
    pub fn abort(self) -> Result<()> {
        self.shared.abort_open(self.number)
    }

    fn transactions(&self) -> Result<&Transactions> {
        self.shared.common.transactions()
    }
}

impl Shared {
    /// Aborts the transaction with this number if it has not ended.
    pub(super) fn abort_open(&self, number: TransactionNumber) -> Result<()> {
        let Ok(transactions) = self.common.transactions() else { return Ok(()) };
        if !transactions.start_ending(number) {
            return Ok(());
        }
        self.append_all();
        transactions.abort(&self.common.core)
    }

    /// Aborts what is open, since the producer is to end.
    pub(super) fn abort_at_end(&self) {
        let open = self.common.transactions().ok().and_then(Transactions::open);
        if let Some(Err(error)) = open.map(|number| self.abort_open(number)) {
            tracing::warn!(%error, "a producer has ended, and its transaction will be aborted by its timeout");
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        // Nothing is left to do if it was committed.
        if let Err(error) = self.shared.abort_open(self.number) {
            tracing::warn!(%error, "a transaction was dropped, and will be aborted by its timeout");
        }
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("number", &self.number).finish_non_exhaustive()
    }
}
