use std::collections::BTreeMap;

use crate::config::{BrokerConfig, ConfigProblem, LogConfig};
use crate::model::ErrorCode;

fn load(settings: &[(&str, &str)]) -> BrokerConfig {
    BrokerConfig::from_properties(settings.iter().copied()).unwrap_or_else(|error| panic!("{error}")).0
}

fn problems(settings: &[(&str, &str)]) -> Vec<String> {
    let error = BrokerConfig::from_properties(settings.iter().copied()).expect_err(&format!("{settings:?}"));
    error.problems().iter().map(ToString::to_string).collect()
}

fn warnings(settings: &[(&str, &str)]) -> Vec<String> {
    let (_, warnings) = BrokerConfig::from_properties(settings.iter().copied()).unwrap();
    warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn every_wrong_setting_is_reported_at_once() {
    assert_eq!(
        problems(&[
            ("num.partitions", "0"),
            ("unknown", "fine"),
            ("log.message.timestamp.type", "now"),
            ("auto.create.topics.enable", "yes"),
            ("listener.name.x.ssl.client.auth", "maybe"),
            ("log.cleanup.policy", "compact,drop"),
        ]),
        [
            "num.partitions=0: not an int at least 1",
            "log.message.timestamp.type=now: not one of CreateTime, LogAppendTime",
            "auto.create.topics.enable=yes: not true or false",
            "listener.name.x.ssl.client.auth=maybe: not one of required, requested, none",
            "log.cleanup.policy=compact,drop: not a list of delete, compact",
        ]
    );
}

#[test]
fn unknown_keys_are_tolerated_and_answered_with_the_nearest_known_one() {
    assert_eq!(
        warnings(&[("num.partition", "1"), ("my.plugin.url", "x"), ("log.segement.bytes", "77")]),
        [
            "log.segement.bytes: no such setting, ignored; did you mean log.segment.bytes?",
            "my.plugin.url: no such setting, ignored",
            "num.partition: no such setting, ignored; did you mean num.partitions?",
        ]
    );
    let long = "x".repeat(1 << 20);
    assert_eq!(warnings(&[(&long, "1")]).len(), 1);
}

#[test]
fn keys_without_effect_are_accepted_and_said_once() {
    let given = [("ssl.provider", "a"), ("log.cleanup.policy", "delete"), ("ssl.provider", "b")];
    assert_eq!(warnings(&given), ["ssl.provider: accepted without effect"]);
}

/// All of Kafka's own `server.properties` for a single node; among so many warnings the others would not be seen.
#[test]
fn what_a_single_broker_does_anyway_is_no_reason_to_warn() {
    let given = [
        ("process.roles", "broker,controller"),
        ("offsets.topic.replication.factor", "1"),
        ("share.coordinator.state.topic.min.isr", "1"),
        ("transaction.state.log.min.isr", " 1"),
        ("transaction.state.log.replication.factor", "3"),
    ];
    assert_eq!(warnings(&given), ["transaction.state.log.replication.factor: accepted without effect"]);
}

#[test]
fn the_classic_protocol_of_groups_cannot_be_switched_off() {
    let key = "group.coordinator.rebalance.protocols";
    assert_eq!(load(&[(key, "classic")]).group_coordinator_rebalance_protocols, ["classic"]);
    let expected =
        ["group.coordinator.rebalance.protocols=consumer: is without classic, which cannot be switched off"];
    assert_eq!(problems(&[(key, "consumer")]), expected);
}

#[test]
fn ids_fall_back_from_node_to_broker_to_one() {
    assert_eq!(load(&[]).effective_node_id(), 1);
    assert_eq!(load(&[("broker.id", "0")]).effective_node_id(), 0);
    assert_eq!(load(&[("node.id", "5")]).effective_node_id(), 5);
    assert_eq!(load(&[("node.id", "5"), ("broker.id", "5")]).effective_node_id(), 5);
    assert_eq!(
        problems(&[("node.id", "5"), ("broker.id", "6")]),
        ["broker.id=6: differs from node.id=5; give one of them"]
    );
}

#[test]
fn log_dirs_win_over_log_dir() {
    assert_eq!(load(&[("log.dir", "/a")]).effective_log_dirs(), ["/a"]);
    assert_eq!(load(&[("log.dir", "/a"), ("log.dirs", "/b, /c")]).effective_log_dirs(), ["/b", "/c"]);
    assert_eq!(problems(&[("log.dirs", " , ")]), ["log.dirs= , : names no directory"]);
    // Else the second would be told to be in use by another broker.
    assert_eq!(problems(&[("log.dirs", "/a,/b,/a/")]), ["log.dirs=/a,/b,/a/: names /a/ twice"]);
}

#[test]
fn directories_that_are_cordoned_are_among_the_log_dirs_or_all_of_them() {
    let cordoned =
        |text| load(&[("log.dirs", "/a,/b"), ("cordoned.log.dirs", text)]).effective_cordoned_log_dirs();
    assert_eq!(cordoned(""), [""; 0]);
    assert_eq!(cordoned("/b"), ["/b"]);
    assert_eq!(cordoned("*"), ["/a", "/b"]);
    let refused = |text| problems(&[("log.dirs", "/a,/b"), ("cordoned.log.dirs", text)]);
    assert_eq!(refused("/a,/c"), ["cordoned.log.dirs=/a,/c: names /c, which log.dirs does not"]);
    assert_eq!(refused("/a,*"), ["cordoned.log.dirs=/a,*: names all directories by *, and others too"]);
}

#[test]
fn finer_units_win_over_coarser_ones() {
    let hours = ("log.retention.hours", "2");
    let minutes = ("log.retention.minutes", "3");
    assert_eq!(load(&[hours]).effective_log_retention_ms(), 7_200_000);
    assert_eq!(load(&[hours, minutes]).effective_log_retention_ms(), 180_000);
    assert_eq!(load(&[hours, minutes, ("log.retention.ms", "4")]).effective_log_retention_ms(), 4);
    assert_eq!(load(&[("log.retention.hours", "-1")]).effective_log_retention_ms(), -1);
    assert_eq!(load(&[("log.retention.hours", "-7")]).effective_log_retention_ms(), -1);
    assert_eq!(
        load(&[("log.retention.hours", "2147483647")]).effective_log_retention_ms(),
        2_147_483_647 * 3_600_000
    );
    assert_eq!(load(&[("log.roll.hours", "1")]).effective_log_roll_ms(), 3_600_000);
    assert_eq!(load(&[("log.roll.hours", "1"), ("log.roll.ms", "9")]).effective_log_roll_ms(), 9);
    assert_eq!(load(&[("log.flush.scheduler.interval.ms", "5")]).effective_log_flush_interval_ms(), 5);
    assert_eq!(
        problems(&[hours, ("log.retention.minutes", "0")]),
        ["log.retention.minutes=0: is neither positive nor -1"]
    );
}

/// Pairs of which each setting is right by itself (Kafka: `KafkaConfig#validateValues`).
#[test]
fn settings_that_do_not_go_together_are_refused() {
    let refused: &[(&[(&str, &str)], &str)] = &[
        (
            &[("queued.max.request.bytes", "1000")],
            "queued.max.request.bytes=1000: is below socket.request.max.bytes=104857600",
        ),
        (
            &[("connections.max.idle.ms", "100")],
            "connection.failed.authentication.delay.ms=100: is not below connections.max.idle.ms=100, so that the \
             answer would never arrive",
        ),
        (
            &[("replica.fetch.wait.max.ms", "40000")],
            "replica.fetch.wait.max.ms=40000: is above replica.socket.timeout.ms=30000",
        ),
        (
            &[("log.cleaner.dedupe.buffer.size", "2097152"), ("log.cleaner.threads", "2")],
            "log.cleaner.dedupe.buffer.size=2097152: is not above 1 MiB for each of log.cleaner.threads=2",
        ),
        (
            &[("log.cleaner.min.compaction.lag.ms", "6"), ("log.cleaner.max.compaction.lag.ms", "5")],
            "log.cleaner.min.compaction.lag.ms=6: is above log.cleaner.max.compaction.lag.ms=5",
        ),
        (
            &[("group.min.session.timeout.ms", "11"), ("group.max.session.timeout.ms", "10")],
            "group.min.session.timeout.ms=11: is above group.max.session.timeout.ms=10",
        ),
        (
            &[("offsets.commit.required.acks", "4")],
            "offsets.commit.required.acks=4: is neither -1 nor from 0 to offsets.topic.replication.factor=3",
        ),
        (
            &[("max.connections.per.ip", "0")],
            "max.connections.per.ip=0: lets nobody in, unless max.connections.per.ip.overrides names who may come",
        ),
        (
            &[("max.connections.per.ip.overrides", "a:1,b")],
            "max.connections.per.ip.overrides=a:1,b: is not a list of host:limit with limits from 0",
        ),
        (
            &[
                ("security.inter.broker.protocol", "SASL_SSL"),
                ("sasl.mechanism.inter.broker.protocol", "PLAIN"),
            ],
            "sasl.mechanism.inter.broker.protocol=PLAIN: is not among sasl.enabled.mechanisms=GSSAPI",
        ),
        (
            &[("security.inter.broker.protocol", "PLAINTEXT"), ("inter.broker.listener.name", "PLAINTEXT")],
            "inter.broker.listener.name=PLAINTEXT: only one of it and security.inter.broker.protocol can be given",
        ),
        (
            &[("group.consumer.session.timeout.ms", "70000")],
            "group.consumer.session.timeout.ms=70000: is above group.consumer.max.session.timeout.ms=60000",
        ),
    ];
    for (settings, expected) in refused {
        assert!(problems(settings).contains(&(*expected).to_owned()), "{:?}", problems(settings));
    }
}

#[test]
fn settings_that_only_look_odd_are_admitted() {
    for settings in [
        &[("connections.max.idle.ms", "-1")][..],
        &[("queued.max.request.bytes", "104857600")],
        &[("max.connections.per.ip", "0"), ("max.connections.per.ip.overrides", "[::1]:5,host:7")],
        &[("security.inter.broker.protocol", "SASL_PLAINTEXT"), ("sasl.enabled.mechanisms", "GSSAPI,PLAIN")],
        &[("log.segment.bytes", "14"), ("log.retention.ms", "1")],
    ] {
        load(settings);
    }
    let config = load(&[("max.connections.per.ip.overrides", "[::1]:5,host:7")]);
    let limits = config.max_connections_per_ip_overrides_by_host().unwrap();
    assert_eq!(limits, [("[::1]".to_owned(), 5), ("host".to_owned(), 7)]);
}

#[test]
fn settings_of_a_listener_win_on_that_listener_only() {
    let config = load(&[
        ("max.connections", "100"),
        ("listener.name.inner.max.connections", "5"),
        ("listener.name.inner.plain.sasl.jaas.config", "of the mechanism"),
        ("listener.name.inner.sasl.jaas.config", "of the listener"),
        ("sasl.jaas.config", "of the broker"),
    ]);
    assert_eq!(config.for_listener("INNER").max_connections, 5);
    assert_eq!(config.for_listener("OUTER").max_connections, 100);
    let jaas = |listener, mechanism| config.for_mechanism(listener, mechanism, "sasl.jaas.config").unwrap();
    assert_eq!(jaas("INNER", "PLAIN"), "of the mechanism");
    assert_eq!(jaas("INNER", "SCRAM-SHA-256"), "of the listener");
    assert_eq!(jaas("OUTER", "PLAIN"), "of the broker");
    assert_eq!(config.for_mechanism("OUTER", "PLAIN", "ssl.provider"), None);
}

fn topic(overrides: &[(&str, &str)]) -> Result<LogConfig, crate::config::ConfigError> {
    let overrides: BTreeMap<_, _> = overrides.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
    LogConfig::from_overrides(&BrokerConfig::default(), &overrides)
}

#[test]
fn a_topic_overrides_what_the_broker_says() {
    let broker =
        load(&[("log.retention.hours", "1"), ("log.segment.bytes", "4096"), ("compression.type", "lz4")]);
    let overrides = BTreeMap::from([("segment.bytes".to_owned(), "1024".to_owned())]);
    let config = LogConfig::from_overrides(&broker, &overrides).unwrap();
    assert_eq!((config.segment_bytes, config.retention_ms), (1024, 3_600_000));
    assert_eq!(config.compression_type.codec_id(), Some(3));
}

#[test]
fn every_wrong_override_of_a_topic_is_reported() {
    let error =
        topic(&[("segment.bytes", "13"), ("retention", "1"), ("min.insync.replicas", "0")]).unwrap_err();
    let texts: Vec<_> = error.problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "min.insync.replicas=0: not an int at least 1",
            "retention: no such setting",
            "segment.bytes=13: not an int at least 14",
        ]
    );
    assert_eq!(error.code(), ErrorCode::InvalidConfig);
    let error = LogConfig::validate_override("retention.m", "1").unwrap_err();
    assert_eq!(
        error.problems(),
        [ConfigProblem::UnknownKey { key: "retention.m".to_owned(), nearest: Some("retention.ms") }]
    );
}

#[test]
fn overrides_that_do_not_go_together_are_refused() {
    for (overrides, expected) in [
        (
            &[("min.compaction.lag.ms", "5"), ("max.compaction.lag.ms", "4")][..],
            "is above max.compaction.lag.ms=4",
        ),
        (&[("remote.storage.enable", "true"), ("cleanup.policy", "compact")], "cleanup.policy=compact"),
        (
            &[("remote.storage.enable", "true"), ("local.retention.ms", "-1")],
            "is above retention.ms=604800000",
        ),
        (
            &[("remote.storage.enable", "true"), ("local.retention.bytes", "9"), ("retention.bytes", "8")],
            "is above retention.bytes=8",
        ),
    ] {
        let text = topic(overrides).unwrap_err().to_string();
        assert!(text.contains(expected), "{text}");
    }
    assert!(topic(&[("local.retention.ms", "-1")]).is_ok());
}

#[test]
fn throttled_replicas_are_pairs_or_all() {
    for text in ["", "*", "0:1", "0:1, 12:3"] {
        assert!(
            LogConfig::validate_override("leader.replication.throttled.replicas", text).is_ok(),
            "{text}"
        );
    }
    for text in ["*,0:1", "0", "0:", ":1", "a:1", "0:1,"] {
        assert!(
            LogConfig::validate_override("leader.replication.throttled.replicas", text).is_err(),
            "{text}"
        );
    }
}

#[test]
fn the_two_sided_limit_of_timestamps_counts_until_the_newer_ones_are_given() {
    let limits = |config: &LogConfig| {
        (config.effective_timestamp_before_max_ms(), config.effective_timestamp_after_max_ms())
    };
    assert_eq!(limits(&topic(&[]).unwrap()), (i64::MAX, 3_600_000));
    let two_sided = ("message.timestamp.difference.max.ms", "50");
    assert_eq!(limits(&topic(&[two_sided]).unwrap()), (50, 50));
    let newer =
        [two_sided, ("message.timestamp.before.max.ms", "7"), ("message.timestamp.after.max.ms", "8")];
    assert_eq!(limits(&topic(&newer).unwrap()), (7, 8));
}
