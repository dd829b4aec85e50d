use std::fmt;
use std::sync::Arc;

use crate::model::Uuid;

/// What a share group keeps its state of: a partition of a topic (Kafka: `SharePartitionKey`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SharePartitionKey {
    pub(crate) group_id: Arc<str>,
    pub(crate) topic_id: Uuid,
    pub(crate) partition: i32,
}

impl SharePartitionKey {
    pub(crate) fn new(group_id: impl Into<Arc<str>>, topic_id: Uuid, partition: i32) -> Self {
        SharePartitionKey { group_id: group_id.into(), topic_id, partition }
    }

    /// The key in words, as a client asks FindCoordinator for it. The group's name may have colons, too.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(3, ':');
        let partition = parts.next()?.parse().ok()?;
        let topic_id = parts.next()?.parse().ok()?;
        let group_id = parts.next()?;
        (!group_id.trim().is_empty()).then(|| SharePartitionKey::new(group_id, topic_id, partition))
    }
}

/// The words of which the hash says where the state is kept (Kafka: `asCoordinatorKey`).
impl fmt::Display for SharePartitionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.group_id, self.topic_id, self.partition)
    }
}
