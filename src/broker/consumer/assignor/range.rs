use std::sync::Arc;

use super::{Assignments, GroupMember, PartitionCounts, sorted, subscribed_topics};
use crate::model::TopicPartition;

/// (Kafka: `RangeAssignor`; without racks, of which this broker has one.)
pub(super) fn assign(members: &[GroupMember], counts: &PartitionCounts) -> Assignments {
    let mut assigned = Assignments::new();
    let in_order = sorted(members);
    for (topic, count) in subscribed_topics(members, counts) {
        let readers: Vec<_> = in_order.iter().filter(|member| member.wants(topic)).collect();
        let count = usize::try_from(count).unwrap_or(0);
        let name: Arc<str> = topic.into();
        let (each, extra) = (count / readers.len(), count % readers.len());
        let mut start = 0;
        for (i, reader) in readers.iter().enumerate() {
            let end = start + each + usize::from(i < extra);
            let range = (start..end).map(|number| TopicPartition::new(Arc::clone(&name), number as i32));
            assigned.entry(Arc::clone(&reader.id)).or_default().extend(range);
            start = end;
        }
    }
    assigned
}
