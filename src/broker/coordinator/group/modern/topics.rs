//! The topics that there are, as the coordinator of groups sees them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use twox_hash::XxHash3_64;

use crate::model::Uuid;

/// A topic that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TopicMetadata {
    pub(crate) id: Uuid,
    pub(crate) name: Arc<str>,
    pub(crate) num_partitions: i32,
}

/// Which topics there are now (Kafka: `CoordinatorMetadataImage`).
///
/// Asked with the lock of a group held: an implementation must not call back into the coordinator.
pub(crate) trait CoordinatorMetadataImage: Send + Sync + fmt::Debug {
    /// A number that is another one after each change of topics.
    fn version(&self) -> u64;

    /// The version with which the last new topic came.
    fn last_version_with_new_topics(&self) -> u64;

    fn topic(&self, name: &str) -> Option<TopicMetadata>;

    fn topic_by_id(&self, id: Uuid) -> Option<TopicMetadata>;

    fn topic_names(&self) -> Vec<Arc<str>>;
}

/// What a group was assigned by, in a number: another one when topics that it reads have come, gone or grown. As Kafka
/// computes it, since it is in the group's record (Kafka: `Utils#computeGroupHash`).
pub(in super::super) fn metadata_hash<'a>(
    names: impl Iterator<Item = &'a Arc<str>>,
    image: &dyn CoordinatorMetadataImage,
) -> i64 {
    let hashes: BTreeMap<Vec<u16>, u64> = names
        .filter_map(|name| image.topic(name))
        // Java sorts by UTF-16 units.
        .map(|topic| (topic.name.encode_utf16().collect(), topic_hash(&topic)))
        .collect();
    if hashes.is_empty() {
        return 0;
    }
    let bytes: Vec<u8> = hashes.values().flat_map(|hash| hash.to_le_bytes()).collect();
    XxHash3_64::oneshot(&bytes) as i64
}

/// Kafka: `Utils#computeTopicHash`, of a topic whose brokers are in no rack.
fn topic_hash(topic: &TopicMetadata) -> u64 {
    let (high, low) = topic.id.as_bytes().split_at(8);
    // Numbers are hashed with the lowest byte first, a name as its UTF-16 units and their count.
    let mut bytes = vec![0];
    bytes.extend(high.iter().rev().chain(low.iter().rev()));
    let units: Vec<u16> = topic.name.encode_utf16().collect();
    bytes.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
    bytes.extend((units.len() as u32).to_le_bytes());
    bytes.extend(topic.num_partitions.to_le_bytes());
    bytes.extend((0..topic.num_partitions).flat_map(i32::to_le_bytes));
    XxHash3_64::oneshot(&bytes)
}
