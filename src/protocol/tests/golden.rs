//! Versions that no other implementation at hand has, as bytes laid out by hand from Kafka's schemas.

use bytes::Bytes;

use super::round_trip::{decoded, encoded};
use crate::model::Uuid;
use crate::protocol::messages::{
    describe_log_dirs, list_offsets, offset_commit, offset_fetch, write_txn_markers,
};
use crate::protocol::*;

/// Bytes of hexadecimal digits; what follows `//` on a line says what they are.
fn bytes(text: &str) -> Bytes {
    let digits: Vec<u8> = text
        .lines()
        .flat_map(|line| line.split("//").next().unwrap().bytes())
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let pairs = digits.chunks_exact(2);
    assert!(pairs.remainder().is_empty());
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn is_written_and_read_as<M: Message>(message: &M, version: i16, golden: &str) {
    let golden = bytes(golden);
    assert_eq!(encoded(message, version), golden);
    assert_eq!(decoded::<M>(&golden, version).as_ref(), Ok(message));
}

fn topic_id() -> Uuid {
    Uuid::from_bytes([0x10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xa, 0xb, 0xc, 0xd, 0xe, 0xf])
}

#[test]
fn list_offsets_request_11() {
    let request = ListOffsetsRequest {
        replica_id: -1,
        isolation_level: 1,
        topics: vec![list_offsets::ListOffsetsTopic {
            name: "ab".into(),
            partitions: vec![list_offsets::ListOffsetsPartition {
                partition_index: 3,
                current_leader_epoch: 5,
                timestamp: -6,
                ..Default::default()
            }],
        }],
        timeout_ms: 30_000,
    };
    is_written_and_read_as(
        &request,
        11,
        "ff ff ff ff                     // replica_id
         01                              // isolation_level
         02                              // topics: 1
            03 61 62                     // name
            02                           // partitions: 1
               00 00 00 03               // partition_index
               00 00 00 05               // current_leader_epoch
               ff ff ff ff ff ff ff fa   // timestamp
               00                        // tagged fields
            00
         00 00 75 30                     // timeout_ms
         00",
    );
}

#[test]
fn list_offsets_response_11() {
    let response = ListOffsetsResponse {
        throttle_time_ms: 7,
        topics: vec![list_offsets::ListOffsetsTopicResponse {
            name: "ab".into(),
            partitions: vec![list_offsets::ListOffsetsPartitionResponse {
                partition_index: 3,
                error_code: 6,
                timestamp: 1,
                offset: 258,
                leader_epoch: 5,
                ..Default::default()
            }],
        }],
    };
    is_written_and_read_as(
        &response,
        11,
        "00 00 00 07                     // throttle_time_ms
         02                              // topics: 1
            03 61 62                     // name
            02                           // partitions: 1
               00 00 00 03               // partition_index
               00 06                     // error_code
               00 00 00 00 00 00 00 01   // timestamp
               00 00 00 00 00 00 01 02   // offset
               00 00 00 05               // leader_epoch
               00
            00
         00",
    );
}

#[test]
fn offset_commit_request_10_names_topics_by_id() {
    let request = OffsetCommitRequest {
        group_id: "g".into(),
        generation_id_or_member_epoch: 4,
        member_id: "m".into(),
        group_instance_id: None,
        topics: vec![offset_commit::OffsetCommitRequestTopic {
            topic_id: topic_id(),
            partitions: vec![offset_commit::OffsetCommitRequestPartition {
                partition_index: 2,
                committed_offset: 258,
                committed_leader_epoch: 1,
                committed_metadata: None,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    is_written_and_read_as(
        &request,
        10,
        "02 67                           // group_id
         00 00 00 04                     // generation_id_or_member_epoch
         02 6d                           // member_id
         00                              // group_instance_id: null
         02                              // topics: 1
            10 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f
            02                           // partitions: 1
               00 00 00 02               // partition_index
               00 00 00 00 00 00 01 02   // committed_offset
               00 00 00 01               // committed_leader_epoch
               00                        // committed_metadata: null
               00
            00
         00",
    );
}

#[test]
fn offset_fetch_request_10_names_topics_by_id() {
    let request = OffsetFetchRequest {
        groups: vec![offset_fetch::OffsetFetchRequestGroup {
            group_id: "g".into(),
            member_id: Some("m".into()),
            member_epoch: 9,
            topics: Some(vec![offset_fetch::OffsetFetchRequestTopics {
                topic_id: topic_id(),
                partition_indexes: vec![0, 1],
                ..Default::default()
            }]),
        }],
        require_stable: true,
        ..Default::default()
    };
    is_written_and_read_as(
        &request,
        10,
        "02                              // groups: 1
            02 67                        // group_id
            02 6d                        // member_id
            00 00 00 09                  // member_epoch
            02                           // topics: 1
               10 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f
               03 00 00 00 00 00 00 00 01 // partition_indexes
               00
            00
         01                              // require_stable
         00",
    );
}

#[test]
fn describe_log_dirs_request_5() {
    let request = DescribeLogDirsRequest {
        topics: Some(vec![describe_log_dirs::DescribableLogDirTopic {
            topic: "ab".into(),
            partitions: vec![1],
        }]),
    };
    is_written_and_read_as(
        &request,
        5,
        "02 03 61 62                     // topics: 1, topic
            02 00 00 00 01               // partitions
            00
         00",
    );
    is_written_and_read_as(&DescribeLogDirsRequest { topics: None }, 5, "00 00");
}

#[test]
fn describe_log_dirs_response_5_tells_cordoned_directories() {
    let response = DescribeLogDirsResponse {
        throttle_time_ms: 0,
        error_code: 0,
        results: vec![describe_log_dirs::DescribeLogDirsResult {
            error_code: 0,
            log_dir: "/d".into(),
            topics: vec![describe_log_dirs::DescribeLogDirsTopic {
                name: "ab".into(),
                partitions: vec![describe_log_dirs::DescribeLogDirsPartition {
                    partition_index: 1,
                    partition_size: 256,
                    offset_lag: 2,
                    is_future_key: false,
                }],
            }],
            total_bytes: 4096,
            usable_bytes: 255,
            is_cordoned: true,
        }],
    };
    is_written_and_read_as(
        &response,
        5,
        "00 00 00 00                     // throttle_time_ms
         00 00                           // error_code
         02                              // results: 1
            00 00                        // error_code
            03 2f 64                     // log_dir
            02 03 61 62                  // topics: 1, name
               02                        // partitions: 1
                  00 00 00 01            // partition_index
                  00 00 00 00 00 00 01 00 // partition_size
                  00 00 00 00 00 00 00 02 // offset_lag
                  00                     // is_future_key
                  00
               00
            00 00 00 00 00 00 10 00      // total_bytes
            00 00 00 00 00 00 00 ff      // usable_bytes
            01                           // is_cordoned
            00
         00",
    );
}

#[test]
fn write_txn_markers_request_2_tells_the_generation_of_the_transaction() {
    let request = WriteTxnMarkersRequest {
        markers: vec![write_txn_markers::WritableTxnMarker {
            producer_id: 258,
            producer_epoch: 5,
            transaction_result: true,
            topics: vec![write_txn_markers::WritableTxnMarkerTopic {
                name: "ab".into(),
                partition_indexes: vec![3],
            }],
            coordinator_epoch: 7,
            transaction_version: 2,
        }],
    };
    is_written_and_read_as(
        &request,
        2,
        "02                              // markers: 1
            00 00 00 00 00 00 01 02      // producer_id
            00 05                        // producer_epoch
            01                           // transaction_result
            02                           // topics: 1
               03 61 62                  // name
               02 00 00 00 03            // partition_indexes
               00                        // tagged fields
            00 00 00 07                  // coordinator_epoch
            02                           // transaction_version
            00
         00",
    );
}

#[test]
fn write_txn_markers_response_2() {
    let response = WriteTxnMarkersResponse {
        markers: vec![write_txn_markers::WritableTxnMarkerResult {
            producer_id: 258,
            topics: vec![write_txn_markers::WritableTxnMarkerTopicResult {
                name: "ab".into(),
                partitions: vec![write_txn_markers::WritableTxnMarkerPartitionResult {
                    partition_index: 3,
                    error_code: 47,
                }],
            }],
        }],
    };
    is_written_and_read_as(
        &response,
        2,
        "02                              // markers: 1
            00 00 00 00 00 00 01 02      // producer_id
            02                           // topics: 1
               03 61 62                  // name
               02                        // partitions: 1
                  00 00 00 03            // partition_index
                  00 2f                  // error_code
                  00                     // tagged fields
               00
            00
         00",
    );
}
