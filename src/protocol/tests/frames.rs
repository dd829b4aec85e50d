//! What is shared instead of copied, and what a writer refuses.

use std::path::Path;

use bytes::Bytes;

use super::round_trip::{decoded, encoded};
use crate::protocol::messages::{fetch, metadata, produce};
use crate::protocol::*;
use crate::record::{FileSlice, Records};
use crate::sys::{FileSystem, OpenOptions, OsFileSystem};

fn fetch_response(records: impl IntoIterator<Item = Records>) -> FetchResponse {
    let partitions = records
        .into_iter()
        .map(|records| fetch::PartitionData { records: Some(records), ..Default::default() })
        .collect();
    FetchResponse {
        responses: vec![fetch::FetchableTopicResponse { partitions, ..Default::default() }],
        ..Default::default()
    }
}

fn is_inside(part: &[u8], whole: &[u8]) -> bool {
    whole.as_ptr_range().contains(&part.as_ptr()) && part.len() <= whole.len()
}

fn file_slice(directory: &Path, content: &[u8], position: u64, size: usize) -> FileSlice {
    let file = OsFileSystem::without_sync().open(&directory.join("00.log"), OpenOptions::CREATE).unwrap();
    file.write_all_at(content, 0).unwrap();
    FileSlice::new(file, position, size)
}

#[test]
fn what_is_read_is_a_slice_of_its_frame() {
    let request = ProduceRequest {
        topic_data: vec![produce::TopicProduceData {
            name: "orders".into(),
            partition_data: vec![produce::PartitionProduceData {
                index: 0,
                records: Some(Bytes::from_static(b"a batch").into()),
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let frame = encoded(&request, 9);
    let request = decoded::<ProduceRequest>(&frame, 9).unwrap();
    let topic = &request.topic_data[0];
    assert!(is_inside(topic.name.as_bytes(), &frame));
    let Some(Records::Bytes(records)) = &topic.partition_data[0].records else { panic!("{topic:?}") };
    assert!(is_inside(records, &frame));
}

#[test]
fn records_in_a_file_go_out_unread_and_large_ones_uncopied() {
    let directory = tempfile::tempdir().unwrap();
    let slice = file_slice(directory.path(), b"0123456789", 2, 5);
    let large = Bytes::from(vec![7; 100_000]);
    let small = Bytes::from_static(b"small");
    let response = fetch_response([
        Records::Mixed(vec![small.into(), Records::File(slice.clone()), large.clone().into()]),
        Records::default(),
        Records::File(slice.clone()),
    ]);

    let frame = encode_response_frame(1, &response, 12).unwrap();
    let kinds: Vec<_> = frame
        .tail
        .iter()
        .map(|segment| match segment {
            Segment::File(part) => {
                assert_eq!(part, &slice);
                "file"
            }
            Segment::Bytes(bytes) if bytes.as_ptr() == large.as_ptr() => "large",
            Segment::Bytes(_) => "between",
        })
        .collect();
    assert_eq!(kinds, ["file", "large", "between", "file", "between"]);
    assert_eq!(frame.size, frame.head.len() + frame.tail.iter().map(Segment::size).sum::<usize>());

    let bytes = frame.read().unwrap();
    let mut reader = Reader::new(&bytes);
    assert_eq!(decode_response_header(&mut reader, ApiKey::Fetch, 12), Ok(1));
    let response = FetchResponse::decode(&mut reader, 12).unwrap();
    let read: Vec<_> = response.responses[0]
        .partitions
        .iter()
        .map(|partition| partition.records.as_ref().unwrap().read().unwrap())
        .collect();
    assert_eq!(read[0], [b"small23456", large.as_ref()].concat());
    assert_eq!(read[1], "");
    assert_eq!(read[2], "23456");
}

#[test]
fn an_answer_without_records_is_one_piece() {
    let frame = encode_response_frame(1, &MetadataResponse::default(), 12).unwrap();
    assert_eq!((frame.tail.len(), frame.size), (0, frame.head.len()));
}

#[test]
fn null_records_and_empty_ones_differ() {
    for version in [0, 11, 12, 18] {
        let partitions = [None, Some(Records::default())]
            .map(|records| fetch::PartitionData { records, ..Default::default() })
            .to_vec();
        let response = FetchResponse {
            responses: vec![fetch::FetchableTopicResponse { partitions, ..Default::default() }],
            ..Default::default()
        };
        assert_eq!(decoded(&encoded(&response, version), version), Ok(response));
    }
}

#[test]
fn a_field_that_the_version_lacks_is_left_out() {
    let response = MetadataResponse { throttle_time_ms: 5, controller_id: 3, ..Default::default() };
    assert_eq!(encoded(&response, 0), encoded(&MetadataResponse::default(), 0));
    assert_eq!(
        decoded::<MetadataResponse>(&encoded(&response, 1), 1),
        Ok(MetadataResponse { controller_id: 3, ..Default::default() })
    );
}

#[test]
fn what_the_version_cannot_say_is_not_written() {
    let topics = vec![metadata::MetadataResponseTopic { name: None, ..Default::default() }];
    let nameless = MetadataResponse { topics, ..Default::default() };
    assert!(encode_response_frame(0, &nameless, 12).is_ok());
    let error = encode_response_frame(0, &nameless, 11).unwrap_err();
    assert_eq!((error.field, error.what), ("name", CodecFault::UnexpectedNull));

    let endless = MetadataResponse { cluster_id: Some("x".repeat(32_768).into()), ..Default::default() };
    for version in [2, 9] {
        let error = encode_response_frame(0, &endless, version).unwrap_err();
        assert_eq!((error.field, error.what), ("cluster_id", CodecFault::TooLong(32_768)));
    }

    let error = encode_response_frame(0, &MetadataResponse::default(), 14).unwrap_err();
    assert_eq!(error.what, CodecFault::UnsupportedVersion(14));
}

#[test]
fn a_subscription_of_a_later_version_is_read_as_the_highest_known() {
    let subscription = ConsumerProtocolSubscription {
        topics: vec!["orders".into()],
        user_data: Some(vec![1; 5000].into()),
        generation_id: 4,
        rack_id: Some("r".into()),
        ..Default::default()
    };
    let bytes = encode_consumer_protocol(&subscription, 3).unwrap();
    assert_eq!(decode_consumer_protocol(&bytes).as_ref(), Ok(&subscription));

    let mut later = bytes.to_vec();
    later[1] = 9;
    later.push(0xab);
    assert_eq!(decode_consumer_protocol(&later.into()).as_ref(), Ok(&subscription));

    let mut negative = bytes.to_vec();
    negative[0] = 0xff;
    let error = decode_consumer_protocol::<ConsumerProtocolSubscription>(&negative.into()).unwrap_err();
    assert_eq!(error.what, CodecFault::UnsupportedVersion(-253));
}
