//! Transactions of a hundred records, and what it costs to read only what was committed.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol_018::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol_018::messages::{
    EndTxnRequest, InitProducerIdRequest, ProduceRequest, ProducerId, TransactionalId,
};
use ottla::{BatchOptions, RecordBatch, RecordBatchBuilder};

use super::client::Client;
use super::subscribe::fetch;
use super::{await_coordinator, create_topic, eventually, median, print, text, topic_name, unique};

const RECORDS: usize = 100;
const SECONDS: Duration = Duration::from_secs(3);
const WARM_UP: Duration = Duration::from_secs(2);
const CONCURRENT_TRANSACTIONS: i16 = 51;
const NOT_LEADER_OR_FOLLOWER: i16 = 6;
/// The first versions of the second generation of transactions (KIP-890).
const PRODUCE: i16 = 12;
const END_TXN: i16 = 5;

struct Producer {
    client: Client,
    topic: String,
    transactional_id: String,
    producer_id: i64,
    epoch: i16,
}

impl Producer {
    fn new(address: SocketAddr, topic: &str) -> Self {
        let mut client = Client::connect(address);
        let transactional_id = unique("transaction");
        await_coordinator(&mut client, 1, &transactional_id);
        let init = InitProducerIdRequest::default()
            .with_transactional_id(Some(TransactionalId(text(&transactional_id))))
            .with_transaction_timeout_ms(60_000);
        let given = eventually("a producer id", || {
            let given = client.call(4, &init);
            (given.error_code == 0).then_some(given)
        });
        let (producer_id, epoch) = (given.producer_id.0, given.producer_epoch);
        Producer { client, topic: topic.to_owned(), transactional_id, producer_id, epoch }
    }

    fn id(&self) -> TransactionalId {
        TransactionalId(text(&self.transactional_id))
    }

    fn batch(&self) -> Bytes {
        let options = BatchOptions {
            producer_id: self.producer_id,
            producer_epoch: self.epoch,
            base_sequence: 0,
            transactional: true,
            ..BatchOptions::default()
        };
        let mut batch = RecordBatchBuilder::new(options);
        for timestamp in 0..RECORDS {
            batch.append(timestamp as i64, None, Some(&[b'x'; 100])).expect("a record");
        }
        batch.build().expect("a batch")
    }

    /// The epoch is another in every transaction, so that the numbers of its records begin anew.
    fn transaction(&mut self, commits: bool) {
        let data = PartitionProduceData::default().with_index(0).with_records(Some(self.batch()));
        let data =
            TopicProduceData::default().with_name(topic_name(&self.topic)).with_partition_data(vec![data]);
        let produce = ProduceRequest::default()
            .with_transactional_id(Some(self.id()))
            .with_acks(-1)
            .with_timeout_ms(10_000)
            .with_topic_data(vec![data]);
        loop {
            match self.client.call(PRODUCE, &produce).responses[0].partition_responses[0].error_code {
                0 => break,
                // The transaction before is not complete, or the topic has just come to be.
                CONCURRENT_TRANSACTIONS | NOT_LEADER_OR_FOLLOWER => {}
                other => panic!("error {other}"),
            }
        }
        let end = EndTxnRequest::default()
            .with_transactional_id(self.id())
            .with_producer_id(ProducerId(self.producer_id))
            .with_producer_epoch(self.epoch)
            .with_committed(commits);
        let ended = self.client.call(END_TXN, &end);
        assert_eq!(ended.error_code, 0);
        (self.producer_id, self.epoch) = (ended.producer_id.0, ended.producer_epoch);
    }
}

pub(super) fn run(address: SocketAddr) {
    for count in [1, 8] {
        print(&format!("transactions of 100 records, {count} producers: 1/s"), rate(address, count));
    }
}

/// Transactions in a second, of so many producers with a topic each.
fn rate(address: SocketAddr, count: usize) -> f64 {
    let mut client = Client::connect(address);
    let threads: Vec<_> = (0..count)
        .map(|_| {
            let topic = unique("transactional");
            create_topic(&mut client, &topic, 1);
            let mut producer = Producer::new(address, &topic);
            std::thread::spawn(move || {
                let count_for = |producer: &mut Producer, time: Duration| {
                    let (start, mut count) = (Instant::now(), 0);
                    while start.elapsed() < time {
                        producer.transaction(true);
                        count += 1;
                    }
                    f64::from(count) / start.elapsed().as_secs_f64()
                };
                count_for(&mut producer, WARM_UP);
                count_for(&mut producer, SECONDS)
            })
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().expect("a rate")).sum()
}

/// The same topic read both ways in turn; one transaction in ten was aborted.
pub(super) fn run_isolation(address: SocketAddr) {
    const TRANSACTIONS: usize = 20_000;
    const ROUNDS: usize = 15;
    let mut client = Client::connect(address);
    let topic = unique("isolated");
    create_topic(&mut client, &topic, 1);
    let mut producer = Producer::new(address, &topic);
    for number in 0..TRANSACTIONS {
        producer.transaction(number % 10 != 0);
    }
    let end = (TRANSACTIONS * (RECORDS + 1)) as i64;
    let mut read = |isolation_level| {
        let start = Instant::now();
        let mut offset = 0;
        while offset < end {
            offset = end_of(fetch(&mut client, &topic, offset, isolation_level));
        }
        start.elapsed().as_secs_f64()
    };
    let ratios = (0..ROUNDS).map(|_| {
        let uncommitted = read(0);
        read(1) / uncommitted
    });
    print("read_committed / read_uncommitted, time", median(ratios.collect()));
}

/// The offset after the last whole batch.
fn end_of(mut records: Bytes) -> i64 {
    let mut end = 0;
    while let Some(batch) = RecordBatch::split_from(&mut records).expect("batches") {
        let bytes = batch.as_bytes();
        let base_offset = i64::from_be_bytes(bytes[..8].try_into().expect("8 bytes"));
        let last_offset_delta = i32::from_be_bytes(bytes[23..27].try_into().expect("4 bytes"));
        end = base_offset + i64::from(last_offset_delta) + 1;
    }
    assert!(end > 0, "nothing came");
    end
}
