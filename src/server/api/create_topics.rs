//! CreateTopics, 0-7: makes topics, each on its own.
//!
//! 0 came with KIP-4; 1 can only check (`validate_only`) and explains errors; 4 takes -1 for the broker's own number of
//! partitions and replicas (KIP-464); 5 is flexible and answers what the topic is like (KIP-525); 6 may be throttled
//! (KIP-599); 7 answers the topic's id (KIP-516).
//!
//! The answer leaves when the topics can be used.

use std::collections::HashSet;

use super::request::{Call, RequestContext};
use crate::broker::{CreatedTopic, NewTopic};
use crate::model::{ErrorCode, Uuid};
use crate::protocol::messages::create_topics::{CreatableTopic, CreatableTopicConfigs, CreatableTopicResult};
use crate::protocol::{CreateTopicsRequest, CreateTopicsResponse, StrBytes};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: CreateTopicsRequest) -> Outcome {
    call.respond_in_order_on_io_thread(request, |context, request| {
        let topics: Vec<NewTopic> = request.topics.iter().map(new_topic).collect();
        let created = context.core.create_topics(&topics, request.validate_only);
        let mut named = HashSet::with_capacity(topics.len());
        let mut response = CreateTopicsResponse::default();
        for (asked, created) in request.topics.into_iter().zip(created) {
            // A name that was asked for twice is refused twice, and answered once.
            if !named.insert(asked.name.clone()) {
                continue;
            }
            response.topics.push(match created {
                Ok(created) => describe(context, asked.name, &created, request.validate_only),
                Err(error) => CreatableTopicResult {
                    name: asked.name,
                    error_code: error.code().code(),
                    error_message: Some(error.to_string().into()),
                    ..CreatableTopicResult::default()
                },
            });
        }
        response
    })
}

fn new_topic(asked: &CreatableTopic) -> NewTopic {
    let assignments =
        asked.assignments.iter().map(|manual| (manual.partition_index, manual.broker_ids.clone()));
    let text = |value: &StrBytes| value.to_string();
    NewTopic {
        name: asked.name.to_string(),
        num_partitions: asked.num_partitions,
        replication_factor: asked.replication_factor,
        assignments: assignments.collect(),
        configs: asked
            .configs
            .iter()
            .map(|config| (text(&config.name), config.value.as_ref().map(text)))
            .collect(),
    }
}

fn describe(
    context: &RequestContext,
    name: StrBytes,
    created: &CreatedTopic,
    validate_only: bool,
) -> CreatableTopicResult {
    let result = CreatableTopicResult {
        name,
        topic_id: if validate_only { Uuid::ZERO } else { created.id },
        error_message: None,
        num_partitions: created.num_partitions,
        replication_factor: created.replication_factor,
        ..CreatableTopicResult::default()
    };
    match context.core.describe_topic_overrides(&created.overrides) {
        Ok(entries) => {
            let configs = entries.into_iter().map(|entry| CreatableTopicConfigs {
                name: entry.name.into(),
                value: entry.value.map(Into::into),
                read_only: entry.read_only,
                config_source: entry.source.code(),
                is_sensitive: entry.sensitive,
            });
            CreatableTopicResult { configs: Some(configs.collect()), ..result }
        }
        Err(error) => {
            tracing::error!("{context}: cannot describe the new topic: {error}");
            let topic_config_error_code = ErrorCode::UnknownServerError.code();
            CreatableTopicResult { configs: None, topic_config_error_code, ..result }
        }
    }
}
