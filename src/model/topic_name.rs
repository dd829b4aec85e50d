//! What a topic may be called (Kafka: `org.apache.kafka.common.internals.Topic`).

/// Where consumer groups keep their offsets and members.
pub(crate) const CONSUMER_OFFSETS_TOPIC: &str = "__consumer_offsets";
/// Where the transaction coordinator keeps its state.
pub(crate) const TRANSACTION_STATE_TOPIC: &str = "__transaction_state";
/// Where the share coordinator keeps how far share groups are with their records.
pub(crate) const SHARE_GROUP_STATE_TOPIC: &str = "__share_group_state";
/// The longest name, so that `name-partition.uuid-delete` fits a directory entry.
pub(crate) const MAX_TOPIC_NAME_LEN: usize = 249;

/// Why a topic may not have a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTopicName {
    /// The name has no character.
    #[error("the empty string is not allowed as a topic name")]
    Empty,
    /// The name means a directory.
    #[error("'{0}' is not allowed as a topic name: it names a directory; choose another name")]
    Dots(String),
    /// The name is longer than [`MAX_TOPIC_NAME_LEN`].
    #[error("the topic name has {len} characters; {MAX_TOPIC_NAME_LEN} is the most that is allowed")]
    TooLong {
        /// The length of the name, in bytes.
        len: usize,
    },
    /// The name has a character outside `[a-zA-Z0-9._-]`.
    #[error(
        "topic name '{0}' is illegal: it holds a character other than ASCII letters, digits, '.', '_' and '-'"
    )]
    IllegalCharacter(String),
}

/// Checks a name against Kafka's rules.
pub(crate) fn validate_topic_name(name: &str) -> Result<(), InvalidTopicName> {
    if name.is_empty() {
        return Err(InvalidTopicName::Empty);
    }
    if name == "." || name == ".." {
        return Err(InvalidTopicName::Dots(name.to_owned()));
    }
    if name.len() > MAX_TOPIC_NAME_LEN {
        return Err(InvalidTopicName::TooLong { len: name.len() });
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')) {
        return Err(InvalidTopicName::IllegalCharacter(name.to_owned()));
    }
    Ok(())
}

/// Whether two names would share a metric name: equal once `.` reads as `_`.
pub(crate) fn has_collision(a: &str, b: &str) -> bool {
    let fold = |c: u8| if c == b'.' { b'_' } else { c };
    a.len() == b.len() && a.bytes().map(fold).eq(b.bytes().map(fold))
}

/// Whether the broker itself owns the topic.
pub(crate) fn is_internal_topic(name: &str) -> bool {
    matches!(name, CONSUMER_OFFSETS_TOPIC | TRANSACTION_STATE_TOPIC | SHARE_GROUP_STATE_TOPIC)
}
