//! What the requests about share groups' state have in common.

use super::request::RequestContext;
use crate::broker::ShareStateError;
use crate::protocol::StrBytes;

/// Whether a request has what an answer is about. One that has not is answered with nothing, as in Kafka.
pub(super) fn is_answered(
    context: &RequestContext,
    group_id: &str,
    mut partition_counts: impl ExactSizeIterator<Item = usize>,
) -> bool {
    let is_empty = partition_counts.len() == 0 || partition_counts.any(|count| count == 0);
    if is_empty || group_id.is_empty() {
        tracing::debug!("{context}: names no group, or no partition of a topic");
        return false;
    }
    true
}

/// What is said of an error.
pub(super) fn message(error: &ShareStateError) -> Option<StrBytes> {
    Some(error.message.to_string().into())
}
