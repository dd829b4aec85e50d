//! A part of the broker for clients of one listener: they see the topics, groups and transactional ids whose names
//! begin with the namespace's, without that beginning, and no others.

mod members;

use std::any::Any;

use bytes::Bytes;
use members::Told;

use crate::broker::{BrokerCore, NamePattern};
use crate::model::is_internal_topic;
use crate::protocol::messages::describe_topic_partitions::TopicRequest;
use crate::protocol::walk::{Field, Walker};
use crate::protocol::{DescribeTopicPartitionsRequest, Request, Response, StrBytes};

/// The resources with settings whose names are those of topics and of groups.
const NAMED_RESOURCES: [i64; 2] = [2, 32];

/// The names of one namespace.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Namespace {
    prefix: String,
}

impl Namespace {
    /// The names that begin with `name` and a dot.
    pub(crate) fn new(name: &str) -> Self {
        Namespace { prefix: format!("{name}.") }
    }

    /// What the broker calls what is called so in the namespace. Topics of the broker's own are the same for all.
    pub(crate) fn full(&self, name: &str) -> String {
        match name.is_empty() || is_internal_topic(name) {
            true => name.to_owned(),
            false => format!("{}{name}", self.prefix),
        }
    }

    /// What is called so here, if the broker's name of it is one of the namespace.
    pub(crate) fn own<'a>(&self, full: &'a str) -> Option<&'a str> {
        match full.is_empty() || is_internal_topic(full) {
            true => Some(full),
            false => full.strip_prefix(&self.prefix),
        }
    }

    /// Gives all names in a request their beginning.
    pub(crate) fn map_request<R: Request + 'static>(&self, request: &mut R, core: &BrokerCore) {
        request.walk(&mut Inward { namespace: self, path: Path::default() });
        let any: &mut dyn Any = request;
        if let Some(request) = any.downcast_mut::<DescribeTopicPartitionsRequest>()
            && request.topics.is_empty()
        {
            // All of them, in pages: a page of others would look like the end.
            let all = core.metadata.topics();
            let own = all.iter().filter(|topic| topic.name().starts_with(&self.prefix));
            request.topics.extend(own.map(|topic| TopicRequest { name: topic.name().as_ref().into() }));
        }
    }

    /// Takes their beginning from all names in an answer, and leaves out what has another.
    pub(crate) fn map_response<R: Response>(&self, response: &mut R) {
        response.walk(&mut Outward { namespace: self, path: Path::default(), foreign: Vec::new() });
    }

    /// Without the namespace's beginning of names in it.
    fn map_message(&self, message: &str) -> String {
        let mut mapped = String::with_capacity(message.len());
        let mut rest = message;
        while let Some(at) = rest.find(&self.prefix) {
            let (before, found) = rest.split_at(at);
            let after = found.strip_prefix(&self.prefix).unwrap_or_default();
            let is_name_char = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            let begins_name = !before.ends_with(is_name_char) && after.starts_with(is_name_char);
            mapped.push_str(before);
            if !begins_name {
                mapped.push_str(&self.prefix);
            }
            rest = after;
        }
        mapped.push_str(rest);
        mapped
    }

    /// The pattern that a client gave, of the one that it became.
    fn own_pattern<'a>(&self, full: &'a str) -> Option<&'a str> {
        NamePattern::split_namespace(full).filter(|(prefix, _)| *prefix == self.prefix).map(|(_, own)| own)
    }
}

/// What a string is.
enum Kind {
    /// A topic, a group, a transactional id.
    Name,
    /// A regular expression for them.
    Pattern,
    /// Words that may have them in it.
    Message,
    /// Something else.
    Other,
}

/// Where in a message we are.
#[derive(Default)]
struct Path {
    fields: Vec<Field>,
    resource_type: i64,
}

impl Path {
    fn note_number(&mut self, number: i64) {
        if self.fields.last().is_some_and(|field| field.name == "resource_type") {
            self.resource_type = number;
        }
    }

    fn kind(&self) -> Kind {
        let Some(Field { owner, name, .. }) = self.fields.last() else { return Kind::Other };
        match *name {
            "topic" | "topics" | "topic_name" | "topic_names" | "subscribed_topic_names" => Kind::Name,
            "group_id" | "group_ids" | "groups" | "groups_names" => Kind::Name,
            "transactional_id" | "transactional_ids" | "v3_and_below_transactional_id" => Kind::Name,
            "key" | "coordinator_keys" if owner.contains("Coordinator") => Kind::Name,
            "name" if owner.contains("Topic") && !owner.contains("Config") => Kind::Name,
            // Who answers it has named them: what type each is of comes only after its name.
            "resource_name" if *owner == "ConfigResource" => Kind::Other,
            "resource_name" if NAMED_RESOURCES.contains(&self.resource_type) => Kind::Name,
            "transactional_id_pattern" | "subscribed_topic_regex" => Kind::Pattern,
            "error_message" | "batch_index_error_message" => Kind::Message,
            _ => Kind::Other,
        }
    }
}

/// What members of a classic group tell each other in a field, if they do.
fn told_by_members(field: Option<&Field>) -> Option<Told> {
    match field?.name {
        "metadata" | "member_metadata" => Some(Told::Subscription),
        "assignment" | "member_assignment" => Some(Told::Assignment),
        _ => None,
    }
}

struct Inward<'a> {
    namespace: &'a Namespace,
    path: Path,
}

impl Walker for Inward<'_> {
    fn begin_field(&mut self, field: Field) -> bool {
        self.path.fields.push(field);
        true
    }

    fn end_field(&mut self) {
        self.path.fields.pop();
    }

    fn number(&mut self, number: i64) {
        self.path.note_number(number);
    }

    fn string(&mut self, string: &mut StrBytes) {
        match self.path.kind() {
            Kind::Name => *string = self.namespace.full(string).into(),
            Kind::Pattern if !string.is_empty() => {
                *string = NamePattern::in_namespace(&self.namespace.prefix, string).into();
            }
            Kind::Pattern | Kind::Message | Kind::Other => {}
        }
    }

    fn bytes(&mut self, bytes: &mut Bytes) {
        let full = |name: &str| self.namespace.full(name);
        if let Some(told) = told_by_members(self.path.fields.last())
            && let Some(renamed) = members::rename(bytes, told, &full)
        {
            *bytes = renamed;
        }
    }
}

struct Outward<'a> {
    namespace: &'a Namespace,
    path: Path,
    /// For each list that we are in, whether its element is somebody else's.
    foreign: Vec<bool>,
}

impl Walker for Outward<'_> {
    fn begin_field(&mut self, field: Field) -> bool {
        self.path.fields.push(field);
        true
    }

    fn end_field(&mut self) {
        self.path.fields.pop();
    }

    fn begin_element(&mut self) {
        self.foreign.push(false);
    }

    fn end_element(&mut self) -> bool {
        !self.foreign.pop().unwrap_or(false)
    }

    fn number(&mut self, number: i64) {
        self.path.note_number(number);
    }

    fn string(&mut self, string: &mut StrBytes) {
        match self.path.kind() {
            Kind::Name => match self.namespace.own(string) {
                Some(own) => *string = own.into(),
                None => {
                    if let Some(foreign) = self.foreign.last_mut() {
                        *foreign = true;
                    }
                }
            },
            Kind::Pattern => {
                if let Some(own) = self.namespace.own_pattern(string) {
                    *string = own.into();
                }
            }
            Kind::Message => *string = self.namespace.map_message(string).into(),
            Kind::Other => {}
        }
    }

    fn bytes(&mut self, bytes: &mut Bytes) {
        let own = |name: &str| self.namespace.own(name).unwrap_or(name).to_owned();
        if let Some(told) = told_by_members(self.path.fields.last())
            && let Some(renamed) = members::rename(bytes, told, &own)
        {
            *bytes = renamed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Uuid;
    use crate::protocol::messages as m;

    fn namespace() -> Namespace {
        Namespace::new("a")
    }

    #[test]
    fn messages_lose_the_namespace_in_names_and_nowhere_else() {
        let told = "Topic 'a.orders' is not a. good one, a.b is, and Na.orders is no name of a.";
        let expected = "Topic 'orders' is not a. good one, b is, and Na.orders is no name of a.";
        assert_eq!(namespace().map_message(told), expected);
    }

    #[test]
    fn others_are_left_out_of_lists_with_all_that_is_in_them() {
        use m::metadata::{MetadataResponsePartition, MetadataResponseTopic};
        let topic = |name: &str| MetadataResponseTopic {
            name: Some(name.into()),
            partitions: vec![MetadataResponsePartition::default(), MetadataResponsePartition::default()],
            ..Default::default()
        };
        let names = ["a.orders", "b.orders", "orders", "__consumer_offsets", ""];
        let mut response = m::MetadataResponse { topics: names.map(topic).into(), ..Default::default() };
        namespace().map_response(&mut response);
        let left: Vec<_> = response.topics.iter().map(|topic| topic.name.as_deref().unwrap()).collect();
        assert_eq!(left, ["orders", "__consumer_offsets", ""]);
        assert_eq!(response.topics[0].partitions.len(), 2);
    }

    #[test]
    fn only_names_of_topics_and_groups_among_resources_are_changed() {
        use m::describe_configs::DescribeConfigsResource;
        let resource = |resource_type, resource_name: &str| DescribeConfigsResource {
            resource_type,
            resource_name: resource_name.into(),
            configuration_keys: Some(vec!["retention.ms".into()]),
        };
        let resources = vec![resource(2, "orders"), resource(4, "1"), resource(32, "billing")];
        let mut request = m::DescribeConfigsRequest { resources, ..Default::default() };
        request_walk(&mut request);
        let names: Vec<_> = request.resources.iter().map(|resource| &*resource.resource_name).collect();
        assert_eq!(names, ["a.orders", "1", "a.billing"]);
        assert_eq!(request.resources[0].configuration_keys.as_ref().unwrap()[0], "retention.ms");
    }

    fn request_walk<R: Request>(request: &mut R) {
        let namespace = namespace();
        request.walk(&mut Inward { namespace: &namespace, path: Path::default() });
    }

    #[test]
    fn what_a_topic_is_called_is_changed_and_what_its_settings_are_called_is_not() {
        use m::create_topics::{CreatableTopic, CreatableTopicConfig};
        let configs = vec![CreatableTopicConfig { name: "retention.ms".into(), value: None }];
        let topics = vec![CreatableTopic { name: "orders".into(), configs, ..Default::default() }];
        let mut request = m::CreateTopicsRequest { topics, ..Default::default() };
        request_walk(&mut request);
        assert_eq!(request.topics[0].name, "a.orders");
        assert_eq!(request.topics[0].configs[0].name, "retention.ms");
        let mut request = m::ListTransactionsRequest {
            transactional_id_pattern: Some("till|x".into()),
            ..Default::default()
        };
        request_walk(&mut request);
        let pattern = request.transactional_id_pattern.unwrap();
        assert_eq!(namespace().own_pattern(&pattern), Some("till|x"));
        assert_eq!(Namespace::new("b").own_pattern(&pattern), None);
    }

    /// A topic that is named by its id has no name, and must not get one.
    #[test]
    fn nothing_is_named_that_has_no_name() {
        use m::fetch::FetchTopic;
        let topics = vec![FetchTopic { topic_id: Uuid::from_bytes([7; 16]), ..Default::default() }];
        let mut request = m::FetchRequest { topics, ..Default::default() };
        request_walk(&mut request);
        assert_eq!(request.topics[0].topic, "");
    }

    #[test]
    fn topics_groups_and_transactional_ids_are_named_at_once() {
        use m::txn_offset_commit::{TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic};
        let topics = vec![TxnOffsetCommitRequestTopic {
            name: "orders".into(),
            partitions: vec![TxnOffsetCommitRequestPartition::default()],
        }];
        let request = m::TxnOffsetCommitRequest {
            transactional_id: "till".into(),
            group_id: "billing".into(),
            topics,
            ..Default::default()
        };
        let mut mapped = request.clone();
        request_walk(&mut mapped);
        assert_eq!((&*mapped.transactional_id, &*mapped.group_id), ("a.till", "a.billing"));
        assert_eq!(mapped.topics[0].name, "a.orders");
    }
}
