//! Records of consumer groups in words, as Kafka's tools write them.

use super::consumer_group::{ConsumerGroupKey, ConsumerGroupRecord, CurrentAssignment};
use crate::broker::coordinator::group::modern::{
    ClassicMemberMetadata, MemberMetadata, Partitions, PartitionsWithEpochs,
};
use crate::broker::coordinator::record_format::RecordError;
use crate::broker::coordinator::record_format::json::{base64, nullable, quoted, value};
use crate::model::Uuid;

/// The fields of the key, and the value if there is one.
pub(super) fn text(
    group_id: &str,
    key: ConsumerGroupKey<'_>,
    value_bytes: Option<&[u8]>,
) -> Result<(String, Option<String>), RecordError> {
    let group = format!("\"groupId\":{}", quoted(group_id));
    let data = match key {
        ConsumerGroupKey::Epoch | ConsumerGroupKey::PartitionMetadata | ConsumerGroupKey::TargetMetadata => {
            group
        }
        ConsumerGroupKey::Member(id) | ConsumerGroupKey::Target(id) | ConsumerGroupKey::Current(id) => {
            format!("{group},\"memberId\":{}", quoted(id))
        }
        ConsumerGroupKey::Regex(regex) => format!("{group},\"regularExpression\":{}", quoted(regex)),
    };
    Ok((data, fields(&ConsumerGroupRecord::parse(key, value_bytes)?).map(|fields| value(0, &fields))))
}

fn fields(record: &ConsumerGroupRecord) -> Option<String> {
    Some(match record {
        ConsumerGroupRecord::Epoch(value) => {
            let value = value.as_ref()?;
            format!("\"epoch\":{}{}", value.epoch, tagged("metadataHash", value.metadata_hash))
        }
        ConsumerGroupRecord::PartitionMetadata(is_there) => is_there.then(String::new)?,
        ConsumerGroupRecord::Member(_, value) => member(value.as_ref()?),
        ConsumerGroupRecord::TargetMetadata(value) => {
            let value = value.as_ref()?;
            format!("\"assignmentEpoch\":{}{}", value.epoch, tagged("assignmentTimestamp", value.timestamp))
        }
        ConsumerGroupRecord::Target(_, value) => {
            format!("\"topicPartitions\":{}", target(value.as_ref()?))
        }
        ConsumerGroupRecord::Current(_, value) => current(value.as_ref()?),
        ConsumerGroupRecord::Regex(_, value) => {
            let value = value.as_ref()?;
            format!(
                "\"topics\":{},\"version\":{},\"timestamp\":{}",
                list(value.topics.iter().map(|topic| quoted(topic))),
                value.version,
                value.timestamp
            )
        }
    })
}

/// A field that is only there if it is not 0.
pub(super) fn tagged(name: &str, value: i64) -> String {
    if value == 0 { String::new() } else { format!(",\"{name}\":{value}") }
}

pub(super) fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn member(value: &MemberMetadata) -> String {
    format!(
        "\"instanceId\":{},\"rackId\":{},\"clientId\":{},\"clientHost\":{},\"subscribedTopicNames\":{},\
         \"subscribedTopicRegex\":{},\"rebalanceTimeoutMs\":{},\"serverAssignor\":{}{}",
        nullable(value.instance_id.as_deref()),
        nullable(value.rack_id.as_deref()),
        quoted(&value.client_id),
        quoted(&value.client_host),
        list(value.subscribed_topic_names.iter().map(|name| quoted(name))),
        nullable(value.subscribed_topic_regex.as_deref()),
        value.rebalance_timeout_ms,
        nullable(value.server_assignor.as_deref()),
        value.classic.as_ref().map_or_else(|| ",\"classicMemberMetadata\":null".to_owned(), classic)
    )
}

fn classic(value: &ClassicMemberMetadata) -> String {
    let protocols = value.protocols.iter().map(|protocol| {
        format!("{{\"name\":{},\"metadata\":{}}}", quoted(&protocol.name), base64(&protocol.metadata))
    });
    format!(
        ",\"classicMemberMetadata\":{{\"sessionTimeoutMs\":{},\"supportedProtocols\":{}}}",
        value.session_timeout_ms,
        list(protocols)
    )
}

fn topic(id: &Uuid, partitions: impl Iterator<Item = i32>) -> String {
    format!(
        "\"topicId\":{},\"partitions\":{}",
        quoted(&id.to_string()),
        list(partitions.map(|partition| partition.to_string()))
    )
}

pub(super) fn target(value: &Partitions) -> String {
    list(value.iter().map(|(id, partitions)| format!("{{{}}}", topic(id, partitions.iter().copied()))))
}

fn current(value: &CurrentAssignment) -> String {
    format!(
        "\"memberEpoch\":{},\"previousMemberEpoch\":{},\"state\":{},\"assignedPartitions\":{},\
         \"partitionsPendingRevocation\":{}",
        value.epoch,
        value.previous_epoch,
        value.state.number(),
        with_epochs(&value.assigned),
        with_epochs(&value.pending_revocation)
    )
}

fn with_epochs(value: &PartitionsWithEpochs) -> String {
    list(value.iter().map(|(id, partitions)| {
        let epochs = list(partitions.values().map(i32::to_string));
        format!("{{{},\"assignmentEpochs\":{epochs}}}", topic(id, partitions.keys().copied()))
    }))
}
