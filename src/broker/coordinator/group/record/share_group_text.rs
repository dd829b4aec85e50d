//! Records of share groups in words, as Kafka's tools write them.

use super::consumer_group_text::{list, tagged, target};
use super::share_group::{ShareGroupKey, ShareGroupRecord};
use crate::broker::coordinator::group::modern::{InitializedPartitions, StatePartitions};
use crate::broker::coordinator::record_format::RecordError;
use crate::broker::coordinator::record_format::json::{nullable, quoted, value};
use crate::model::Uuid;

/// The fields of the key, and the value if there is one.
pub(super) fn text(
    group_id: &str,
    key: ShareGroupKey<'_>,
    value_bytes: Option<&[u8]>,
) -> Result<(String, Option<String>), RecordError> {
    let group = format!("\"groupId\":{}", quoted(group_id));
    let data = match key {
        ShareGroupKey::Epoch | ShareGroupKey::TargetMetadata | ShareGroupKey::StatePartitions => group,
        ShareGroupKey::Member(id) | ShareGroupKey::Target(id) | ShareGroupKey::Current(id) => {
            format!("{group},\"memberId\":{}", quoted(id))
        }
    };
    Ok((data, fields(&ShareGroupRecord::parse(key, value_bytes)?).map(|fields| value(0, &fields))))
}

fn fields(record: &ShareGroupRecord) -> Option<String> {
    Some(match record {
        ShareGroupRecord::Member(_, value) => {
            let value = value.as_ref()?;
            format!(
                "\"rackId\":{},\"clientId\":{},\"clientHost\":{},\"subscribedTopicNames\":{}",
                nullable(value.rack_id.as_deref()),
                quoted(&value.client_id),
                quoted(&value.client_host),
                list(value.subscribed_topic_names.iter().map(|name| quoted(name)))
            )
        }
        ShareGroupRecord::Epoch(value) => {
            let value = value.as_ref()?;
            format!("\"epoch\":{},\"metadataHash\":{}", value.epoch, value.metadata_hash)
        }
        ShareGroupRecord::TargetMetadata(value) => {
            let value = value.as_ref()?;
            format!("\"assignmentEpoch\":{}{}", value.epoch, tagged("assignmentTimestamp", value.timestamp))
        }
        ShareGroupRecord::Target(_, value) => format!("\"topicPartitions\":{}", target(value.as_ref()?)),
        ShareGroupRecord::Current(_, value) => {
            let value = value.as_ref()?;
            format!(
                "\"memberEpoch\":{},\"previousMemberEpoch\":{},\"state\":{},\"assignedPartitions\":{}",
                value.epoch,
                value.previous_epoch,
                value.state.number(),
                target(&value.assigned)
            )
        }
        ShareGroupRecord::StatePartitions(value) => state_partitions(value.as_ref()?),
    })
}

fn state_partitions(value: &StatePartitions) -> String {
    let topics = |(id, of): (&Uuid, &InitializedPartitions)| {
        let (name, partitions) = (quoted(&of.name), of.partitions.iter().map(i32::to_string));
        let id = quoted(&id.to_string());
        format!("{{\"topicId\":{id},\"topicName\":{name},\"partitions\":{}}}", list(partitions))
    };
    let deleting = value.deleting.iter().map(|(id, name)| {
        format!("{{\"topicId\":{},\"topicName\":{}}}", quoted(&id.to_string()), quoted(name))
    });
    format!(
        "\"initializingTopics\":{},\"initializedTopics\":{},\"deletingTopics\":{}",
        list(value.initializing.iter().map(topics)),
        list(value.initialized.iter().map(topics)),
        list(deleting)
    )
}
