//! Adding partitions to a topic (Kafka: `ReplicationControlManager#createPartitions`).

use super::create_topics::MAX_PARTITIONS_PER_TOPIC;
use super::store::MetadataStore;
use crate::broker::core::BrokerCore;
use crate::error::{Error, Result};
use crate::model::ErrorCode;

/// A topic's new number of partitions.
#[derive(Clone, Debug)]
pub(crate) struct NewPartitions {
    pub(crate) topic: String,
    /// How many the topic shall have in all.
    pub(crate) count: i32,
    /// The replicas of each new partition; `None`: the broker assigns.
    pub(crate) assignments: Option<Vec<Vec<i32>>>,
}

impl BrokerCore {
    /// Adds partitions, which start empty. Records that were there keep their partition, so a key may live in
    /// two partitions from now on, as in Kafka.
    pub(crate) fn create_partitions(&self, request: &NewPartitions, validate_only: bool) -> Result<()> {
        self.ensure_open()?;
        let mut image = self.store.lock();
        let topic = self
            .metadata
            .topic(&request.topic)
            .ok_or_else(|| Error::from(ErrorCode::UnknownTopicOrPartition))?;
        let current = topic.num_partitions();
        let invalid = |message| Err(Error::new(ErrorCode::InvalidPartitions, message));
        if request.count == current {
            return invalid(format!("Topic already has {current} partition(s)."));
        }
        if request.count < current {
            return invalid(format!(
                "The topic {} currently has {current} partition(s); {} would not be an increase.",
                request.topic, request.count
            ));
        }
        if request.count > MAX_PARTITIONS_PER_TOPIC {
            return invalid(format!(
                "The topic {} would have {} partitions; at most {MAX_PARTITIONS_PER_TOPIC} are allowed.",
                request.topic, request.count
            ));
        }
        let added = request.count - current;
        if let Some(assignments) = &request.assignments {
            if assignments.len() as i64 != i64::from(added) {
                let message = format!(
                    "Attempted to add {added} additional partition(s), but only {} assignment(s) were specified.",
                    assignments.len()
                );
                return Err(Error::new(ErrorCode::InvalidReplicaAssignment, message));
            }
            let numbered: Vec<_> = (current..).zip(assignments.iter().cloned()).collect();
            self.check_assignments(&numbered, current)?;
        } else {
            let factor = topic.partition(0).map_or(1, |first| self.placement(&first).replicas.len());
            self.check_takes_new_logs(i16::try_from(factor).unwrap_or(i16::MAX))?;
        }
        if validate_only {
            return Ok(());
        }
        MetadataStore::commit(&mut image, &*self.env.fs, &self.live_log_dirs(), |image| {
            if let Some(record) = image.topics.get_mut(&request.topic) {
                record.num_partitions = request.count;
            }
        })?;
        if let Some(nodes) = self.nodes() {
            let by_hand = request.assignments.clone().unwrap_or_default();
            let by_hand: Vec<_> = (current..).zip(by_hand).collect();
            let factor = topic.partition(0).map_or(1, |first| self.placement(&first).replicas.len());
            let factor = i16::try_from(factor).unwrap_or(i16::MAX);
            nodes.assign_all(topic.id(), current..request.count, &by_hand, factor);
        }
        self.add_new_partitions(&topic, added)?;
        self.metadata.changed();
        Ok(())
    }
}
