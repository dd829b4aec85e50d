//! Records that are not in the page cache, over TCP, beside `cat` of the same file into a socket.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use ottla::{BatchOptions, Broker, NewTopic, RecordBatchBuilder};
use rustix::fs::{Advice, fadvise};

const ROUNDS: usize = 15;
const VOLUME: usize = 512 << 20;
const GOAL: f64 = 0.8;
/// What Kafka's consumer asks of a partition by default.
const MAX_BYTES: i32 = 1 << 20;

pub(super) fn print() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let broker = Broker::open(dir.path()).expect("a broker");
    broker.admin().create_topic(NewTopic::new("t", 1)).expect("a topic");
    let partition = broker.topic("t").and_then(|topic| topic.partition(0)).expect("the partition");
    let mut builder = RecordBatchBuilder::new(BatchOptions::default());
    for _ in 0..VOLUME / (100 << 10) {
        for _ in 0..100 {
            builder.append(0, None, Some(&[b'x'; 1 << 10])).expect("room");
        }
        partition.append(&mut builder).expect("an append");
    }
    partition.flush().expect("a flush");
    let segment = dir.path().join("t-0").join("00000000000000000000.log");
    let listener = broker.listen("127.0.0.1:0").expect("a listener");
    let end = partition.latest_offset().expect("the end");
    let mut rates: Vec<(f64, f64)> = (0..ROUNDS)
        .map(|round| {
            let by_ottla = || {
                forget(&segment);
                per_second(|| fetch_all(listener.local_addr(), end))
            };
            let by_cat = || {
                forget(&segment);
                per_second(|| cat(&segment))
            };
            // A disk that others share gives more to one of two readers in turn than to the other: each is the first in
            // every other round.
            if round % 2 == 0 {
                (by_ottla(), by_cat())
            } else {
                let cat = by_cat();
                (by_ottla(), cat)
            }
        })
        .collect();
    rates.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
    let (ottla, cat) = rates[ROUNDS / 2];
    let verdict = if ottla / cat >= GOAL { "reached" } else { "missed" };
    println!(
        "{:<46} {:>10.0} MB/s beside {:.0} of cat, ratio {:.2}, {:.2} to {:.2}  >= {GOAL} {verdict}",
        "fetch of what only the disk has",
        ottla / 1e6,
        cat / 1e6,
        ottla / cat,
        rates[0].0 / rates[0].1,
        rates[ROUNDS - 1].0 / rates[ROUNDS - 1].1
    );
}

/// Drops the file out of the page cache.
fn forget(path: &Path) {
    let file = File::open(path).expect("the segment");
    file.sync_all().expect("a sync");
    fadvise(&file, 0, None, Advice::DontNeed).expect("advice");
}

fn per_second(work: impl FnOnce() -> usize) -> f64 {
    let start = Instant::now();
    let bytes = work();
    assert!(bytes >= VOLUME, "{bytes}");
    bytes as f64 / start.elapsed().as_secs_f64()
}

/// Has `cat` write the file into a socket, and reads it there.
fn cat(path: &Path) -> usize {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let writer = TcpStream::connect(listener.local_addr().expect("its address")).expect("a connection");
    let (mut reader, _) = listener.accept().expect("the other end");
    let mut process = Command::new("cat")
        .arg(path)
        .stdout(Stdio::from(std::os::fd::OwnedFd::from(writer)))
        .spawn()
        .expect("cat");
    let (mut buffer, mut bytes) = (vec![0; MAX_BYTES as usize], 0);
    loop {
        match reader.read(&mut buffer).expect("a read") {
            0 => break,
            read => bytes += read,
        }
    }
    process.wait().expect("its end");
    bytes
}

/// Fetches the whole partition, one answer after the other, as a consumer does that has nothing else to do.
fn fetch_all(address: SocketAddr, end: i64) -> usize {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_nodelay(true).expect("an option");
    let (mut buffer, mut bytes, mut offset) = (Vec::new(), 0, 0);
    while offset < end {
        stream.write_all(&fetch_request(offset)).expect("a write");
        let mut size = [0; 4];
        stream.read_exact(&mut size).expect("an answer");
        buffer.resize(u32::from_be_bytes(size) as usize, 0);
        stream.read_exact(&mut buffer).expect("the answer");
        let records = &buffer[RECORDS_AT..];
        bytes += records.len();
        offset = offset_after(records).max(offset);
    }
    bytes
}

/// Up to the records, an answer of version 4 has: correlation id, throttle time, the number of topics, the name `t`, the
/// number of partitions, number, error, high watermark, last stable offset, no aborted transactions, the size.
const RECORDS_AT: usize = 4 + 4 + 4 + 3 + 4 + 4 + 2 + 8 + 8 + 4 + 4;

fn fetch_request(offset: i64) -> Vec<u8> {
    let mut frame = vec![0; 4];
    // Fetch, version 4, correlation id 1, no client id; no replica, 500 ms, 1 byte, the most bytes, all records.
    frame.extend([0, 1, 0, 4, 0, 0, 0, 1, 0xff, 0xff]);
    for number in [-1, 500, 1, MAX_BYTES] {
        frame.extend(number.to_be_bytes());
    }
    frame.push(0);
    frame.extend([0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1, 0, 0, 0, 0]);
    frame.extend(offset.to_be_bytes());
    frame.extend(MAX_BYTES.to_be_bytes());
    let size = frame.len() as u32 - 4;
    frame[..4].copy_from_slice(&size.to_be_bytes());
    frame
}

/// What follows the last whole batch, by the batches' sizes and last offsets.
fn offset_after(records: &[u8]) -> i64 {
    let number = |at: usize| i32::from_be_bytes(records[at..at + 4].try_into().expect("four bytes"));
    let (mut at, mut next) = (0, 0);
    while at + 61 <= records.len() {
        let size = 12 + number(at + 8) as usize;
        if at + size > records.len() {
            break;
        }
        let base = i64::from_be_bytes(records[at..at + 8].try_into().expect("eight bytes"));
        next = base + i64::from(number(at + 23)) + 1;
        at += size;
    }
    next
}
