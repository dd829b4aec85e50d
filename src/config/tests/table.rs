use std::collections::BTreeMap;

use crate::config::{BrokerConfig, ConfigKey, LogConfig, UpdateMode};

/// Lines of a fixture made from Kafka's own documentation, without its header.
fn fixture(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().skip(1).map(|line| line.split('\t').collect())
}

fn default_text(key: &ConfigKey) -> &str {
    key.default.as_deref().unwrap_or("null")
}

#[test]
fn every_broker_key_of_kafka_has_its_type_default_and_update_mode() {
    let mut seen = 0;
    for row in fixture(include_str!("broker-keys.tsv")) {
        let [name, type_, default, mode] = row[..] else { panic!("malformed fixture: {row:?}") };
        let key = BrokerConfig::key(name).unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(key.type_.name(), type_, "{name}");
        assert_eq!(format!("{:?}", key.update_mode), mode, "{name}");
        let default = default.replace("<temp>", &std::env::temp_dir().to_string_lossy());
        assert_eq!(default_text(key), default, "{name}");
        seen += 1;
    }
    assert_eq!(seen, 356);
}

#[test]
fn every_topic_key_of_kafka_has_its_type_default_and_synonyms() {
    let mut seen = 0;
    for row in fixture(include_str!("topic-keys.tsv")) {
        let [name, type_, default, synonyms] = row[..] else { panic!("malformed fixture: {row:?}") };
        let key = LogConfig::key(name).unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(key.type_.name(), type_, "{name}");
        assert_eq!(default_text(key), default, "{name}");
        assert_eq!(key.synonyms.join(","), synonyms, "{name}");
        seen += 1;
    }
    assert_eq!(seen, 36);
}

#[test]
fn keys_are_unique_and_described() {
    for keys in [BrokerConfig::keys(), LogConfig::keys()] {
        let names: BTreeMap<_, _> = keys.iter().map(|key| (key.name, key)).collect();
        assert_eq!(names.len(), keys.len());
        for key in keys {
            assert!(key.doc.ends_with('.') && !key.doc.ends_with(".."), "{}: {}", key.name, key.doc);
            assert!(key.doc.len() > 15, "{}: {}", key.name, key.doc);
        }
    }
}

#[test]
fn every_default_is_admitted_and_survives_printing_and_reading() {
    let defaults = BrokerConfig::default();
    for key in BrokerConfig::keys() {
        let mut config = defaults.clone();
        let Some(text) = &key.default else { continue };
        config.set(key.name, text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(config.get(key.name), key.default, "{}", key.name);
    }
    for key in LogConfig::keys() {
        LogConfig::validate_override(key.name, key.default.as_deref().unwrap()).unwrap();
    }
}

#[test]
fn the_defaults_go_together() {
    assert_eq!(BrokerConfig::default().conflicts(), vec![]);
    assert_eq!(LogConfig::default().conflicts(), vec![]);
}

#[test]
fn a_topic_without_overrides_takes_the_defaults_of_the_broker() {
    assert_eq!(LogConfig::from_broker(&BrokerConfig::default()), LogConfig::default());
}

#[test]
fn each_broker_key_that_is_a_topic_default_reaches_the_topic() {
    for key in LogConfig::keys() {
        for broker_key in &key.synonyms {
            let known = BrokerConfig::key(broker_key).unwrap_or_else(|| panic!("{broker_key} is missing"));
            assert!(known.synonyms.contains(&key.name));
            let text = other_value(known);
            let mut broker = BrokerConfig::default();
            broker.set(broker_key, &text).unwrap_or_else(|error| panic!("{error}"));
            let expected = match broker_key.rsplit('.').next() {
                Some("hours") => (text.parse::<i64>().unwrap() * 3_600_000).to_string(),
                Some("minutes") => (text.parse::<i64>().unwrap() * 60_000).to_string(),
                _ => text,
            };
            assert_eq!(LogConfig::from_broker(&broker).get(key.name), Some(expected), "{broker_key}");
        }
    }
}

/// An admitted value that is not the default.
fn other_value(key: &ConfigKey) -> String {
    let candidates = ["7", "77", "0.25", "true", "false", "LogAppendTime", "zstd", "compact", "2.8-IV1"];
    let differs = |text: &&&str| {
        let mut config = BrokerConfig::default();
        key.default.as_deref() != Some(**text) && config.set(key.name, text).is_ok()
    };
    candidates.iter().find(differs).unwrap_or_else(|| panic!("no other value for {}", key.name)).to_string()
}

#[test]
fn thresholds_of_the_table_are_kept() {
    let refused = [
        ("num.partitions", "0"),
        ("num.partitions", "1.5"),
        ("num.partitions", "2147483648"),
        ("num.partitions", ""),
        ("compression.gzip.level", "0"),
        ("compression.gzip.level", "10"),
        ("compression.lz4.level", "18"),
        ("compression.zstd.level", "-131073"),
        ("compression.type", "none"),
        ("compression.type", "GZIP"),
        ("log.cleanup.policy", "delete,keep"),
        ("log.cleaner.min.cleanable.ratio", "1.1"),
        ("log.cleaner.min.cleanable.ratio", "NaN"),
        ("log.message.timestamp.type", "createtime"),
        ("auto.create.topics.enable", "yes"),
        ("process.roles", "broker,observer"),
        ("offsets.topic.replication.factor", "32768"),
        ("ssl.client.auth", "maybe"),
        ("fetch.max.bytes", "1023"),
    ];
    for (name, text) in refused {
        let mut config = BrokerConfig::default();
        let error = config.set(name, text).expect_err(name);
        assert!(error.to_string().starts_with(&format!("{name}={text}: not ")), "{error}");
        assert_eq!(config, BrokerConfig::default());
    }
}

#[test]
fn values_are_read_as_java_reads_them() {
    let mut config = BrokerConfig::default();
    for (name, text, printed) in [
        ("num.partitions", " +7 ", "7"),
        ("delete.topic.enable", "FALSE", "false"),
        ("log.cleaner.min.cleanable.ratio", "1e-3", "0.001"),
        ("log.cleaner.io.max.bytes.per.second", "12500000", "1.25E7"),
        ("log.cleaner.io.max.bytes.per.second", "10000000", "1.0E7"),
        ("log.cleaner.io.max.bytes.per.second", "300", "300.0"),
        ("log.cleanup.policy", " compact , delete ", "compact,delete"),
        ("log.cleanup.policy", "", ""),
        ("sasl.enabled.mechanisms", "PLAIN , SCRAM-SHA-256", "PLAIN,SCRAM-SHA-256"),
    ] {
        config.set(name, text).unwrap();
        assert_eq!(config.get(name).as_deref(), Some(printed), "{name}={text}");
    }
}

#[test]
fn secrets_show_neither_in_debug_output_nor_in_errors() {
    let mut config = BrokerConfig::default();
    config.set("ssl.key.password", "open sesame").unwrap();
    config.set("listener.name.x.ssl.key.password", "open sesame").unwrap();
    let shown = format!("{config:?}");
    assert!(shown.contains("ssl.key.password: \"[hidden]\""), "{shown}");
    assert!(!shown.contains("sesame"), "{shown}");
    assert_eq!(config.ssl_key_password.unwrap().reveal(), "open sesame");
    for key in BrokerConfig::keys() {
        assert_eq!(key.sensitive, key.type_.name() == "password", "{}", key.name);
    }
}

#[test]
fn read_only_keys_are_not_topic_defaults_beyond_the_coarse_units() {
    let read_only = BrokerConfig::keys().iter().filter(|key| key.update_mode == UpdateMode::ReadOnly);
    let names: Vec<_> = read_only.filter(|key| !key.synonyms.is_empty()).map(|key| key.name).collect();
    assert_eq!(
        names,
        [
            "log.roll.hours",
            "log.roll.jitter.hours",
            "log.retention.minutes",
            "log.retention.hours",
            "log.flush.scheduler.interval.ms",
            "log.message.format.version"
        ]
    );
}
