//! Consumers that share the work of a group.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use ottla::{
    Broker, Consumer, ConsumerBuilder, ErrorCode, ManualClock, NewTopic, PartitionAssignor, ProducerRecord,
    RebalanceListener, TopicPartition,
};

use crate::support::*;

const LONG: Duration = Duration::from_secs(60);

fn builder(broker: &Broker) -> ConsumerBuilder {
    earliest(broker).group_id("g")
}

fn member(broker: &Broker) -> Consumer {
    subscribed(builder(broker))
}

fn subscribed(builder: ConsumerBuilder) -> Consumer {
    let mut consumer = builder.build().unwrap();
    consumer.subscribe(["orders"]).unwrap();
    consumer
}

fn numbers(consumer: &Consumer) -> Vec<i32> {
    consumer.assignment().iter().map(TopicPartition::partition).collect()
}

/// Lets the members take part in their group, one after the other, until they have these partitions.
fn settle(members: &mut [&mut Consumer], expected: &[&[i32]]) {
    let mut seen = Vec::new();
    for _ in 0..1000 {
        for member in members.iter_mut() {
            member.poll(Duration::ZERO).unwrap();
        }
        seen = members.iter().map(|member| numbers(member)).collect();
        if seen.iter().map(Vec::as_slice).eq(expected.iter().copied()) {
            return;
        }
    }
    panic!("{seen:?} instead of {expected:?}");
}

/// How many partitions each has, whichever.
fn settle_sizes(members: &mut [&mut Consumer], mut expected: Vec<usize>) {
    expected.sort_unstable();
    let mut seen = Vec::new();
    for _ in 0..1000 {
        for member in members.iter_mut() {
            member.poll(Duration::ZERO).unwrap();
        }
        seen = members.iter().map(|member| member.assignment().len()).collect();
        seen.sort_unstable();
        if seen == expected {
            return;
        }
    }
    panic!("{seen:?} instead of {expected:?}");
}

fn broker_with_clock_and(topic: &str, partitions: i32) -> (Broker, Arc<ManualClock>) {
    let (broker, clock) = broker_with_clock();
    broker.admin().create_topic(NewTopic::new(topic, partitions)).unwrap();
    (broker, clock)
}

/// Writes down what happens.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn note(&self, what: &str, partitions: &[TopicPartition]) {
        let numbers: Vec<i32> = partitions.iter().map(TopicPartition::partition).collect();
        self.0.lock().unwrap().push(format!("{what} {numbers:?}"));
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl RebalanceListener for Diary {
    fn on_partitions_revoked(&mut self, _: &mut Consumer, partitions: &[TopicPartition]) {
        self.note("revoked", partitions);
    }

    fn on_partitions_assigned(&mut self, _: &mut Consumer, partitions: &[TopicPartition]) {
        self.note("assigned", partitions);
    }

    fn on_partitions_lost(&mut self, _: &mut Consumer, partitions: &[TopicPartition]) {
        self.note("lost", partitions);
    }
}

#[test]
fn the_first_poll_of_a_new_group_gives_records() {
    let broker = broker_with("orders", 1);
    send(&broker.producer(), "orders", &["a", "b"]);
    let mut consumer = member(&broker);
    assert_eq!(consumer.subscription(), ["orders"]);
    assert!(consumer.assignment().is_empty());
    assert_eq!(texts(&consumer.poll(LONG).unwrap()), ["a", "b"]);
    assert_eq!(numbers(&consumer), [0]);
}

#[test]
fn a_pattern_may_match_the_brokers_own_topics_if_one_wants_that() {
    let broker = broker_with("orders", 1);
    let topics = |exclude| {
        let mut consumer = earliest(&broker).group_id("g").exclude_internal_topics(exclude).build().unwrap();
        consumer.subscribe_matching(|_| true).unwrap();
        consumer.poll(Duration::ZERO).unwrap();
        consumer.subscription()
    };
    assert_eq!(topics(true), ["orders"]);
    assert_eq!(topics(false), ["__consumer_offsets", "orders"]);
}

#[test]
fn members_share_partitions_and_take_over_what_one_leaves() {
    let broker = broker_with("orders", 5);
    let mut first = member(&broker);
    settle(&mut [&mut first], &[&[0, 1, 2, 3, 4]]);
    let mut second = member(&broker);
    settle_sizes(&mut [&mut first, &mut second], vec![2, 3]);
    let mut third = member(&broker);
    settle_sizes(&mut [&mut first, &mut second, &mut third], vec![1, 2, 2]);
    third.close().unwrap();
    settle_sizes(&mut [&mut first, &mut second], vec![2, 3]);
    drop(first);
    settle(&mut [&mut second], &[&[0, 1, 2, 3, 4]]);
}

#[test]
fn every_record_is_given_once_while_members_come_and_go() {
    let broker = broker_with("orders", 4);
    let producer = patient_producer(&broker);
    let mut sent = 0;
    let mut send_some = || {
        for _ in 0..100 {
            producer
                .send(ProducerRecord::new("orders").partition(sent % 4).value(&sent.to_string()))
                .unwrap();
            sent += 1;
        }
        producer.flush().unwrap();
        sent
    };
    let mut values: Vec<i32> = Vec::new();
    let mut members = vec![member(&broker)];
    for round in 0..6 {
        let sent = send_some();
        match round {
            1 | 2 => members.push(member(&broker)),
            3 => drop(members.remove(0)),
            4 => members.pop().unwrap().close().unwrap(),
            _ => {}
        }
        for _ in 0..10_000 {
            for member in &mut members {
                let polled = member.poll(Duration::ZERO).unwrap();
                values.extend(texts(&polled).iter().map(|text| text.parse::<i32>().unwrap()));
            }
            if values.len() >= sent as usize {
                break;
            }
        }
        let mut sorted = values.clone();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..sent), "round {round}: {} of {sent}", values.len());
    }
}

#[test]
fn a_member_that_waits_hears_of_a_rebalance_without_waiting_for_a_heartbeat() {
    // Time stands still, so no heartbeat ever comes.
    let (broker, _clock) = broker_with_clock_and("orders", 2);
    let mut first = member(&broker);
    settle(&mut [&mut first], &[&[0, 1]]);
    let waker = first.waker();
    let waiting = std::thread::spawn(move || {
        first.poll(LONG).unwrap();
        first
    });
    let mut second = member(&broker);
    eventually("the second has a partition", || {
        second.poll(Duration::ZERO).unwrap();
        numbers(&second).len() == 1
    });
    waker.wake();
    let first = waiting.join().unwrap();
    assert_eq!(numbers(&first).len(), 1);
}

#[test]
fn a_group_goes_on_where_it_has_committed() {
    let broker = broker_with("orders", 1);
    let values: Vec<String> = (0..10).map(|i| i.to_string()).collect();
    send(&patient_producer(&broker), "orders", &values.iter().map(String::as_str).collect::<Vec<_>>());
    let limited = || subscribed(builder(&broker).max_poll_records(4).enable_auto_commit(false));
    let mut consumer = limited();
    assert_eq!(poll_values(&mut consumer, 4), values[..4]);
    consumer.commit().unwrap();
    assert_eq!(poll_values(&mut consumer, 4), values[4..8]);
    drop(consumer);
    assert_eq!(poll_values(&mut limited(), 4), values[4..8]);

    // By itself, a consumer commits when it is closed.
    let mut consumer = subscribed(builder(&broker).max_poll_records(3));
    assert_eq!(poll_values(&mut consumer, 3), values[4..7]);
    consumer.close().unwrap();
    assert_eq!(poll_values(&mut member(&broker), 3), values[7..]);
}

#[test]
fn a_rebalance_tells_members_of_other_groups_nothing() {
    let broker = broker_with("orders", 2);
    let mut other = subscribed(earliest(&broker).group_id("other"));
    settle(&mut [&mut other], &[&[0, 1]]);
    let (mut a, mut b) = (member(&broker), member(&broker));
    settle_sizes(&mut [&mut a, &mut b], vec![1, 1]);
    assert_eq!(numbers(&other), [0, 1]);
}

#[test]
fn listeners_of_eager_members_see_everything_go_and_come() {
    let broker = broker_with("orders", 4);
    let (ours, theirs) = (Diary::default(), Diary::default());
    let mut first = subscribed(builder(&broker).client_id("a").rebalance_listener(ours.clone()));
    settle(&mut [&mut first], &[&[0, 1, 2, 3]]);
    assert_eq!(ours.take(), ["assigned [0, 1, 2, 3]"]);
    let mut second = subscribed(builder(&broker).client_id("b").rebalance_listener(theirs.clone()));
    settle(&mut [&mut first, &mut second], &[&[0, 1], &[2, 3]]);
    assert_eq!(ours.take(), ["revoked [0, 1, 2, 3]", "assigned [0, 1]"]);
    assert_eq!(theirs.take(), ["assigned [2, 3]"]);
    second.unsubscribe().unwrap();
    assert_eq!(theirs.take(), ["revoked [2, 3]"]);
    settle(&mut [&mut first], &[&[0, 1, 2, 3]]);
    assert_eq!(ours.take(), ["revoked [0, 1]", "assigned [0, 1, 2, 3]"]);
    first.close().unwrap();
    assert_eq!(ours.take(), ["revoked [0, 1, 2, 3]"]);
}

#[test]
fn cooperative_members_give_up_only_what_moves_and_read_on_meanwhile() {
    let broker = broker_with("orders", 4);
    let cooperative = |diary: &Diary| {
        let builder = builder(&broker).partition_assignors([PartitionAssignor::CooperativeSticky]);
        subscribed(builder.rebalance_listener(diary.clone()))
    };
    let (ours, theirs) = (Diary::default(), Diary::default());
    let mut first = cooperative(&ours);
    settle(&mut [&mut first], &[&[0, 1, 2, 3]]);
    assert_eq!(ours.take(), ["assigned [0, 1, 2, 3]"]);

    let mut second = cooperative(&theirs);
    second.poll(Duration::ZERO).unwrap();
    // The first joins again and keeps reading, although the rebalance waits for the second.
    first.poll(Duration::ZERO).unwrap();
    broker.producer().send(ProducerRecord::new("orders").partition(0).value("x")).unwrap().wait().unwrap();
    assert_eq!(texts(&first.poll(Duration::ZERO).unwrap()), ["x"]);

    settle(&mut [&mut first, &mut second], &[&[0, 1], &[2, 3]]);
    assert_eq!(ours.take(), ["revoked [2, 3]"]);
    assert_eq!(theirs.take(), ["assigned [2, 3]"]);
    drop(second);
    settle(&mut [&mut first], &[&[0, 1, 2, 3]]);
    assert_eq!(ours.take(), ["assigned [2, 3]"]);
}

#[test]
fn every_assignor_gives_each_partition_to_one_member() {
    for assignor in [
        PartitionAssignor::Range,
        PartitionAssignor::RoundRobin,
        PartitionAssignor::Sticky,
        PartitionAssignor::CooperativeSticky,
    ] {
        let broker = broker_with("orders", 7);
        let new = || subscribed(builder(&broker).partition_assignors([assignor]));
        let (mut a, mut b, mut c) = (new(), new(), new());
        settle_sizes(&mut [&mut a, &mut b, &mut c], vec![2, 2, 3]);
        let mut all: Vec<i32> = [&a, &b, &c].into_iter().flat_map(numbers).collect();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4, 5, 6], "{assignor:?}");
    }
}

#[test]
fn a_consumer_that_is_busy_for_longer_than_its_session_stays_a_member() {
    let (broker, clock) = broker_with_clock_and("orders", 2);
    let diary = Diary::default();
    let mut consumer = subscribed(builder(&broker).rebalance_listener(diary.clone()));
    settle(&mut [&mut consumer], &[&[0, 1]]);
    for _ in 0..4 {
        clock.advance(Duration::from_secs(44));
    }
    consumer.poll(Duration::ZERO).unwrap();
    consumer.commit().unwrap();
    assert_eq!(diary.take(), ["assigned [0, 1]"]);
}

#[test]
fn a_consumer_that_does_not_poll_for_too_long_loses_its_partitions_and_comes_back() {
    let (broker, clock) = broker_with_clock_and("orders", 1);
    send(&patient_producer(&broker), "orders", &["a", "b"]);
    let diary = Diary::default();
    let mut stuck = subscribed(builder(&broker).max_poll_records(1).rebalance_listener(diary.clone()));
    assert_eq!(poll_values(&mut stuck, 1), ["a"]);
    let mut other = subscribed(builder(&broker).enable_auto_commit(false));
    other.poll(Duration::ZERO).unwrap();
    eventually("the other one takes over", || {
        clock.advance(Duration::from_secs(10));
        other.poll(Duration::ZERO).is_ok_and(|_| numbers(&other) == [0])
    });
    assert_eq!(stuck.commit().unwrap_err().code(), ErrorCode::UnknownMemberId);
    stuck.poll(Duration::ZERO).unwrap();
    assert_eq!(diary.take(), ["assigned [0]", "lost [0]"]);
    drop(other);
    // What was not committed is read again.
    assert_eq!(poll_values(&mut stuck, 1), ["a"]);
}

#[test]
fn a_static_member_that_is_back_in_time_has_its_partitions_without_a_rebalance() {
    let (broker, clock) = broker_with_clock_and("orders", 4);
    let diary = Diary::default();
    let fixed = |id: &str| subscribed(builder(&broker).group_instance_id(id));
    let mut a = fixed("a");
    let mut b = subscribed(builder(&broker).group_instance_id("b").rebalance_listener(diary.clone()));
    settle(&mut [&mut a, &mut b], &[&[0, 1], &[2, 3]]);
    diary.take();
    a.close().unwrap();
    clock.advance(Duration::from_secs(20));
    b.poll(Duration::ZERO).unwrap();
    let mut a = fixed("a");
    settle(&mut [&mut a, &mut b], &[&[0, 1], &[2, 3]]);
    assert_eq!(diary.take(), [""; 0]);

    drop(a);
    eventually("the place is given to others when its session is over", || {
        clock.advance(Duration::from_secs(5));
        b.poll(Duration::ZERO).is_ok_and(|_| numbers(&b).len() == 4)
    });
}

#[test]
fn of_two_with_one_instance_id_the_first_is_fenced() {
    let broker = broker_with("orders", 1);
    let fixed = || subscribed(builder(&broker).group_instance_id("a"));
    let mut first = fixed();
    settle(&mut [&mut first], &[&[0]]);
    let mut second = fixed();
    settle(&mut [&mut second], &[&[0]]);
    let error = first.commit_offsets([(tp("orders", 0), 1)]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::FencedInstanceId);
    for _ in 0..2 {
        let error = first.poll(Duration::ZERO).unwrap_err();
        assert_eq!(error.code(), ErrorCode::FencedInstanceId);
        assert!(error.is_fatal());
    }
    assert!(first.assignment().is_empty());
    second.commit_offsets([(tp("orders", 0), 1)]).unwrap();
}

#[test]
fn a_topic_that_is_made_later_is_read_when_it_is_there() {
    let broker = Broker::temporary().unwrap();
    let mut consumer = member(&broker);
    assert!(consumer.poll(Duration::ZERO).unwrap().is_empty());
    let sender = {
        let broker = broker.clone();
        std::thread::spawn(move || {
            broker.admin().create_topic(NewTopic::new("orders", 2)).unwrap();
            broker.producer().send(ProducerRecord::new("orders").value("x")).unwrap().wait().unwrap();
        })
    };
    assert_eq!(poll_values(&mut consumer, 1), ["x"]);
    sender.join().unwrap();
    assert_eq!(numbers(&consumer), [0, 1]);
}

#[test]
fn partitions_that_are_added_are_shared_out_and_a_topic_that_is_deleted_is_forgotten() {
    let broker = broker_with("orders", 1);
    broker.admin().create_topic(NewTopic::new("refunds", 1)).unwrap();
    let mut consumer = builder(&broker).build().unwrap();
    consumer.subscribe(["orders", "refunds"]).unwrap();
    consumer.poll(Duration::ZERO).unwrap();
    assert_eq!(consumer.assignment(), [tp("orders", 0), tp("refunds", 0)]);
    broker.admin().create_partitions("orders", 3).unwrap();
    consumer.poll(Duration::ZERO).unwrap();
    assert_eq!(consumer.assignment(), [tp("orders", 0), tp("orders", 1), tp("orders", 2), tp("refunds", 0)]);
    broker.admin().delete_topic("orders").unwrap();
    consumer.poll(Duration::ZERO).unwrap();
    assert_eq!(consumer.assignment(), [tp("refunds", 0)]);
}

#[test]
fn a_subscription_can_be_changed_and_followed_by_a_rule() {
    let broker = broker_with("orders", 1);
    for topic in ["refunds", "orders-eu"] {
        broker.admin().create_topic(NewTopic::new(topic, 1)).unwrap();
    }
    let mut consumer = member(&broker);
    settle(&mut [&mut consumer], &[&[0]]);
    consumer.subscribe(["refunds"]).unwrap();
    consumer.poll(Duration::ZERO).unwrap();
    assert_eq!(consumer.assignment(), [tp("refunds", 0)]);
    consumer.subscribe_matching(|topic| topic.starts_with("orders")).unwrap();
    consumer.poll(Duration::ZERO).unwrap();
    assert_eq!(consumer.assignment(), [tp("orders", 0), tp("orders-eu", 0)]);
    broker.admin().create_topic(NewTopic::new("orders-us", 1)).unwrap();
    consumer.poll(Duration::ZERO).unwrap();
    assert_eq!(consumer.subscription(), ["orders", "orders-eu", "orders-us"]);
    assert_eq!(consumer.assignment().len(), 3);
    // Nothing subscribed is the same as leaving.
    consumer.subscribe(Vec::<String>::new()).unwrap();
    assert_eq!(consumer.poll(Duration::ZERO).unwrap_err().code(), ErrorCode::InvalidRequest);
    consumer.assign([tp("refunds", 0)]).unwrap();
    consumer.poll(Duration::ZERO).unwrap();
    assert_eq!(consumer.assignment(), [tp("refunds", 0)]);
}

#[test]
fn a_listener_works_with_the_consumer_but_cannot_poll() {
    struct Commits;
    impl RebalanceListener for Commits {
        fn on_partitions_revoked(&mut self, consumer: &mut Consumer, partitions: &[TopicPartition]) {
            let position = consumer.position(&partitions[0]).unwrap();
            consumer.commit_offsets([(partitions[0].clone(), position)]).unwrap();
            assert_eq!(consumer.poll(LONG).unwrap_err().code(), ErrorCode::InvalidRequest);
            assert_eq!(consumer.unsubscribe().unwrap_err().code(), ErrorCode::InvalidRequest);
        }
    }
    let broker = broker_with("orders", 1);
    send(&patient_producer(&broker), "orders", &["a", "b"]);
    let mut consumer = subscribed(
        builder(&broker).enable_auto_commit(false).max_poll_records(1).rebalance_listener(Commits),
    );
    assert_eq!(poll_values(&mut consumer, 1), ["a"]);
    drop(consumer);
    assert_eq!(poll_values(&mut member(&broker), 1), ["b"]);
}

#[test]
fn a_group_survives_the_broker() {
    let dir = tempfile::tempdir().unwrap();
    {
        let broker = Broker::builder()
            .log_dir(dir.path())
            .set("group.initial.rebalance.delay.ms", "0")
            .open()
            .unwrap();
        send(&patient_producer(&broker), "orders", &["a", "b", "c"]);
        let mut consumer = subscribed(builder(&broker).max_poll_records(2));
        assert_eq!(poll_values(&mut consumer, 2), ["a", "b"]);
    }
    let broker = Broker::open(dir.path()).unwrap();
    assert_eq!(broker.consumer("g").unwrap().committed(&tp("orders", 0)).unwrap(), Some(2.into()));
    let mut consumer = member(&broker);
    assert_eq!(poll_values(&mut consumer, 1), ["c"]);
}

#[test]
fn members_without_an_assignor_in_common_are_refused() {
    let broker = broker_with("orders", 1);
    let mut first = subscribed(builder(&broker).partition_assignors([PartitionAssignor::Range]));
    settle(&mut [&mut first], &[&[0]]);
    let mut second = subscribed(builder(&broker).partition_assignors([PartitionAssignor::RoundRobin]));
    let error = second.poll(Duration::ZERO).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InconsistentGroupProtocol);
    drop(first);
    // Another attempt, once there is nobody to disagree with.
    settle(&mut [&mut second], &[&[0]]);
}
