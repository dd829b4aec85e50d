use super::record::{CLIENT_VERSION, NEXT_PRODUCER_ID, PREVIOUS_PRODUCER_ID, parse_key, parse_value};
use crate::broker::coordinator::record_format::json::{key, leading_number, quoted, value};
use crate::broker::coordinator::record_format::{FieldReader, RecordError};
use crate::log::RecordText;

/// Of a newer Kafka; the broker has no use for it.
const NEXT_PRODUCER_EPOCH: u32 = 3;

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

/// As the record has it, not as it is understood: not every writer has partitions in this one's order, and null is no
/// empty list.
fn transaction(bytes: &[u8]) -> Result<String, RecordError> {
    // What the broker would not take for a transaction is none.
    parse_value(bytes)?;
    let mut reader = FieldReader::new(bytes);
    let version = reader.i16("version")?;
    let is_flexible = version >= 1;
    let producer_id = reader.i64("producer id")?;
    let producer_epoch = reader.i16("producer epoch")?;
    let timeout_ms = reader.i32("timeout")?;
    let state = reader.i8("state")?;
    let topics = topics(&mut reader, is_flexible)?;
    let last_update = reader.i64("last update")?;
    let start = reader.i64("start")?;
    // Tagged fields are left out where they are at their default.
    let [mut ids, mut next_epoch, mut client_version] = [String::new(), String::new(), String::new()];
    if is_flexible {
        reader.tagged_fields(|tag, field| {
            match tag {
                PREVIOUS_PRODUCER_ID => {
                    ids += &format!(",\"previousProducerId\":{}", field.i64("previous producer id")?);
                }
                NEXT_PRODUCER_ID => ids += &format!(",\"nextProducerId\":{}", field.i64("next producer id")?),
                CLIENT_VERSION => {
                    client_version =
                        format!(",\"clientTransactionVersion\":{}", field.i16("client version")?);
                }
                NEXT_PRODUCER_EPOCH => {
                    next_epoch = format!(",\"nextProducerEpoch\":{}", field.i16("next producer epoch")?);
                }
                _ => {}
            }
            Ok(())
        })?;
    }
    let data = format!(
        "\"producerId\":{producer_id}{ids},\"producerEpoch\":{producer_epoch}{next_epoch},\
         \"transactionTimeoutMs\":{timeout_ms},\"transactionStatus\":{state},\"transactionPartitions\":{topics},\
         \"transactionLastUpdateTimestampMs\":{last_update},\"transactionStartTimestampMs\":{start}{client_version}"
    );
    Ok(value(version, &data))
}

fn topics(reader: &mut FieldReader<'_>, is_flexible: bool) -> Result<String, RecordError> {
    let Some(count) = reader.nullable_array_len("topics", is_flexible)? else { return Ok("null".to_owned()) };
    let mut topics = Vec::new();
    for _ in 0..count {
        let name = quoted(reader.string("topic", is_flexible)?);
        let mut ids = Vec::new();
        for _ in 0..reader.array_len("partitions", is_flexible)? {
            ids.push(reader.i32("partition")?.to_string());
        }
        if is_flexible {
            reader.skip_tagged_fields()?;
        }
        topics.push(format!("{{\"topic\":{name},\"partitionIds\":[{}]}}", ids.join(",")));
    }
    Ok(format!("[{}]", topics.join(",")))
}
