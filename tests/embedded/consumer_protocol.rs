//! Consumers to whom the broker assigns partitions (KIP-848).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ottla::{
    Broker, Consumer, ConsumerBuilder, ErrorCode, GroupProtocol, GroupState, GroupType, NewTopic,
    RebalanceListener, TopicPartition,
};

use crate::support::*;

const LONG: Duration = Duration::from_secs(60);

fn builder(broker: &Broker) -> ConsumerBuilder {
    earliest(broker).group_id("g").group_protocol(GroupProtocol::Consumer)
}

fn subscribed(builder: ConsumerBuilder) -> Consumer {
    let mut consumer = builder.build().unwrap();
    consumer.subscribe(["orders"]).unwrap();
    consumer
}

/// Lets the members take part in their group, one after the other, until they have so many partitions each, and none
/// of them twice.
fn settle(members: &mut [&mut Consumer], mut expected: Vec<usize>) {
    expected.sort_unstable();
    let mut seen = Vec::new();
    for _ in 0..1000 {
        for member in members.iter_mut() {
            member.poll(Duration::ZERO).unwrap();
        }
        let mut all: Vec<TopicPartition> = members.iter().flat_map(|member| member.assignment()).collect();
        all.sort();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count, "a partition has two readers");
        seen = members.iter().map(|member| member.assignment().len()).collect();
        seen.sort_unstable();
        if seen == expected {
            return;
        }
    }
    panic!("{seen:?} instead of {expected:?}");
}

fn group_type(broker: &Broker) -> GroupType {
    broker.admin().describe_group("g").unwrap().group_type
}

#[test]
fn members_share_the_partitions_without_waiting_for_a_heartbeat() {
    let broker = broker_with("orders", 4);
    let mut first = subscribed(builder(&broker));
    settle(&mut [&mut first], vec![4]);
    let mut second = subscribed(builder(&broker));
    settle(&mut [&mut first, &mut second], vec![2, 2]);
    let group = broker.admin().describe_group("g").unwrap();
    assert_eq!((group.state, group.group_type), (GroupState::Stable, GroupType::Consumer));
    assert_eq!((group.partition_assignor.as_str(), group.members.len()), ("uniform", 2));
    second.close().unwrap();
    settle(&mut [&mut first], vec![4]);
    broker.admin().create_topic(NewTopic::new("payments", 1)).unwrap();
    first.subscribe(["orders", "payments"]).unwrap();
    settle(&mut [&mut first], vec![5]);
}

#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn note(&self, what: &str, partitions: &[TopicPartition]) {
        self.0.lock().unwrap().push(format!("{what} {}", partitions.len()));
    }
}

impl RebalanceListener for Diary {
    fn on_partitions_assigned(&mut self, _: &mut Consumer, partitions: &[TopicPartition]) {
        self.note("assigned", partitions);
    }

    fn on_partitions_revoked(&mut self, _: &mut Consumer, partitions: &[TopicPartition]) {
        self.note("revoked", partitions);
    }

    fn on_partitions_lost(&mut self, _: &mut Consumer, partitions: &[TopicPartition]) {
        self.note("lost", partitions);
    }
}

#[test]
fn only_what_moves_is_given_up_and_what_was_read_of_it_is_committed_before() {
    let broker = broker_with("orders", 2);
    let producer = broker.producer();
    let diary = Diary::default();
    let mut first = subscribed(builder(&broker).rebalance_listener(diary.clone()));
    settle(&mut [&mut first], vec![2]);
    for partition in 0..2 {
        let record = ottla::ProducerRecord::new("orders").partition(partition).value("read by the first");
        producer.send(record).unwrap().wait().unwrap();
    }
    let mut count = 0;
    while count < 2 {
        count += first.poll(LONG).unwrap().len();
    }
    let mut second = subscribed(builder(&broker));
    settle(&mut [&mut first, &mut second], vec![1, 1]);
    assert_eq!(*diary.0.lock().unwrap(), ["assigned 2", "revoked 1"]);
    assert!(second.poll(Duration::ZERO).unwrap().is_empty(), "it goes on where the first has stopped");
    let of_second = second.assignment().remove(0);
    assert_eq!(first.committed(&of_second).unwrap().unwrap().offset, 1);
}

#[test]
fn a_member_that_is_not_polled_for_too_long_loses_its_partitions_and_comes_back() {
    let (broker, clock) = broker_with_clock();
    broker.admin().create_topic(NewTopic::new("orders", 2)).unwrap();
    let diary = Diary::default();
    let mut stuck =
        subscribed(builder(&broker).max_poll_interval_ms(10_000).rebalance_listener(diary.clone()));
    settle(&mut [&mut stuck], vec![2]);
    let mut other = subscribed(builder(&broker));
    settle(&mut [&mut stuck, &mut other], vec![1, 1]);
    eventually("the other one takes over", || {
        clock.advance(Duration::from_secs(1));
        other.poll(Duration::ZERO).unwrap();
        other.assignment().len() == 2
    });
    settle(&mut [&mut stuck, &mut other], vec![1, 1]);
    let entries = diary.0.lock().unwrap();
    assert!(entries.iter().any(|entry| entry == "lost 1"), "{entries:?}");
}

#[test]
fn a_static_member_keeps_its_place_while_it_is_away() {
    let broker = broker_with("orders", 4);
    let mut first = subscribed(builder(&broker).group_instance_id("one"));
    let mut second = subscribed(builder(&broker).group_instance_id("two"));
    settle(&mut [&mut first, &mut second], vec![2, 2]);
    let before = second.assignment();
    second.close().unwrap();
    settle(&mut [&mut first], vec![2]);
    let mut second = subscribed(builder(&broker).group_instance_id("two"));
    settle(&mut [&mut first, &mut second], vec![2, 2]);
    assert_eq!(second.assignment(), before);
}

#[test]
fn a_group_changes_its_protocol_while_its_members_read() {
    let broker = broker_with("orders", 4);
    let classic = || subscribed(earliest(&broker).group_id("g"));
    let mut old = classic();
    settle(&mut [&mut old], vec![4]);
    assert_eq!(group_type(&broker), GroupType::Classic);
    let mut new = subscribed(builder(&broker));
    settle(&mut [&mut old, &mut new], vec![2, 2]);
    assert_eq!(group_type(&broker), GroupType::Consumer);
    let mut another = classic();
    settle(&mut [&mut old, &mut new, &mut another], vec![1, 1, 2]);
    new.close().unwrap();
    settle(&mut [&mut old, &mut another], vec![2, 2]);
    assert_eq!(group_type(&broker), GroupType::Classic);
}

#[test]
fn the_group_is_there_again_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let open =
        || Broker::builder().log_dir(dir.path()).set("offsets.topic.num.partitions", "1").open().unwrap();
    let broker = open();
    broker.admin().create_topic(NewTopic::new("orders", 1)).unwrap();
    let member =
        |broker: &Broker| subscribed(builder(broker).group_instance_id("one").enable_auto_commit(false));
    let mut first = member(&broker);
    settle(&mut [&mut first], vec![1]);
    first.commit_offsets([(tp("orders", 0), 7)]).unwrap();
    first.close().unwrap();
    broker.close();
    let broker = open();
    assert_eq!(group_type(&broker), GroupType::Consumer);
    let mut again = member(&broker);
    settle(&mut [&mut again], vec![1]);
    assert_eq!(again.committed(&tp("orders", 0)).unwrap().unwrap().offset, 7);
}

#[test]
fn an_assignor_that_the_broker_does_not_have_is_refused() {
    let broker = broker_with("orders", 1);
    let error = earliest(&broker).group_id("g").group_remote_assignor("range").build().unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidConfig);
    let mut consumer = subscribed(builder(&broker).group_remote_assignor("sticky"));
    assert_eq!(consumer.poll(Duration::ZERO).unwrap_err().code(), ErrorCode::UnsupportedAssignor);
    let mut consumer = subscribed(builder(&broker).group_remote_assignor("range"));
    settle(&mut [&mut consumer], vec![1]);
    assert_eq!(broker.admin().describe_group("g").unwrap().partition_assignor, "range");
}
