//! The topic's id, beside its log (Kafka: `PartitionMetadataFile`).

use super::ContentError;
use crate::model::Uuid;

/// The text of the file. Kafka writes no line end after the last line.
pub(crate) fn format_partition_metadata(topic_id: Uuid) -> Vec<u8> {
    format!("version: 0\ntopic_id: {topic_id}").into_bytes()
}

/// Reads such a text.
pub(crate) fn parse_partition_metadata(content: &[u8]) -> Result<Uuid, ContentError> {
    let text = std::str::from_utf8(content).map_err(|error| error.to_string())?;
    let mut lines = text.lines();
    let mut value_of = |key: &'static str| {
        let line = lines.next().unwrap_or_default();
        match line.split_once(':') {
            Some((found, value)) if found.trim() == key => Ok(value.trim()),
            _ => Err(format!("'{line}' stands where '{key}: …' is expected")),
        }
    };
    let version = value_of("version")?;
    if version != "0" {
        return Err(ContentError::of_version(version, 0));
    }
    let id = value_of("topic_id")?.parse();
    id.map_err(|error: crate::model::ParseUuidError| error.to_string().into())
}
