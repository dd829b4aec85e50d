use super::record::{SNAPSHOT, parse_key, parse_snapshot, parse_update};
use super::state_batch::StateBatch;
use crate::broker::coordinator::record_format::RecordError;
use crate::broker::coordinator::record_format::json::{key, leading_number, quoted, value};
use crate::log::RecordText;

/// A record of `__share_group_state` in words; `None` if it is of a kind that is not known here (Kafka:
/// `DumpLogSegments.ShareGroupStateMessageParser`).
pub(crate) fn share_group_state_record_text(
    key_bytes: &[u8],
    value_bytes: Option<&[u8]>,
) -> Result<Option<RecordText>, RecordError> {
    let Some((kind, found)) = parse_key(key_bytes)? else { return Ok(None) };
    let data = format!(
        "\"groupId\":{},\"topicId\":\"{}\",\"partition\":{}",
        quoted(&found.group_id),
        found.topic_id,
        found.partition
    );
    let payload = match value_bytes {
        Some(bytes) if kind == SNAPSHOT => snapshot(bytes)?,
        Some(bytes) => update(bytes)?,
        None => "<DELETE>".to_owned(),
    };
    Ok(Some(RecordText { key: Some(key(kind, &data)), payload: Some(payload) }))
}

fn snapshot(bytes: &[u8]) -> Result<String, RecordError> {
    let found = parse_snapshot(bytes)?;
    let data = format!(
        "\"snapshotEpoch\":{},\"stateEpoch\":{},\"leaderEpoch\":{},\"startOffset\":{}{},\"createTimestamp\":{},\
         \"writeTimestamp\":{},\"stateBatches\":{}",
        found.snapshot_epoch,
        found.state_epoch,
        found.leader_epoch,
        found.start_offset,
        count(found.delivery_complete_count),
        found.create_timestamp,
        found.write_timestamp,
        batches(&found.state_batches)
    );
    Ok(value(leading_number(bytes), &data))
}

fn update(bytes: &[u8]) -> Result<String, RecordError> {
    let found = parse_update(bytes)?;
    let data = format!(
        "\"snapshotEpoch\":{},\"leaderEpoch\":{},\"startOffset\":{}{},\"stateBatches\":{}",
        found.snapshot_epoch,
        found.leader_epoch,
        found.start_offset,
        count(found.delivery_complete_count),
        batches(&found.state_batches)
    );
    Ok(value(leading_number(bytes), &data))
}

/// A tagged field, which is left out where it is at its default.
fn count(delivery_complete_count: i32) -> String {
    match delivery_complete_count {
        -1 => String::new(),
        count => format!(",\"deliveryCompleteCount\":{count}"),
    }
}

fn batches(batches: &[StateBatch]) -> String {
    let batch = |batch: &StateBatch| {
        format!(
            "{{\"firstOffset\":{},\"lastOffset\":{},\"deliveryState\":{},\"deliveryCount\":{}}}",
            batch.first_offset, batch.last_offset, batch.delivery_state, batch.delivery_count
        )
    };
    format!("[{}]", batches.iter().map(batch).collect::<Vec<_>>().join(","))
}
