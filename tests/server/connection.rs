//! Frames, headers and versions: what happens before an API is asked anything.

use kafka_protocol_018::messages::{ApiVersionsRequest, MetadataRequest};

use super::fixture::Fixture;

const METADATA: i16 = 3;
const LEADER_AND_ISR: i16 = 4;

#[test]
fn a_frame_of_negative_size_ends_the_connection() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    client.send_bytes(&(-1i32).to_be_bytes());
    client.expect_closed();
}

#[test]
fn a_frame_above_socket_request_max_bytes_ends_the_connection() {
    let fixture = Fixture::with(|builder| builder.set("socket.request.max.bytes", "1000"));
    let mut client = fixture.connect();
    client.send_bytes(&1001i32.to_be_bytes());
    client.expect_closed();
}

#[test]
fn a_frame_too_short_for_a_header_ends_the_connection() {
    let fixture = Fixture::start();
    for len in 0..10 {
        let mut client = fixture.connect();
        let header = client.header(METADATA, 0, false);
        client.send_frame(&header[..len]);
        client.expect_closed();
    }
}

#[test]
fn an_unknown_api_key_ends_the_connection_without_an_answer() {
    let fixture = Fixture::start();
    for key in [-1, LEADER_AND_ISR, 999] {
        let mut client = fixture.connect();
        let header = client.header(key, 0, false);
        client.send_frame(&header);
        client.expect_closed();
    }
}

#[test]
fn an_unsupported_version_ends_the_connection_without_an_answer() {
    let fixture = Fixture::start();
    for version in [-1, 14] {
        let mut client = fixture.connect();
        let mut frame = client.header(METADATA, version, false);
        frame.extend_from_slice(&[0; 100]);
        client.send_frame(&frame);
        client.expect_closed();
    }
}

#[test]
fn a_body_that_ends_too_early_ends_the_connection_after_the_answers_before_it() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    client.send(1, &MetadataRequest::default().with_topics(Some(Vec::new())));
    let mut frame = client.header(METADATA, 1, false);
    frame.extend_from_slice(&1_000_000i32.to_be_bytes());
    client.send_frame(&frame);
    client.receive::<MetadataRequest>(1);
    client.expect_closed();
}

#[test]
fn bytes_after_the_body_are_let_go() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    let mut frame = client.header(METADATA, 1, false);
    frame.extend_from_slice(&0i32.to_be_bytes());
    frame.extend_from_slice(b"left over");
    client.send_frame(&frame);
    client.receive::<MetadataRequest>(1);
}

#[test]
fn unknown_tagged_fields_are_skipped() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    let mut frame = client.header(METADATA, 9, false);
    // In the header: tag 77 with two bytes.
    frame.extend_from_slice(&[1, 77, 2, 1, 2]);
    // No topics, three flags, and tag 5 with one byte.
    frame.extend_from_slice(&[1, 0, 0, 0, 1, 5, 1, 9]);
    client.send_frame(&frame);
    client.receive::<MetadataRequest>(9);
}

#[test]
fn a_request_without_a_client_id_is_answered() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    // ApiVersions 0 with correlation id 7 and a null client id.
    client.send_frame(&[0, 18, 0, 0, 0, 0, 0, 7, 255, 255]);
    assert_eq!(client.receive::<ApiVersionsRequest>(0).0, 7);
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    let sent: Vec<i32> = (0..100)
        .map(|i| match i % 2 {
            0 => client.send(1, &MetadataRequest::default()),
            _ => client.send(3, &super::api_versions::request()),
        })
        .collect();
    for (i, sent) in sent.into_iter().enumerate() {
        let received = match i % 2 {
            0 => client.receive::<MetadataRequest>(1).0,
            _ => client.receive::<ApiVersionsRequest>(3).0,
        };
        assert_eq!(received, sent);
    }
}
