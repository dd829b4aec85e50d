//! ApiVersions.

use std::collections::BTreeMap;

use kafka_protocol_018::messages::{ApiVersionsRequest, ApiVersionsResponse};
use ottla::ErrorCode;

use super::fixture::{Fixture, code, text};

pub(super) fn request() -> ApiVersionsRequest {
    ApiVersionsRequest::default()
        .with_client_software_name(text("ottla-test"))
        .with_client_software_version(text("1.0"))
}

fn ranges(response: &ApiVersionsResponse) -> BTreeMap<i16, (i16, i16)> {
    response.api_keys.iter().map(|api| (api.api_key, (api.min_version, api.max_version))).collect()
}

#[test]
fn every_version_lists_the_same_apis() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    let newest = ranges(&client.call(4, &request()));
    for version in 0..4 {
        let response = client.call(version, &request());
        assert_eq!(code(response.error_code), ErrorCode::None);
        assert_eq!(ranges(&response), newest, "version {version}");
    }
}

#[test]
fn the_apis_of_a_broker_are_listed_with_all_versions_that_kafka_ever_had() {
    let fixture = Fixture::start();
    let response = fixture.connect().call(3, &request());
    let expected = [
        (0, 0, 13),
        (1, 0, 18),
        (2, 0, 11),
        (3, 0, 13),
        (8, 0, 10),
        (9, 0, 10),
        (10, 0, 6),
        (11, 0, 9),
        (12, 0, 4),
        (13, 0, 5),
        (14, 0, 5),
        (15, 0, 6),
        (16, 0, 5),
        (18, 0, 4),
        (19, 0, 7),
        (20, 0, 6),
        (21, 0, 2),
        (22, 0, 5),
        (23, 0, 4),
        (24, 0, 5),
        (25, 0, 4),
        (26, 0, 5),
        (27, 0, 2),
        (28, 0, 5),
        (32, 0, 4),
        (33, 0, 2),
        (34, 0, 2),
        (35, 0, 5),
        (37, 0, 3),
        (42, 0, 2),
        (44, 0, 1),
        (45, 0, 1),
        (46, 0, 0),
        (47, 0, 0),
        (60, 0, 2),
        (61, 0, 0),
        (65, 0, 0),
        (66, 0, 2),
        (68, 0, 1),
        (69, 0, 1),
        (74, 0, 1),
        (75, 0, 0),
        (76, 1, 1),
        (77, 1, 1),
        (78, 1, 2),
        (79, 1, 2),
        (83, 0, 0),
        (84, 0, 0),
        (85, 0, 1),
        (86, 0, 0),
        (87, 0, 1),
        (90, 0, 1),
        (91, 0, 0),
        (92, 0, 0),
    ];
    assert_eq!(ranges(&response), expected.into_iter().map(|(key, min, max)| (key, (min, max))).collect());
}

#[test]
fn consumer_groups_and_transactions_of_the_second_generation_are_features_that_old_clients_can_read_too() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    let request = ApiVersionsRequest::default()
        .with_client_software_name(text("test"))
        .with_client_software_version(text("1"));
    for version in [3, 4] {
        let response = client.call(version, &request);
        let supported = response.supported_features.iter().map(|f| (f.name.as_str(), f.max_version));
        let expected = [("group.version", 1), ("share.version", 1), ("transaction.version", 2)];
        assert_eq!(supported.collect::<Vec<_>>(), if version < 4 { &[][..] } else { &expected });
        let finalized = response.finalized_features.iter().map(|f| (f.name.as_str(), f.max_version_level));
        assert_eq!(finalized.collect::<Vec<_>>(), expected);
        assert_eq!(response.finalized_features_epoch, 0);
    }
}

#[test]
fn a_version_that_is_too_high_is_answered_in_version_0_with_the_range_to_use() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    let mut frame = client.header(18, 5, true);
    frame.extend_from_slice(&[0; 8]);
    client.send_frame(&frame);
    let (_, response) = client.receive::<ApiVersionsRequest>(0);
    assert_eq!(code(response.error_code), ErrorCode::UnsupportedVersion);
    assert_eq!(ranges(&response), BTreeMap::from([(18, (0, 4))]));
    assert_eq!(code(client.call(4, &request()).error_code), ErrorCode::None, "the connection goes on");
}

#[test]
fn a_software_name_that_is_none_is_refused() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    for (name, version, expected) in [
        ("a", "1", ErrorCode::None),
        ("apache-kafka.java", "3.9.0-SNAPSHOT", ErrorCode::None),
        ("", "1", ErrorCode::InvalidRequest),
        ("name", "", ErrorCode::InvalidRequest),
        ("-name", "1", ErrorCode::InvalidRequest),
        ("name.", "1", ErrorCode::InvalidRequest),
        ("na me", "1", ErrorCode::InvalidRequest),
        ("name", "1_0", ErrorCode::InvalidRequest),
    ] {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(text(name))
            .with_client_software_version(text(version));
        let response = client.call(3, &request);
        assert_eq!(code(response.error_code), expected, "{name}/{version}");
        assert_eq!(response.api_keys.is_empty(), expected != ErrorCode::None);
    }
}
