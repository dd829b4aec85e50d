//! What comes round comes when it is due by the broker's clock, neither sooner nor later.

use super::*;
use crate::sys::{FileSystem, OsFileSystem};

const START_MS: i64 = 1_700_000_000_000;

/// A broker whose tasks begin after a second, and the clock that it goes by.
fn standing(settings: &[(&str, &str)]) -> (Broker, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(START_MS));
    let builder = Broker::builder().temporary().clock(clock.clone()).set("log.initial.task.delay.ms", "1000");
    let builder = settings.iter().fold(builder, |builder, (key, value)| builder.set(*key, *value));
    (builder.open().unwrap(), clock)
}

/// Lets time pass, and what is due then be done.
fn pass(broker: &Broker, clock: &ManualClock, ms: u64) {
    clock.advance(Duration::from_millis(ms));
    broker.core.settle();
}

fn partition(broker: &Broker) -> Arc<Partition> {
    broker.core.partition("orders", 0).unwrap()
}

#[test]
fn old_segments_go_every_log_retention_check_interval() {
    let settings = [("log.retention.ms", "10000"), ("log.retention.check.interval.ms", "60000")];
    let (broker, clock) = standing(&settings);
    create(&broker, "orders", 1);
    let start = || partition(&broker).log().unwrap().log_start_offset();
    // Of long ago.
    append(&partition(&broker), 1);
    pass(&broker, &clock, 999);
    assert_eq!(start(), 0);
    pass(&broker, &clock, 1);
    assert_eq!(start(), 1);
    append(&partition(&broker), 1);
    pass(&broker, &clock, 59_999);
    assert_eq!(start(), 1);
    pass(&broker, &clock, 1);
    assert_eq!(start(), 2);
}

#[test]
fn where_logs_start_is_written_down_every_log_flush_start_offset_checkpoint_interval() {
    let settings = [("log.retention.ms", "-1"), ("log.flush.start.offset.checkpoint.interval.ms", "60000")];
    let (broker, clock) = standing(&settings);
    create(&broker, "orders", 1);
    append(&partition(&broker), 3);
    let path = broker.log_dirs()[0].join("log-start-offset-checkpoint");
    let written = || {
        let content = OsFileSystem::without_sync().read(&path, 1 << 16).unwrap_or_default();
        let text = String::from_utf8(content).unwrap();
        text.lines().find_map(|line| line.strip_prefix("orders 0 ")?.parse::<i64>().ok())
    };
    let orders = TopicPartition::new("orders", 0);
    broker.admin().delete_records(&orders, 1).unwrap();
    pass(&broker, &clock, 999);
    assert_eq!(written(), None);
    pass(&broker, &clock, 1);
    assert_eq!(written(), Some(1));
    broker.admin().delete_records(&orders, 2).unwrap();
    pass(&broker, &clock, 59_999);
    assert_eq!(written(), Some(1));
    pass(&broker, &clock, 1);
    assert_eq!(written(), Some(2));
}

/// Whatever time their producers gave them.
#[test]
fn records_that_the_broker_stamps_are_rolled_found_and_dropped_by_its_clock() {
    let (broker, clock) = standing(&[("log.retention.check.interval.ms", "300000")]);
    let topic = NewTopic::new("orders", 1)
        .config("message.timestamp.type", "LogAppendTime")
        .config("segment.ms", "60000")
        .config("retention.ms", "600000");
    broker.admin().create_topic(topic).unwrap();
    let log = partition(&broker).log().unwrap();
    append(&partition(&broker), 1);
    pass(&broker, &clock, 60_000);
    append(&partition(&broker), 1);
    assert_eq!(log.number_of_segments(), 1);
    pass(&broker, &clock, 1);
    append(&partition(&broker), 1);
    assert_eq!(log.number_of_segments(), 2);

    let find = |timestamp| {
        log.fetch_offset_by_timestamp(timestamp).unwrap().map(|found| (found.offset, found.timestamp))
    };
    assert_eq!(find(1_000), Some((0, START_MS)));
    assert_eq!(find(START_MS + 1), Some((1, START_MS + 60_000)));
    assert_eq!(find(START_MS + 60_001), Some((2, START_MS + 60_001)));
    assert_eq!(find(START_MS + 60_002), None);

    // The checks come at 360,001 and 660,001: a millisecond too late for the first segment, and in time for the second.
    pass(&broker, &clock, 300_000);
    assert_eq!(log.log_start_offset(), 0);
    pass(&broker, &clock, 300_000);
    assert_eq!(log.log_start_offset(), 2);
    pass(&broker, &clock, 300_000);
    assert_eq!(log.log_start_offset(), 3);
}
