use std::sync::Arc;

use super::{Assignments, GroupMember, PartitionCounts, sorted, subscribed_topics};
use crate::model::TopicPartition;

/// (Kafka: `RoundRobinAssignor`.)
pub(super) fn assign(members: &[GroupMember], counts: &PartitionCounts) -> Assignments {
    let mut assigned = Assignments::new();
    let in_order = sorted(members);
    let mut turns = in_order.iter().cycle();
    for (topic, count) in subscribed_topics(members, counts) {
        let name: Arc<str> = topic.into();
        for number in 0..count {
            // Somebody wants the topic, so the search comes to an end; who does not loses its turn.
            let Some(next) = turns.find(|member| member.wants(topic)) else { return assigned };
            let tp = TopicPartition::new(Arc::clone(&name), number);
            assigned.entry(Arc::clone(&next.id)).or_default().push(tp);
        }
    }
    assigned
}
