//! A broker whose own program reads in groups beside remote members: native consumers and Kafka clients share the
//! partitions of a topic, or in a share group its records.
//!
//! `cargo run --release --example group_member` prints the address that it listens on, and then obeys its input, a line
//! each: `join MEMBER GROUP classic|cooperative|consumer|share TOPIC` and `leave MEMBER`. Each record is printed as
//! `record MEMBER PARTITION OFFSET VALUE` before its offset is committed, or it is accepted. It ends with its input.

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use ottla::{
    AcknowledgeType, AcknowledgementMode, AlterConfig, AutoOffsetReset, Broker, ConfigResource, Consumer,
    ErrorCode, GroupProtocol, PartitionAssignor, RebalanceListener, ShareConsumer, TopicPartition,
};

type Error = Box<dyn std::error::Error + Send + Sync>;

struct Member {
    leaves: Arc<AtomicBool>,
    thread: JoinHandle<Result<(), Error>>,
}

fn main() -> Result<(), Error> {
    let broker = Broker::builder()
        .temporary()
        .set("group.initial.rebalance.delay.ms", "100")
        .set("group.min.session.timeout.ms", "1000")
        .set("group.consumer.min.heartbeat.interval.ms", "500")
        .set("group.consumer.heartbeat.interval.ms", "1000")
        .set("group.share.min.heartbeat.interval.ms", "500")
        .set("group.share.heartbeat.interval.ms", "1000")
        .open()?;
    let listener = broker.listen("127.0.0.1:0")?;
    say(&format!("ready {}", listener.local_addr()))?;

    let mut members: HashMap<String, Member> = HashMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["join", name, group, protocol, topic] => {
                let leaves = Arc::new(AtomicBool::new(false));
                let of_member = Arc::clone(&leaves);
                let thread = if protocol == "share" {
                    let consumer = join_share_group(&broker, group, topic)?;
                    spawn(name, move |name| take(name, consumer, &of_member))
                } else {
                    let processed = Processed::default();
                    let consumer = join(&broker, group, protocol, topic, processed.clone())?;
                    spawn(name, move |name| read(name, consumer, &processed, &of_member))
                };
                members.insert(name.to_owned(), Member { leaves, thread });
            }
            ["leave", name] => leave(members.remove(name).ok_or("there is no such member")?)?,
            _ => return Err(format!("neither join nor leave: {line}").into()),
        }
    }
    members.into_values().try_for_each(leave)
}

fn join(
    broker: &Broker,
    group: &str,
    protocol: &str,
    topic: &str,
    processed: Processed,
) -> Result<Consumer, Error> {
    let mut builder = broker.consumer_builder().group_id(group).auto_offset_reset(AutoOffsetReset::Earliest);
    builder = match protocol {
        "classic" => builder.partition_assignors([PartitionAssignor::Range]),
        "cooperative" => builder.partition_assignors([PartitionAssignor::CooperativeSticky]),
        "consumer" => builder.group_protocol(GroupProtocol::Consumer),
        other => return Err(format!("no such protocol: {other}").into()),
    };
    builder = builder.enable_auto_commit(false).rebalance_listener(processed);
    let mut consumer = builder.heartbeat_interval_ms(300).session_timeout_ms(6_000).build()?;
    consumer.subscribe([topic])?;
    Ok(consumer)
}

/// A share group that begins at the first record, whoever of its members comes first.
fn join_share_group(broker: &Broker, group: &str, topic: &str) -> Result<ShareConsumer, Error> {
    let earliest = AlterConfig::set("share.auto.offset.reset", "earliest");
    broker.admin().alter_configs(&ConfigResource::group(group), [earliest])?;
    let builder = broker.share_consumer_builder(group).acknowledgement_mode(AcknowledgementMode::Explicit);
    let mut consumer = builder.build()?;
    consumer.subscribe([topic])?;
    Ok(consumer)
}

#[expect(clippy::disallowed_methods, reason = "a program of its own")]
fn spawn(
    name: &str,
    read: impl FnOnce(&str) -> Result<(), Error> + Send + 'static,
) -> JoinHandle<Result<(), Error>> {
    let name = name.to_owned();
    std::thread::spawn(move || {
        let read = read(&name);
        say(&match &read {
            Ok(()) => format!("left {name}"),
            Err(error) => format!("failed {name} {error}"),
        })?;
        read
    })
}

/// What was handed out and is not committed yet. A generation that is about to end may take no commits; the next one does,
/// before it takes partitions away, so that nobody reads a record again.
#[derive(Clone, Default)]
struct Processed(Arc<Mutex<HashMap<TopicPartition, i64>>>);

impl Processed {
    fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn commit(&self, consumer: &mut Consumer) -> Result<(), ottla::Error> {
        let mut offsets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !offsets.is_empty() {
            consumer.commit_offsets(offsets.clone())?;
            offsets.clear();
        }
        Ok(())
    }
}

impl RebalanceListener for Processed {
    fn on_partitions_revoked(&mut self, consumer: &mut Consumer, _: &[TopicPartition]) {
        if let Err(error) = self.commit(consumer) {
            eprintln!("what was read could not be committed: {error}");
            std::process::exit(1);
        }
    }
}

fn read(name: &str, mut consumer: Consumer, processed: &Processed, leaves: &AtomicBool) -> Result<(), Error> {
    let mut assigned = Vec::new();
    while !leaves.load(Ordering::Acquire) || !processed.is_empty() {
        let records = consumer.poll(Duration::from_millis(100))?;
        let mut partitions: Vec<i32> = consumer.assignment().iter().map(|tp| tp.partition()).collect();
        partitions.sort_unstable();
        if partitions != assigned {
            let shown: Vec<String> = partitions.iter().map(i32::to_string).collect();
            say(&format!("assigned {name} {}", shown.join(",")))?;
            assigned = partitions;
        }
        for record in &records {
            let value = String::from_utf8_lossy(record.value().unwrap_or_default());
            say(&format!("record {name} {} {} {value}", record.partition(), record.offset()))?;
            let mut offsets = processed.0.lock().unwrap_or_else(PoisonError::into_inner);
            offsets.insert(record.topic_partition().clone(), record.offset() + 1);
        }
        match processed.commit(&mut consumer) {
            Err(error) if error.code() == ErrorCode::RebalanceInProgress => {}
            committed => committed?,
        }
    }
    consumer.close()?;
    Ok(())
}

/// A share group gives out records and not partitions; what is not accepted when a member leaves goes to another.
fn take(name: &str, mut consumer: ShareConsumer, leaves: &AtomicBool) -> Result<(), Error> {
    while !leaves.load(Ordering::Acquire) {
        for record in &consumer.poll(Duration::from_millis(100))? {
            let value = String::from_utf8_lossy(record.value().unwrap_or_default());
            say(&format!("record {name} {} {} {value}", record.partition(), record.offset()))?;
            consumer.acknowledge(record, AcknowledgeType::Accept)?;
        }
        consumer.commit()?;
    }
    consumer.close()?;
    Ok(())
}

fn leave(member: Member) -> Result<(), Error> {
    member.leaves.store(true, Ordering::Release);
    member.thread.join().map_err(|_| "a member's thread panicked")?
}

fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
