use super::record::{parse_key, parse_value};
use crate::broker::coordinator::record_format::RecordError;
use crate::broker::coordinator::record_format::json::{key, leading_number, quoted, value};
use crate::log::RecordText;
use crate::model::TopicPartition;

/// A record of `__transaction_state` in words; `None` if it is of a kind that is not known here
/// (Kafka: `DumpLogSegments.TransactionLogMessageParser`).
pub(crate) fn transaction_record_text(
    key_bytes: &[u8],
    value_bytes: Option<&[u8]>,
) -> Result<Option<RecordText>, RecordError> {
    let Some(transactional_id) = parse_key(key_bytes)? else { return Ok(None) };
    let data = format!("\"transactionalId\":{}", quoted(transactional_id));
    let payload = match value_bytes {
        Some(bytes) => transaction(bytes)?,
        None => "<DELETE>".to_owned(),
    };
    Ok(Some(RecordText { key: Some(key(leading_number(key_bytes), &data)), payload: Some(payload) }))
}

fn transaction(bytes: &[u8]) -> Result<String, RecordError> {
    let found = parse_value(bytes)?;
    let partitions: Vec<&TopicPartition> = found.partitions.iter().collect();
    let topic = |partitions: &[&TopicPartition]| {
        let ids: Vec<String> = partitions.iter().map(|of| of.partition().to_string()).collect();
        let name = partitions.first().map_or("", |of| of.topic());
        format!("{{\"topic\":{},\"partitionIds\":[{}]}}", quoted(name), ids.join(","))
    };
    let topics: Vec<String> = partitions.chunk_by(|a, b| a.topic() == b.topic()).map(topic).collect();
    let data = format!(
        "\"producerId\":{},\"producerEpoch\":{},\"transactionTimeoutMs\":{},\"transactionStatus\":{},\
         \"transactionPartitions\":[{}],\"transactionLastUpdateTimestampMs\":{},\"transactionStartTimestampMs\":{}",
        found.producer_id,
        found.producer_epoch,
        found.timeout_ms,
        found.state.id(),
        topics.join(","),
        found.last_update_timestamp,
        found.start_timestamp
    );
    Ok(value(leading_number(bytes), &data))
}
