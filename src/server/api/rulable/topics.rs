//! Requests about topics and settings.

use super::*;

impl Rulable for m::MetadataRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::MetadataResponse {
        let topics = self.topics.iter().flatten().map(|topic| m::metadata::MetadataResponseTopic {
            error_code: code.code(),
            name: Some(topic.name.clone().unwrap_or_default()),
            topic_id: topic.topic_id,
            ..Default::default()
        });
        m::MetadataResponse { topics: topics.collect(), error_code: code.code(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let none = StrBytes::new();
        topics(
            self.topics
                .iter()
                .flatten()
                .map(|t| topic(context, t.name.as_ref().unwrap_or(&none), t.topic_id, std::iter::empty())),
        )
    }

    fn take(&mut self, context: &RequestContext, selection: &Selection<'_>) -> Taken<Self> {
        let Some(asked) = &mut self.topics else { return Taken::Whole };
        let none = StrBytes::new();
        let wrong = take_some(asked, |one| {
            let name = topic_name(context, one.name.as_ref().unwrap_or(&none), one.topic_id);
            (selection.means)(Place::Topic(&name))
        });
        match wrong.is_empty() {
            true => Taken::Nothing,
            false => Taken::Part(m::MetadataRequest { topics: Some(wrong), ..self.clone() }),
        }
    }

    fn merge(response: &mut m::MetadataResponse, wrong: &m::MetadataResponse) {
        response.topics.extend_from_slice(&wrong.topics);
    }
}

impl Rulable for m::DescribeTopicPartitionsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::DescribeTopicPartitionsResponse {
        let topics = self.topics.iter().map(|topic| {
            m::describe_topic_partitions::DescribeTopicPartitionsResponseTopic {
                error_code: code.code(),
                name: Some(topic.name.clone()),
                ..Default::default()
            }
        });
        m::DescribeTopicPartitionsResponse { topics: topics.collect(), ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        topics(self.topics.iter().map(|topic| whole_topic(&topic.name)))
    }

    one_by_one! { topics: |one| Place::Topic(&one.name), topics }
}

impl Rulable for m::CreateTopicsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::CreateTopicsResponse {
        let topics = self.topics.iter().map(|topic| m::create_topics::CreatableTopicResult {
            name: topic.name.clone(),
            error_code: code.code(),
            error_message: None,
            ..Default::default()
        });
        m::CreateTopicsResponse { topics: topics.collect(), ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        // Where each replica is to be may be said of each partition.
        let asked = self.topics.iter();
        topics(asked.map(|t| partitions_of(&t.name, t.assignments.iter().map(|to| to.partition_index))))
    }

    one_by_one! { topics: |one| Place::Topic(&one.name), topics }
}

impl Rulable for m::CreatePartitionsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::CreatePartitionsResponse {
        let results = self.topics.iter().map(|topic| m::create_partitions::CreatePartitionsTopicResult {
            name: topic.name.clone(),
            error_code: code.code(),
            error_message: None,
        });
        m::CreatePartitionsResponse { results: results.collect(), ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        topics(self.topics.iter().map(|topic| whole_topic(&topic.name)))
    }

    one_by_one! { topics: |one| Place::Topic(&one.name), results }
}

impl Rulable for m::DeleteTopicsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::DeleteTopicsResponse {
        let result = |name: Option<StrBytes>, topic_id| m::delete_topics::DeletableTopicResult {
            name,
            topic_id,
            error_code: code.code(),
            error_message: None,
        };
        let by_name = self.topic_names.iter().map(|name| result(Some(name.clone()), Uuid::ZERO));
        let new = self.topics.iter().map(|topic| result(topic.name.clone(), topic.topic_id));
        m::DeleteTopicsResponse { responses: by_name.chain(new).collect(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let none = StrBytes::new();
        let by_name = self.topic_names.iter().map(whole_topic);
        let new = self
            .topics
            .iter()
            .map(|t| topic(context, t.name.as_ref().unwrap_or(&none), t.topic_id, std::iter::empty()));
        topics(by_name.chain(new))
    }

    fn take(&mut self, context: &RequestContext, selection: &Selection<'_>) -> Taken<Self> {
        let none = StrBytes::new();
        let topic_names = take_some(&mut self.topic_names, |name| (selection.means)(Place::Topic(name)));
        let topics = take_some(&mut self.topics, |one| {
            let name = topic_name(context, one.name.as_ref().unwrap_or(&none), one.topic_id);
            (selection.means)(Place::Topic(&name))
        });
        match topic_names.is_empty() && topics.is_empty() {
            true => Taken::Nothing,
            false => Taken::Part(m::DeleteTopicsRequest { topic_names, topics, ..self.clone() }),
        }
    }

    fn is_spent(&self) -> bool {
        self.topic_names.is_empty() && self.topics.is_empty()
    }

    fn merge(response: &mut m::DeleteTopicsResponse, wrong: &m::DeleteTopicsResponse) {
        response.responses.extend_from_slice(&wrong.responses);
    }
}

/// Requests about settings differ in nothing but their names.
macro_rules! settings {
    ($($file:ident $request:ident => $response:ident $list:ident: $result:ident;)*) => {$(
        impl Rulable for m::$request {
            fn error_response(&self, code: ErrorCode, _: i16) -> m::$response {
                let results = self.resources.iter().map(|resource| m::$file::$result {
                    error_code: code.code(),
                    error_message: None,
                    resource_type: resource.resource_type,
                    resource_name: resource.resource_name.clone(),
                    ..Default::default()
                });
                m::$response { $list: results.collect(), ..Default::default() }
            }

            fn scope(&self, _: &RequestContext) -> Scope {
                let of_topics = self.resources.iter().filter(|resource| resource.resource_type == TOPIC_RESOURCE);
                let of_groups = self.resources.iter().filter(|resource| resource.resource_type == GROUP_RESOURCE);
                Scope {
                    groups: of_groups.map(|resource| resource.resource_name.to_string()).collect(),
                    ..topics(of_topics.map(|resource| whole_topic(&resource.resource_name)))
                }
            }

            fn take(&mut self, _: &RequestContext, selection: &Selection<'_>) -> Taken<Self> {
                let mut taken = self.clone();
                taken.resources = take_some(&mut self.resources, |resource| {
                    let name = &*resource.resource_name;
                    match resource.resource_type {
                        TOPIC_RESOURCE => selection.is_of_topics && (selection.means)(Place::Topic(name)),
                        GROUP_RESOURCE => !selection.is_of_topics && (selection.means)(Place::Group(name)),
                        _ => false,
                    }
                });
                match (taken.resources.is_empty(), selection.is_of_topics) {
                    (false, _) => Taken::Part(taken),
                    (true, true) => Taken::Nothing,
                    (true, false) => Taken::Whole,
                }
            }

            fn is_spent(&self) -> bool {
                self.resources.is_empty()
            }

            fn merge(response: &mut Self::Response, wrong: &Self::Response) {
                response.$list.extend_from_slice(&wrong.$list);
            }
        }
    )*};
}

#[allow(clippy::needless_update, reason = "some results have more fields than these")]
mod of_settings {
    use super::super::*;

    settings! {
        describe_configs DescribeConfigsRequest => DescribeConfigsResponse results: DescribeConfigsResult;
        alter_configs AlterConfigsRequest => AlterConfigsResponse responses: AlterConfigsResourceResponse;
        incremental_alter_configs IncrementalAlterConfigsRequest => IncrementalAlterConfigsResponse
            responses: AlterConfigsResourceResponse;
    }
}

impl Rulable for m::AlterPartitionReassignmentsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::AlterPartitionReassignmentsResponse {
        m::AlterPartitionReassignmentsResponse { error_code: code.code(), ..Default::default() }
    }

    fn part_response(
        &self,
        code: ErrorCode,
        _: i16,
        _: &Selection<'_>,
    ) -> m::AlterPartitionReassignmentsResponse {
        use m::alter_partition_reassignments::{ReassignablePartitionResponse, ReassignableTopicResponse};
        let partition = |partition_index| ReassignablePartitionResponse {
            partition_index,
            error_code: code.code(),
            error_message: None,
        };
        let responses = self.topics.iter().map(|topic| ReassignableTopicResponse {
            name: topic.name.clone(),
            partitions: topic.partitions.iter().map(|asked| partition(asked.partition_index)).collect(),
        });
        m::AlterPartitionReassignmentsResponse { responses: responses.collect(), ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        let asked = self.topics.iter();
        topics(asked.map(|t| partitions_of(&t.name, t.partitions.iter().map(|p| p.partition_index))))
    }

    by_partition! {
        topics.partitions: |t, p| (&t.name, Uuid::ZERO, p.partition_index),
        responses.partitions: |a, b| a.name == b.name
    }
}
