//! FindCoordinator and InitProducerId.

use kafka_protocol_018::messages::{FindCoordinatorRequest, InitProducerIdRequest};
use ottla::ErrorCode;

use super::client::Client;
use super::fixture::{Fixture, code, describe_topic, text};

/// Makes the broker ready for groups.
pub(super) fn find_group_coordinator(client: &mut Client, group: &str) {
    let response = client.call(3, &FindCoordinatorRequest::default().with_key(text(group)));
    assert_eq!(code(response.error_code), ErrorCode::None);
}

#[test]
fn every_version_finds_this_broker_for_a_group() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    let address = fixture.listener.local_addr();
    let expected = (fixture.broker.node_id(), address.ip().to_string(), i32::from(address.port()));
    for version in 0..=3 {
        let found = client.call(version, &FindCoordinatorRequest::default().with_key(text("g")));
        assert_eq!(code(found.error_code), ErrorCode::None, "version {version}");
        assert_eq!((found.node_id.0, found.host.to_string(), found.port), expected);
    }
    for version in 4..=6 {
        let request = FindCoordinatorRequest::default().with_coordinator_keys(vec![text("g"), text("h")]);
        let found = client.call(version, &request).coordinators;
        assert_eq!(found.iter().map(|of| of.key.as_str()).collect::<Vec<_>>(), ["g", "h"]);
        for found in found {
            assert_eq!(code(found.error_code), ErrorCode::None);
            assert_eq!((found.node_id.0, found.host.to_string(), found.port), expected);
        }
    }
}

#[test]
fn the_topic_of_offsets_is_made_when_the_first_group_is_looked_for() {
    let fixture = Fixture::with(|builder| builder.set("offsets.topic.num.partitions", "7"));
    let mut client = fixture.connect();
    assert_eq!(
        code(describe_topic(&mut client, "__consumer_offsets").error_code),
        ErrorCode::UnknownTopicOrPartition
    );
    find_group_coordinator(&mut client, "g");
    let topic = describe_topic(&mut client, "__consumer_offsets");
    assert_eq!((topic.partitions.len(), topic.is_internal), (7, true));
}

#[test]
fn who_looks_for_transactions_gets_this_broker_and_the_topic_is_made() {
    let fixture = Fixture::with(|builder| builder.set("transaction.state.log.num.partitions", "7"));
    let mut client = fixture.connect();
    let request = FindCoordinatorRequest::default().with_key(text("id")).with_key_type(1);
    let port = i32::from(fixture.listener.local_addr().port());
    for version in 1..=3 {
        let found = client.call(version, &request);
        assert_eq!(code(found.error_code), ErrorCode::None);
        assert_eq!((found.node_id.0, found.port), (fixture.broker.node_id(), port));
    }
    let request = request.with_key(text("")).with_coordinator_keys(vec![text("id")]);
    for version in 4..=6 {
        let found = client.call(version, &request).coordinators.remove(0);
        assert_eq!((code(found.error_code), found.port), (ErrorCode::None, port));
    }
    let topic = describe_topic(&mut client, "__transaction_state");
    assert_eq!((topic.partitions.len(), topic.is_internal), (7, true));
}

#[test]
fn a_coordinator_of_another_type_is_an_invalid_request() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    for key_type in [-1, 2, 3] {
        let request = FindCoordinatorRequest::default().with_key(text("id")).with_key_type(key_type);
        assert_eq!(code(client.call(3, &request).error_code), ErrorCode::InvalidRequest);
    }
}

#[test]
fn every_version_hands_out_a_producer_id_that_nobody_has() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    let mut seen = std::collections::HashSet::new();
    for version in 0..=5 {
        let request = InitProducerIdRequest::default().with_transactional_id(None);
        let response = client.call(version, &request);
        assert_eq!((code(response.error_code), response.producer_epoch), (ErrorCode::None, 0));
        assert!(response.producer_id.0 >= 0 && seen.insert(response.producer_id.0));
    }
}

#[test]
fn a_producer_id_without_its_epoch_is_none() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    let request = InitProducerIdRequest::default().with_transactional_id(None);
    for halved in [request.clone().with_producer_id(5.into()), request.with_producer_epoch(1)] {
        assert_eq!(code(client.call(3, &halved).error_code), ErrorCode::InvalidRequest);
    }
}

#[test]
fn a_coordinator_that_is_found_comes_with_the_text_of_no_error() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    let one = client.call(3, &FindCoordinatorRequest::default().with_key(text("g")));
    assert_eq!(one.error_message, Some(text("NONE")));
    let several = client.call(4, &FindCoordinatorRequest::default().with_coordinator_keys(vec![text("g")]));
    assert_eq!(several.coordinators[0].error_message, Some(text("")));
}
