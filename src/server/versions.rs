//! Which versions of which APIs a broker offers, if it is to be like an older one.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::protocol::ApiKey;

/// The APIs that a broker offers, and in which versions: as some release of Apache Kafka, or as a test wants it. Clients
/// are told so (ApiVersions), and meet what they meet at Kafka with any other: the connection ends, except for
/// ApiVersions itself, which is answered with UNSUPPORTED_VERSION.
///
/// It can only leave away what there is: versions that this broker does not speak are not offered by any profile.
///
/// # Examples
/// ```
/// use ottla::{ApiKey, ApiVersionRanges};
/// let old = ApiVersionRanges::kafka_2_7().offer(ApiKey::Produce, 0..=7);
/// assert_eq!(old.of(ApiKey::Produce), Some(0..=7));
/// assert_eq!(old.of(ApiKey::ConsumerGroupHeartbeat), None);
/// assert_eq!(ApiVersionRanges::of_release("2.7"), Some(ApiVersionRanges::kafka_2_7()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiVersionRanges {
    /// By the number of the API.
    ranges: BTreeMap<i16, (i16, i16)>,
}

/// One row an API: what 2.7, 3.9 and 4.4 offer. (4.4 says 0 for Produce, for the sake of old clients.)
macro_rules! releases {
    ($($key:ident: $v2_7:expr, $v3_9:expr, $v4_4:expr;)*) => {
        const RELEASES: [(ApiKey, [Range; 3]); { [$(stringify!($key)),*].len() }] =
            [$((ApiKey::$key, [$v2_7, $v3_9, $v4_4])),*];
    };
}

type Range = Option<(i16, i16)>;

const fn v(min: i16, max: i16) -> Range {
    Some((min, max))
}

const NO: Range = None;

releases! {
    Produce:                 v(0, 8),  v(0, 11), v(0, 13);
    Fetch:                   v(0, 12), v(0, 17), v(4, 18);
    ListOffsets:             v(0, 5),  v(0, 9),  v(1, 11);
    Metadata:                v(0, 9),  v(0, 12), v(0, 13);
    OffsetCommit:            v(0, 8),  v(0, 9),  v(2, 10);
    OffsetFetch:             v(0, 7),  v(0, 9),  v(1, 10);
    FindCoordinator:         v(0, 3),  v(0, 6),  v(0, 6);
    JoinGroup:               v(0, 7),  v(0, 9),  v(0, 9);
    Heartbeat:               v(0, 4),  v(0, 4),  v(0, 4);
    LeaveGroup:              v(0, 4),  v(0, 5),  v(0, 5);
    SyncGroup:               v(0, 5),  v(0, 5),  v(0, 5);
    DescribeGroups:          v(0, 5),  v(0, 5),  v(0, 6);
    ListGroups:              v(0, 4),  v(0, 5),  v(0, 5);
    ApiVersions:             v(0, 3),  v(0, 4),  v(0, 5);
    CreateTopics:            v(0, 6),  v(0, 7),  v(2, 7);
    DeleteTopics:            v(0, 5),  v(0, 6),  v(1, 6);
    DeleteRecords:           v(0, 2),  v(0, 2),  v(0, 2);
    InitProducerId:          v(0, 4),  v(0, 5),  v(0, 5);
    OffsetForLeaderEpoch:    v(0, 3),  v(0, 4),  v(2, 4);
    AddPartitionsToTxn:      v(0, 2),  v(0, 5),  v(0, 5);
    AddOffsetsToTxn:         v(0, 2),  v(0, 4),  v(0, 4);
    EndTxn:                  v(0, 2),  v(0, 4),  v(0, 5);
    WriteTxnMarkers:         v(0, 0),  v(0, 1),  v(1, 2);
    TxnOffsetCommit:         v(0, 3),  v(0, 4),  v(0, 6);
    DescribeConfigs:         v(0, 3),  v(0, 4),  v(1, 4);
    AlterConfigs:            v(0, 1),  v(0, 2),  v(0, 2);
    AlterReplicaLogDirs:     v(0, 1),  v(0, 2),  v(1, 2);
    DescribeLogDirs:         v(0, 2),  v(0, 4),  v(1, 5);
    CreatePartitions:        v(0, 3),  v(0, 3),  v(0, 3);
    DeleteGroups:            v(0, 2),  v(0, 2),  v(0, 3);
    IncrementalAlterConfigs: v(0, 1),  v(0, 1),  v(0, 1);
    AlterPartitionReassignments: v(0, 0), v(0, 0), v(0, 1);
    ListPartitionReassignments: v(0, 0), v(0, 0), v(0, 0);
    OffsetDelete:            v(0, 0),  v(0, 0),  v(0, 0);
    DescribeCluster:         NO,       v(0, 1),  v(0, 2);
    DescribeProducers:       NO,       v(0, 0),  v(0, 0);
    DescribeTransactions:    NO,       v(0, 0),  v(0, 0);
    ListTransactions:        NO,       v(0, 1),  v(0, 2);
    // In 3.9 the consumer protocol is off unless it is asked for.
    ConsumerGroupHeartbeat:  NO,       NO,       v(0, 1);
    ConsumerGroupDescribe:   NO,       NO,       v(0, 1);
    InitializeShareGroupState: NO,     NO,       v(0, 0);
    ReadShareGroupState:     NO,       NO,       v(0, 0);
    WriteShareGroupState:    NO,       NO,       v(0, 1);
    DeleteShareGroupState:   NO,       NO,       v(0, 0);
    ReadShareGroupStateSummary: NO,    NO,       v(0, 1);
    ShareGroupHeartbeat:     NO,       NO,       v(1, 1);
    ShareGroupDescribe:      NO,       NO,       v(1, 1);
    ShareFetch:              NO,       NO,       v(1, 2);
    ShareAcknowledge:        NO,       NO,       v(1, 2);
    DescribeShareGroupOffsets: NO,     NO,       v(0, 1);
    AlterShareGroupOffsets:  NO,       NO,       v(0, 0);
    DeleteShareGroupOffsets: NO,       NO,       v(0, 0);
    // 3.9 knows it by another name, for clients' metrics alone.
    ListConfigResources:     NO,       v(0, 0),  v(0, 1);
    DescribeTopicPartitions: NO,       v(0, 0),  v(0, 0);
}

impl ApiVersionRanges {
    /// As Apache Kafka 2.7, the last release whose clients need no ids of topics.
    pub fn kafka_2_7() -> Self {
        Self::of_column(0)
    }

    /// As Apache Kafka 3.9, the last release with ZooKeeper.
    pub fn kafka_3_9() -> Self {
        Self::of_column(1)
    }

    /// As Apache Kafka 4.4, which has left away what clients before 2.1 need.
    pub fn kafka_4_4() -> Self {
        Self::of_column(2)
    }

    /// As the release with this name: `2.7`, `3.9` or `4.4`.
    pub fn of_release(name: &str) -> Option<Self> {
        match name {
            "2.7" => Some(Self::kafka_2_7()),
            "3.9" => Some(Self::kafka_3_9()),
            "4.4" => Some(Self::kafka_4_4()),
            _ => None,
        }
    }

    fn of_column(column: usize) -> Self {
        let rows = RELEASES.iter().filter_map(|(key, ranges)| Some((*key, (*ranges.get(column)?)?)));
        ApiVersionRanges { ranges: rows.map(|(key, range)| (key.code(), range)).collect() }
    }

    /// All that this broker speaks.
    pub fn all() -> Self {
        let all = ApiKey::ALL.iter().map(|key| (key.code(), super::api::versions(*key)));
        ApiVersionRanges { ranges: all.collect() }
    }

    /// Offers these versions of an API, and no others.
    #[must_use]
    pub fn offer(mut self, api: ApiKey, versions: RangeInclusive<i16>) -> Self {
        self.ranges.insert(api.code(), versions.into_inner());
        self
    }

    /// Does not offer an API.
    #[must_use]
    pub fn without(mut self, api: ApiKey) -> Self {
        self.ranges.remove(&api.code());
        self
    }

    /// The versions of an API that are offered: at most those that this broker speaks.
    pub fn of(&self, api: ApiKey) -> Option<RangeInclusive<i16>> {
        let (min, max) = *self.ranges.get(&api.code())?;
        let (own_min, own_max) = super::api::versions(api);
        let range = min.max(own_min)..=max.min(own_max);
        (!range.is_empty()).then_some(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_offer_what_the_broker_speaks_and_no_more() {
        for profile in [ApiVersionRanges::kafka_2_7(), ApiVersionRanges::kafka_3_9(), ApiVersionRanges::all()]
        {
            for key in ApiKey::ALL {
                let (min, max) = super::super::api::versions(*key);
                assert!(profile.of(*key).is_none_or(|range| min <= *range.start() && *range.end() <= max));
            }
        }
        let wider = ApiVersionRanges::all().offer(ApiKey::Fetch, 3..=99);
        assert_eq!(wider.of(ApiKey::Fetch), Some(3..=super::super::api::versions(ApiKey::Fetch).1));
        assert_eq!(wider.offer(ApiKey::Fetch, 90..=99).of(ApiKey::Fetch), None);
    }
}
