//! CreatePartitions, 0-3: adds partitions to topics (KIP-195); 2 is flexible, 3 may be throttled (KIP-599).

use std::collections::HashMap;

use super::request::Call;
use crate::broker::NewPartitions;
use crate::error::{Error, Result};
use crate::model::ErrorCode;
use crate::protocol::messages::create_partitions::{CreatePartitionsTopic, CreatePartitionsTopicResult};
use crate::protocol::{CreatePartitionsRequest, CreatePartitionsResponse, StrBytes};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: CreatePartitionsRequest) -> Outcome {
    call.respond_in_order_on_io_thread(request, |context, request| {
        let mut counts: HashMap<StrBytes, usize> = HashMap::with_capacity(request.topics.len());
        for topic in &request.topics {
            *counts.entry(topic.name.clone()).or_default() += 1;
        }
        let mut results = Vec::with_capacity(request.topics.len());
        for topic in request.topics {
            let created = match counts.remove(&topic.name) {
                // It was answered with its first mention.
                None => continue,
                Some(1) => context.core.create_partitions(&new_partitions(&topic), request.validate_only),
                Some(_) => Err(Error::new(ErrorCode::InvalidRequest, "Duplicate topic name.")),
            };
            results.push(result(topic.name, created));
        }
        CreatePartitionsResponse { results, ..CreatePartitionsResponse::default() }
    })
}

fn new_partitions(asked: &CreatePartitionsTopic) -> NewPartitions {
    let of_one = |assignments: &Vec<_>| {
        assignments
            .iter()
            .map(|manual: &crate::protocol::messages::create_partitions::CreatePartitionsAssignment| {
                manual.broker_ids.clone()
            })
            .collect()
    };
    NewPartitions {
        topic: asked.name.to_string(),
        count: asked.count,
        assignments: asked.assignments.as_ref().map(of_one),
    }
}

fn result(name: StrBytes, created: Result<()>) -> CreatePartitionsTopicResult {
    let (error_code, error_message) = match created {
        Ok(()) => (ErrorCode::None, None),
        Err(error) => (error.code(), Some(error.to_string().into())),
    };
    CreatePartitionsTopicResult { name, error_code: error_code.code(), error_message }
}
