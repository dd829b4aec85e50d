use crate::config::{
    AlterOp, BrokerConfig, ConfigChange, ConfigEntry, ConfigSource, DynamicBrokerConfig, LogConfig,
    Overrides, Scope,
};

fn broker(settings: &[(&str, &str)]) -> DynamicBrokerConfig {
    DynamicBrokerConfig::new(BrokerConfig::from_properties(settings.iter().copied()).unwrap().0)
}

fn with(config: DynamicBrokerConfig, scope: Scope, name: &str, value: &str) -> DynamicBrokerConfig {
    config.alter(scope, &[ConfigChange { name, op: AlterOp::Set, value: Some(value) }]).unwrap()
}

/// The entry in the form of `kafka-configs --describe --all`: value and synonyms with their sources.
fn shown(entry: &ConfigEntry) -> String {
    let show = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
    let synonyms: Vec<_> = entry
        .synonyms
        .iter()
        .map(|synonym| format!("{}:{}={}", synonym.source.code(), synonym.name, show(&synonym.value)))
        .collect();
    format!("{} from {} [{}]", show(&entry.value), entry.source.code(), synonyms.join(" "))
}

fn topic(config: &DynamicBrokerConfig, overrides: &[(&str, &str)], name: &str) -> String {
    let overrides = overrides.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect::<Overrides>();
    let entries = config.describe_topic(&overrides, |wanted| wanted == name).unwrap();
    shown(&entries[0])
}

fn one(config: &DynamicBrokerConfig, name: &str) -> ConfigEntry {
    config.describe_broker(|wanted| wanted == name).remove(0)
}

#[test]
fn a_topic_tells_where_each_value_comes_from() {
    let started = broker(&[("log.segment.bytes", "2048")]);
    assert_eq!(
        topic(&started, &[], "segment.bytes"),
        "2048 from 4 [4:log.segment.bytes=2048 5:log.segment.bytes=1073741824]"
    );
    let defaults = with(started, Scope::ClusterDefault, "log.segment.bytes", "3000");
    let changed = with(defaults, Scope::Broker, "log.segment.bytes", "4000");
    assert_eq!(
        topic(&changed, &[("segment.bytes", "5000")], "segment.bytes"),
        "5000 from 1 [1:segment.bytes=5000 2:log.segment.bytes=4000 3:log.segment.bytes=3000 \
         4:log.segment.bytes=2048 5:log.segment.bytes=1073741824]"
    );
    assert_eq!(topic(&broker(&[]), &[], "min.insync.replicas"), "1 from 5 [5:min.insync.replicas=1]");
    assert_eq!(topic(&broker(&[]), &[], "remote.storage.enable"), "false from 5 []");
}

/// Kafka drops the synonyms in front of the first that has the setting's own name, so that coarser units alone do
/// not show, and what they say looks like a default.
#[test]
fn coarser_units_show_only_behind_the_finest() {
    assert_eq!(topic(&broker(&[("log.retention.hours", "1")]), &[], "retention.ms"), "3600000 from 5 []");
    let all = broker(&[("log.retention.ms", "7"), ("log.retention.minutes", "8")]);
    assert_eq!(
        topic(&all, &[("retention.ms", "9")], "retention.ms"),
        "9 from 1 [1:retention.ms=9 4:log.retention.ms=7 4:log.retention.minutes=8 5:log.retention.hours=168]"
    );
    assert_eq!(
        shown(&one(&all, "log.retention.minutes")),
        "8 from 4 [4:log.retention.minutes=8 5:log.retention.hours=168]"
    );
}

#[test]
fn a_topic_tells_all_of_its_settings_and_a_list_as_it_was_written() {
    let config = broker(&[]);
    let entries = config.describe_topic(&Overrides::new(), |_| true).unwrap();
    assert_eq!(entries.len(), LogConfig::keys().len());
    assert!(entries.iter().all(|entry| !entry.read_only && !entry.sensitive && entry.doc.is_some()));
    assert_eq!(topic(&config, &[("cleanup.policy", "delete,compact")], "cleanup.policy"), {
        "delete,compact from 1 [1:cleanup.policy=delete,compact 5:log.cleanup.policy=delete]"
    });
}

#[test]
fn a_number_of_a_topic_is_told_as_kafka_writes_it_and_not_as_it_was_typed() {
    let ratio = topic(&broker(&[]), &[("min.cleanable.dirty.ratio", "0")], "min.cleanable.dirty.ratio");
    assert!(ratio.starts_with("0.0 from 1 [1:min.cleanable.dirty.ratio=0.0 "), "{ratio}");
}

#[test]
fn a_broker_hides_its_secrets_and_what_it_does_not_know() {
    let config = broker(&[("ssl.key.password", "x"), ("my.plugin.secret", "y"), ("broker.rack", "r")]);
    assert_eq!(shown(&one(&config, "ssl.key.password")), "null from 4 [4:ssl.key.password=null]");
    let unknown = one(&config, "my.plugin.secret");
    assert_eq!(shown(&unknown), "null from 4 [4:my.plugin.secret=null]");
    assert!(unknown.sensitive && unknown.read_only && unknown.type_.is_none());
    let rack = one(&config, "broker.rack");
    assert!(rack.read_only && !rack.sensitive);
    assert_eq!(shown(&rack), "r from 4 [4:broker.rack=r]");
    assert_eq!(config.describe_broker(|_| true).len(), BrokerConfig::keys().len() + 1);
}

#[test]
fn settings_of_a_listener_are_told_with_what_they_override() {
    let config = broker(&[("max.connections", "9"), ("listener.name.a.max.connections", "5")]);
    assert_eq!(
        shown(&one(&config, "listener.name.a.max.connections")),
        "5 from 4 [4:listener.name.a.max.connections=5 4:max.connections=9 5:max.connections=2147483647]"
    );
}

#[test]
fn a_field_set_directly_is_told_like_one_set_by_name() {
    let started_with = BrokerConfig { num_partitions: 3, ..BrokerConfig::default() };
    let config = DynamicBrokerConfig::new(started_with);
    assert_eq!(shown(&one(&config, "num.partitions")), "3 from 4 [4:num.partitions=3 5:num.partitions=1]");
}

#[test]
fn the_cluster_tells_only_the_defaults_that_it_was_given() {
    let config = with(broker(&[("log.retention.ms", "1")]), Scope::ClusterDefault, "log.retention.ms", "2");
    let config = with(config, Scope::Broker, "log.retention.ms", "3");
    let entries = config.describe_cluster_default(|_| true);
    let texts: Vec<_> = entries.iter().map(shown).collect();
    assert_eq!(texts, ["2 from 3 [3:log.retention.ms=2]"]);
    assert_eq!(entries[0].source, ConfigSource::DynamicDefaultBroker);
}
