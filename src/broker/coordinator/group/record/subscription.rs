use crate::broker::coordinator::record_format::{FieldReader, RecordError};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The topics in the metadata that a consumer joins with (Kafka: `ConsumerProtocolSubscription`). Every version
/// begins as version 0 does, so that is all that is read.
pub(in super::super) fn subscribed_topics(metadata: &[u8]) -> Result<BTreeSet<Arc<str>>, RecordError> {
    let mut reader = FieldReader::new(metadata);
    let version = reader.i16("version")?;
    if version < 0 {
        return Err(RecordError::Version { what: "a subscription", version });
    }
    let mut topics = BTreeSet::new();
    for _ in 0..reader.array_len("topics", false)? {
        topics.insert(Arc::from(reader.string("topic", false)?));
    }
    Ok(topics)
}
