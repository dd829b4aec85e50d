//! What is said of the settings of coordinators to act is held against a broker: with one value it does one thing, with
//! another another.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::TestBroker;
use crate::broker::admin::{AlterConfig, ConfigResource};
use crate::broker::share::{ShareSessionKey, ShareSessionRequest};
use crate::broker::{
    AcknowledgeType, AcknowledgementMode, ConsumerGroupHeartbeatParams, GroupError, JoinGroupParams,
    JoinGroupProtocol, NewTopic, ProducerRecord, ShareConsumer, ShareGroupHeartbeatParams, ShareRecord,
};
use crate::config::{BrokerConfig, Effect};
use crate::model::ErrorCode;
use crate::sys::ManualClock;

const GROUP: &str = "g";

/// What a broker does by a setting, in a word.
type Look = fn(&mut TestBroker) -> String;

/// A setting, and what is seen with each of two values.
struct Row {
    key: &'static str,
    seen: [(&'static str, &'static str); 2],
    look: Look,
}

const fn row(key: &'static str, seen: [(&'static str, &'static str); 2], look: Look) -> Row {
    Row { key, seen, look }
}

const ROWS: [Row; 18] = [
    row(
        "group.min.session.timeout.ms",
        [("7000", "MEMBER_ID_REQUIRED"), ("7001", "INVALID_SESSION_TIMEOUT")],
        |kafka| join(kafka, 7_000),
    ),
    row(
        "group.max.session.timeout.ms",
        [("70000", "MEMBER_ID_REQUIRED"), ("69999", "INVALID_SESSION_TIMEOUT")],
        |kafka| join(kafka, 70_000),
    ),
    row("group.consumer.heartbeat.interval.ms", [("5000", "5000"), ("6000", "6000")], |kafka| {
        told(consume(kafka, &member()).map(|heard| heard.0))
    }),
    row("group.share.heartbeat.interval.ms", [("5000", "5000"), ("6000", "6000")], |kafka| {
        told(share(kafka, 0).map(|heard| heard.0))
    }),
    row("group.consumer.session.timeout.ms", [("45000", "0 members"), ("60000", "1 members")], |kafka| {
        consume(kafka, &member()).unwrap();
        kafka.advance(Duration::from_secs(50));
        let group = kafka.core.groups.describe_consumer_group(GROUP).unwrap();
        format!("{} members", group.members.len())
    }),
    row("group.share.session.timeout.ms", [("45000", "0 members"), ("60000", "1 members")], |kafka| {
        share(kafka, 0).unwrap();
        kafka.advance(Duration::from_secs(50));
        format!("{} members", kafka.core.groups.describe_share_group(GROUP).unwrap().members.len())
    }),
    row(
        "group.consumer.assignors",
        [("uniform,range", "NONE"), ("range", "UNSUPPORTED_ASSIGNOR")],
        |kafka| {
            code(consume(
                kafka,
                &ConsumerGroupHeartbeatParams { server_assignor: Some("uniform"), ..member() },
            ))
        },
    ),
    row(
        "group.consumer.regex.refresh.interval.ms",
        [("10000", "looked up again"), ("600000", "nothing")],
        regex_is_looked_up_again,
    ),
    row("group.share.delivery.count.limit", [("2", "2 times"), ("3", "3 times")], |kafka| {
        let mut consumer = sharing(kafka, 1);
        let mut times = 0;
        for _ in 0..40 {
            for record in poll(kafka, &mut consumer) {
                times += 1;
                consumer.acknowledge(&record, AcknowledgeType::Release).unwrap();
            }
            consumer.commit().unwrap();
        }
        format!("{times} times")
    }),
    row("group.share.record.lock.duration.ms", [("15000", "there again"), ("30000", "locked")], |kafka| {
        let (mut first, mut second) = (sharing(kafka, 1), sharing(kafka, 0));
        poll_until_some(kafka, &mut first);
        kafka.advance(Duration::from_secs(16));
        let is_there = (0..5).any(|_| !poll(kafka, &mut second).is_empty());
        if is_there { "there again" } else { "locked" }.to_owned()
    }),
    row("group.share.partition.max.record.locks", [("100", "100 locked"), ("120", "120 locked")], |kafka| {
        let (mut first, mut second) = (sharing(kafka, 150), sharing(kafka, 0));
        let locked = poll_until_some(kafka, &mut first).len();
        let others: usize = (0..5).map(|_| poll(kafka, &mut second).len()).sum();
        format!("{} locked", locked + others)
    }),
    row("group.share.max.share.sessions", [("2", "NONE"), ("1", "SHARE_SESSION_LIMIT_REACHED")], |kafka| {
        session(kafka, "one").unwrap();
        session(kafka, "two").err().unwrap_or(ErrorCode::None).name()
    }),
    row("share.coordinator.state.topic.num.partitions", [("2", "2"), ("3", "3")], |kafka| {
        state_of_share_groups(kafka);
        kafka.admin().describe_topic("__share_group_state").unwrap().partitions.len().to_string()
    }),
    row(
        "share.coordinator.state.topic.segment.bytes",
        [("2000000", "2000000"), ("3000000", "3000000")],
        |kafka| {
            state_of_share_groups(kafka);
            let state = ConfigResource::topic("__share_group_state");
            let configs = kafka.admin().describe_configs(&state).unwrap();
            let of_segments = configs.iter().find(|config| config.name == "segment.bytes").unwrap();
            of_segments.value.clone().unwrap_or_default()
        },
    ),
    row(
        "share.coordinator.state.topic.prune.interval.ms",
        [("60000", "deleted"), ("3600000", "kept")],
        old_state_of_share_groups,
    ),
    // How much is read at once changes nothing but the number of reads: with one byte all is there as well.
    row("offsets.load.buffer.size", [("1", "7"), ("5242880", "7")], committed_after_a_restart),
    row("transaction.state.log.load.buffer.size", [("1", "1"), ("5242880", "1")], |kafka| {
        let producer = |kafka: &TestBroker| kafka.producer_builder().transactional_id("id").build().unwrap();
        drop(producer(kafka));
        kafka.restart().unwrap();
        drop(producer(kafka));
        kafka.core.transactions.describe("id").unwrap().producer.producer_epoch.to_string()
    }),
    row("share.coordinator.load.buffer.size", [("1", "1 left"), ("5242880", "1 left")], |kafka| {
        let mut consumer = sharing(kafka, 2);
        let held = poll_until_some(kafka, &mut consumer);
        consumer.acknowledge(&held[0], AcknowledgeType::Accept).unwrap();
        consumer.acknowledge(&held[1], AcknowledgeType::Release).unwrap();
        consumer.commit().unwrap();
        drop(consumer);
        kafka.restart().unwrap();
        let left = poll_until_some(kafka, &mut sharing(kafka, 0));
        format!("{} left", left.len())
    }),
];

/// What holds these is shown where it is, with the settings that the text names.
const ELSEWHERE: [(&str, &str); 25] = [
    ("offsets.topic.num.partitions", include_str!("../../tests/server/metadata.rs")),
    ("offsets.topic.segment.bytes", include_str!("../../tests/server/metadata.rs")),
    ("offsets.topic.compression.codec", include_str!("../broker/coordinator/group/tests/loading.rs")),
    ("offsets.retention.minutes", include_str!("../broker/coordinator/group/tests/retention.rs")),
    ("offsets.retention.check.interval.ms", include_str!("../broker/coordinator/group/tests/retention.rs")),
    ("offsets.commit.timeout.ms", include_str!("../broker/coordinator/group/tests/share_groups.rs")),
    ("group.initial.rebalance.delay.ms", include_str!("../broker/coordinator/group/tests/fixture.rs")),
    ("group.max.size", include_str!("../broker/coordinator/group/tests/joining.rs")),
    ("group.coordinator.rebalance.protocols", include_str!("../../tests/server/consumer_groups.rs")),
    ("group.consumer.max.size", include_str!("../broker/coordinator/group/tests/consumer_groups.rs")),
    ("group.consumer.migration.policy", include_str!("../broker/coordinator/group/tests/migration.rs")),
    (
        "group.consumer.assignment.interval.ms",
        include_str!("../broker/coordinator/group/tests/consumer_groups.rs"),
    ),
    ("group.share.assignment.interval.ms", include_str!("../broker/coordinator/group/tests/share_groups.rs")),
    (
        "group.share.initialize.retry.interval.ms",
        include_str!("../broker/coordinator/group/tests/share_groups.rs"),
    ),
    ("group.share.max.size", include_str!("../broker/coordinator/group/tests/share_groups.rs")),
    // There is one, which none of the settings can leave out.
    ("group.share.assignors", "group.share.assignors"),
    (
        "share.coordinator.state.topic.compression.codec",
        include_str!("../broker/coordinator/share/tests/fixture.rs"),
    ),
    (
        "share.coordinator.snapshot.update.records.per.snapshot",
        include_str!("../broker/coordinator/share/tests/fixture.rs"),
    ),
    (
        "share.coordinator.cold.partition.snapshot.interval.ms",
        include_str!("../broker/coordinator/share/tests/fixture.rs"),
    ),
    ("transaction.max.timeout.ms", include_str!("../../tests/fixture/time.rs")),
    ("transaction.state.log.num.partitions", include_str!("../../tests/server/metadata.rs")),
    ("transaction.state.log.segment.bytes", include_str!("../../tests/server/metadata.rs")),
    (
        "transaction.abort.timed.out.transaction.cleanup.interval.ms",
        include_str!("../../tests/fixture/time.rs"),
    ),
    (
        "transaction.remove.expired.transaction.cleanup.interval.ms",
        include_str!("../../tests/fixture/time.rs"),
    ),
    ("transaction.partition.verification.enable", include_str!("../../tests/server/transactions.rs")),
];

/// Settings that a group may have of its own, between a least and a most.
const BOUNDED: [&str; 9] = [
    "group.consumer.session.timeout.ms",
    "group.consumer.heartbeat.interval.ms",
    "group.consumer.assignment.interval.ms",
    "group.share.session.timeout.ms",
    "group.share.heartbeat.interval.ms",
    "group.share.assignment.interval.ms",
    "group.share.delivery.count.limit",
    "group.share.record.lock.duration.ms",
    "group.share.partition.max.record.locks",
];

/// `group.share.min.session.timeout.ms` of `group.share.session.timeout.ms`.
fn bound(key: &str, which: &str) -> String {
    let at = key.match_indices('.').nth(1).unwrap().0;
    format!("{}.{which}{}", &key[..at], &key[at..])
}

fn start(settings: &[(&str, &str)]) -> TestBroker {
    let clock = Arc::new(ManualClock::new(1_700_000_000_000));
    let builder =
        TestBroker::builder().clock(clock).set("share.coordinator.snapshot.update.records.per.snapshot", "1");
    settings.iter().fold(builder, |builder, (key, value)| builder.set(*key, *value)).start().unwrap()
}

fn code<T>(outcome: Result<T, GroupError>) -> String {
    outcome.map_or_else(|error| error.code, |_| ErrorCode::None).name()
}

fn told(outcome: Result<i32, GroupError>) -> String {
    outcome.map_or_else(|error| error.code.name(), |number| number.to_string())
}

fn join(kafka: &TestBroker, session_timeout_ms: i32) -> String {
    kafka.core.ensure_offsets_topic().unwrap();
    let (answer, answered) = std::sync::mpsc::channel();
    let protocol = JoinGroupProtocol { name: "range".into(), metadata: bytes::Bytes::new() };
    let params = JoinGroupParams {
        group_id: GROUP,
        require_known_member_id: true,
        session_timeout_ms,
        rebalance_timeout_ms: session_timeout_ms,
        protocol_type: "consumer",
        protocols: vec![protocol],
        ..JoinGroupParams::default()
    };
    kafka.core.groups.join_group(params, Box::new(move |joined| answer.send(joined).unwrap()));
    // Whatever it is, it is answered within the call.
    answered.try_recv().unwrap().error.name()
}

/// A member that joins.
fn member() -> ConsumerGroupHeartbeatParams<'static> {
    ConsumerGroupHeartbeatParams {
        group_id: GROUP,
        member_id: "member",
        rebalance_timeout_ms: 60_000,
        subscribed_topic_names: Some(BTreeSet::from(["t"])),
        topic_partitions: Some(Default::default()),
        client_id: "client",
        client_host: "/127.0.0.1",
        ..ConsumerGroupHeartbeatParams::default()
    }
}

/// When it is to come again, and its epoch.
fn consume(kafka: &TestBroker, params: &ConsumerGroupHeartbeatParams<'_>) -> Result<(i32, i32), GroupError> {
    kafka.core.ensure_offsets_topic().unwrap();
    let heard = kafka.core.groups.consumer_group_heartbeat(params)?;
    Ok((heard.heartbeat_interval_ms, heard.member_epoch))
}

fn share(kafka: &TestBroker, member_epoch: i32) -> Result<(i32, i32), GroupError> {
    kafka.core.ensure_offsets_topic().unwrap();
    let heard = kafka.core.groups.share_group_heartbeat(&ShareGroupHeartbeatParams {
        group_id: GROUP,
        member_id: "member",
        member_epoch,
        subscribed_topic_names: (member_epoch == 0).then(|| BTreeSet::from(["t"])),
        client_id: "client",
        client_host: "/127.0.0.1",
        ..ShareGroupHeartbeatParams::default()
    })?;
    Ok((heard.heartbeat_interval_ms, heard.member_epoch))
}

/// A member whose pattern is looked up with its first heartbeat, and 11 seconds later or not.
fn regex_is_looked_up_again(kafka: &mut TestBroker) -> String {
    let joining = ConsumerGroupHeartbeatParams {
        subscribed_topic_names: None,
        subscribed_topic_regex: Some("t.*"),
        ..member()
    };
    let mut epoch = consume(kafka, &joining).unwrap().1;
    let partition = kafka.core.groups.partition_for(GROUP).unwrap();
    let end = |kafka: &TestBroker| {
        kafka.core.partition("__consumer_offsets", partition).unwrap().log().unwrap().log_end_offset()
    };
    let mut go_on = |kafka: &TestBroker| {
        let owned = Some(Default::default());
        let params = ConsumerGroupHeartbeatParams {
            member_epoch: epoch,
            rebalance_timeout_ms: -1,
            subscribed_topic_names: None,
            topic_partitions: owned,
            ..member()
        };
        epoch = consume(kafka, &params).unwrap().1;
    };
    // Until it has come to rest.
    (0..3).for_each(|_| go_on(kafka));
    let before = end(kafka);
    kafka.advance(Duration::from_secs(11));
    go_on(kafka);
    if end(kafka) > before { "looked up again" } else { "nothing" }.to_owned()
}

/// A member of the share group that says of each record what becomes of it, and the topic with that many more records.
fn sharing(kafka: &TestBroker, records: usize) -> ShareConsumer {
    if kafka.admin().describe_topic("t").is_err() {
        kafka.admin().create_topic(NewTopic::new("t", 1)).unwrap();
        let earliest = AlterConfig::set("share.auto.offset.reset", "earliest");
        kafka.admin().alter_configs(&ConfigResource::group(GROUP), [earliest]).unwrap();
    }
    for _ in 0..records {
        kafka.producer().send(ProducerRecord::new("t").value("x")).unwrap().wait().unwrap();
    }
    let builder = kafka.share_consumer_builder(GROUP).acknowledgement_mode(AcknowledgementMode::Explicit);
    let mut consumer = builder.build().unwrap();
    consumer.subscribe(["t"]).unwrap();
    consumer
}

/// What there is now; a second later by the clock.
fn poll(kafka: &TestBroker, consumer: &mut ShareConsumer) -> Vec<ShareRecord> {
    kafka.advance(Duration::from_secs(1));
    consumer.poll(Duration::ZERO).unwrap().into_iter().collect()
}

fn poll_until_some(kafka: &TestBroker, consumer: &mut ShareConsumer) -> Vec<ShareRecord> {
    (0..30).map(|_| poll(kafka, consumer)).find(|records| !records.is_empty()).unwrap()
}

fn session(kafka: &TestBroker, member_id: &str) -> Result<Vec<(crate::model::Uuid, i32)>, ErrorCode> {
    let key =
        ShareSessionKey { group_id: GROUP.into(), member_id: member_id.into(), node_id: kafka.core.node_id };
    kafka.core.share_groups.open_session(ShareSessionRequest {
        key,
        epoch: 0,
        partitions: Vec::new(),
        forgotten: Vec::new(),
        has_acknowledgements: false,
        connection_id: None,
    })
}

/// Has the topic of it made.
fn state_of_share_groups(kafka: &TestBroker) {
    let mut consumer = sharing(kafka, 1);
    poll_until_some(kafka, &mut consumer);
}

/// Each step of a group writes its whole state, so that what stands before it is of no use.
fn old_state_of_share_groups(kafka: &mut TestBroker) -> String {
    let mut consumer = sharing(kafka, 3);
    for record in poll_until_some(kafka, &mut consumer) {
        consumer.acknowledge(&record, AcknowledgeType::Release).unwrap();
        consumer.commit().unwrap();
    }
    kafka.advance(Duration::from_secs(90));
    let start = |partition: i32| {
        kafka.core.partition("__share_group_state", partition).unwrap().log().unwrap().log_start_offset()
    };
    let partitions = kafka.admin().describe_topic("__share_group_state").unwrap().partitions.len();
    let is_gone = (0..i32::try_from(partitions).unwrap()).any(|partition| start(partition) > 0);
    if is_gone { "deleted" } else { "kept" }.to_owned()
}

fn committed_after_a_restart(kafka: &mut TestBroker) -> String {
    kafka.admin().create_topic(NewTopic::new("t", 1)).unwrap();
    let consumer = |kafka: &TestBroker| kafka.consumer_builder().group_id(GROUP).build().unwrap();
    let tp = crate::model::TopicPartition::new("t", 0);
    let mut first = consumer(kafka);
    first.assign([tp.clone()]).unwrap();
    first.commit_offsets([(tp.clone(), 7)]).unwrap();
    drop(first);
    kafka.restart().unwrap();
    consumer(kafka).committed(&tp).unwrap().unwrap().offset.to_string()
}

#[test]
fn each_setting_does_what_is_seen_with_it() {
    for Row { key, seen, look } in ROWS {
        for (value, expected) in seen {
            assert_eq!(look(&mut start(&[(key, value)])), expected, "{key}={value}");
        }
    }
}

/// Kafka's tools change it for all groups while the broker runs; a group that has settings of its own takes it for what it
/// does not set.
#[test]
fn the_time_between_assignments_changes_while_the_broker_runs() {
    let keys = ["group.consumer.assignment.interval.ms", "group.share.assignment.interval.ms"];
    for has_own_settings in [false, true] {
        let kafka = start(&keys.map(|key| (key, "15000")));
        kafka.admin().create_topic(NewTopic::new("t", 2)).unwrap();
        if has_own_settings {
            let own = ["consumer.session.timeout.ms", "share.session.timeout.ms"];
            for group in ["consumers", "sharers"] {
                let changes = own.map(|key| AlterConfig::set(key, "50000"));
                kafka.admin().alter_configs(&ConfigResource::group(group), changes).unwrap();
            }
        }
        kafka.core.ensure_offsets_topic().unwrap();
        let consume = |member_id, member_epoch| {
            let joins = member_epoch == 0;
            let params = ConsumerGroupHeartbeatParams { group_id: "consumers", member_id, ..member() };
            let params = match joins {
                true => params,
                false => ConsumerGroupHeartbeatParams {
                    member_epoch,
                    rebalance_timeout_ms: -1,
                    subscribed_topic_names: None,
                    ..params
                },
            };
            kafka.core.groups.consumer_group_heartbeat(&params).unwrap().member_epoch
        };
        let share = |member_id, member_epoch| {
            let params = ShareGroupHeartbeatParams {
                group_id: "sharers",
                member_id,
                member_epoch,
                subscribed_topic_names: (member_epoch == 0).then(|| BTreeSet::from(["t"])),
                client_id: "client",
                client_host: "/127.0.0.1",
                ..ShareGroupHeartbeatParams::default()
            };
            kafka.core.groups.share_group_heartbeat(&params).unwrap().member_epoch
        };
        let first = (consume("a", 0), share("a", 0));
        let second = (consume("b", 0), share("b", 0));
        assert_eq!(second, first, "there is no newer assignment yet");
        let changes = keys.map(|key| AlterConfig::set(key, "0"));
        kafka.admin().alter_configs(&ConfigResource::ClusterDefault, changes).unwrap();
        let third = (consume("b", second.0), share("b", second.1));
        assert!(third.0 > second.0 && third.1 > second.1, "{third:?} after {second:?}");
    }
}

#[test]
fn what_a_group_sets_for_itself_is_between_the_least_and_the_most_that_the_broker_has() {
    for key in BOUNDED {
        let default = BrokerConfig::key(key).unwrap().default.as_deref().unwrap();
        let number: i32 = default.parse().unwrap();
        for (which, step) in [("min", -1), ("max", 1)] {
            let beyond = number + step;
            for (value, is_allowed) in [(beyond, true), (number, false)] {
                let kafka = start(&[(key, default), (&bound(key, which), &value.to_string())]);
                let change = AlterConfig::set(key.strip_prefix("group.").unwrap(), beyond.to_string());
                let outcome = kafka.admin().alter_configs(&ConfigResource::group(GROUP), [change]);
                assert_eq!(outcome.is_ok(), is_allowed, "{key}={beyond}, {which} {value}: {outcome:?}");
            }
        }
    }
}

#[test]
fn no_setting_of_a_coordinator_is_said_to_act_and_shown_nowhere() {
    let shown: BTreeSet<String> = ROWS
        .iter()
        .map(|row| row.key.to_owned())
        .chain(ELSEWHERE.iter().map(|(key, _)| (*key).to_owned()))
        .chain(BOUNDED.iter().flat_map(|key| [bound(key, "min"), bound(key, "max")]))
        .collect();
    let prefixes = ["group.", "share.coordinator.", "transaction.", "offsets."];
    let keys =
        BrokerConfig::keys().iter().filter(|key| prefixes.iter().any(|prefix| key.name.starts_with(prefix)));
    let (acting, idle): (Vec<_>, Vec<_>) = keys.partition(|key| key.effect == Effect::Acts);
    let missing: Vec<_> = acting.iter().map(|key| key.name).filter(|name| !shown.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?} are said to act");
    let wrong: Vec<_> = idle.iter().map(|key| key.name).filter(|name| shown.contains(*name)).collect();
    assert!(wrong.is_empty(), "{wrong:?} are said not to act");
    for (key, text) in ELSEWHERE {
        let field = key.replace('.', "_");
        assert!(text.contains(key) || text.contains(&field), "{key} is not where it is said to be shown");
    }
}
