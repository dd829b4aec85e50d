use std::collections::BTreeMap;

use crate::config::share_auto_offset_reset::ShareAutoOffsetReset;
use crate::config::{BrokerConfig, GroupSettings};
use crate::model::IsolationLevel;

fn overrides(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_group_takes_the_brokers_settings_for_what_it_does_not_set() {
    let (broker, _) = BrokerConfig::from_properties([("group.share.delivery.count.limit", "7")]).unwrap();
    let own =
        overrides(&[("share.auto.offset.reset", "earliest"), ("share.isolation.level", "read_committed")]);
    let settings = GroupSettings::validate(&broker, &own).unwrap();
    assert_eq!(settings.share_delivery_count_limit, 7);
    assert_eq!(settings.share_auto_offset_reset, ShareAutoOffsetReset::Earliest);
    assert_eq!(settings.share_isolation_level, IsolationLevel::ReadCommitted);
    assert_eq!(settings.get("share.session.timeout.ms").as_deref(), Some("45000"));
}

#[test]
fn what_the_broker_does_not_allow_is_refused_and_taken_for_the_nearest_once_it_is_there() {
    let broker = BrokerConfig::default();
    for (key, value, problem) in [
        (
            "share.session.timeout.ms",
            "1000",
            "share.session.timeout.ms=1000: must be in the range 45000 to 60000 inclusive\n\
             share.session.timeout.ms=1000: must be greater than share.heartbeat.interval.ms=5000",
        ),
        (
            "share.record.lock.duration.ms",
            "60001",
            "share.record.lock.duration.ms=60001: must be in the range 15000 to 60000 inclusive",
        ),
        ("share.delivery.count.limit", "1", "share.delivery.count.limit=1: not an int at least 2"),
        (
            "errors.deadletterqueue.topic.name",
            "__x",
            "errors.deadletterqueue.topic.name=__x: must not start with '__'",
        ),
    ] {
        let error = GroupSettings::validate(&broker, &overrides(&[(key, value)])).unwrap_err();
        assert_eq!(error.to_string(), problem);
    }
    let error = GroupSettings::validate(&broker, &overrides(&[("share.what", "1")])).unwrap_err();
    assert!(error.to_string().starts_with("share.what: no such setting"), "{error}");
    let stored = overrides(&[("share.session.timeout.ms", "1000"), ("consumer.session.timeout.ms", "99999")]);
    let settings = GroupSettings::from_overrides(&broker, &stored).unwrap();
    assert_eq!((settings.share_session_timeout_ms, settings.consumer_session_timeout_ms), (45_000, 60_000));
}

#[test]
fn who_sets_what_has_no_effect_on_a_group_is_told_so_once() {
    let own = overrides(&[
        ("errors.deadletterqueue.copy.record.enable", "true"),
        ("errors.deadletterqueue.topic.name", "dead"),
        ("share.delivery.count.limit", "3"),
    ]);
    let told = |before: &[(&str, &str)]| -> Vec<String> {
        let warnings = GroupSettings::warnings(&overrides(before), &own);
        warnings.iter().map(ToString::to_string).collect()
    };
    let topic = "errors.deadletterqueue.topic.name: accepted without effect";
    assert_eq!(told(&[]), ["errors.deadletterqueue.copy.record.enable: accepted without effect", topic]);
    let before = [
        ("errors.deadletterqueue.copy.record.enable", "true"),
        ("errors.deadletterqueue.topic.name", "other"),
    ];
    assert_eq!(told(&before), [topic]);
    assert_eq!(GroupSettings::warnings(&own, &own), []);
}
