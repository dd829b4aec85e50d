//! Produce.

use bytes::Bytes;
use kafka_protocol_018::messages::ProduceRequest;
use kafka_protocol_018::messages::api_versions_request::ApiVersionsRequest;
use kafka_protocol_018::messages::produce_request::{PartitionProduceData, TopicProduceData};
use ottla::{BatchOptions, CompressionType, ErrorCode, RecordBatch, TimestampType};

use super::api_versions;
use super::fetching::{fetch, fetch_values, records_of};
use super::find_coordinator::find_group_coordinator;
use super::fixture::{Fixture, code, topic_name};
use super::producing::{append, produce, produce_in, produce_old, request};
use super::records::{batch, batch_at, batch_with, compressed_batch, idempotent_batch, message_set, patched};

#[test]
fn every_version_appends_and_answers_the_offset() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    for version in 0..3 {
        let set = message_set(if version < 2 { 0 } else { 1 }, &["a", "b"]);
        assert_eq!(produce_old(&mut client, version, "t", set), (ErrorCode::None, 2 * i64::from(version)));
    }
    for version in 3..=13 {
        let response = produce_in(&mut client, version, "t", batch(&["a", "b"]));
        assert_eq!(code(response.error_code), ErrorCode::None, "version {version}");
        assert_eq!(response.base_offset, 2 * i64::from(version));
        assert_eq!(response.log_append_time_ms, -1, "timestamps are the producer's");
        assert_eq!(response.log_start_offset, if version >= 5 { 0 } else { -1 });
    }
    assert_eq!(fetch_values(&mut client, "t").len(), 28);
}

#[test]
fn acks_that_kafka_does_not_have_are_refused_for_every_partition() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 2, &[]);
    for acks in [-2, 2] {
        let mut request = request("t", 0, Some(batch(&["a"]))).with_acks(acks);
        let second = request.topic_data[0].partition_data[0].clone().with_index(1);
        request.topic_data[0].partition_data.push(second);
        let response = client.call(9, &request);
        for partition in &response.responses[0].partition_responses {
            assert_eq!(code(partition.error_code), ErrorCode::InvalidRequiredAcks);
            assert_eq!(partition.base_offset, -1);
        }
    }
    assert_eq!(fetch_values(&mut client, "t"), []);
}

#[test]
fn acks_0_appends_without_an_answer() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    client.send(9, &request("t", 0, Some(batch(&["a"]))).with_acks(0));
    // The next answer is that of the next request.
    assert_eq!(fetch_values(&mut client, "t"), [(0, "a".to_owned())]);
}

#[test]
fn acks_0_ends_the_connection_if_a_partition_fails_after_appending_to_the_others() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let mut request = request("missing", 0, Some(batch(&["a"]))).with_acks(0);
    request.topic_data.push(request.topic_data[0].clone().with_name(topic_name("t")));
    client.send(9, &request);
    client.expect_closed();
    assert_eq!(fetch_values(&mut fixture.connect(), "t"), [(0, "a".to_owned())]);
}

#[test]
fn acks_0_keeps_its_place_between_answers() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let first = client.send(3, &api_versions::request());
    client.send(9, &request("t", 0, Some(batch(&["a"]))).with_acks(0));
    let second = client.send(3, &api_versions::request());
    assert_eq!(client.receive::<ApiVersionsRequest>(3).0, first);
    assert_eq!(client.receive::<ApiVersionsRequest>(3).0, second);
}

#[test]
fn an_unknown_topic_is_refused_and_never_made() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    for _ in 0..2 {
        let response = produce(&mut client, "missing", batch(&["a"]));
        assert_eq!(code(response.error_code), ErrorCode::UnknownTopicOrPartition);
    }
}

#[test]
fn an_unknown_partition_is_refused_and_the_others_are_appended_to() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let mut request = request("t", 5, Some(batch(&["a"])));
    let good = request.topic_data[0].partition_data[0].clone().with_index(0);
    let negative = good.clone().with_index(-1);
    request.topic_data[0].partition_data.extend([good, negative]);
    let response = client.call(9, &request);
    let codes: Vec<_> = response.responses[0]
        .partition_responses
        .iter()
        .map(|partition| code(partition.error_code))
        .collect();
    let unknown = ErrorCode::UnknownTopicOrPartition;
    assert_eq!(codes, [unknown, ErrorCode::None, unknown]);
}

#[test]
fn an_unknown_topic_id_is_refused() {
    let fixture = Fixture::start();
    let data = PartitionProduceData::default().with_records(Some(batch(&["a"])));
    let id = "07070707-0707-0707-0707-070707070707".parse().unwrap();
    let topic = TopicProduceData::default().with_topic_id(id).with_partition_data(vec![data]);
    let request = ProduceRequest::default().with_acks(1).with_topic_data(vec![topic]);
    let response = fixture.connect().call(13, &request);
    assert_eq!(response.responses[0].topic_id, id);
    assert_eq!(code(response.responses[0].partition_responses[0].error_code), ErrorCode::UnknownTopicId);
}

#[test]
fn internal_topics_take_records_of_the_admin_client_only() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    find_group_coordinator(&mut client, "any");
    let response = produce(&mut client, "__consumer_offsets", batch(&["a"]));
    assert_eq!(code(response.error_code), ErrorCode::InvalidTopicException);
    let mut admin = fixture.connect().named("__admin_client");
    assert_eq!(append(&mut admin, "__consumer_offsets", batch(&["a"])), 0);
}

#[test]
fn from_version_3_on_a_partition_gets_exactly_one_batch_of_magic_2() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let two = [batch(&["a"]), batch(&["b"])].concat();
    let cut = batch(&["a"]).slice(..70);
    for version in [3, 9, 12] {
        for records in [
            Some(Bytes::new()),
            None,
            Some(two.clone().into()),
            Some(message_set(1, &["a"])),
            Some(cut.clone()),
        ] {
            let response = client.call(version, &request("t", 0, records.clone()));
            let partition = &response.responses[0].partition_responses[0];
            assert_eq!(code(partition.error_code), ErrorCode::InvalidRecord, "{version}: {records:?}");
        }
    }
    assert_eq!(fetch_values(&mut client, "t"), []);
}

#[test]
fn old_message_sets_are_stored_as_one_batch_of_magic_2() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    for (magic, version) in [(0, 0), (1, 2)] {
        let set = message_set(magic, &["a", "b", "c"]);
        assert_eq!(produce_old(&mut client, version, "t", set).0, ErrorCode::None);
    }
    let mut stored = records_of(&fetch(&mut client, "t", 0));
    for base_offset in [0, 3] {
        let batch = RecordBatch::split_from(&mut stored).unwrap().unwrap();
        assert_eq!((batch.view().magic(), batch.view().base_offset()), (2, base_offset));
        assert_eq!(batch.view().records_count(), Some(3));
    }
    assert!(stored.is_empty());
}

#[test]
fn an_old_client_may_say_nothing() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    for records in [Bytes::new(), message_set(1, &["a"]).slice(..20)] {
        assert_eq!(produce_old(&mut client, 2, "t", records), (ErrorCode::None, -1));
    }
    assert_eq!(fetch_values(&mut client, "t"), []);
}

#[test]
fn zstd_is_taken_from_version_7_on() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let zstd = compressed_batch(CompressionType::Zstd, &["a", "b"]);
    let early = produce_in(&mut client, 6, "t", zstd.clone());
    assert_eq!(code(early.error_code), ErrorCode::UnsupportedCompressionType);
    assert_eq!(code(produce_in(&mut client, 7, "t", zstd).error_code), ErrorCode::None);
}

#[test]
fn a_batch_must_have_base_offset_0() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let options = BatchOptions { base_offset: 1, ..BatchOptions::default() };
    let response = produce(&mut client, "t", batch_with(options, &["a"]));
    assert_eq!(code(response.error_code), ErrorCode::InvalidRecord);
}

#[test]
fn a_wrong_checksum_is_corrupt() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let mut wrong = batch(&["a"]).to_vec();
    *wrong.last_mut().unwrap() ^= 1;
    let response = produce(&mut client, "t", wrong.into());
    assert_eq!(code(response.error_code), ErrorCode::CorruptMessage);
    assert!(response.error_message.unwrap().contains("crc"));
}

#[test]
fn a_batch_that_contradicts_itself_is_invalid() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let good = batch(&["a", "b"]);
    let last_offset_delta = patched(&good, 23, &5i32.to_be_bytes());
    let no_records = patched(&good, 57, &0i32.to_be_bytes());
    let negative_count = patched(&good, 57, &(-1i32).to_be_bytes());
    let huge_count = patched(&patched(&good, 57, &i32::MAX.to_be_bytes()), 23, &(i32::MAX - 1).to_be_bytes());
    let control = patched(&good, 21, &0x20i16.to_be_bytes());
    let without_sequence = patched(&good, 43, &77i64.to_be_bytes());
    for batch in [last_offset_delta, no_records, negative_count, huge_count, control, without_sequence] {
        let response = produce(&mut client, "t", batch);
        assert_eq!(code(response.error_code), ErrorCode::InvalidRecord, "{:?}", response.error_message);
    }
    assert_eq!(fetch_values(&mut client, "t"), []);
}

#[test]
fn what_the_log_refuses_is_answered_with_its_start_and_what_does_not_reach_it_is_not() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let refused_by_the_log = patched(&batch(&["a"]), 7, &[5]);
    assert_eq!(produce_in(&mut client, 9, "t", refused_by_the_log).log_start_offset, 0);
    for records in [Bytes::new(), [batch(&["a"]), batch(&["b"])].concat().into()] {
        assert_eq!(produce_in(&mut client, 9, "t", records).log_start_offset, -1);
    }
}

#[test]
fn a_topic_without_partitions_is_not_answered() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let mut request = request("t", 0, None);
    request.topic_data[0].partition_data.clear();
    assert_eq!(client.call(9, &request).responses, []);
}

#[test]
fn a_batch_larger_than_max_message_bytes_is_too_large() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[("max.message.bytes", "200")]);
    let large = produce(&mut client, "t", batch(&[&"x".repeat(200)]));
    assert_eq!(code(large.error_code), ErrorCode::MessageTooLarge);
    assert_eq!(code(produce(&mut client, "t", batch(&["x"])).error_code), ErrorCode::None);
}

#[test]
fn a_batch_larger_than_a_segment_is_refused() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[("segment.bytes", "200")]);
    let response = produce(&mut client, "t", batch(&[&"x".repeat(200)]));
    assert_eq!(code(response.error_code), ErrorCode::RecordListTooLarge);
}

#[test]
fn a_compacted_topic_refuses_records_without_key_and_names_them() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[("cleanup.policy", "compact")]);
    for version in [7, 8, 13] {
        let response = produce_in(&mut client, version, "t", batch_at(0, None, b"value"));
        assert_eq!(code(response.error_code), ErrorCode::InvalidRecord);
        if version >= 8 {
            assert_eq!(response.record_errors[0].batch_index, 0);
            assert!(response.record_errors[0].batch_index_error_message.is_some());
            assert!(response.error_message.is_some());
        }
    }
    assert_eq!(fetch_values(&mut client, "t"), []);
}

#[test]
fn a_timestamp_outside_of_the_topics_limits_is_invalid_and_none_at_all_is_fine() {
    let fixture = Fixture::start();
    let limits = [("message.timestamp.before.max.ms", "60000"), ("message.timestamp.after.max.ms", "60000")];
    let mut client = fixture.create_topic("t", 1, &limits);
    for timestamp in [1000, i64::MAX] {
        let response = produce(&mut client, "t", batch_at(timestamp, Some(b"key"), b"value"));
        assert_eq!(code(response.error_code), ErrorCode::InvalidTimestamp);
        assert_eq!(response.record_errors[0].batch_index, 0);
    }
    let response = produce(&mut client, "t", batch_at(-1, Some(b"key"), b"value"));
    assert_eq!(code(response.error_code), ErrorCode::None, "{:?}", response.error_message);
}

#[test]
fn a_client_may_not_say_that_its_timestamps_are_the_brokers() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let options = BatchOptions { timestamp_type: TimestampType::LogAppendTime, ..BatchOptions::default() };
    let response = produce(&mut client, "t", batch_with(options, &["a"]));
    assert_eq!(code(response.error_code), ErrorCode::InvalidTimestamp);
}

#[test]
fn with_log_append_time_the_broker_stamps_the_batch_and_says_so() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[("message.timestamp.type", "LogAppendTime")]);
    let response = produce(&mut client, "t", batch(&["a", "b"]));
    assert!(response.log_append_time_ms > 1_600_000_000_000);
    let mut stored = records_of(&fetch(&mut client, "t", 0));
    let batch = RecordBatch::split_from(&mut stored).unwrap().unwrap();
    assert_eq!(batch.view().timestamp_type(), TimestampType::LogAppendTime);
    assert_eq!(batch.view().max_timestamp(), response.log_append_time_ms);
}

#[test]
fn a_topics_own_codec_replaces_the_producers() {
    let fixture = Fixture::start();
    for (setting, expected) in [
        ("gzip", CompressionType::Gzip),
        ("uncompressed", CompressionType::None),
        ("producer", CompressionType::Lz4),
        ("lz4", CompressionType::Lz4),
    ] {
        let mut client = fixture.create_topic(setting, 1, &[("compression.type", setting)]);
        let sent = compressed_batch(CompressionType::Lz4, &["a", "b"]);
        append(&mut client, setting, sent.clone());
        let mut stored = records_of(&fetch(&mut client, setting, 0));
        let batch = RecordBatch::split_from(&mut stored).unwrap().unwrap();
        assert_eq!(batch.view().compression_type().unwrap(), expected, "{setting}");
        if expected == CompressionType::Lz4 {
            // From the attributes on nothing has changed, the checksum included.
            assert_eq!(batch.as_bytes()[16..], sent[16..]);
        }
        assert_eq!(fetch_values(&mut client, setting), [(0, "a".to_owned()), (1, "b".to_owned())]);
    }
}

#[test]
fn a_batch_sent_again_gets_its_first_offset_and_is_appended_once() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    for sequence in 0..5 {
        assert_eq!(append(&mut client, "t", idempotent_batch(7, 0, sequence, &["a"])), i64::from(sequence));
    }
    for sequence in 0..5 {
        assert_eq!(append(&mut client, "t", idempotent_batch(7, 0, sequence, &["a"])), i64::from(sequence));
    }
    assert_eq!(fetch_values(&mut client, "t").len(), 5);
}

#[test]
fn sequences_must_follow_each_other_and_epochs_must_not_go_back() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    append(&mut client, "t", idempotent_batch(7, 1, 0, &["a", "b"]));
    let mut refused = |epoch, sequence| {
        code(produce(&mut client, "t", idempotent_batch(7, epoch, sequence, &["x"])).error_code)
    };
    assert_eq!(refused(1, 3), ErrorCode::OutOfOrderSequenceNumber);
    assert_eq!(refused(2, 1), ErrorCode::OutOfOrderSequenceNumber, "a new epoch starts at 0");
    assert_eq!(refused(0, 2), ErrorCode::InvalidProducerEpoch);
    assert_eq!(append(&mut client, "t", idempotent_batch(7, 1, 2, &["c"])), 2);
    assert_eq!(append(&mut client, "t", idempotent_batch(7, 2, 0, &["d"])), 3);
}

#[test]
fn batches_of_a_transaction_without_its_id_are_refused_as_a_whole() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let options = BatchOptions {
        producer_id: 7,
        producer_epoch: 0,
        base_sequence: 0,
        transactional: true,
        ..BatchOptions::default()
    };
    let mut request = request("t", 0, Some(batch_with(options, &["a"])));
    let plain = request.topic_data[0].partition_data[0].clone().with_records(Some(batch(&["b"])));
    request.topic_data[0].partition_data.push(plain);
    let response = client.call(9, &request);
    for partition in &response.responses[0].partition_responses {
        assert_eq!(code(partition.error_code), ErrorCode::TransactionalIdAuthorizationFailed);
    }
    assert_eq!(fetch_values(&mut client, "t"), []);
}

#[test]
fn a_topic_that_flushes_each_record_is_acknowledged_all_the_same() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[("flush.messages", "1")]);
    for version in [3, 9] {
        assert_eq!(code(produce_in(&mut client, version, "t", batch(&["a"])).error_code), ErrorCode::None);
    }
    client.send(9, &request("t", 0, Some(batch(&["b"]))).with_acks(0));
    assert_eq!(fetch_values(&mut client, "t").len(), 3);
}
