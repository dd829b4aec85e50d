//! Fetch without sessions.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol_015::messages as old;
use kafka_protocol_018::messages::fetch_request::FetchTopic;
use kafka_protocol_018::messages::{BrokerId, FetchRequest, ProduceRequest};
use ottla::{CompressionType, ErrorCode, ManualClock, RecordBatch};

use super::client::Client;
use super::fetching::{fetch, fetch_values, only, records_of, request, topic_of};
use super::fixture::{Fixture, code, describe_topic, topic_name};
use super::producing::{self, append, produce_old};
use super::records::{batch, batch_at, compressed_batch, message_set, values};

/// Asks in one of the versions 0 to 3: error, high watermark and records of partition 0.
fn fetch_old(client: &mut Client, version: i16, offset: i64, max_bytes: i32) -> (ErrorCode, i64, Bytes) {
    let partition = old::fetch_request::FetchPartition::default()
        .with_fetch_offset(offset)
        .with_partition_max_bytes(max_bytes);
    let name = old::TopicName(kafka_protocol_015::protocol::StrBytes::from_static_str("t"));
    let topic = old::fetch_request::FetchTopic::default().with_topic(name).with_partitions(vec![partition]);
    let request = old::FetchRequest::default()
        .with_replica_id(old::BrokerId(-1))
        .with_max_bytes(1 << 20)
        .with_topics(vec![topic]);
    let response = client.call_old(version, &request);
    let data = &response.responses[0].partitions[0];
    (code(data.error_code), data.high_watermark, data.records.clone().unwrap_or_default())
}

/// Offset, timestamp and value of each message of a set.
fn messages(mut set: Bytes) -> Vec<(i64, i64, String)> {
    let mut found = Vec::new();
    while let Some(entry) = RecordBatch::split_from(&mut set).unwrap() {
        for record in entry.records(1 << 20).unwrap() {
            let record = record.unwrap();
            let value = String::from_utf8(record.value().unwrap().to_vec()).unwrap();
            found.push((record.offset(), record.timestamp(), value));
        }
    }
    found
}

#[test]
fn every_version_from_4_on_gives_the_stored_batches() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    append(&mut client, "t", batch(&["a", "b"]));
    append(&mut client, "t", batch(&["c"]));
    for version in 4..=18 {
        let mut request = request("t", 0, 1);
        if version >= 13 {
            request.topics[0] =
                topic_of("", &[(0, 1)]).with_topic_id(describe_topic(&mut client, "t").topic_id);
        }
        let data = only(client.call(version, &request));
        assert_eq!(code(data.error_code), ErrorCode::None, "version {version}");
        assert_eq!((data.high_watermark, data.last_stable_offset), (3, 3));
        assert_eq!(data.log_start_offset, if version >= 5 { 0 } else { -1 });
        assert_eq!(
            data.aborted_transactions, None,
            "uncommitted reads have none, which is not an empty list"
        );
        assert_eq!(data.preferred_read_replica.0, -1);
        // Batches come whole: the first one starts before the offset.
        let expected = [(0, "a"), (1, "b"), (2, "c")].map(|(offset, value)| (offset, value.to_owned()));
        assert_eq!(values(&records_of(&data)), expected);
    }
}

#[test]
fn versions_2_and_3_get_messages_of_magic_1_and_earlier_ones_of_magic_0() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    append(&mut client, "t", batch(&["a", "b"]));
    append(&mut client, "t", compressed_batch(CompressionType::Gzip, &["c", "d"]));
    for version in 0..=3 {
        let (error, high_watermark, records) = fetch_old(&mut client, version, 1, 1 << 20);
        assert_eq!((error, high_watermark), (ErrorCode::None, 4), "version {version}");
        let magic = i8::from(version >= 2);
        assert_eq!(records[16], magic as u8);
        let time = |time| if magic == 0 { -1 } else { time };
        let expected = [(1, 1001, "b"), (2, 1000, "c"), (3, 1001, "d")];
        let expected = expected.map(|(offset, at, value)| (offset, time(at), value.to_owned()));
        assert_eq!(messages(records), expected);
    }
}

#[test]
fn what_old_clients_produce_is_read_by_old_and_new_ones() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    produce_old(&mut client, 2, "t", message_set(1, &["a", "b"]));
    let (_, _, records) = fetch_old(&mut client, 2, 0, 1 << 20);
    assert_eq!(messages(records), [(0, 1000, "a".to_owned()), (1, 1001, "b".to_owned())]);
    assert_eq!(fetch_values(&mut client, "t"), [(0, "a".to_owned()), (1, "b".to_owned())]);
}

#[test]
fn a_topic_without_down_conversion_refuses_old_clients() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[("message.downconversion.enable", "false")]);
    append(&mut client, "t", batch(&["a"]));
    assert_eq!(fetch_old(&mut client, 3, 0, 1000), (ErrorCode::UnsupportedVersion, -1, Bytes::new()));
    assert_eq!(fetch_values(&mut client, "t").len(), 1);
}

#[test]
fn zstd_cannot_be_converted_for_old_clients() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    append(&mut client, "t", compressed_batch(CompressionType::Zstd, &["a"]));
    assert_eq!(fetch_old(&mut client, 3, 0, 1000).0, ErrorCode::UnsupportedCompressionType);
}

#[test]
fn a_topic_kept_in_zstd_is_refused_below_version_10() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[("compression.type", "zstd")]);
    append(&mut client, "t", batch(&["a"]));
    for version in 4..=12 {
        let expected = if version < 10 { ErrorCode::UnsupportedCompressionType } else { ErrorCode::None };
        let data = only(client.call(version, &request("t", 0, 0)));
        assert_eq!(code(data.error_code), expected, "version {version}");
    }
}

#[test]
fn an_old_client_sees_by_a_cut_message_that_its_limit_is_too_low() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    append(&mut client, "t", batch(&[&"x".repeat(500)]));
    let (error, _, records) = fetch_old(&mut client, 2, 0, 100);
    assert_eq!((error, records.len()), (ErrorCode::None, 100));
    let size = i32::from_be_bytes(records[8..12].try_into().unwrap());
    assert!(size > 500);
}

#[test]
fn the_first_partition_with_data_gives_one_whole_batch_whatever_the_limits() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 3, &[]);
    for partition in [1, 2] {
        let records = batch(&[&"x".repeat(500)]);
        let request = producing::request("t", partition, Some(records));
        client.call::<ProduceRequest>(9, &request);
    }
    let mut request = request("t", 0, 0).with_max_bytes(10);
    request.topics = vec![topic_of("t", &[(0, 0), (1, 0), (2, 0)])];
    for partition in &mut request.topics[0].partitions {
        partition.partition_max_bytes = 10;
    }
    let response = client.call(11, &request);
    let counts: Vec<usize> =
        response.responses[0].partitions.iter().map(|data| values(&records_of(data)).len()).collect();
    assert_eq!(counts, [0, 1, 0]);
}

#[test]
fn a_partitions_limit_may_cut_the_last_batch() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let sent = batch(&[&"x".repeat(500)]);
    for _ in 0..3 {
        append(&mut client, "t", sent.clone());
    }
    let mut request = request("t", 0, 0);
    request.topics[0].partitions[0].partition_max_bytes = (2 * sent.len() + 20).try_into().unwrap();
    let records = records_of(&only(client.call(11, &request)));
    assert_eq!(records.len(), 2 * sent.len() + 20);
    assert_eq!(values(&records).len(), 2);
}

#[test]
fn fetch_max_bytes_bounds_every_answer() {
    let fixture = Fixture::with(|builder| builder.set("fetch.max.bytes", "1024"));
    let mut client = fixture.create_topic("t", 1, &[]);
    for _ in 0..5 {
        append(&mut client, "t", batch(&[&"x".repeat(500)]));
    }
    assert_eq!(records_of(&fetch(&mut client, "t", 0)).len(), 1024);
}

#[test]
fn an_offset_below_the_start_or_above_the_end_is_out_of_range() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    append(&mut client, "t", batch(&["a"]));
    for offset in [-1, 2, i64::MAX, i64::MIN] {
        let data = fetch(&mut client, "t", offset);
        assert_eq!(code(data.error_code), ErrorCode::OffsetOutOfRange);
        assert_eq!((data.high_watermark, data.last_stable_offset, data.log_start_offset), (-1, -1, -1));
    }
    let at_end = fetch(&mut client, "t", 1);
    assert_eq!((code(at_end.error_code), at_end.high_watermark), (ErrorCode::None, 1));
    assert!(records_of(&at_end).is_empty());
}

#[test]
fn an_unknown_topic_partition_or_id_is_told_for_itself() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    append(&mut client, "t", batch(&["a"]));
    let mut by_name = request("missing", 0, 0);
    by_name.topics.push(topic_of("t", &[(1, 0), (0, 0)]));
    let response = client.call(12, &by_name);
    let codes = |topic: usize| -> Vec<ErrorCode> {
        response.responses[topic].partitions.iter().map(|data| code(data.error_code)).collect()
    };
    assert_eq!(codes(0), [ErrorCode::UnknownTopicOrPartition]);
    assert_eq!(codes(1), [ErrorCode::UnknownTopicOrPartition, ErrorCode::None]);
    let id = "07070707-0707-0707-0707-070707070707".parse().unwrap();
    let by_id = FetchRequest::default().with_topics(vec![topic_of("", &[(0, 0)]).with_topic_id(id)]);
    assert_eq!(code(only(client.call(13, &by_id)).error_code), ErrorCode::UnknownTopicId);
}

#[test]
fn read_committed_gets_a_list_of_aborted_transactions_even_if_it_is_empty() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    append(&mut client, "t", batch(&["a"]));
    let data = only(client.call(11, &request("t", 0, 0).with_isolation_level(1)));
    assert_eq!(data.aborted_transactions, Some(Vec::new()));
    assert_eq!(values(&records_of(&data)).len(), 1);
}

#[test]
fn a_replica_reads_too() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    append(&mut client, "t", batch(&["a"]));
    for replica in [-2, 5] {
        let request = request("t", 0, 0).with_replica_id(BrokerId(replica));
        assert_eq!(values(&records_of(&only(client.call(11, &request)))).len(), 1);
    }
}

#[test]
fn leader_epochs_fence_readers_that_follow_another_leader() {
    let dir = tempfile::tempdir().unwrap();
    let open = || {
        let broker = ottla::Broker::open(dir.path()).unwrap();
        let listener = broker.listen("127.0.0.1:0").unwrap();
        Fixture { broker, listener }
    };
    let first = open();
    append(&mut first.create_topic("t", 1, &[]), "t", batch(&["a"]));
    first.broker.close();
    let again = open();
    let mut client = again.connect();
    let epoch = describe_topic(&mut client, "t").partitions[0].leader_epoch;
    assert_eq!(epoch, 1, "each start is a term of its own");
    for (asked, expected) in [
        (-1, ErrorCode::None),
        (1, ErrorCode::None),
        (0, ErrorCode::FencedLeaderEpoch),
        (2, ErrorCode::UnknownLeaderEpoch),
    ] {
        for version in [9, 12, 16] {
            let mut request = request("t", 0, 0);
            request.topics[0].partitions[0].current_leader_epoch = asked;
            if version >= 13 {
                request.topics[0].topic_id = describe_topic(&mut client, "t").topic_id;
                request.topics[0].topic = topic_name("");
            }
            let response = client.call(version, &request);
            let is_fenced = expected == ErrorCode::FencedLeaderEpoch;
            assert_eq!(response.node_endpoints.len(), usize::from(is_fenced && version >= 16));
            let data = only(response);
            assert_eq!(code(data.error_code), expected, "{asked}");
            if is_fenced && version >= 12 {
                assert_eq!((data.current_leader.leader_id.0, data.current_leader.leader_epoch), (1, 1));
            }
        }
    }
}

#[test]
fn a_reader_whose_epoch_ended_earlier_is_told_where() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    append(&mut client, "t", batch(&["a", "b"]));
    let mut ask = |offset, last_fetched_epoch| {
        let mut request = request("t", 0, offset).with_max_wait_ms(20_000);
        request.topics[0].partitions[0].last_fetched_epoch = last_fetched_epoch;
        only(client.call(12, &request))
    };
    // It has read up to 5 in epoch 0, which ends at 2 here.
    let diverging = ask(5, 0);
    assert_eq!((diverging.diverging_epoch.epoch, diverging.diverging_epoch.end_offset), (0, 2));
    assert!(records_of(&diverging).is_empty());
    assert_eq!(code(diverging.error_code), ErrorCode::None);
    let fine = ask(0, 0);
    assert_eq!((fine.diverging_epoch.epoch, fine.diverging_epoch.end_offset), (-1, -1));
    assert_eq!(values(&records_of(&fine)).len(), 2);
}

#[test]
fn a_fetch_waits_for_the_append_that_gives_it_enough() {
    let fixture = Fixture::start();
    let mut reader = fixture.create_topic("t", 1, &[]);
    let mut writer = fixture.connect();
    let first = batch(&["a"]);
    let min_bytes = i32::try_from(first.len()).unwrap() + 1;
    reader.send(11, &request("t", 0, 0).with_max_wait_ms(i32::MAX).with_min_bytes(min_bytes));
    append(&mut writer, "t", first);
    append(&mut writer, "t", batch(&["b"]));
    let data = only(reader.receive::<FetchRequest>(11).1);
    assert_eq!(values(&records_of(&data)), [(0, "a".to_owned()), (1, "b".to_owned())]);
}

#[test]
fn a_fetch_that_waits_in_vain_is_answered_when_its_time_has_come() {
    let clock = Arc::new(ManualClock::new(0));
    let shared = Arc::clone(&clock);
    // However much time passes before the broker's thread has its turn.
    let fixture = Fixture::with(|builder| builder.clock(shared).set("connections.max.idle.ms", "-1"));
    let mut reader = fixture.create_topic("t", 1, &[]);
    reader.send(11, &request("t", 0, 0).with_max_wait_ms(500));
    // Time passes for the fetch only once the broker has taken it up, which nobody can see from here.
    while !reader.has_answer() {
        clock.advance(Duration::from_millis(500));
    }
    let data = only(reader.receive::<FetchRequest>(11).1);
    assert!(records_of(&data).is_empty());
    assert_eq!((code(data.error_code), data.high_watermark), (ErrorCode::None, 0));
}

#[test]
fn an_error_of_one_partition_ends_the_wait_of_all() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 2, &[]);
    let mut request = request("t", 0, 0).with_max_wait_ms(i32::MAX);
    request.topics.push(topic_of("t", &[(1, 7)]));
    let response = client.call(11, &request);
    assert_eq!(code(response.responses[0].partitions[1].error_code), ErrorCode::OffsetOutOfRange);
}

#[test]
fn a_partition_that_is_not_there_does_not_end_the_wait_of_the_others() {
    let fixture = Fixture::start();
    let mut reader = fixture.create_topic("t", 1, &[]);
    let mut waits = request("t", 0, 0).with_max_wait_ms(i32::MAX);
    waits.topics.push(topic_of("missing", &[(0, 0)]));
    reader.send(11, &waits);
    append(&mut fixture.connect(), "t", batch(&["a"]));
    let response = reader.receive::<FetchRequest>(11).1;
    assert_eq!(values(&records_of(&response.responses[0].partitions[0])).len(), 1);
    assert_eq!(code(response.responses[1].partitions[0].error_code), ErrorCode::UnknownTopicOrPartition);
}

#[test]
fn a_fetch_of_nothing_but_what_is_not_there_does_not_wait() {
    let fixture = Fixture::start();
    let request = request("missing", 0, 0).with_max_wait_ms(i32::MAX);
    let data = only(fixture.connect().call(11, &request));
    assert_eq!(code(data.error_code), ErrorCode::UnknownTopicOrPartition);
    assert_eq!(data.aborted_transactions, Some(Vec::new()), "as Kafka has it");
}

#[test]
fn a_fetch_of_nothing_does_not_wait() {
    let fixture = Fixture::start();
    let request = FetchRequest::default().with_max_wait_ms(i32::MAX).with_min_bytes(1);
    assert!(fixture.connect().call(11, &request).responses.is_empty());
}

#[test]
fn a_waiting_fetch_is_told_when_its_topic_is_deleted() {
    let fixture = Fixture::start();
    let mut reader = fixture.create_topic("t", 1, &[]);
    reader.send(11, &request("t", 0, 0).with_max_wait_ms(i32::MAX));
    super::topics::delete_topic(&mut fixture.connect(), "t");
    let data = only(reader.receive::<FetchRequest>(11).1);
    assert_eq!(code(data.error_code), ErrorCode::UnknownTopicOrPartition);
}

#[test]
fn a_waiting_old_client_gets_converted_messages() {
    let fixture = Fixture::start();
    let mut reader = fixture.create_topic("t", 1, &[]);
    let partition = old::fetch_request::FetchPartition::default().with_partition_max_bytes(1000);
    let name = old::TopicName(kafka_protocol_015::protocol::StrBytes::from_static_str("t"));
    let topic = old::fetch_request::FetchTopic::default().with_topic(name).with_partitions(vec![partition]);
    let request = old::FetchRequest::default()
        .with_replica_id(old::BrokerId(-1))
        .with_max_wait_ms(i32::MAX)
        .with_min_bytes(1)
        .with_topics(vec![topic]);
    reader.send_old(2, &request);
    append(&mut fixture.connect(), "t", batch(&["a"]));
    let (_, response) = reader.receive_old::<old::FetchRequest>(2);
    let records = response.responses[0].partitions[0].records.clone().unwrap();
    assert_eq!(messages(records), [(0, 1000, "a".to_owned())]);
}

#[test]
fn requests_behind_a_waiting_fetch_are_done_although_their_answers_wait() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let waiting = client.send(11, &request("t", 0, 0).with_max_wait_ms(i32::MAX).with_min_bytes(1_000_000));
    let produced: Vec<i32> = (0..50)
        .map(|i| client.send(9, &producing::request("t", 0, Some(batch(&[&format!("{i}")])))))
        .collect();
    // All of them are appended while the fetch in front still waits for more.
    let mut other = fixture.connect();
    let seen = loop {
        let seen = fetch_values(&mut other, "t");
        if seen.len() == 50 {
            break seen;
        }
    };
    let expected: Vec<_> = (0..50).map(|i| (i, i.to_string())).collect();
    assert_eq!(seen, expected, "in the order in which they were sent");
    append(&mut other, "t", batch_at(1000, Some(b"key"), &vec![0; 1_000_000]));
    assert_eq!(client.receive::<FetchRequest>(11).0, waiting);
    for sent in produced {
        let (received, response) = client.receive::<ProduceRequest>(9);
        assert_eq!(received, sent);
        assert_eq!(code(response.responses[0].partition_responses[0].error_code), ErrorCode::None);
    }
}

#[test]
fn large_answers_come_whole_out_of_several_segment_files() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 4, &[("segment.bytes", "300000")]);
    let value = "x".repeat(100_000);
    for partition in 0..4 {
        for _ in 0..5 {
            let request = producing::request("t", partition, Some(batch(&[&value])));
            client.call::<ProduceRequest>(9, &request);
        }
    }
    let mut offsets = [0i64; 4];
    while offsets.iter().sum::<i64>() < 20 {
        let asked: Vec<(i32, i64)> = (0..4).zip(offsets).collect();
        let mut request = FetchRequest::default().with_max_bytes(1 << 30);
        request.topics = vec![topic_of("t", &asked)];
        for data in &client.call(11, &request).responses[0].partitions {
            for (offset, found) in values(&records_of(data)) {
                let next = &mut offsets[usize::try_from(data.partition_index).unwrap()];
                assert_eq!((offset, found == value), (*next, true));
                *next += 1;
            }
        }
    }
    assert_eq!(offsets, [5; 4]);
}

#[test]
fn a_batch_read_from_its_middle_is_the_batch_that_was_sent() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    append(&mut client, "t", batch(&["before"]));
    let sent = compressed_batch(CompressionType::Snappy, &["a", "b", "c"]);
    append(&mut client, "t", sent.clone());
    let mut records = records_of(&fetch(&mut client, "t", 2));
    let stored = RecordBatch::split_from(&mut records).unwrap().unwrap();
    assert_eq!(stored.view().base_offset(), 1);
    // Base offset and leader epoch are the broker's; all else is as it was sent.
    assert_eq!((&stored.as_bytes()[8..12], &stored.as_bytes()[16..]), (&sent[8..12], &sent[16..]));
}

#[test]
fn fetch_topics_of_the_same_name_are_answered_in_the_order_asked() {
    let fixture = Fixture::start();
    fixture.create_topic("u", 1, &[]);
    let mut client = fixture.create_topic("t", 2, &[]);
    let topics: Vec<FetchTopic> =
        vec![topic_of("t", &[(1, 0)]), topic_of("u", &[(0, 0)]), topic_of("t", &[(0, 0)])];
    let response = client.call(11, &FetchRequest::default().with_topics(topics));
    let order: Vec<String> = response
        .responses
        .iter()
        .flat_map(|topic| {
            topic.partitions.iter().map(|data| format!("{}-{}", topic.topic.as_str(), data.partition_index))
        })
        .collect();
    assert_eq!(order, ["t-1", "u-0", "t-0"]);
}
