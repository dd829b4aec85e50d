//! One file for each API: its request, its response, and the structs inside of them.

pub(crate) mod add_offsets_to_txn;
pub(crate) mod add_partitions_to_txn;
pub(crate) mod alter_configs;
pub(crate) mod alter_partition_reassignments;
pub(crate) mod alter_replica_log_dirs;
pub(crate) mod alter_share_group_offsets;
pub(crate) mod api_versions;
pub(crate) mod consumer_group_describe;
pub(crate) mod consumer_group_heartbeat;
pub(crate) mod consumer_protocol;
pub(crate) mod create_partitions;
pub(crate) mod create_topics;
pub(crate) mod delete_groups;
pub(crate) mod delete_records;
pub(crate) mod delete_share_group_offsets;
pub(crate) mod delete_share_group_state;
pub(crate) mod delete_topics;
pub(crate) mod describe_cluster;
pub(crate) mod describe_configs;
pub(crate) mod describe_groups;
pub(crate) mod describe_log_dirs;
pub(crate) mod describe_producers;
pub(crate) mod describe_share_group_offsets;
pub(crate) mod describe_topic_partitions;
pub(crate) mod describe_transactions;
pub(crate) mod end_txn;
pub(crate) mod fetch;
pub(crate) mod find_coordinator;
pub(crate) mod heartbeat;
pub(crate) mod incremental_alter_configs;
pub(crate) mod init_producer_id;
pub(crate) mod initialize_share_group_state;
pub(crate) mod join_group;
pub(crate) mod leave_group;
pub(crate) mod list_config_resources;
pub(crate) mod list_groups;
pub(crate) mod list_offsets;
pub(crate) mod list_partition_reassignments;
pub(crate) mod list_transactions;
pub(crate) mod metadata;
pub(crate) mod offset_commit;
pub(crate) mod offset_delete;
pub(crate) mod offset_fetch;
pub(crate) mod offset_for_leader_epoch;
pub(crate) mod produce;
pub(crate) mod read_share_group_state;
pub(crate) mod read_share_group_state_summary;
pub(crate) mod share_acknowledge;
pub(crate) mod share_fetch;
pub(crate) mod share_group_describe;
pub(crate) mod share_group_heartbeat;
pub(crate) mod sync_group;
pub(crate) mod txn_offset_commit;
pub(crate) mod write_share_group_state;
pub(crate) mod write_txn_markers;

pub(crate) use add_offsets_to_txn::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};
pub(crate) use add_partitions_to_txn::{AddPartitionsToTxnRequest, AddPartitionsToTxnResponse};
pub(crate) use alter_configs::{AlterConfigsRequest, AlterConfigsResponse};
pub(crate) use alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse,
};
pub(crate) use alter_replica_log_dirs::{AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse};
pub(crate) use alter_share_group_offsets::{AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse};
pub(crate) use api_versions::{ApiVersionsRequest, ApiVersionsResponse};
pub(crate) use consumer_group_describe::{ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse};
pub(crate) use consumer_group_heartbeat::{ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse};
pub(crate) use consumer_protocol::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, decode_consumer_protocol,
    encode_consumer_protocol,
};
pub(crate) use create_partitions::{CreatePartitionsRequest, CreatePartitionsResponse};
pub(crate) use create_topics::{CreateTopicsRequest, CreateTopicsResponse};
pub(crate) use delete_groups::{DeleteGroupsRequest, DeleteGroupsResponse};
pub(crate) use delete_records::{DeleteRecordsRequest, DeleteRecordsResponse};
pub(crate) use delete_share_group_offsets::{
    DeleteShareGroupOffsetsRequest, DeleteShareGroupOffsetsResponse,
};
pub(crate) use delete_share_group_state::{DeleteShareGroupStateRequest, DeleteShareGroupStateResponse};
pub(crate) use delete_topics::{DeleteTopicsRequest, DeleteTopicsResponse};
pub(crate) use describe_cluster::{DescribeClusterRequest, DescribeClusterResponse};
pub(crate) use describe_configs::{DescribeConfigsRequest, DescribeConfigsResponse};
pub(crate) use describe_groups::{DescribeGroupsRequest, DescribeGroupsResponse};
pub(crate) use describe_log_dirs::{DescribeLogDirsRequest, DescribeLogDirsResponse};
pub(crate) use describe_producers::{DescribeProducersRequest, DescribeProducersResponse};
pub(crate) use describe_share_group_offsets::{
    DescribeShareGroupOffsetsRequest, DescribeShareGroupOffsetsResponse,
};
pub(crate) use describe_topic_partitions::{DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse};
pub(crate) use describe_transactions::{DescribeTransactionsRequest, DescribeTransactionsResponse};
pub(crate) use end_txn::{EndTxnRequest, EndTxnResponse};
pub(crate) use fetch::{FetchRequest, FetchResponse};
pub(crate) use find_coordinator::{FindCoordinatorRequest, FindCoordinatorResponse};
pub(crate) use heartbeat::{HeartbeatRequest, HeartbeatResponse};
pub(crate) use incremental_alter_configs::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};
pub(crate) use init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
pub(crate) use initialize_share_group_state::{
    InitializeShareGroupStateRequest, InitializeShareGroupStateResponse,
};
pub(crate) use join_group::{JoinGroupRequest, JoinGroupResponse};
pub(crate) use leave_group::{LeaveGroupRequest, LeaveGroupResponse};
pub(crate) use list_config_resources::{ListConfigResourcesRequest, ListConfigResourcesResponse};
pub(crate) use list_groups::{ListGroupsRequest, ListGroupsResponse};
pub(crate) use list_offsets::{ListOffsetsRequest, ListOffsetsResponse};
pub(crate) use list_partition_reassignments::{
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
};
pub(crate) use list_transactions::{ListTransactionsRequest, ListTransactionsResponse};
pub(crate) use metadata::{MetadataRequest, MetadataResponse};
pub(crate) use offset_commit::{OffsetCommitRequest, OffsetCommitResponse};
pub(crate) use offset_delete::{OffsetDeleteRequest, OffsetDeleteResponse};
pub(crate) use offset_fetch::{OffsetFetchRequest, OffsetFetchResponse};
pub(crate) use offset_for_leader_epoch::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};
pub(crate) use produce::{ProduceRequest, ProduceResponse};
pub(crate) use read_share_group_state::{ReadShareGroupStateRequest, ReadShareGroupStateResponse};
pub(crate) use read_share_group_state_summary::{
    ReadShareGroupStateSummaryRequest, ReadShareGroupStateSummaryResponse,
};
pub(crate) use share_acknowledge::{ShareAcknowledgeRequest, ShareAcknowledgeResponse};
pub(crate) use share_fetch::{ShareFetchRequest, ShareFetchResponse};
pub(crate) use share_group_describe::{ShareGroupDescribeRequest, ShareGroupDescribeResponse};
pub(crate) use share_group_heartbeat::{ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse};
pub(crate) use sync_group::{SyncGroupRequest, SyncGroupResponse};
pub(crate) use txn_offset_commit::{TxnOffsetCommitRequest, TxnOffsetCommitResponse};
pub(crate) use write_share_group_state::{WriteShareGroupStateRequest, WriteShareGroupStateResponse};
pub(crate) use write_txn_markers::{WriteTxnMarkersRequest, WriteTxnMarkersResponse};
