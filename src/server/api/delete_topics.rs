//! DeleteTopics, 0-6: deletes topics with their records, by name, or from 6 on by id (KIP-516).
//!
//! 0 came with KIP-4; 3 tells with a code of its own that deletion is disabled (KIP-322); 4 is flexible; 5 explains errors
//! and may be throttled (KIP-599).
//!
//! The answer leaves when the topics are gone; their files follow after `file.delete.delay.ms`.

use std::collections::HashMap;

use super::request::{Call, RequestContext};
use crate::error::{Error, Result};
use crate::model::{ErrorCode, Uuid};
use crate::protocol::messages::delete_topics::{DeletableTopicResult, DeleteTopicState};
use crate::protocol::{DeleteTopicsRequest, DeleteTopicsResponse, StrBytes};
use crate::server::network::Outcome;

/// The first version whose client knows TOPIC_DELETION_DISABLED.
const FIRST_DELETION_DISABLED: i16 = 3;

pub(super) fn handle(call: Call<'_>, request: DeleteTopicsRequest) -> Outcome {
    call.respond_in_order_on_io_thread(request, |context, request| {
        let by_name = request.topic_names.into_iter();
        let by_name =
            by_name.map(|name| DeleteTopicState { name: Some(name), ..DeleteTopicState::default() });
        let topics: Vec<DeleteTopicState> = request.topics.into_iter().chain(by_name).collect();
        let refusal = check(context, &topics).err();
        let mut counts: HashMap<DeleteTopicKey, usize> = HashMap::with_capacity(topics.len());
        for topic in &topics {
            *counts.entry(key(topic)).or_default() += 1;
        }
        let mut responses = Vec::with_capacity(topics.len());
        for topic in topics {
            let deleted = match (&refusal, counts.remove(&key(&topic))) {
                // It was answered with its first mention.
                (_, None) => continue,
                (Some(refusal), _) => Err(Error::new(refusal.code(), refusal.to_string())),
                (None, Some(1)) => delete(context, &topic),
                (None, Some(_)) => Err(Error::new(ErrorCode::InvalidRequest, "Duplicate topic.")),
            };
            responses.push(result(topic, deleted));
        }
        DeleteTopicsResponse { responses, ..DeleteTopicsResponse::default() }
    })
}

type DeleteTopicKey = (Option<StrBytes>, Uuid);

fn key(topic: &DeleteTopicState) -> DeleteTopicKey {
    (topic.name.clone(), topic.topic_id)
}

/// What speaks against the whole request.
fn check(context: &RequestContext, topics: &[DeleteTopicState]) -> Result<()> {
    if let Err(error) = context.core.check_deletion() {
        return Err(match error.code() {
            ErrorCode::TopicDeletionDisabled if context.version() < FIRST_DELETION_DISABLED => {
                Error::from(ErrorCode::InvalidRequest)
            }
            _ => error,
        });
    }
    if topics.iter().any(|topic| topic.name.is_some() && !topic.topic_id.is_zero()) {
        return Err(Error::new(
            ErrorCode::InvalidRequest,
            "Topic name and topic id can not both be specified.",
        ));
    }
    Ok(())
}

/// The name and the id of the topic that was deleted.
fn delete(context: &RequestContext, topic: &DeleteTopicState) -> Result<(StrBytes, Uuid)> {
    let metadata = &context.core.metadata;
    let (name, topic_id) = match &topic.name {
        Some(name) => (name.clone(), metadata.topic(name).map(|found| found.id()).unwrap_or_default()),
        None if topic.topic_id.is_zero() => {
            return Err(Error::new(ErrorCode::InvalidRequest, "Neither topic name nor id were specified."));
        }
        None => {
            let found = metadata.topic_by_id(topic.topic_id);
            let found = found.ok_or_else(|| Error::from(ErrorCode::UnknownTopicId))?;
            (StrBytes::from(&**found.name()), topic.topic_id)
        }
    };
    context.core.delete_topic(&name)?;
    Ok((name, topic_id))
}

fn result(topic: DeleteTopicState, deleted: Result<(StrBytes, Uuid)>) -> DeletableTopicResult {
    let DeleteTopicState { name, topic_id } = topic;
    match deleted {
        Ok((name, topic_id)) => {
            DeletableTopicResult { name: Some(name), topic_id, ..DeletableTopicResult::default() }
        }
        Err(error) => DeletableTopicResult {
            name,
            topic_id,
            error_code: error.code().code(),
            error_message: Some(error.to_string().into()),
        },
    }
}
