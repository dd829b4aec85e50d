//! DescribeConfigs, AlterConfigs and IncrementalAlterConfigs.

use kafka_protocol_018::messages::alter_configs_request as replace;
use kafka_protocol_018::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol_018::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult,
};
use kafka_protocol_018::messages::incremental_alter_configs_request as alter;
use kafka_protocol_018::messages::{
    AlterConfigsRequest, DescribeConfigsRequest, IncrementalAlterConfigsRequest, ListConfigResourcesRequest,
};
use ottla::ErrorCode;

use super::client::Client;
use super::fixture::{Fixture, code, text};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const BROKER_LOGGER: i8 = 8;
const GROUP: i8 = 32;

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

fn describe(
    client: &mut Client,
    version: i16,
    type_: i8,
    name: &str,
    keys: Option<&[&str]>,
) -> DescribeConfigsResult {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(type_)
        .with_resource_name(text(name))
        .with_configuration_keys(keys.map(|keys| keys.iter().map(|key| text(key)).collect()));
    let request = DescribeConfigsRequest::default()
        .with_resources(vec![resource])
        .with_include_synonyms(true)
        .with_include_documentation(version >= 3);
    client.call(version, &request).results.remove(0)
}

/// One setting of a topic.
fn topic_config(client: &mut Client, key: &str) -> DescribeConfigsResourceResult {
    let mut described = describe(client, 4, TOPIC, "t", Some(&[key]));
    assert_eq!(code(described.error_code), ErrorCode::None);
    described.configs.remove(0)
}

fn value(config: &DescribeConfigsResourceResult) -> &str {
    config.value.as_ref().unwrap()
}

/// Changes settings: the error, and whether there is a text with it.
fn alter(client: &mut Client, type_: i8, name: &str, changes: &[(&str, i8, Option<&str>)]) -> ErrorCode {
    let configs = changes.iter().map(|(key, op, value)| {
        alter::AlterableConfig::default()
            .with_name(text(key))
            .with_config_operation(*op)
            .with_value(value.map(text))
    });
    let resource = alter::AlterConfigsResource::default()
        .with_resource_type(type_)
        .with_resource_name(text(name))
        .with_configs(configs.collect());
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    let response = client.call(1, &request).responses.remove(0);
    assert_eq!(response.error_message.is_some(), response.error_code != 0);
    code(response.error_code)
}

fn replace(
    client: &mut Client,
    name: &str,
    configs: &[(&str, Option<&str>)],
    validate_only: bool,
) -> ErrorCode {
    let configs = configs.iter().map(|(key, value)| {
        replace::AlterableConfig::default().with_name(text(key)).with_value(value.map(text))
    });
    let resource = replace::AlterConfigsResource::default()
        .with_resource_type(TOPIC)
        .with_resource_name(text(name))
        .with_configs(configs.collect());
    let request =
        AlterConfigsRequest::default().with_resources(vec![resource]).with_validate_only(validate_only);
    code(client.call(2, &request).responses[0].error_code)
}

#[test]
fn every_version_describes_a_topic() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[("max.message.bytes", "1000")]);
    for version in 1..=4 {
        let described = describe(&mut client, version, TOPIC, "t", None);
        assert_eq!((code(described.error_code), described.error_message), (ErrorCode::None, Some(text(""))));
        assert!(described.configs.len() > 25);
        let find = |key: &str| described.configs.iter().find(|config| config.name.as_str() == key).unwrap();
        let own = find("max.message.bytes");
        assert_eq!((value(own), own.config_source), ("1000", 1), "version {version}");
        let synonyms = own.synonyms.iter().map(|synonym| (synonym.name.as_str(), synonym.source));
        let synonyms: Vec<(&str, i8)> = synonyms.collect();
        assert_eq!(synonyms, [("max.message.bytes", 1), ("message.max.bytes", 5)]);
        let segment = find("segment.bytes");
        assert_eq!((value(segment), segment.config_source), ("1073741824", 5));
        assert_eq!(segment.config_type, if version >= 3 { 3 } else { 0 });
        assert_eq!(segment.documentation.as_ref().is_some_and(|text| !text.is_empty()), version >= 3);
    }
}

#[test]
fn keys_may_be_picked_and_unknown_ones_are_left_out() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let picked = describe(&mut client, 4, TOPIC, "t", Some(&["segment.bytes", "no.such.key"]));
    let names: Vec<&str> = picked.configs.iter().map(|config| config.name.as_str()).collect();
    assert_eq!(names, ["segment.bytes"]);
    let all = describe(&mut client, 4, TOPIC, "t", Some(&[])).configs.len();
    assert_eq!(all, describe(&mut client, 4, TOPIC, "t", None).configs.len());
}

#[test]
fn a_broker_is_described_by_its_id() {
    let fixture = Fixture::with(|builder| builder.set("num.partitions", "7"));
    let mut client = fixture.connect();
    let id = fixture.broker.node_id().to_string();
    let described = describe(&mut client, 4, BROKER, &id, Some(&["num.partitions", "ssl.keystore.password"]));
    assert_eq!(code(described.error_code), ErrorCode::None);
    let find = |key: &str| described.configs.iter().find(|config| config.name.as_str() == key).unwrap();
    let partitions = find("num.partitions");
    assert_eq!((value(partitions), partitions.config_source, partitions.read_only), ("7", 4, true));
    let password = find("ssl.keystore.password");
    assert_eq!((password.is_sensitive, &password.value), (true, &None));
}

#[test]
fn resources_that_are_not_there_are_refused() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    let logger = fixture.broker.node_id().to_string();
    for (type_, name, expected) in [
        (TOPIC, "missing", ErrorCode::UnknownTopicOrPartition),
        (TOPIC, "no topic", ErrorCode::InvalidTopicException),
        (BROKER, "77", ErrorCode::InvalidRequest),
        (BROKER, "me", ErrorCode::InvalidRequest),
        (BROKER_LOGGER, "", ErrorCode::InvalidRequest),
        (BROKER_LOGGER, &logger, ErrorCode::None),
        (0, "", ErrorCode::InvalidRequest),
        (16, "metrics", ErrorCode::InvalidRequest),
    ] {
        let described = describe(&mut client, 4, type_, name, None);
        assert_eq!(code(described.error_code), expected, "{type_} {name}");
        assert!(described.configs.is_empty());
        assert_eq!((described.resource_type, described.resource_name.as_str()), (type_, name));
        let change = [("retention.ms", SET, Some("1"))];
        let expected = if expected == ErrorCode::None { ErrorCode::InvalidConfig } else { expected };
        assert_eq!(alter(&mut client, type_, name, &change), expected, "{type_} {name}");
    }
}

#[test]
fn settings_of_a_topic_are_set_deleted_and_edited_as_lists() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let none = ErrorCode::None;
    assert_eq!(alter(&mut client, TOPIC, "t", &[("retention.ms", SET, Some("1000"))]), none);
    assert_eq!(value(&topic_config(&mut client, "retention.ms")), "1000");
    assert_eq!(alter(&mut client, TOPIC, "t", &[("cleanup.policy", APPEND, Some("compact"))]), none);
    assert_eq!(value(&topic_config(&mut client, "cleanup.policy")), "delete,compact");
    assert_eq!(alter(&mut client, TOPIC, "t", &[("cleanup.policy", APPEND, Some("compact"))]), none);
    assert_eq!(alter(&mut client, TOPIC, "t", &[("cleanup.policy", SUBTRACT, Some("delete"))]), none);
    assert_eq!(value(&topic_config(&mut client, "cleanup.policy")), "compact");
    let both = [("retention.ms", DELETE, None), ("cleanup.policy", DELETE, None)];
    assert_eq!(alter(&mut client, TOPIC, "t", &both), none);
    assert_eq!(topic_config(&mut client, "retention.ms").config_source, 5);
}

#[test]
fn changes_that_cannot_be_made_change_nothing() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[("retention.ms", "1000")]);
    for changes in [
        &[("retention.ms", SET, Some("soon"))][..],
        &[("no.such.key", SET, Some("1"))],
        &[("retention.ms", APPEND, Some("1"))],
        &[("retention.ms", SET, None)],
        &[("retention.ms", 9, Some("1"))],
        &[("retention.ms", SET, Some("5")), ("retention.ms", SET, Some("6"))],
        &[("retention.ms", SET, Some("5")), ("segment.bytes", SET, Some("-1"))],
    ] {
        let error = alter(&mut client, TOPIC, "t", changes);
        assert!(
            matches!(error, ErrorCode::InvalidConfig | ErrorCode::InvalidRequest),
            "{changes:?}: {error}"
        );
    }
    assert_eq!(value(&topic_config(&mut client, "retention.ms")), "1000");
}

#[test]
fn alter_configs_replaces_all_settings() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[("retention.ms", "1000"), ("segment.ms", "2000")]);
    assert_eq!(replace(&mut client, "t", &[("retention.ms", Some("5"))], true), ErrorCode::None);
    assert_eq!(value(&topic_config(&mut client, "retention.ms")), "1000", "it was only checked");
    assert_eq!(replace(&mut client, "t", &[("retention.ms", Some("5"))], false), ErrorCode::None);
    assert_eq!(value(&topic_config(&mut client, "retention.ms")), "5");
    assert_eq!(topic_config(&mut client, "segment.ms").config_source, 5);
    assert_eq!(replace(&mut client, "t", &[("retention.ms", None)], false), ErrorCode::InvalidRequest);
    let twice = [("retention.ms", Some("1")), ("retention.ms", Some("2"))];
    assert_eq!(replace(&mut client, "t", &twice, false), ErrorCode::InvalidRequest);
    assert_eq!(value(&topic_config(&mut client, "retention.ms")), "5");
}

#[test]
fn a_resource_named_twice_is_refused() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let resource =
        alter::AlterConfigsResource::default().with_resource_type(TOPIC).with_resource_name(text("t"));
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource.clone(), resource]);
    for response in client.call(0, &request).responses {
        assert_eq!(code(response.error_code), ErrorCode::InvalidRequest);
    }
}

#[test]
fn the_brokers_settings_change_while_it_runs_and_topics_follow() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let id = fixture.broker.node_id().to_string();
    let change = [("log.retention.ms", SET, Some("7000"))];
    assert_eq!(alter(&mut client, BROKER, "", &change), ErrorCode::None);
    let retention = topic_config(&mut client, "retention.ms");
    assert_eq!((value(&retention), retention.config_source), ("7000", 3));
    let own = [("log.retention.ms", SET, Some("8000"))];
    assert_eq!(alter(&mut client, BROKER, &id, &own), ErrorCode::None);
    let retention = topic_config(&mut client, "retention.ms");
    assert_eq!((value(&retention), retention.config_source), ("8000", 2));
    let defaults = describe(&mut client, 4, BROKER, "", None);
    assert_eq!((defaults.configs.len(), value(&defaults.configs[0])), (1, "7000"));
}

#[test]
fn settings_that_only_a_restart_changes_are_refused() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    let id = fixture.broker.node_id().to_string();
    for (key, value) in [
        ("broker.id", "5"),
        ("log.dirs", "5"),
        ("num.partitions", "5"),
        ("advertised.listeners", "PLAINTEXT://elsewhere.example:9092"),
    ] {
        let error = alter(&mut client, BROKER, &id, &[(key, SET, Some(value))]);
        assert!(matches!(error, ErrorCode::InvalidRequest | ErrorCode::InvalidConfig), "{key}: {error}");
    }
}

#[test]
fn a_limit_of_the_network_holds_as_soon_as_it_is_changed() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    assert_eq!(
        alter(&mut client, BROKER, "", &[("max.connections.per.ip", SET, Some("1"))]),
        ErrorCode::None
    );
    fixture.connect().expect_closed();
    assert_eq!(alter(&mut client, BROKER, "", &[("max.connections.per.ip", DELETE, None)]), ErrorCode::None);
    fixture.connect().call(3, &super::api_versions::request());
}

#[test]
fn a_group_has_settings_of_its_own_within_what_the_broker_allows() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    let key = "share.record.lock.duration.ms";
    let lock = |client: &mut Client| describe(client, 4, GROUP, "g", Some(&[key])).configs.remove(0);
    let before = lock(&mut client);
    assert_eq!((value(&before), before.config_source), ("30000", 5));
    assert_eq!(alter(&mut client, GROUP, "g", &[(key, SET, Some("1000"))]), ErrorCode::InvalidConfig);
    assert_eq!(alter(&mut client, GROUP, "g", &[("share.what", SET, Some("1"))]), ErrorCode::InvalidConfig);
    assert_eq!(alter(&mut client, GROUP, "", &[(key, SET, Some("20000"))]), ErrorCode::InvalidRequest);
    assert_eq!(alter(&mut client, GROUP, "g", &[(key, SET, Some("20000"))]), ErrorCode::None);
    let after = lock(&mut client);
    assert_eq!((value(&after), after.config_source), ("20000", 8));
    let synonyms: Vec<&str> = after.synonyms.iter().map(|synonym| &*synonym.name).collect();
    assert_eq!(synonyms, [key, "group.share.record.lock.duration.ms"]);
    assert_eq!(alter(&mut client, GROUP, "g", &[(key, DELETE, None)]), ErrorCode::None);
    assert_eq!(value(&lock(&mut client)), "30000");
    assert_eq!(describe(&mut client, 4, GROUP, "g", None).configs.len(), 16);
}

#[test]
fn topics_the_broker_and_groups_that_are_set_are_listed_as_having_settings() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    for (group, operation) in [("set", SET), ("set-and-deleted", SET), ("set-and-deleted", DELETE)] {
        let changed =
            alter(&mut client, GROUP, group, &[("share.auto.offset.reset", operation, Some("earliest"))]);
        assert_eq!(changed, ErrorCode::None);
    }
    let mut list = |version, types: &[i8]| {
        let request = ListConfigResourcesRequest::default().with_resource_types(types.to_vec());
        let response = client.call(version, &request);
        let named = response.config_resources.iter();
        let named = named.filter(|of| !of.resource_name.starts_with("__"));
        let named = named.map(|of| (of.resource_type, of.resource_name.to_string()));
        (code(response.error_code), named.collect::<Vec<_>>())
    };
    let named = |type_: i8, name: &str| (type_, name.to_owned());
    let node = fixture.broker.node_id().to_string();
    let all = vec![named(TOPIC, "t"), named(BROKER, &node), named(BROKER_LOGGER, &node), named(GROUP, "set")];
    assert_eq!(list(1, &[]), (ErrorCode::None, all));
    assert_eq!(list(1, &[GROUP]), (ErrorCode::None, vec![named(GROUP, "set")]));
    assert_eq!(list(1, &[GROUP, 3]).0, ErrorCode::UnsupportedVersion);
    assert_eq!(list(0, &[]), (ErrorCode::None, vec![]), "that version is about clients' metrics");
}
