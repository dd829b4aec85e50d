use super::Consumer;
use crate::model::TopicPartition;

/// Is told when a group gives partitions to its consumer, and takes them away (Kafka: `ConsumerRebalanceListener`).
///
/// It is called on the thread that calls [`Consumer::poll`], [`Consumer::unsubscribe`] or [`Consumer::close`], from
/// within that call, and gets the consumer to work with: to commit, to seek, to look at positions. `poll`,
/// `subscribe`, `assign`, `unsubscribe` and `close` fail with [`InvalidRequest`](crate::ErrorCode::InvalidRequest)
/// there.
///
/// # Examples
/// ```
/// use ottla::{Broker, Consumer, ProducerRecord, RebalanceListener, TopicPartition};
/// use std::time::Duration;
///
/// /// Starts over whenever it gets a partition.
/// struct FromTheBeginning;
/// impl RebalanceListener for FromTheBeginning {
///     fn on_partitions_assigned(&mut self, consumer: &mut Consumer, partitions: &[TopicPartition]) {
///         consumer.seek_to_beginning(partitions).unwrap();
///     }
/// }
/// # fn main() -> Result<(), ottla::Error> {
/// let broker = Broker::temporary()?;
/// broker.producer().send(ProducerRecord::new("orders").value("x"))?.wait()?;
/// for _ in 0..2 {
///     let mut consumer =
///         broker.consumer_builder().group_id("g").rebalance_listener(FromTheBeginning).build()?;
///     consumer.subscribe(["orders"])?;
///     assert_eq!(consumer.poll(Duration::from_secs(1))?.len(), 1);
/// }
/// # Ok(())
/// # }
/// ```
pub trait RebalanceListener: Send {
    /// The consumer is about to give these partitions up, and may still commit for them.
    fn on_partitions_revoked(&mut self, consumer: &mut Consumer, partitions: &[TopicPartition]) {
        let _ = (consumer, partitions);
    }

    /// The consumer has these partitions from now on, beside those that it keeps.
    fn on_partitions_assigned(&mut self, consumer: &mut Consumer, partitions: &[TopicPartition]) {
        let _ = (consumer, partitions);
    }

    /// The group has taken these partitions away because it believed the consumer to be gone; another member may
    /// read them already, so that nothing can be committed for them. By default this is the same as giving them up.
    fn on_partitions_lost(&mut self, consumer: &mut Consumer, partitions: &[TopicPartition]) {
        self.on_partitions_revoked(consumer, partitions);
    }
}
