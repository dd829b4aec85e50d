use std::borrow::Cow;
use std::fmt;

use crate::model::ErrorCode;

/// Why the state of a share partition was not read or changed, in Kafka's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShareStateError {
    pub(crate) code: ErrorCode,
    pub(crate) message: Cow<'static, str>,
}

impl ShareStateError {
    pub(super) fn invalid(message: &'static str) -> Self {
        ShareStateError { code: ErrorCode::InvalidRequest, message: Cow::Borrowed(message) }
    }

    /// A failure on the way to the state or to its record.
    pub(super) fn failed(what: &str, code: ErrorCode) -> Self {
        let message = Cow::Owned(format!("Unable to {what} share group state: {}", kafka_message(code)));
        ShareStateError { code, message }
    }
}

/// What Kafka's brokers say of an error, where clients are sent it.
fn kafka_message(code: ErrorCode) -> Cow<'static, str> {
    Cow::Borrowed(match code {
        ErrorCode::NotCoordinator => "This is not the correct coordinator.",
        ErrorCode::CoordinatorNotAvailable => "The coordinator is not available.",
        ErrorCode::CoordinatorLoadInProgress => {
            "The coordinator is loading and hence can't process requests."
        }
        ErrorCode::FencedLeaderEpoch => {
            "The leader epoch in the request is older than the epoch on the broker."
        }
        ErrorCode::FencedStateEpoch => {
            "The share coordinator rejected the request because the share-group state epoch did not match."
        }
        ErrorCode::UnknownTopicOrPartition => "This server does not host this topic-partition.",
        other => return Cow::Owned(other.to_string()),
    })
}

impl From<ErrorCode> for ShareStateError {
    fn from(code: ErrorCode) -> Self {
        ShareStateError { code, message: kafka_message(code) }
    }
}

impl fmt::Display for ShareStateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
