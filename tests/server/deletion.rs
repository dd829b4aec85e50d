//! Topics that are deleted while they are read.

use std::sync::mpsc;

use ottla::{ErrorCode, RecordBatch};

use super::client::Client;
use super::fetching::{fetch, records_of};
use super::fixture::{Fixture, code};
use super::producing::append;
use super::records::batch;

const RECORDS: i64 = 100;
const READERS: usize = 4;

fn value(offset: i64) -> String {
    format!("{offset} {}", "x".repeat(1_000))
}

/// Reads all of the topic again and again; how often, once there is no such topic any more.
fn read_until_it_is_gone(mut client: Client, on_round: impl Fn()) -> usize {
    let (mut next, mut rounds) = (0, 0);
    loop {
        let data = fetch(&mut client, "t", next);
        match code(data.error_code) {
            ErrorCode::None => {}
            // The topic is still there, and its log not any more: a client asks again.
            ErrorCode::NotLeaderOrFollower => continue,
            ErrorCode::UnknownTopicOrPartition => return rounds,
            error => panic!("{error:?} at {next}"),
        }
        let mut records = records_of(&data);
        while let Some(batch) = RecordBatch::split_from(&mut records).unwrap() {
            batch.view().ensure_valid().unwrap();
            for record in batch.records(1 << 20).unwrap().map(Result::unwrap) {
                assert_eq!((record.offset(), record.value().unwrap()), (next, value(next).as_bytes()));
                next += 1;
            }
        }
        if next == RECORDS {
            (next, rounds) = (0, rounds + 1);
            on_round();
        }
    }
}

#[test]
fn whoever_reads_a_topic_while_it_is_deleted_gets_whole_records_and_then_hears_that_it_is_gone() {
    let fixture = Fixture::start();
    // Files go at once, while answers from them may be on their way.
    let mut client =
        fixture.create_topic("t", 1, &[("segment.bytes", "20000"), ("file.delete.delay.ms", "0")]);
    for offset in 0..RECORDS {
        append(&mut client, "t", batch(&[&value(offset)]));
    }
    let (begun, begins) = mpsc::channel();
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS)
            .map(|_| {
                let (client, begun) = (fixture.connect(), begun.clone());
                scope.spawn(move || {
                    read_until_it_is_gone(client, || {
                        // Nobody listens any more once all have begun.
                        let _ = begun.send(());
                    })
                })
            })
            .collect();
        for _ in 0..3 * READERS {
            begins.recv().unwrap();
        }
        fixture.broker.admin().delete_topic("t").unwrap();
        let rounds: usize = readers.into_iter().map(|reader| reader.join().unwrap()).sum();
        assert!(rounds >= 3 * READERS);
    });
}
