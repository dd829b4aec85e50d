//! Asking a broker to append.

use bytes::Bytes;
use kafka_protocol_015::messages as old;
use kafka_protocol_018::messages::ProduceRequest;
use kafka_protocol_018::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol_018::messages::produce_response::PartitionProduceResponse;
use ottla::ErrorCode;

use super::client::Client;
use super::fixture::{code, describe_topic, topic_name};

/// A request to append to one partition, acknowledged by all, of version 12 or below.
pub(super) fn request(topic: &str, partition: i32, records: Option<Bytes>) -> ProduceRequest {
    let data = PartitionProduceData::default().with_index(partition).with_records(records);
    let topic = TopicProduceData::default().with_name(topic_name(topic)).with_partition_data(vec![data]);
    ProduceRequest::default().with_acks(-1).with_timeout_ms(1000).with_topic_data(vec![topic])
}

/// Appends to partition 0, in the version that kcat and most others speak.
pub(super) fn produce(client: &mut Client, topic: &str, records: Bytes) -> PartitionProduceResponse {
    produce_in(client, 9, topic, records)
}

/// Appends to partition 0 in one of the versions from 3 on.
pub(super) fn produce_in(
    client: &mut Client,
    version: i16,
    topic: &str,
    records: Bytes,
) -> PartitionProduceResponse {
    let mut request = request(topic, 0, Some(records));
    if version >= 13 {
        let id = describe_topic(client, topic).topic_id;
        request.topic_data[0].topic_id = id;
        request.topic_data[0].name = topic_name("");
    }
    client.call(version, &request).responses.remove(0).partition_responses.remove(0)
}

/// Appends, and returns the offset of the first record.
pub(super) fn append(client: &mut Client, topic: &str, records: Bytes) -> i64 {
    let response = produce(client, topic, records);
    assert_eq!(code(response.error_code), ErrorCode::None, "{:?}", response.error_message);
    response.base_offset
}

/// Appends in one of the versions 0 to 2; error and offset.
pub(super) fn produce_old(
    client: &mut Client,
    version: i16,
    topic: &str,
    records: Bytes,
) -> (ErrorCode, i64) {
    let data =
        old::produce_request::PartitionProduceData::default().with_index(0).with_records(Some(records));
    let name = old::TopicName(kafka_protocol_015::protocol::StrBytes::from_string(topic.to_owned()));
    let topic =
        old::produce_request::TopicProduceData::default().with_name(name).with_partition_data(vec![data]);
    let request =
        old::ProduceRequest::default().with_acks(1).with_timeout_ms(1000).with_topic_data(vec![topic]);
    let response = client.call_old(version, &request);
    let partition = &response.responses[0].partition_responses[0];
    (code(partition.error_code), partition.base_offset)
}
