//! The main job on real input: keeps the lines of a file in a log, reads them back through a consumer group, and once
//! more over TCP as any Kafka client does. Ends by itself.
//!
//! `cargo run --release --example quickstart [FILE [DIRECTORY]]`

#![expect(clippy::disallowed_methods, reason = "a program of its own, with the machine's files and clock")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use ottla::{AutoOffsetReset, Batches, Broker, NewTopic, ProducerRecord};

type Error = Box<dyn std::error::Error>;

const TOPIC: &str = "lines";
const PARTITIONS: i32 = 3;
const FETCH: i16 = 1;
const FETCH_VERSION: i16 = 4;

fn main() -> Result<(), Error> {
    let mut args = std::env::args().skip(1);
    let file = args.next().unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock").to_owned());
    let builder = match args.next() {
        Some(dir) => Broker::builder().log_dir(dir).set("group.initial.rebalance.delay.ms", "0"),
        None => Broker::builder().temporary(),
    };
    let text = std::fs::read(&file)?;
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();

    let broker = builder.open()?;
    println!("opened a broker in {}", broker.log_dirs()[0].display());
    let admin = broker.admin();
    if admin.list_topics().iter().any(|topic| topic == TOPIC) {
        admin.delete_topic(TOPIC)?;
    }
    admin.create_topic(NewTopic::new(TOPIC, PARTITIONS))?;

    let start = Instant::now();
    let producer = broker.producer();
    for line in &lines {
        // The first word is the key: by its hash, every Kafka client finds the same partition.
        let key = line.split(|byte| *byte == b' ').next().unwrap_or_default();
        producer.send(ProducerRecord::new(TOPIC).key(key).value(line))?;
    }
    producer.flush()?;
    report("appended", lines.len(), text.len(), start);

    let start = Instant::now();
    // A new group begins at the end, unless it asks for what was there before.
    let group = broker.consumer_builder().group_id("quickstart").auto_offset_reset(AutoOffsetReset::Earliest);
    let mut consumer = group.build()?;
    consumer.subscribe([TOPIC])?;
    let mut read: Vec<Vec<u8>> = Vec::new();
    while read.len() < lines.len() {
        let records = consumer.poll(Duration::from_secs(10))?;
        assert!(!records.is_empty(), "{} of {} lines came back", read.len(), lines.len());
        read.extend(records.iter().map(|record| record.value().unwrap_or_default().to_vec()));
    }
    consumer.close()?;
    report("read back through a group", read.len(), read.iter().map(Vec::len).sum(), start);

    let listener = broker.listen("127.0.0.1:0")?;
    println!("listening on {}", listener.local_addr());
    let start = Instant::now();
    let mut fetched = fetch_all(listener.local_addr())?;
    report("read back over TCP", fetched.len(), fetched.iter().map(Vec::len).sum(), start);

    let mut sent: Vec<Vec<u8>> = lines.iter().map(|line| line.to_vec()).collect();
    for values in [&mut sent, &mut read, &mut fetched] {
        values.sort();
    }
    assert!(sent == read && sent == fetched, "what came back is not what was appended");
    println!("all three are the same {} lines", sent.len());
    Ok(())
}

fn report(what: &str, records: usize, bytes: usize, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    let (rate, megabytes) = (records as f64 / seconds, bytes as f64 / seconds / 1e6);
    println!("{what}: {records} records in {:.2} ms ({rate:.0}/s, {megabytes:.1} MB/s)", seconds * 1e3);
}

/// What a Kafka client does, with nothing but a socket: Fetch of version 4, partition by partition.
fn fetch_all(address: SocketAddr) -> Result<Vec<Vec<u8>>, Error> {
    let mut socket = TcpStream::connect(address)?;
    let mut values = Vec::new();
    for partition in 0..PARTITIONS {
        let mut offset = 0;
        loop {
            let records = fetch(&mut socket, partition, offset)?;
            let before = offset;
            for batch in Batches::new(&records) {
                let batch = batch?;
                batch.ensure_valid()?;
                for record in batch.records(&mut Vec::new(), 1 << 24)? {
                    values.push(record?.value().unwrap_or_default().to_vec());
                }
                offset = batch.next_offset();
            }
            if offset == before {
                break;
            }
        }
    }
    Ok(values)
}

fn fetch(socket: &mut TcpStream, partition: i32, offset: i64) -> Result<Vec<u8>, Error> {
    let mut request = Vec::new();
    request.extend(FETCH.to_be_bytes());
    request.extend(FETCH_VERSION.to_be_bytes());
    request.extend(7_i32.to_be_bytes()); // correlation id
    request.extend((-1_i16).to_be_bytes()); // no client id
    for number in [-1, 0, 0, 1 << 24] {
        request.extend(i32::to_be_bytes(number)); // replica, max wait, min bytes, max bytes
    }
    request.push(0); // read uncommitted
    request.extend(1_i32.to_be_bytes());
    request.extend((TOPIC.len() as i16).to_be_bytes());
    request.extend(TOPIC.as_bytes());
    request.extend(1_i32.to_be_bytes());
    request.extend(partition.to_be_bytes());
    request.extend(offset.to_be_bytes());
    request.extend((1_i32 << 24).to_be_bytes());
    // In one write: two small ones would wait for each other (Nagle's algorithm and delayed acknowledgements).
    let mut frame = (request.len() as i32).to_be_bytes().to_vec();
    frame.extend(request);
    socket.write_all(&frame)?;

    let mut size = [0; 4];
    socket.read_exact(&mut size)?;
    let mut response = vec![0; u32::from_be_bytes(size) as usize];
    socket.read_exact(&mut response)?;
    // Correlation id, throttle time, one topic with its name, one partition with its number.
    let at = 4 + 4 + 4 + 2 + TOPIC.len() + 4 + 4;
    let error = i16::from_be_bytes([response[at], response[at + 1]]);
    assert_eq!(error, 0, "the broker answers with an error");
    // Error, high watermark, last stable offset, no aborted transactions, and the size of the records.
    Ok(response.split_off(at + 2 + 8 + 8 + 4 + 4))
}
