//! DescribeTransactions, ListTransactions, DescribeProducers and WriteTxnMarkers.

use kafka_protocol_018::messages::describe_producers_request::TopicRequest;
use kafka_protocol_018::messages::describe_producers_response::PartitionResponse;
use kafka_protocol_018::messages::write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
use kafka_protocol_018::messages::{
    DescribeProducersRequest, DescribeTransactionsRequest, ListTransactionsRequest, ProducerId,
    TransactionalId, WriteTxnMarkersRequest,
};
use ottla::ErrorCode;

use super::client::Client;
use super::fixture::{code, text, topic_name};
use super::transactions::{ID, Producer, end, start, write};

fn producers_of(client: &mut Client, topic: &str) -> PartitionResponse {
    let topic = TopicRequest::default().with_name(topic_name(topic)).with_partition_indexes(vec![0]);
    let request = DescribeProducersRequest::default().with_topics(vec![topic]);
    client.call(0, &request).topics.remove(0).partitions.remove(0)
}

fn mark(client: &mut Client, version: i16, producer: Producer, coordinator_epoch: i32) -> ErrorCode {
    let topic =
        |name| WritableTxnMarkerTopic::default().with_name(topic_name(name)).with_partition_indexes(vec![0]);
    let marker = WritableTxnMarker::default()
        .with_producer_id(ProducerId(producer.id))
        .with_producer_epoch(producer.epoch)
        .with_transaction_result(false)
        .with_coordinator_epoch(coordinator_epoch)
        .with_topics(vec![topic("a"), topic("nowhere")]);
    let request = WriteTxnMarkersRequest::default().with_markers(vec![marker]);
    let response = client.call(version, &request);
    let marker = &response.markers[0];
    assert_eq!(marker.producer_id.0, producer.id);
    assert_eq!(code(marker.topics[1].partitions[0].error_code), ErrorCode::UnknownTopicOrPartition);
    code(marker.topics[0].partitions[0].error_code)
}

#[test]
fn a_transaction_is_described_from_its_first_partition_to_its_end() {
    let (_fixture, mut client, producer) = start();
    let describe = |client: &mut Client, id: &str| {
        let ids = vec![TransactionalId(text(id))];
        let request = DescribeTransactionsRequest::default().with_transactional_ids(ids);
        client.call(0, &request).transaction_states.remove(0)
    };
    assert_eq!(code(describe(&mut client, "other").error_code), ErrorCode::TransactionalIdNotFound);
    assert_eq!(code(describe(&mut client, "").error_code), ErrorCode::InvalidRequest);
    let empty = describe(&mut client, ID);
    assert_eq!((empty.transaction_state.as_str(), empty.transaction_start_time_ms), ("Empty", -1));
    write(&mut client, 12, "a", (producer, 0), "x");
    write(&mut client, 12, "b", (producer, 0), "x");
    let ongoing = describe(&mut client, ID);
    assert_eq!(ongoing.transaction_state.as_str(), "Ongoing");
    assert_eq!((ongoing.producer_id.0, ongoing.producer_epoch), (producer.id, producer.epoch));
    assert_eq!(ongoing.transaction_timeout_ms, 60_000);
    assert!(ongoing.transaction_start_time_ms > 0);
    let topics = ongoing.topics.iter().map(|topic| (topic.topic.as_str(), &topic.partitions[..]));
    assert_eq!(topics.collect::<Vec<_>>(), [("a", &[0][..]), ("b", &[0])]);
    end(&mut client, 5, producer, false).unwrap();
    let aborted = describe(&mut client, ID);
    assert_eq!((aborted.transaction_state.as_str(), aborted.producer_epoch), ("CompleteAbort", 1));
    assert!(aborted.topics.is_empty());
}

#[test]
fn transactions_are_listed_by_state_producer_duration_and_pattern() {
    let (_fixture, mut client, producer) = start();
    write(&mut client, 12, "a", (producer, 0), "x");
    let mut list = |version, request: ListTransactionsRequest| {
        let response = client.call(version, &request);
        let listed = response.transaction_states.iter().map(|state| {
            assert_eq!(state.transaction_state.as_str(), "Ongoing");
            state.transactional_id.to_string()
        });
        (code(response.error_code), listed.collect::<Vec<_>>(), response.unknown_state_filters)
    };
    let found = (ErrorCode::None, vec![ID.to_owned()], Vec::new());
    let none = (ErrorCode::None, Vec::new(), Vec::new());
    let all = ListTransactionsRequest::default;
    for version in 0..=2 {
        assert_eq!(list(version, all()), found);
        assert_eq!(list(version, all().with_state_filters(vec![text("Ongoing"), text("Empty")])), found);
        assert_eq!(list(version, all().with_state_filters(vec![text("Empty")])), none);
        let unknown = list(version, all().with_state_filters(vec![text("Bogus")]));
        assert_eq!(unknown, (ErrorCode::None, Vec::new(), vec![text("Bogus")]));
        assert_eq!(list(version, all().with_producer_id_filters(vec![ProducerId(producer.id)])), found);
        assert_eq!(list(version, all().with_producer_id_filters(vec![ProducerId(99)])), none);
    }
    assert_eq!(list(1, all().with_duration_filter(3_600_000)), none);
    for (pattern, expected) in [("pay.*", &found), ("pay", &none), ("x|payments", &found), ("", &found)] {
        assert_eq!(&list(2, all().with_transactional_id_pattern(Some(text(pattern)))), expected, "{pattern}");
    }
    let invalid = list(2, all().with_transactional_id_pattern(Some(text("("))));
    assert_eq!(invalid.0, ErrorCode::InvalidRegularExpression);
}

#[test]
fn producers_are_described_with_where_their_transaction_starts() {
    let (_fixture, mut client, producer) = start();
    assert!(producers_of(&mut client, "a").active_producers.is_empty());
    assert_eq!(code(producers_of(&mut client, "nowhere").error_code), ErrorCode::UnknownTopicOrPartition);
    write(&mut client, 12, "a", (producer, 0), "x");
    let described = producers_of(&mut client, "a").active_producers.remove(0);
    assert_eq!((described.producer_id.0, described.producer_epoch), (producer.id, 0));
    assert_eq!((described.last_sequence, described.last_timestamp), (0, 1000));
    assert_eq!((described.coordinator_epoch, described.current_txn_start_offset), (-1, 0));
    end(&mut client, 5, producer, true).unwrap();
    let described = producers_of(&mut client, "a").active_producers.remove(0);
    assert_eq!((described.producer_epoch, described.last_sequence), (1, -1));
    assert_eq!((described.coordinator_epoch, described.current_txn_start_offset), (0, -1));
}

#[test]
fn an_administrator_ends_what_hangs_in_a_partition() {
    let (_fixture, mut client, producer) = start();
    write(&mut client, 12, "a", (producer, 0), "x");
    assert_eq!(producers_of(&mut client, "a").active_producers[0].current_txn_start_offset, 0);
    assert_eq!(mark(&mut client, 1, producer, 3), ErrorCode::None);
    assert_eq!(producers_of(&mut client, "a").active_producers[0].current_txn_start_offset, -1);
    assert_eq!(mark(&mut client, 1, producer, 2), ErrorCode::TransactionCoordinatorFenced);
    let older = Producer { epoch: producer.epoch - 1, ..producer };
    assert_eq!(mark(&mut client, 1, older, 3), ErrorCode::InvalidProducerEpoch);
}
