use crate::config::{
    AlterOp, BrokerConfig, ConfigChange, ConfigError, DynamicBrokerConfig, Overrides, Scope, alter_topic,
};
use crate::model::ErrorCode;

fn set<'a>(name: &'a str, value: &'a str) -> ConfigChange<'a> {
    ConfigChange { name, op: AlterOp::Set, value: Some(value) }
}

fn delete(name: &str) -> ConfigChange<'_> {
    ConfigChange { name, op: AlterOp::Delete, value: None }
}

fn running() -> DynamicBrokerConfig {
    let started_with = [("log.retention.ms", "1000"), ("num.io.threads", "8"), ("broker.rack", "r1")];
    DynamicBrokerConfig::new(BrokerConfig::from_properties(started_with).unwrap().0)
}

fn refusal(result: Result<DynamicBrokerConfig, ConfigError>) -> (ErrorCode, String) {
    let error = result.unwrap_err();
    (error.code(), error.to_string())
}

#[test]
fn the_broker_wins_over_the_cluster_and_the_cluster_over_the_start() {
    let name = "log.retention.ms";
    let cluster = running().alter(Scope::ClusterDefault, &[set(name, "2000")]).unwrap();
    assert_eq!(cluster.effective().log_retention_ms, Some(2000));
    let broker = cluster.alter(Scope::Broker, &[set(name, "3000")]).unwrap();
    assert_eq!(broker.effective().log_retention_ms, Some(3000));
    assert_eq!(broker.overrides(Scope::ClusterDefault).len(), 1);
    let again = broker.alter(Scope::Broker, &[delete(name)]).unwrap();
    assert_eq!(again, cluster);
    let none = again.alter(Scope::ClusterDefault, &[delete(name)]).unwrap();
    assert_eq!(none, running());
}

#[test]
fn a_change_can_be_thought_better_of_before_it_is_taken() {
    let before = running();
    let after = before.alter(Scope::Broker, &[set("message.max.bytes", "99")]).unwrap();
    assert_eq!(before, running());
    assert_eq!(after.effective().message_max_bytes, 99);
}

#[test]
fn what_only_a_restart_changes_is_refused() {
    for scope in [Scope::Broker, Scope::ClusterDefault] {
        let (code, text) = refusal(running().alter(scope, &[set("broker.rack", "r2"), set("node.id", "2")]));
        assert_eq!(code, ErrorCode::InvalidRequest);
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.starts_with("broker.rack: cannot change while the broker runs"), "{text}");
    }
    assert!(running().alter(Scope::Broker, &[delete("broker.rack")]).is_ok());
}

#[test]
fn what_each_broker_has_for_itself_has_no_cluster_default() {
    let listeners = [set("listeners", "PLAINTEXT://:9999")];
    let (code, text) = refusal(running().alter(Scope::ClusterDefault, &listeners));
    assert_eq!(code, ErrorCode::InvalidRequest);
    assert!(text.starts_with("listeners: cannot have a cluster-wide default"), "{text}");
    let changed = running().alter(Scope::Broker, &listeners).unwrap();
    assert_eq!(changed.effective().effective_listeners().unwrap().bound[0].port, 9999);
    let of_listener = [set("listener.name.a.ssl.client.auth", "none")];
    assert!(running().alter(Scope::ClusterDefault, &of_listener).is_err());
    assert!(running().alter(Scope::Broker, &of_listener).is_ok());
    let limit = [set("listener.name.a.max.connections", "3")];
    let changed = running().alter(Scope::ClusterDefault, &limit).unwrap();
    assert_eq!(changed.effective().for_listener("A").max_connections, 3);
}

#[test]
fn key_stores_change_per_listener_only() {
    let (_, text) = refusal(running().alter(Scope::Broker, &[set("ssl.keystore.location", "/a")]));
    assert!(text.contains("listener.name.<listener>.ssl.keystore.location"), "{text}");
    let name = "listener.name.internal.ssl.keystore.location";
    let changed = running().alter(Scope::Broker, &[set(name, "/a")]).unwrap();
    assert_eq!(changed.effective().for_listener("INTERNAL").ssl_keystore_location.as_deref(), Some("/a"));
    assert_eq!(changed.effective().ssl_keystore_location, None);
}

#[test]
fn threads_change_to_half_or_double_at_most() {
    for (threads, is_admitted) in [("3", false), ("4", true), ("8", true), ("16", true), ("17", false)] {
        let changed = running().alter(Scope::ClusterDefault, &[set("num.io.threads", threads)]);
        assert_eq!(changed.is_ok(), is_admitted, "{threads}");
    }
    let doubled = running().alter(Scope::Broker, &[set("num.io.threads", "16")]).unwrap();
    assert!(doubled.alter(Scope::Broker, &[set("num.io.threads", "32")]).is_ok());
    let (code, text) = refusal(running().alter(Scope::Broker, &[set("num.io.threads", "99")]));
    assert_eq!(code, ErrorCode::InvalidConfig);
    assert_eq!(text, "num.io.threads=99: is above double the 8 threads that there are");
}

#[test]
fn wrong_values_and_settings_that_do_not_go_together_change_nothing() {
    let (code, text) = refusal(running().alter(Scope::Broker, &[set("message.max.bytes", "-1")]));
    assert_eq!((code, &*text), (ErrorCode::InvalidConfig, "message.max.bytes=-1: not an int at least 0"));
    let lag = [set("log.cleaner.max.compaction.lag.ms", "5"), set("log.cleaner.min.compaction.lag.ms", "6")];
    assert_eq!(refusal(running().alter(Scope::Broker, &lag)).0, ErrorCode::InvalidConfig);
}

#[test]
fn lists_gain_and_lose_items() {
    let op = |op, value| ConfigChange { name: "log.cleanup.policy", op, value: Some(value) };
    let both = running().alter(Scope::Broker, &[op(AlterOp::Append, "compact,delete")]).unwrap();
    assert_eq!(both.overrides(Scope::Broker)["log.cleanup.policy"], "delete,compact");
    let compact = both.alter(Scope::Broker, &[op(AlterOp::Subtract, "delete")]).unwrap();
    assert_eq!(compact.overrides(Scope::Broker)["log.cleanup.policy"], "compact");
    assert!(compact.effective().log_cleanup_policy.compact);
    let same = compact.alter(Scope::Broker, &[op(AlterOp::Append, "compact")]).unwrap();
    assert_eq!(same, compact);
    let empty = compact.alter(Scope::Broker, &[op(AlterOp::Subtract, "compact")]).unwrap();
    assert_eq!(empty.overrides(Scope::Broker)["log.cleanup.policy"], "");
}

#[test]
fn only_lists_have_items() {
    for op in [AlterOp::Append, AlterOp::Subtract] {
        let change = ConfigChange { name: "message.max.bytes", op, value: Some("1") };
        let (code, text) = refusal(running().alter(Scope::Broker, &[change]));
        assert_eq!(code, ErrorCode::InvalidConfig);
        assert_eq!(text, "message.max.bytes: has the type int; only lists have items to append or subtract");
    }
}

#[test]
fn a_request_changes_each_setting_once_and_to_something() {
    let name = "message.max.bytes";
    let (code, text) = refusal(running().alter(Scope::Broker, &[set(name, "1"), set(name, "2")]));
    assert_eq!(
        (code, &*text),
        (ErrorCode::InvalidRequest, "message.max.bytes: changed twice by one request")
    );
    for op in [AlterOp::Set, AlterOp::Append, AlterOp::Subtract] {
        let (code, text) = refusal(running().alter(Scope::Broker, &[ConfigChange { name, op, value: None }]));
        assert_eq!((code, &*text), (ErrorCode::InvalidRequest, "message.max.bytes: a value is missing"));
    }
}

#[test]
fn replacing_drops_what_is_not_named_again() {
    let changes = [set("message.max.bytes", "5"), set("log.retention.bytes", "6")];
    let changed = running().alter(Scope::Broker, &changes).unwrap();
    let only = Overrides::from([("log.retention.bytes".to_owned(), "7".to_owned())]);
    let replaced = changed.replace(Scope::Broker, only).unwrap();
    assert_eq!(replaced.effective().log_retention_bytes, 7);
    assert_eq!(replaced.effective().message_max_bytes, 1_048_588);
}

#[test]
fn what_was_kept_and_is_admitted_no_longer_is_left_out_and_told() {
    let kept = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect::<Overrides>()
    };
    let started_with = || BrokerConfig::clone(running().effective());
    let cluster = kept(&[("message.max.bytes", "5"), ("listeners", "PLAINTEXT://:1")]);
    let broker = kept(&[("log.retention.bytes", "many"), ("node.id", "9"), ("custom.thing", "x")]);
    let (restored, problems) = DynamicBrokerConfig::restore(started_with(), cluster, broker);
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert_eq!(restored.overrides(Scope::ClusterDefault), &kept(&[("message.max.bytes", "5")]));
    assert_eq!(restored.overrides(Scope::Broker), &kept(&[("custom.thing", "x")]));
    assert_eq!(restored.effective().message_max_bytes, 5);
}

#[test]
fn overrides_of_a_topic_change_as_a_whole() {
    let broker = BrokerConfig::default();
    let append = ConfigChange { name: "cleanup.policy", op: AlterOp::Append, value: Some("compact") };
    let changed = alter_topic(&broker, &Overrides::new(), &[append, set("retention.ms", "-1")]).unwrap();
    assert_eq!(changed["cleanup.policy"], "delete,compact");
    let changed =
        alter_topic(&broker, &changed, &[delete("cleanup.policy"), set("segment.ms", "5")]).unwrap();
    assert_eq!(changed.keys().collect::<Vec<_>>(), ["retention.ms", "segment.ms"]);
    let error = alter_topic(&broker, &changed, &[set("nonsense", "1")]).unwrap_err();
    assert_eq!(error.to_string(), "nonsense: no such setting");
    let unknown = ConfigChange { name: "nonsense", op: AlterOp::Append, value: Some("1") };
    assert!(alter_topic(&broker, &changed, &[unknown]).is_err());
}

#[test]
fn operations_have_the_numbers_of_the_protocol() {
    let ops = [AlterOp::Set, AlterOp::Delete, AlterOp::Append, AlterOp::Subtract];
    assert_eq!([0, 1, 2, 3].map(AlterOp::from_code), ops.map(Some));
    assert_eq!([-1, 4].map(AlterOp::from_code), [None, None]);
}
