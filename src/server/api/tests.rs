//! What cannot be said from outside: the table, and a disk that fails.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::versions;
use crate::broker::{AppendRecordsParams, Broker, NewTopic};
use crate::model::{ErrorCode, Uuid};
use crate::protocol::messages::offset_commit::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use crate::protocol::messages::offset_fetch::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use crate::protocol::*;
use crate::record::{AppendOrigin, BatchOptions, RecordBatchBuilder};
use crate::sys::{Env, OsFileSystem};
use crate::testkit::{FaultyFileSystem, FileOperation};

#[test]
fn every_version_that_is_offered_is_one_that_the_protocol_speaks() {
    for key in ApiKey::ALL {
        let (min, max) = versions(*key);
        assert!(min <= max && key.supports(min) && key.supports(max), "{key:?}");
    }
}

/// Asks a broker, in our own words, for the versions that no other codec has.
pub(super) fn ask<R: Request>(stream: &mut TcpStream, version: i16, request: &R) -> R::Response {
    let header = RequestHeader { api_key: R::KEY, api_version: version, correlation_id: 7, client_id: None };
    let frame = encode_request_frame(&header, request).unwrap();
    let size = i32::try_from(frame.size).unwrap().to_be_bytes();
    stream.write_all(&[&size[..], &frame.read().unwrap()].concat()).unwrap();
    let mut size = [0; 4];
    stream.read_exact(&mut size).unwrap();
    let mut answer = vec![0; i32::from_be_bytes(size).try_into().unwrap()];
    stream.read_exact(&mut answer).unwrap();
    let answer = Bytes::from(answer);
    let mut reader = Reader::new(&answer);
    assert_eq!(decode_response_header(&mut reader, R::KEY, version).unwrap(), 7);
    let response = R::Response::decode(&mut reader, version).unwrap();
    reader.ensure_end().unwrap();
    response
}

macro_rules! ask_in_every_version {
    ($stream:ident: $($request:ident)*) => {$(
        let (min, max) = versions(<$request as Request>::KEY);
        for version in min..=max {
            ask(&mut $stream, version, &$request::default());
        }
    )*};
}

#[test]
fn every_api_answers_an_empty_request_in_every_version() {
    let broker = Broker::temporary().unwrap();
    let listener = broker.listen("127.0.0.1:0").unwrap();
    let mut stream = TcpStream::connect(listener.local_addr()).unwrap();
    // Produce is not among them: its default is acks=0, which has no answer.
    ask_in_every_version! { stream:
        FetchRequest ListOffsetsRequest MetadataRequest OffsetCommitRequest OffsetFetchRequest
        FindCoordinatorRequest JoinGroupRequest HeartbeatRequest LeaveGroupRequest SyncGroupRequest
        DescribeGroupsRequest ListGroupsRequest ApiVersionsRequest CreateTopicsRequest DeleteTopicsRequest
        DeleteRecordsRequest InitProducerIdRequest OffsetForLeaderEpochRequest DescribeConfigsRequest
        AlterConfigsRequest AlterReplicaLogDirsRequest DescribeLogDirsRequest CreatePartitionsRequest DeleteGroupsRequest
        IncrementalAlterConfigsRequest OffsetDeleteRequest DescribeClusterRequest
        ListConfigResourcesRequest AlterPartitionReassignmentsRequest
        ListPartitionReassignmentsRequest DescribeTopicPartitionsRequest ConsumerGroupHeartbeatRequest ConsumerGroupDescribeRequest
        ShareFetchRequest ShareAcknowledgeRequest
        InitializeShareGroupStateRequest ReadShareGroupStateRequest WriteShareGroupStateRequest
        DeleteShareGroupStateRequest ReadShareGroupStateSummaryRequest ShareGroupHeartbeatRequest
        ShareGroupDescribeRequest DescribeShareGroupOffsetsRequest AlterShareGroupOffsetsRequest
        DeleteShareGroupOffsetsRequest
    }
}

#[test]
fn directories_that_get_nothing_new_are_told_of_from_version_5_on() {
    let root = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| root.path().join(name).display().to_string());
    let builder = Broker::builder().set("log.dirs", format!("{a},{b}")).set("cordoned.log.dirs", &b);
    let broker = builder.open().unwrap();
    let listener = broker.listen("127.0.0.1:0").unwrap();
    let mut stream = TcpStream::connect(listener.local_addr()).unwrap();
    for version in [4, 5] {
        let request = DescribeLogDirsRequest::default();
        let response: DescribeLogDirsResponse = ask(&mut stream, version, &request);
        let cordoned: Vec<&str> =
            response.results.iter().filter(|dir| dir.is_cordoned).map(|dir| &*dir.log_dir).collect();
        assert_eq!(cordoned, if version >= 5 { vec![b.as_str()] } else { vec![] });
    }
}

#[test]
fn offsets_are_committed_and_fetched_by_topic_id_from_version_10_on() {
    let broker = Broker::temporary().unwrap();
    let listener = broker.listen("127.0.0.1:0").unwrap();
    let mut stream = TcpStream::connect(listener.local_addr()).unwrap();
    broker.core.ensure_offsets_topic().unwrap();
    let created = broker.core.create_topics(&[NewTopic::new("t", 1)], false).remove(0).unwrap();
    let unknown = Uuid::from_bytes([7; 16]);
    let topic = |topic_id| OffsetCommitRequestTopic {
        topic_id,
        partitions: vec![OffsetCommitRequestPartition { committed_offset: 5, ..Default::default() }],
        ..Default::default()
    };
    let topics = vec![topic(created.id), topic(unknown)];
    let commit = OffsetCommitRequest { group_id: "g".into(), topics, ..Default::default() };
    let committed = ask(&mut stream, 10, &commit);
    let codes: Vec<i16> = committed.topics.iter().map(|topic| topic.partitions[0].error_code).collect();
    assert_eq!(codes, [ErrorCode::None.code(), ErrorCode::UnknownTopicId.code()]);
    let topic = |topic_id| OffsetFetchRequestTopics {
        topic_id,
        partition_indexes: vec![0],
        ..OffsetFetchRequestTopics::default()
    };
    for topics in [Some(vec![topic(unknown), topic(created.id)]), None] {
        let asks_all = topics.is_none();
        let group = OffsetFetchRequestGroup { group_id: "g".into(), topics, ..Default::default() };
        let fetched = ask(&mut stream, 10, &OffsetFetchRequest { groups: vec![group], ..Default::default() });
        let found: Vec<(Uuid, i64, i16)> = fetched.groups[0]
            .topics
            .iter()
            .map(|topic| {
                (topic.topic_id, topic.partitions[0].committed_offset, topic.partitions[0].error_code)
            })
            .collect();
        let known = (created.id, 5, ErrorCode::None.code());
        match asks_all {
            true => assert_eq!(found, [known]),
            false => assert_eq!(found, [(unknown, -1, ErrorCode::UnknownTopicId.code()), known]),
        }
    }
}

fn batch() -> Bytes {
    let mut builder = RecordBatchBuilder::new(BatchOptions::default());
    builder.append(1000, Some(b"key"), Some(b"value")).unwrap();
    builder.build().unwrap()
}

/// What metadata tells of leaders rests on this.
#[test]
fn a_partition_whose_disk_has_failed_has_no_leader() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyFileSystem::new(Arc::new(OsFileSystem::without_sync())));
    let env = Env { fs: Arc::clone(&disk) as _, ..Env::system() };
    let broker = Broker::builder().log_dir(dir.path()).env(env).open().unwrap();
    for created in broker.core.create_topics(&[NewTopic::new("t", 1)], false) {
        created.unwrap();
    }
    let partition = broker.core.partition("t", 0).unwrap();
    assert!(broker.core.placement(&partition).leader.is_some());
    let params = AppendRecordsParams { origin: AppendOrigin::Client, requires_batch_format: true };
    disk.set_plan(move |operation: FileOperation, _: &Path| {
        (operation == FileOperation::Write).then(|| io::Error::other("the disk has failed"))
    });
    let error = partition.append_records_to_leader(&batch(), params).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KafkaStorageError);
    assert!(broker.core.placement(&partition).leader.is_none());
    disk.clear_plan();
    let error = partition.append_records_to_leader(&batch(), params).unwrap_err();
    assert_eq!(
        error.code(),
        ErrorCode::KafkaStorageError,
        "it stays offline until the broker is opened again"
    );
}

#[test]
fn an_unknown_way_to_acquire_shared_records_is_refused() {
    let broker = Broker::temporary().unwrap();
    let listener = broker.listen("127.0.0.1:0").unwrap();
    let mut stream = TcpStream::connect(listener.local_addr()).unwrap();
    let mut request = ShareFetchRequest {
        group_id: Some("g".into()),
        member_id: Some("m".into()),
        share_acquire_mode: 2,
        ..ShareFetchRequest::default()
    };
    let refused = ask(&mut stream, 2, &request);
    assert_eq!(refused.error_code, ErrorCode::InvalidRequest.code());
    request.share_acquire_mode = 1;
    assert_eq!(ask(&mut stream, 2, &request).error_code, ErrorCode::None.code());
}
