use std::borrow::Cow;
use std::fmt;

use crate::broker::coordinator::share::ShareStateError;
use crate::model::ErrorCode;

/// Why something about a share partition is refused, with Kafka's words where it has any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShareError {
    pub(crate) code: ErrorCode,
    pub(crate) message: Cow<'static, str>,
}

impl ShareError {
    pub(super) fn new(code: ErrorCode, message: &'static str) -> Self {
        ShareError { code, message: Cow::Borrowed(message) }
    }

    /// What a member is told when the state cannot be read or kept (Kafka: `SharePartition#fetchPersisterError`).
    pub(super) fn of_state(error: ShareStateError) -> Self {
        let code = match error.code {
            ErrorCode::NotCoordinator
            | ErrorCode::CoordinatorNotAvailable
            | ErrorCode::CoordinatorLoadInProgress => ErrorCode::CoordinatorNotAvailable,
            ErrorCode::FencedLeaderEpoch | ErrorCode::FencedStateEpoch => ErrorCode::NotLeaderOrFollower,
            known @ (ErrorCode::GroupIdNotFound | ErrorCode::UnknownTopicOrPartition) => known,
            _ => ErrorCode::UnknownServerError,
        };
        ShareError { code, message: error.message }
    }

    /// Whether the share partition is of no use any more, and the next fetch makes it anew.
    pub(super) fn is_fencing(&self) -> bool {
        matches!(
            self.code,
            ErrorCode::NotLeaderOrFollower
                | ErrorCode::FencedStateEpoch
                | ErrorCode::GroupIdNotFound
                | ErrorCode::UnknownTopicOrPartition
        )
    }
}

impl From<ErrorCode> for ShareError {
    fn from(code: ErrorCode) -> Self {
        ShareError { code, message: Cow::Owned(code.to_string()) }
    }
}

impl fmt::Display for ShareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
