use super::{GroupMetadataMember, GroupMetadataValue, OffsetCommitValue, RecordError, RecordKey};
use super::{consumer_group_text, share_group_text};
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
    if let Some(at) = commit.expire_timestamp {
        data += &format!(",\"expireTimestamp\":{at}");
    }
    Ok(value(version, &data))
}

fn group(bytes: &[u8]) -> Result<String, RecordError> {
    let group = GroupMetadataValue::parse(bytes)?;
    let members: Vec<String> = group.members.iter().map(member).collect();
    let data = format!(
        "\"protocolType\":{},\"generation\":{},\"protocol\":{},\"leader\":{},\"currentStateTimestamp\":{},\"members\":[{}]",
        quoted(&group.protocol_type),
        group.generation_id,
        nullable(group.protocol_name.as_deref()),
        nullable(group.leader_id.as_deref()),
        group.state_timestamp,
        members.join(",")
    );
    Ok(value(leading_number(bytes), &data))
}

fn member(member: &GroupMetadataMember) -> String {
    format!(
        "{{\"memberId\":{},\"groupInstanceId\":{},\"clientId\":{},\"clientHost\":{},\"rebalanceTimeout\":{},\
         \"sessionTimeout\":{},\"subscription\":{},\"assignment\":{}}}",
        quoted(&member.member_id),
        nullable(member.group_instance_id.as_deref()),
        quoted(&member.client_id),
        quoted(&member.client_host),
        member.rebalance_timeout_ms,
        member.session_timeout_ms,
        base64(&member.subscription),
        base64(&member.assignment)
    )
}
