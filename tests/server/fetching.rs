//! Asking a broker for records.

use bytes::Bytes;
use kafka_protocol_018::messages::FetchRequest;
use kafka_protocol_018::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol_018::messages::fetch_response::{FetchResponse, PartitionData};

use super::client::Client;
use super::fixture::topic_name;
use super::records::values;

/// A fetch from one partition that does not wait, of version 12 or below.
pub(super) fn request(topic: &str, partition: i32, offset: i64) -> FetchRequest {
    FetchRequest::default()
        .with_max_wait_ms(0)
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_topics(vec![topic_of(topic, &[(partition, offset)])])
}

/// Partitions of a topic, each from an offset on.
pub(super) fn topic_of(topic: &str, partitions: &[(i32, i64)]) -> FetchTopic {
    let partitions = partitions.iter().map(|(partition, offset)| {
        FetchPartition::default()
            .with_partition(*partition)
            .with_fetch_offset(*offset)
            .with_partition_max_bytes(1 << 20)
    });
    FetchTopic::default().with_topic(topic_name(topic)).with_partitions(partitions.collect())
}

/// What partition 0 gives from an offset on.
pub(super) fn fetch(client: &mut Client, topic: &str, offset: i64) -> PartitionData {
    only(client.call(11, &request(topic, 0, offset)))
}

/// The one partition of an answer.
pub(super) fn only(mut response: FetchResponse) -> PartitionData {
    assert_eq!(response.responses.len(), 1);
    assert_eq!(response.responses[0].partitions.len(), 1);
    response.responses[0].partitions.remove(0)
}

/// Offsets and values of what partition 0 holds.
pub(super) fn fetch_values(client: &mut Client, topic: &str) -> Vec<(i64, String)> {
    values(&records_of(&fetch(client, topic, 0)))
}

pub(super) fn records_of(data: &PartitionData) -> Bytes {
    data.records.clone().unwrap()
}
