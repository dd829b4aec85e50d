//! Every API says the error that a rule wants of it.

use std::net::TcpStream;
use std::ops::RangeInclusive;

use super::super::tests::ask;
use super::super::versions;
use super::Rulable;
use crate::model::ErrorCode;
use crate::protocol::tests::generate::{Generate, Generator};
use crate::protocol::walk::{Field, Walk, Walker};
use crate::protocol::*;
use crate::testkit::{RequestMatch, TestBroker};

/// No handler says it of itself.
const REFUSED: ErrorCode = ErrorCode::DelegationTokenExpired;

/// Versions whose answer has no place for an error, and why.
const SILENT: &[(ApiKey, RangeInclusive<i16>, &str)] = &[(
    ApiKey::DescribeLogDirs,
    0..=2,
    "errors are said of directories, which the request does not name; Kafka's answer is as empty",
)];

/// The answer to a request that has one of everything.
fn answer<R: Rulable + Generate>(stream: &mut TcpStream, version: i16) -> R::Response {
    let requests = (0..).map(|seed| R::generate(&mut Generator::full(seed, version)));
    let request = requests.into_iter().find(R::wants_answer).expect("there is no last seed");
    ask(stream, version, &request)
}

fn is_silent(api: ApiKey, version: i16) -> bool {
    SILENT.iter().any(|(silent, versions, _)| *silent == api && versions.contains(&version))
}

macro_rules! each_answer {
    ($($key:literal $name:ident $versions:tt flexible $flexible:tt; $request:ident $response:ident,)*) => {
        #[test]
        fn a_rule_lets_every_api_say_any_error_in_every_version() {
            let kafka = TestBroker::start().unwrap();
            let rule = kafka.faults().on(RequestMatch::any()).answer(REFUSED);
            let mut stream = TcpStream::connect(kafka.local_addr()).unwrap();
            let (mut asked, mut wrong) = (0, Vec::new());
            $(
                let (min, max) = versions(ApiKey::$name);
                for version in min..=max {
                    let answer = format!("{:?}", answer::<$request>(&mut stream, version));
                    let says = answer.contains(&format!("error_code: {}", REFUSED.code()));
                    if says == is_silent(ApiKey::$name, version) {
                        wrong.push(format!("{} v{version}: {answer}", stringify!($name)));
                    }
                    asked += 1;
                }
            )*
            assert!(wrong.is_empty(), "{wrong:#?}");
            assert_eq!(rule.hits(), asked);
        }
    };
}

for_each_api!(each_answer);

/// What a request names, by the fields that it stands in.
#[derive(Default)]
struct Names {
    fields: Vec<Field>,
    resource_type: i64,
    key_type: i64,
    topics: Vec<String>,
    partitions: Vec<i64>,
    groups: Vec<String>,
    transactional_ids: Vec<String>,
}

impl Names {
    fn of<R: Request>(request: &R) -> Self {
        let mut first = Names::default();
        Walk::walk(&mut request.clone(), &mut first);
        // What a key is of stands behind it.
        let mut names = Names { key_type: first.key_type, ..Names::default() };
        Walk::walk(&mut request.clone(), &mut names);
        names
    }

    fn kind(&mut self) -> Option<&mut Vec<String>> {
        let Field { owner, name, .. } = self.fields.last().copied()?;
        match name {
            // Where a page begins, as another page has told.
            _ if owner == "Cursor" => None,
            "topic" | "topic_name" | "topic_names" | "subscribed_topic_names" => Some(&mut self.topics),
            "name" if owner.contains("Topic") && !owner.contains("Config") => Some(&mut self.topics),
            "group_id" | "group_ids" | "groups" | "groups_names" => Some(&mut self.groups),
            "transactional_id" | "transactional_ids" | "v3_and_below_transactional_id" => {
                Some(&mut self.transactional_ids)
            }
            "key" | "coordinator_keys" => match self.key_type {
                0 => Some(&mut self.groups),
                1 => Some(&mut self.transactional_ids),
                _ => None,
            },
            "resource_name" => match self.resource_type {
                2 => Some(&mut self.topics),
                32 => Some(&mut self.groups),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Walker for Names {
    fn begin_field(&mut self, field: Field) -> bool {
        self.fields.push(field);
        true
    }

    fn end_field(&mut self) {
        self.fields.pop();
    }

    fn number(&mut self, number: i64) {
        let Some(Field { owner, name, .. }) = self.fields.last().copied() else { return };
        match name {
            "resource_type" => self.resource_type = number,
            "key_type" => self.key_type = number,
            "partition" | "partition_index" | "index" | "partitions" | "partition_indexes"
                if owner != "Cursor" =>
            {
                self.partitions.push(number);
            }
            _ => {}
        }
    }

    fn string(&mut self, string: &mut StrBytes) {
        let named = string.to_string();
        // Nothing is meant by no name.
        if let Some(names) = self.kind().filter(|_| !named.is_empty()) {
            names.push(named);
        }
    }
}

/// A request of which as much as can be is named: of the resources with settings, a topic or a group.
fn naming<R: Rulable + Generate>(seed: u64, version: i16) -> R {
    let mut request = R::generate(&mut Generator::full(seed, version));
    let any: &mut dyn std::any::Any = &mut request;
    let resource_type = if seed.is_multiple_of(2) { 2 } else { 32 };
    if let Some(request) = any.downcast_mut::<DescribeConfigsRequest>() {
        request.resources.iter_mut().for_each(|resource| resource.resource_type = resource_type);
    }
    if let Some(request) = any.downcast_mut::<AlterConfigsRequest>() {
        request.resources.iter_mut().for_each(|resource| resource.resource_type = resource_type);
    }
    if let Some(request) = any.downcast_mut::<IncrementalAlterConfigsRequest>() {
        request.resources.iter_mut().for_each(|resource| resource.resource_type = resource_type);
    }
    if let Some(request) = any.downcast_mut::<FindCoordinatorRequest>().filter(|_| version > 0) {
        request.key_type = i8::from(seed.is_multiple_of(2));
    }
    request
}

/// Which names of a request no rule finds it by.
fn unknown<R: Rulable + Generate>(kafka: &TestBroker, stream: &mut TcpStream, version: i16) -> Vec<String> {
    let mut unknown = Vec::new();
    for seed in 0..4 {
        let requests = (0..).map(|step| naming::<R>(seed + 4 * step, version));
        let request = requests.into_iter().find(R::wants_answer).expect("there is no last seed");
        let names = Names::of(&request);
        let matches = [
            names.topics.iter().map(|name| RequestMatch::of(R::KEY).topic(name)).collect::<Vec<_>>(),
            names.groups.iter().map(|id| RequestMatch::of(R::KEY).group(id)).collect(),
            names.transactional_ids.iter().map(|id| RequestMatch::of(R::KEY).transactional_id(id)).collect(),
            names
                .partitions
                .iter()
                .map(|number| RequestMatch::of(R::KEY).partition(i32::try_from(*number).unwrap()))
                .collect(),
        ];
        kafka.clear_journal();
        ask(stream, version, &request);
        let missed = matches.iter().flatten().filter(|wanted| kafka.journal(wanted).len() != 1);
        unknown.extend(missed.map(|wanted| format!("v{version}: {wanted}")));
    }
    unknown
}

macro_rules! each_name {
    ($($key:literal $name:ident $versions:tt flexible $flexible:tt; $request:ident $response:ident,)*) => {
        /// Heartbeats of the consumer protocol were known by their group only, reassignments by no partition.
        #[test]
        fn rules_and_the_journal_know_every_request_by_all_topics_partitions_groups_and_ids_that_it_names() {
            let kafka = TestBroker::start().unwrap();
            kafka.faults().on(RequestMatch::any()).answer(REFUSED);
            let mut stream = TcpStream::connect(kafka.local_addr()).unwrap();
            let mut missed = Vec::new();
            $(
                let (min, max) = versions(ApiKey::$name);
                for version in min..=max {
                    missed.extend(unknown::<$request>(&kafka, &mut stream, version));
                }
            )*
            assert!(missed.is_empty(), "{missed:#?}");
        }
    };
}

for_each_api!(each_name);
