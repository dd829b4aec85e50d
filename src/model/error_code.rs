//! Kafka's error codes: one row a code, from which number, name, message and retriability come.
//!
//! Numbers, names and retriability follow Apache Kafka's `org.apache.kafka.common.protocol.Errors`.

macro_rules! error_codes {
    ($($variant:ident $code:literal $retriable:literal $message:literal,)*) => {
        /// An error as Kafka's clients know it: a number on the wire, a name in logs.
        ///
        /// # Examples
        /// ```
        /// use ottla::ErrorCode;
        /// assert_eq!(ErrorCode::UnknownTopicOrPartition.code(), 3);
        /// assert_eq!(ErrorCode::from_code(3), ErrorCode::UnknownTopicOrPartition);
        /// assert!(ErrorCode::UnknownTopicOrPartition.is_retriable());
        /// assert_eq!(ErrorCode::UnknownTopicOrPartition.name(), "UNKNOWN_TOPIC_OR_PARTITION");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(i16)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $(#[doc = $message] #[doc = ""] #[doc = concat!("Code ", $code, ".")] $variant = $code,)*
        }

        impl ErrorCode {
            /// Every code, in the order of their numbers.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant,)*];

            /// The code of a number; a number that is not Kafka's becomes [`ErrorCode::UnknownServerError`],
            /// as it does in Kafka's own clients.
            pub fn from_code(code: i16) -> Self {
                match code {
                    $($code => ErrorCode::$variant,)*
                    _ => ErrorCode::UnknownServerError,
                }
            }

            /// One sentence about what went wrong.
            pub fn message(self) -> &'static str {
                match self { $(ErrorCode::$variant => $message,)* }
            }

            /// Whether the same request may succeed if it is sent again (Kafka: `RetriableException`).
            pub fn is_retriable(self) -> bool {
                match self { $(ErrorCode::$variant => $retriable,)* }
            }

            const fn variant_name(self) -> &'static str {
                match self { $(ErrorCode::$variant => stringify!($variant),)* }
            }
        }
    };
}

error_codes! {
    UnknownServerError -1 false "The server experienced an unexpected error when processing the request",
    None 0 false "No error",
    OffsetOutOfRange 1 false "The offset is outside the range that the partition holds",
    CorruptMessage 2 true "The records fail their checksum, exceed the valid size, or are otherwise corrupt",
    UnknownTopicOrPartition 3 true "This broker does not host this topic-partition",
    InvalidFetchSize 4 false "The requested fetch size is invalid",
    LeaderNotAvailable 5 true "There is no leader for this topic-partition at the moment",
    NotLeaderOrFollower 6 true "This broker is not the leader of, or no replica for, this topic-partition",
    RequestTimedOut 7 true "The request timed out",
    BrokerNotAvailable 8 false "The broker is not available",
    ReplicaNotAvailable 9 true "The replica is not available for the requested topic-partition",
    MessageTooLarge 10 false "The batch is larger than the topic's max.message.bytes",
    StaleControllerEpoch 11 false "The controller moved to another broker",
    OffsetMetadataTooLarge 12 false "The metadata of the committed offset is longer than offset.metadata.max.bytes",
    NetworkException 13 true "The connection ended before a response was received",
    CoordinatorLoadInProgress 14 true "The coordinator is loading and cannot process requests yet",
    CoordinatorNotAvailable 15 true "The coordinator is not available",
    NotCoordinator 16 true "This is not the right coordinator",
    InvalidTopicException 17 false "The topic is invalid: its name, or an operation that its kind does not allow",
    RecordListTooLarge 18 false "The request holds a batch larger than the topic's segment.bytes",
    NotEnoughReplicas 19 true "There are fewer in-sync replicas than min.insync.replicas",
    NotEnoughReplicasAfterAppend 20 true "The records were written, but to fewer in-sync replicas than required",
    InvalidRequiredAcks 21 false "acks must be 0, 1 or -1 (all)",
    IllegalGeneration 22 false "The generation is not the group's current one",
    InconsistentGroupProtocol 23 false "The member's protocol type or protocols do not fit those of the group",
    InvalidGroupId 24 false "The group id is invalid",
    UnknownMemberId 25 false "The coordinator does not know this member",
    InvalidSessionTimeout 26 false "The session timeout is outside group.min.session.timeout.ms and group.max.session.timeout.ms",
    RebalanceInProgress 27 false "The group is rebalancing; rejoin is needed",
    InvalidCommitOffsetSize 28 false "The committing offset data is too large",
    TopicAuthorizationFailed 29 false "Not authorized to access the topic",
    GroupAuthorizationFailed 30 false "Not authorized to access the group",
    ClusterAuthorizationFailed 31 false "Not authorized to act on the cluster",
    InvalidTimestamp 32 false "A record's timestamp is outside the range that the topic accepts",
    UnsupportedSaslMechanism 33 false "The broker does not support the requested SASL mechanism",
    IllegalSaslState 34 false "The request is not valid in the current SASL state",
    UnsupportedVersion 35 false "This version of the API is not supported",
    TopicAlreadyExists 36 false "A topic of this name exists",
    InvalidPartitions 37 false "The number of partitions is invalid",
    InvalidReplicationFactor 38 false "The replication factor is below 1 or above the number of available brokers",
    InvalidReplicaAssignment 39 false "The replica assignment is invalid",
    InvalidConfig 40 false "The configuration is invalid",
    NotController 41 true "This is not the controller",
    InvalidRequest 42 false "The request is malformed or contradicts itself",
    UnsupportedForMessageFormat 43 false "The message format on the broker does not support the request",
    PolicyViolation 44 false "The request violates a policy",
    OutOfOrderSequenceNumber 45 false "The producer's sequence number is not the next one",
    DuplicateSequenceNumber 46 false "The sequence number was seen before",
    InvalidProducerEpoch 47 false "The producer's epoch is older than the current one",
    InvalidTxnState 48 false "The transaction is not in a state that allows this operation",
    InvalidProducerIdMapping 49 false "The producer id is not assigned to this transactional id",
    InvalidTransactionTimeout 50 false "The transaction timeout is larger than transaction.max.timeout.ms",
    ConcurrentTransactions 51 true "Another operation on this transaction is still in progress",
    TransactionCoordinatorFenced 52 false "A newer transaction coordinator exists",
    TransactionalIdAuthorizationFailed 53 false "Not authorized to use the transactional id",
    SecurityDisabled 54 false "Security features are disabled",
    OperationNotAttempted 55 false "The operation was not attempted, since another part of the batch failed",
    KafkaStorageError 56 true "The log directory of this partition is offline after a disk error",
    LogDirNotFound 57 false "The log directory is not among log.dirs",
    SaslAuthenticationFailed 58 false "Authentication failed",
    UnknownProducerId 59 false "The producer id is unknown to this partition",
    ReassignmentInProgress 60 false "A partition reassignment is in progress",
    DelegationTokenAuthDisabled 61 false "Delegation tokens are not enabled",
    DelegationTokenNotFound 62 false "The delegation token is not known",
    DelegationTokenOwnerMismatch 63 false "The principal does not own the delegation token",
    DelegationTokenRequestNotAllowed 64 false "Delegation token requests are not allowed on this connection",
    DelegationTokenAuthorizationFailed 65 false "Not authorized to use the delegation token",
    DelegationTokenExpired 66 false "The delegation token has expired",
    InvalidPrincipalType 67 false "The principal type is not supported",
    NonEmptyGroup 68 false "The group is not empty",
    GroupIdNotFound 69 false "The group does not exist",
    FetchSessionIdNotFound 70 true "The fetch session was not found",
    InvalidFetchSessionEpoch 71 true "The fetch session epoch is not the expected one",
    ListenerNotFound 72 true "The leader has no listener matching the one the request came in on",
    TopicDeletionDisabled 73 false "Topic deletion is disabled: delete.topic.enable=false",
    FencedLeaderEpoch 74 true "The leader epoch is older than the broker's",
    UnknownLeaderEpoch 75 true "The leader epoch is newer than the broker's",
    UnsupportedCompressionType 76 false "The compression codec is not supported by the client's version or this build",
    StaleBrokerEpoch 77 false "The broker epoch has changed",
    OffsetNotAvailable 78 true "The leader's high watermark has not caught up with its election yet",
    MemberIdRequired 79 false "The group member needs a member id: join again with the one in the response",
    PreferredLeaderNotAvailable 80 true "The preferred leader is not available",
    GroupMaxSizeReached 81 false "The group is full: group.max.size",
    FencedInstanceId 82 false "Another member with the same group.instance.id took over",
    EligibleLeadersNotAvailable 83 true "No eligible leader is available",
    ElectionNotNeeded 84 true "The leader election is not needed",
    NoReassignmentInProgress 85 false "No partition reassignment is in progress",
    GroupSubscribedToTopic 86 false "The group is subscribed to the topic, so its offsets cannot be deleted",
    InvalidRecord 87 false "A record is invalid for this topic",
    UnstableOffsetCommit 88 true "Transactional offset commits are pending for this partition",
    ThrottlingQuotaExceeded 89 true "The throttling quota has been exceeded",
    ProducerFenced 90 false "A newer producer with the same transactional id fences this one",
    ResourceNotFound 91 false "The resource was not found",
    DuplicateResource 92 false "The resource is named twice",
    UnacceptableCredential 93 false "The credential does not meet the requirements",
    InconsistentVoterSet 94 false "The voter sets differ",
    InvalidUpdateVersion 95 false "The update version is invalid",
    FeatureUpdateFailed 96 false "The feature update failed",
    PrincipalDeserializationFailure 97 false "The forwarded principal could not be decoded",
    SnapshotNotFound 98 false "The snapshot was not found",
    PositionOutOfRange 99 false "The position is outside the snapshot",
    UnknownTopicId 100 true "This broker does not know the topic id",
    DuplicateBrokerRegistration 101 false "The broker id is in use",
    BrokerIdNotRegistered 102 false "The broker id is not registered",
    InconsistentTopicId 103 true "The topic id in the log does not match the one in the request",
    InconsistentClusterId 104 false "The cluster id does not match",
    TransactionalIdNotFound 105 false "The transactional id was not found",
    FetchSessionTopicIdError 106 true "The fetch session mixes topic ids and topic names",
    IneligibleReplica 107 false "The replica is not eligible for the in-sync set",
    NewLeaderElected 108 false "A newer leader was elected",
    OffsetMovedToTieredStorage 109 false "The offset has moved to tiered storage",
    FencedMemberEpoch 110 false "The member epoch is fenced: abandon all partitions and rejoin",
    UnreleasedInstanceId 111 false "The instance id is still used by another member",
    UnsupportedAssignor 112 false "The assignor is not supported by the group",
    StaleMemberEpoch 113 false "The member epoch is stale",
    MismatchedEndpointType 114 false "The request was sent to an endpoint of the wrong type",
    UnsupportedEndpointType 115 false "This endpoint type is not supported",
    UnknownControllerId 116 false "The controller id is not known",
    UnknownSubscriptionId 117 false "The subscription id is not known",
    TelemetryTooLarge 118 false "The telemetry payload is too large",
    InvalidRegistration 119 false "The controller registration is invalid",
    TransactionAbortable 120 false "The transaction must be aborted and may then go on",
    InvalidRecordState 121 false "The record state does not allow the acknowledgement",
    ShareSessionNotFound 122 true "The share session was not found",
    InvalidShareSessionEpoch 123 true "The share session epoch is not the expected one",
    FencedStateEpoch 124 false "The share state epoch is older than the stored one",
    InvalidVoterKey 125 false "The voter key does not match",
    DuplicateVoter 126 false "The voter is in the set already",
    VoterNotFound 127 false "The voter is not in the set",
    InvalidRegularExpression 128 false "The regular expression is invalid",
    RebootstrapRequired 129 false "The client must bootstrap again",
    StreamsInvalidTopology 130 false "The topology is invalid",
    StreamsInvalidTopologyEpoch 131 false "The topology epoch is invalid",
    StreamsTopologyFenced 132 false "The topology epoch is outdated",
    ShareSessionLimitReached 133 true "The limit of share sessions is reached",
}

impl ErrorCode {
    /// The number on the wire.
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// Whether this is [`ErrorCode::None`].
    pub const fn is_none(self) -> bool {
        matches!(self, ErrorCode::None)
    }

    /// Kafka's own name, such as `OFFSET_OUT_OF_RANGE`.
    pub fn name(self) -> String {
        let mut name = String::new();
        for (i, c) in self.variant_name().char_indices() {
            if c.is_ascii_uppercase() && i > 0 {
                name.push('_');
            }
            name.push(c.to_ascii_uppercase());
        }
        name
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name(), self.code())
    }
}
