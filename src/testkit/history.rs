//! Why a group rebalanced, and why a producer was fenced.

use super::TestBroker;
use crate::broker::HistoryEvent;

impl TestBroker {
    /// What happened to a group since the broker was started, and why: who came and left, what each rebalance was for,
    /// who was fenced. The last 200 events, oldest first; nothing, if there was no such group.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use ottla::{NewTopic, TestBroker};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let kafka = TestBroker::start()?;
    /// kafka.admin().create_topic(NewTopic::new("orders", 1))?;
    /// let mut consumer = kafka.consumer_builder().group_id("billing").client_id("till-4").build()?;
    /// consumer.subscribe(["orders"])?;
    /// consumer.poll(Duration::ZERO)?;
    ///
    /// let history = kafka.group_history("billing");
    /// assert!(history.iter().any(|event| event.text.contains("(reason: new member till-4-")));
    /// # Ok(())
    /// # }
    /// ```
    pub fn group_history(&self, group_id: &str) -> Vec<HistoryEvent> {
        self.core.group_history().of(group_id)
    }

    /// What happened to a transactional id since the broker was started, and why: who has it, whose transaction was
    /// aborted for what reason, who was fenced by whom. The last 200 events, oldest first.
    pub fn transaction_history(&self, transactional_id: &str) -> Vec<HistoryEvent> {
        self.core.transaction_history().of(transactional_id)
    }

    /// What was refused to a producer over the wire because its epoch is over, and why: batches, and markers of
    /// transactions. Also of producers that have no transactional id. The last 200 events, oldest first.
    pub fn producer_history(&self, producer_id: i64) -> Vec<HistoryEvent> {
        self.core.producer_history().of(&producer_id.to_string())
    }
}
