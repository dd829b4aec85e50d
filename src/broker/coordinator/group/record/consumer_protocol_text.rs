//! What consumers of classic groups tell each other, in words (Kafka: `ConsumerProtocolSubscription`,
//! `ConsumerProtocolAssignment`).

use crate::broker::coordinator::record_format::json::{base64, nullable, quoted};
use crate::broker::coordinator::record_format::{FieldReader, RecordError};

/// What a member wants.
pub(super) fn subscription(bytes: &[u8]) -> Result<String, RecordError> {
    let mut reader = FieldReader::new(bytes);
    let version = version(&mut reader, "a subscription")?;
    let mut topics = Vec::new();
    for _ in 0..reader.array_len("topics", false)? {
        topics.push(quoted(reader.string("topic", false)?));
    }
    let mut text = format!("{{\"topics\":[{}],\"userData\":{}", topics.join(","), user_data(&mut reader)?);
    if version >= 1 {
        text += &format!(",\"ownedPartitions\":{}", partitions(&mut reader)?);
    }
    if version >= 2 {
        text += &format!(",\"generationId\":{}", reader.i32("generation id")?);
    }
    if version >= 3 {
        text += &format!(",\"rackId\":{}", nullable(reader.nullable_string("rack id", false)?));
    }
    Ok(text + "}")
}

/// What a member gets.
pub(super) fn assignment(bytes: &[u8]) -> Result<String, RecordError> {
    let mut reader = FieldReader::new(bytes);
    version(&mut reader, "an assignment")?;
    let partitions = partitions(&mut reader)?;
    Ok(format!("{{\"assignedPartitions\":{partitions},\"userData\":{}}}", user_data(&mut reader)?))
}

fn version(reader: &mut FieldReader<'_>, what: &'static str) -> Result<i16, RecordError> {
    match reader.i16("version")? {
        version @ 0..=3 => Ok(version),
        version => Err(RecordError::Version { what, version }),
    }
}

fn partitions(reader: &mut FieldReader<'_>) -> Result<String, RecordError> {
    let mut topics = Vec::new();
    for _ in 0..reader.array_len("topics", false)? {
        let topic = quoted(reader.string("topic", false)?);
        let mut partitions = Vec::new();
        for _ in 0..reader.array_len("partitions", false)? {
            partitions.push(reader.i32("partition")?.to_string());
        }
        topics.push(format!("{{\"topic\":{topic},\"partitions\":[{}]}}", partitions.join(",")));
    }
    Ok(format!("[{}]", topics.join(",")))
}

fn user_data(reader: &mut FieldReader<'_>) -> Result<String, RecordError> {
    Ok(reader.nullable_bytes("user data")?.map_or_else(|| "null".to_owned(), base64))
}
