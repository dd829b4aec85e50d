//! What transactional ids do.

use super::TestBroker;
use crate::broker::TransactionFilter;
use crate::error::Result;
use crate::model::TopicPartition;

/// A transactional id as a test looks at it: [`TestBroker::transactions`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestTransaction {
    /// Its name.
    pub transactional_id: String,
    /// What its transaction is in, by Kafka's name: `Empty`, `Ongoing`, `PrepareCommit`, `PrepareAbort`,
    /// `CompleteCommit` or `CompleteAbort`.
    pub state: String,
    /// Who has the id now.
    pub producer_id: i64,
    /// Whoever has a lower one is fenced.
    pub producer_epoch: i16,
    /// How long a transaction may be open.
    pub timeout_ms: i32,
    /// When the transaction began, in milliseconds since the Unix epoch, on the broker's clock; `None` if none is open.
    pub started_at_ms: Option<i64>,
    /// What is written to within the transaction.
    pub partitions: Vec<TopicPartition>,
}

impl TestBroker {
    /// All transactional ids, sorted, each with its transaction.
    ///
    /// # Examples
    /// ```
    /// use ottla::{ProducerRecord, TestBroker};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let kafka = TestBroker::start()?;
    /// let producer = kafka.producer_builder().transactional_id("till-4").build()?;
    /// let transaction = producer.begin_transaction()?;
    /// transaction.send(ProducerRecord::new("orders").value("one"))?.wait()?;
    ///
    /// let open = &kafka.transactions()?[0];
    /// assert_eq!((&*open.transactional_id, &*open.state), ("till-4", "Ongoing"));
    /// assert_eq!(open.partitions[0].to_string(), "orders-0");
    /// # drop(transaction);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`CoordinatorLoadInProgress`](crate::ErrorCode::CoordinatorLoadInProgress): they are not all known yet.
    pub fn transactions(&self) -> Result<Vec<TestTransaction>> {
        let coordinator = &self.core.transactions;
        let filter = TransactionFilter { min_duration_ms: -1, ..TransactionFilter::default() };
        let mut found = Vec::new();
        for listed in coordinator.list(&filter)? {
            // It has gone since.
            let Ok(described) = coordinator.describe(&listed.transactional_id) else { continue };
            found.push(TestTransaction {
                transactional_id: listed.transactional_id.to_string(),
                state: described.state.name().to_owned(),
                producer_id: described.producer.producer_id,
                producer_epoch: described.producer.producer_epoch,
                timeout_ms: described.timeout_ms,
                started_at_ms: Some(described.start_timestamp).filter(|at| *at >= 0),
                partitions: described.partitions,
            });
        }
        found.sort_unstable_by(|a, b| a.transactional_id.cmp(&b.transactional_id));
        Ok(found)
    }
}
