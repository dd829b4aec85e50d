use super::{GroupMetadataMember, GroupMetadataValue, OffsetCommitValue, RecordError, RecordKey};
use super::{consumer_group_text, consumer_protocol_text, share_group_text};
use crate::broker::coordinator::group::group_metadata::CONSUMER_PROTOCOL_TYPE;
use crate::broker::coordinator::record_format::json::{base64, key, leading_number, nullable, quoted, value};
use crate::log::RecordText;

/// A record of `__consumer_offsets` in words; `None` if it is of a kind that is not known here
/// (Kafka: `DumpLogSegments.OffsetsMessageParser`).
pub(crate) fn offsets_record_text(
    key_bytes: &[u8],
    value_bytes: Option<&[u8]>,
) -> Result<Option<RecordText>, RecordError> {
    let kind = leading_number(key_bytes);
    let (data, payload) = match RecordKey::parse(key_bytes)? {
        RecordKey::OffsetCommit { group_id, topic_partition } => {
            let (topic, partition) = (quoted(topic_partition.topic()), topic_partition.partition());
            let data = format!("\"group\":{},\"topic\":{topic},\"partition\":{partition}", quoted(group_id));
            (data, value_bytes.map(commit).transpose()?)
        }
        RecordKey::GroupMetadata { group_id } => {
            (format!("\"group\":{}", quoted(group_id)), value_bytes.map(group).transpose()?)
        }
        RecordKey::ConsumerGroup { group_id, key } => consumer_group_text::text(group_id, key, value_bytes)?,
        RecordKey::ShareGroup { group_id, key } => share_group_text::text(group_id, key, value_bytes)?,
        RecordKey::Other { .. } => return Ok(None),
    };
    let payload = payload.unwrap_or_else(|| "<DELETE>".to_owned());
    Ok(Some(RecordText { key: Some(key(kind, &data)), payload: Some(payload) }))
}

fn commit(bytes: &[u8]) -> Result<String, RecordError> {
    let commit = OffsetCommitValue::parse(bytes)?;
    let version = leading_number(bytes);
    let mut data = format!("\"offset\":{}", commit.offset);
    if version >= 3 {
        data += &format!(",\"leaderEpoch\":{}", commit.leader_epoch);
    }
    data += &format!(
        ",\"metadata\":{},\"commitTimestamp\":{}",
        quoted(&commit.metadata),
        commit.commit_timestamp
    );
    if let Some(id) = OffsetCommitValue::topic_id(bytes)? {
        data += &format!(",\"topicId\":\"{id}\"");
    }
    if let Some(at) = commit.expire_timestamp {
        data += &format!(",\"expireTimestamp\":{at}");
    }
    Ok(value(version, &data))
}

fn group(bytes: &[u8]) -> Result<String, RecordError> {
    let group = GroupMetadataValue::parse(bytes)?;
    let version = leading_number(bytes);
    let is_consumer = &*group.protocol_type == CONSUMER_PROTOCOL_TYPE;
    let members: Vec<String> = group.members.iter().map(|of| member(of, version, is_consumer)).collect();
    // What a version does not have is not told.
    let since = if version >= 2 {
        format!(",\"currentStateTimestamp\":{}", group.state_timestamp)
    } else {
        String::new()
    };
    let data = format!(
        "\"protocolType\":{},\"generation\":{},\"protocol\":{},\"leader\":{}{since},\"members\":[{}]",
        quoted(&group.protocol_type),
        group.generation_id,
        nullable(group.protocol_name.as_deref()),
        nullable(group.leader_id.as_deref()),
        members.join(",")
    );
    Ok(value(version, &data))
}

fn member(member: &GroupMetadataMember, version: i16, is_consumer: bool) -> String {
    // What does not read as a consumer's is told as the bytes that it is.
    let bytes = |bytes: &[u8], text: fn(&[u8]) -> Result<String, RecordError>| {
        Some(bytes)
            .filter(|_| is_consumer)
            .and_then(|bytes| text(bytes).ok())
            .unwrap_or_else(|| base64(bytes))
    };
    let instance = match version {
        3.. => format!(",\"groupInstanceId\":{}", nullable(member.group_instance_id.as_deref())),
        _ => String::new(),
    };
    let rebalance_timeout = match version {
        1.. => format!(",\"rebalanceTimeout\":{}", member.rebalance_timeout_ms),
        _ => String::new(),
    };
    format!(
        "{{\"memberId\":{}{instance},\"clientId\":{},\"clientHost\":{}{rebalance_timeout},\
         \"sessionTimeout\":{},\"subscription\":{},\"assignment\":{}}}",
        quoted(&member.member_id),
        quoted(&member.client_id),
        quoted(&member.client_host),
        member.session_timeout_ms,
        bytes(&member.subscription, consumer_protocol_text::subscription),
        bytes(&member.assignment, consumer_protocol_text::assignment)
    )
}
