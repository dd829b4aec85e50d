//! The APIs that we speak: one row each, from which the enum, the versions and the pairing of messages come.

use super::message::{Message, Request, Response, versions};
use super::messages::*;

/// Calls a macro with the whole table: key, name, versions, first flexible version, request, response.
///
/// The versions are all that Kafka has ever spoken, from 0 up to those of 4.3. Which of them a listener offers is
/// the server's decision.
///
/// Rows that are added to it come after these: those from ListConfigResources on, which not every implementation knows
/// that ours is compared with.
macro_rules! for_each_older_api {
    ($callback:ident $($newer:tt)*) => {
        $callback! {
            0  Produce                 [0-13] flexible 9;     ProduceRequest                 ProduceResponse,
            1  Fetch                   [0-18] flexible 12;    FetchRequest                   FetchResponse,
            2  ListOffsets             [0-11] flexible 6;     ListOffsetsRequest             ListOffsetsResponse,
            3  Metadata                [0-13] flexible 9;     MetadataRequest                MetadataResponse,
            8  OffsetCommit            [0-10] flexible 8;     OffsetCommitRequest            OffsetCommitResponse,
            9  OffsetFetch             [0-10] flexible 6;     OffsetFetchRequest             OffsetFetchResponse,
            10 FindCoordinator         [0-6]  flexible 3;     FindCoordinatorRequest         FindCoordinatorResponse,
            11 JoinGroup               [0-9]  flexible 6;     JoinGroupRequest               JoinGroupResponse,
            12 Heartbeat               [0-4]  flexible 4;     HeartbeatRequest               HeartbeatResponse,
            13 LeaveGroup              [0-5]  flexible 4;     LeaveGroupRequest              LeaveGroupResponse,
            14 SyncGroup               [0-5]  flexible 4;     SyncGroupRequest               SyncGroupResponse,
            15 DescribeGroups          [0-6]  flexible 5;     DescribeGroupsRequest          DescribeGroupsResponse,
            16 ListGroups              [0-5]  flexible 3;     ListGroupsRequest              ListGroupsResponse,
            18 ApiVersions             [0-4]  flexible 3;     ApiVersionsRequest             ApiVersionsResponse,
            19 CreateTopics            [0-7]  flexible 5;     CreateTopicsRequest            CreateTopicsResponse,
            20 DeleteTopics            [0-6]  flexible 4;     DeleteTopicsRequest            DeleteTopicsResponse,
            21 DeleteRecords           [0-2]  flexible 2;     DeleteRecordsRequest           DeleteRecordsResponse,
            22 InitProducerId          [0-5]  flexible 2;     InitProducerIdRequest          InitProducerIdResponse,
            23 OffsetForLeaderEpoch    [0-4]  flexible 4;     OffsetForLeaderEpochRequest    OffsetForLeaderEpochResponse,
            24 AddPartitionsToTxn      [0-5]  flexible 3;     AddPartitionsToTxnRequest      AddPartitionsToTxnResponse,
            25 AddOffsetsToTxn         [0-4]  flexible 3;     AddOffsetsToTxnRequest         AddOffsetsToTxnResponse,
            26 EndTxn                  [0-5]  flexible 3;     EndTxnRequest                  EndTxnResponse,
            27 WriteTxnMarkers         [0-2]  flexible 1;     WriteTxnMarkersRequest         WriteTxnMarkersResponse,
            28 TxnOffsetCommit         [0-5]  flexible 3;     TxnOffsetCommitRequest         TxnOffsetCommitResponse,
            32 DescribeConfigs         [0-4]  flexible 4;     DescribeConfigsRequest         DescribeConfigsResponse,
            33 AlterConfigs            [0-2]  flexible 2;     AlterConfigsRequest            AlterConfigsResponse,
            34 AlterReplicaLogDirs     [0-2]  flexible 2;     AlterReplicaLogDirsRequest     AlterReplicaLogDirsResponse,
            35 DescribeLogDirs         [0-5]  flexible 2;     DescribeLogDirsRequest         DescribeLogDirsResponse,
            37 CreatePartitions        [0-3]  flexible 2;     CreatePartitionsRequest        CreatePartitionsResponse,
            42 DeleteGroups            [0-2]  flexible 2;     DeleteGroupsRequest            DeleteGroupsResponse,
            44 IncrementalAlterConfigs [0-1]  flexible 1;     IncrementalAlterConfigsRequest IncrementalAlterConfigsResponse,
            45 AlterPartitionReassignments [0-1] flexible 0; AlterPartitionReassignmentsRequest AlterPartitionReassignmentsResponse,
            46 ListPartitionReassignments [0] flexible 0; ListPartitionReassignmentsRequest ListPartitionReassignmentsResponse,
            47 OffsetDelete            [0]    flexible never; OffsetDeleteRequest            OffsetDeleteResponse,
            60 DescribeCluster         [0-2]  flexible 0;     DescribeClusterRequest         DescribeClusterResponse,
            61 DescribeProducers       [0]    flexible 0;     DescribeProducersRequest       DescribeProducersResponse,
            65 DescribeTransactions    [0]    flexible 0;     DescribeTransactionsRequest    DescribeTransactionsResponse,
            66 ListTransactions        [0-2]  flexible 0;     ListTransactionsRequest        ListTransactionsResponse,
            68 ConsumerGroupHeartbeat  [0-1]  flexible 0;     ConsumerGroupHeartbeatRequest  ConsumerGroupHeartbeatResponse,
            69 ConsumerGroupDescribe   [0-1]  flexible 0;     ConsumerGroupDescribeRequest   ConsumerGroupDescribeResponse,
            $($newer)*
        }
    };
}

/// Calls a macro with all rows.
macro_rules! for_each_api {
    ($callback:ident) => {
        for_each_older_api! { $callback
            74 ListConfigResources     [0-1]  flexible 0; ListConfigResourcesRequest ListConfigResourcesResponse,
            75 DescribeTopicPartitions [0]    flexible 0; DescribeTopicPartitionsRequest DescribeTopicPartitionsResponse,
            76 ShareGroupHeartbeat [1] flexible 0; ShareGroupHeartbeatRequest ShareGroupHeartbeatResponse,
            77 ShareGroupDescribe [1] flexible 0; ShareGroupDescribeRequest ShareGroupDescribeResponse,
            78 ShareFetch              [1-2]  flexible 0; ShareFetchRequest ShareFetchResponse,
            79 ShareAcknowledge        [1-2]  flexible 0; ShareAcknowledgeRequest ShareAcknowledgeResponse,
            83 InitializeShareGroupState [0]    flexible 0; InitializeShareGroupStateRequest InitializeShareGroupStateResponse,
            84 ReadShareGroupState [0]    flexible 0; ReadShareGroupStateRequest ReadShareGroupStateResponse,
            85 WriteShareGroupState [0-1]  flexible 0; WriteShareGroupStateRequest WriteShareGroupStateResponse,
            86 DeleteShareGroupState [0]    flexible 0; DeleteShareGroupStateRequest DeleteShareGroupStateResponse,
            87 ReadShareGroupStateSummary [0-1]  flexible 0; ReadShareGroupStateSummaryRequest ReadShareGroupStateSummaryResponse,
            90 DescribeShareGroupOffsets [0-1] flexible 0; DescribeShareGroupOffsetsRequest DescribeShareGroupOffsetsResponse,
            91 AlterShareGroupOffsets [0] flexible 0; AlterShareGroupOffsetsRequest AlterShareGroupOffsetsResponse,
            92 DeleteShareGroupOffsets [0] flexible 0; DeleteShareGroupOffsetsRequest DeleteShareGroupOffsetsResponse,
        }
    };
}

macro_rules! first_flexible {
    (never) => {
        i16::MAX
    };
    ($version:literal) => {
        $version
    };
}

macro_rules! define_api_keys {
    ($($key:literal $name:ident $versions:tt flexible $flexible:tt; $request:ident $response:ident,)*) => {
        /// An API of Kafka's protocol.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(i16)]
        #[non_exhaustive]
        pub enum ApiKey {
            $(#[doc = concat!("Kafka's ", stringify!($name), ", key ", stringify!($key), ".")] $name = $key,)*
        }

        impl ApiKey {
            /// Every API, in the order of their keys.
            pub const ALL: &'static [ApiKey] = &[$(ApiKey::$name,)*];

            /// The API with the number `key`.
            pub fn from_code(key: i16) -> Option<ApiKey> {
                match key {
                    $($key => Some(ApiKey::$name),)*
                    _ => None,
                }
            }

            /// Kafka's name of the API.
            pub const fn name(self) -> &'static str {
                match self { $(ApiKey::$name => stringify!($name),)* }
            }

            const fn versions(self) -> (i16, i16) {
                match self { $(ApiKey::$name => versions!($versions),)* }
            }

            /// The first version with compact lengths and tagged fields, if there is one.
            pub(crate) const fn first_flexible_version(self) -> i16 {
                match self { $(ApiKey::$name => first_flexible!($flexible),)* }
            }
        }

        $(
            impl Message for $request {
                const VERSIONS: (i16, i16) = versions!($versions);
                const FIRST_FLEXIBLE: i16 = first_flexible!($flexible);
            }
            impl Request for $request {
                const KEY: ApiKey = ApiKey::$name;
                type Response = $response;
            }
            impl Message for $response {
                const VERSIONS: (i16, i16) = versions!($versions);
                const FIRST_FLEXIBLE: i16 = first_flexible!($flexible);
            }
            impl Response for $response {
                const KEY: ApiKey = ApiKey::$name;
            }
        )*
    };
}

for_each_api!(define_api_keys);

impl ApiKey {
    /// Kafka's number of the API.
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// The lowest version.
    pub(crate) const fn min_version(self) -> i16 {
        self.versions().0
    }

    /// The highest version.
    pub(crate) const fn max_version(self) -> i16 {
        self.versions().1
    }

    /// Whether we speak `version`.
    pub(crate) const fn supports(self, version: i16) -> bool {
        self.min_version() <= version && version <= self.max_version()
    }

    /// The version of the header in front of a request (Kafka: `ApiMessageType#requestHeaderVersion`).
    pub(crate) const fn request_header_version(self, version: i16) -> i16 {
        if version >= self.first_flexible_version() { 2 } else { 1 }
    }

    /// The version of the header in front of a response. That of ApiVersions is never flexible: a client that asks
    /// does not know yet what the broker speaks (KIP-511).
    pub(crate) const fn response_header_version(self, version: i16) -> i16 {
        match self {
            ApiKey::ApiVersions => 0,
            _ if version >= self.first_flexible_version() => 1,
            _ => 0,
        }
    }
}

#[cfg(any(test, fuzzing))]
pub(crate) use for_each_api;
#[cfg(any(test, fuzzing))]
pub(crate) use for_each_older_api;
