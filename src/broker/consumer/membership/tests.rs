use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::model::{ErrorCode, TopicPartition};
use crate::{Broker, Consumer, NewTopic, PartitionAssignor, RebalanceListener};

struct Losses(Arc<AtomicUsize>);

impl RebalanceListener for Losses {
    fn on_partitions_lost(&mut self, _: &mut Consumer, partitions: &[TopicPartition]) {
        self.0.fetch_add(partitions.len(), Ordering::Relaxed);
    }
}

/// The last other member has joined, the generation is the next one, and the thread of that member has not told it yet: a
/// commit of the generation before came just then. The consumer threw its partitions away, and the records that it had
/// read were read again by others.
#[test]
fn a_commit_that_is_outrun_by_the_next_generation_loses_no_partitions() {
    let broker = Broker::builder().temporary().set("group.initial.rebalance.delay.ms", "0").open().unwrap();
    broker.admin().create_topic(NewTopic::new("orders", 4)).unwrap();
    let losses = Arc::new(AtomicUsize::new(0));
    let member = || {
        let builder =
            broker.consumer_builder().group_id("billing").rebalance_listener(Losses(Arc::clone(&losses)));
        let mut consumer =
            builder.partition_assignors([PartitionAssignor::CooperativeSticky]).build().unwrap();
        consumer.subscribe(["orders"]).unwrap();
        consumer
    };
    let (mut first, mut slow) = (member(), member());
    while first.assignment().len() != 2 || slow.assignment().len() != 2 {
        first.poll(Duration::ZERO).unwrap();
        slow.poll(Duration::ZERO).unwrap();
    }
    let mut new = member();
    for _ in 0..3 {
        new.poll(Duration::ZERO).unwrap();
        first.poll(Duration::ZERO).unwrap();
    }
    let membership = Arc::clone(first.membership.as_ref().unwrap());
    let generation = membership.identity().generation_id;
    let told = membership.note_error(ErrorCode::IllegalGeneration, generation);
    assert_eq!(told, ErrorCode::RebalanceInProgress);
    while new.assignment().is_empty() {
        for member in [&mut slow, &mut first, &mut new] {
            member.poll(Duration::ZERO).unwrap();
        }
    }
    assert!(membership.identity().generation_id > generation);
    let late = membership.note_error(ErrorCode::IllegalGeneration, generation);
    assert_eq!(late, ErrorCode::RebalanceInProgress);
    assert_eq!(losses.load(Ordering::Relaxed), 0);
}
