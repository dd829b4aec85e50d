//! The settings of one group: one typed field per Kafka key, each with the broker's setting it defaults to (Kafka:
//! `GroupConfig`). Those of streams groups are not among them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::broker::BrokerConfig;
use super::error::{ConfigError, ConfigProblem, ConfigWarning};
use super::key::{ConfigKey, ConfigType, Effect, UpdateMode};
use super::nearest;
use super::share_auto_offset_reset::ShareAutoOffsetReset;
use super::valid::Valid;
use super::value::{self, Setting, Value};
use crate::model::IsolationLevel;

/// One row of the table.
struct Row {
    name: &'static str,
    doc: &'static str,
    valid: Valid,
    effect: Effect,
    broker_key: Option<&'static str>,
    /// What the broker allows.
    bounds: fn(&BrokerConfig) -> Option<(i32, i32)>,
    get: fn(&GroupSettings) -> &dyn Setting,
    get_mut: fn(&mut GroupSettings) -> &mut dyn Setting,
}

macro_rules! group_settings {
    ($(
        $(#[doc = $doc:literal])+
        $name:literal $field:ident: $type:ty = $default:expr, $valid:expr, $effect:ident
        $(, from $broker_key:literal $broker_field:ident)? $(, within $low:ident $high:ident)?;
    )*) => {
        /// Every setting of one group, typed: what the group overrides, and the broker's settings for the rest.
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) struct GroupSettings {
            $(
                $(#[doc = $doc])+
                ///
                #[doc = concat!("Kafka: `", $name, "`; default `", stringify!($default), "`.")]
                pub(crate) $field: $type,
            )*
        }

        impl Default for GroupSettings {
            fn default() -> Self {
                GroupSettings { $($field: $default),* }
            }
        }

        impl From<&BrokerConfig> for GroupSettings {
            fn from(broker: &BrokerConfig) -> GroupSettings {
                let mut settings = GroupSettings::default();
                $($(settings.$field = broker.$broker_field;)?)*
                settings
            }
        }

        static ROWS: &[Row] = {
            use Valid::*;
            &[$(Row {
                name: $name,
                doc: concat!($($doc),+),
                valid: $valid,
                effect: Effect::$effect,
                broker_key: { let key: &[&'static str] = &[$($broker_key)?]; key.first().copied() },
                bounds: |broker| {
                    let _ = broker;
                    let bounds: [Option<(i32, i32)>; 1] = [group_settings!(@bounds broker $($low $high)?)];
                    bounds[0]
                },
                get: |settings| &settings.$field,
                get_mut: |settings| &mut settings.$field,
            }),*]
        };
    };
    (@bounds $broker:ident) => { None };
    (@bounds $broker:ident $low:ident $high:ident) => { Some(($broker.$low, $broker.$high)) };
}

group_settings! {
    /// How long a consumer group keeps its assignment before a new one is made.
    "consumer.assignment.interval.ms" consumer_assignment_interval_ms: i32 = 1000, AtLeast(0), Acts, from "group.consumer.assignment.interval.ms" group_consumer_assignment_interval_ms, within group_consumer_min_assignment_interval_ms group_consumer_max_assignment_interval_ms;
    /// Whether assignments are computed on a thread of their own. ottla's are not.
    "consumer.assignor.offload.enable" consumer_assignor_offload_enable: bool = true, Any, Accepted, from "group.consumer.assignor.offload.enable" group_consumer_assignor_offload_enable;
    /// How often members of the consumer group are told to report.
    "consumer.heartbeat.interval.ms" consumer_heartbeat_interval_ms: i32 = 5000, AtLeast(1), Acts, from "group.consumer.heartbeat.interval.ms" group_consumer_heartbeat_interval_ms, within group_consumer_min_heartbeat_interval_ms group_consumer_max_heartbeat_interval_ms;
    /// How long a member of the consumer group may be silent before it is taken for dead.
    "consumer.session.timeout.ms" consumer_session_timeout_ms: i32 = 45_000, AtLeast(1), Acts, from "group.consumer.session.timeout.ms" group_consumer_session_timeout_ms, within group_consumer_min_session_timeout_ms group_consumer_max_session_timeout_ms;
    /// Whether records that are given up are copied to the topic of such records. ottla has no such topic.
    "errors.deadletterqueue.copy.record.enable" errors_deadletterqueue_copy_record_enable: bool = false, Any, Accepted;
    /// The topic of records that are given up; none if it is empty. ottla writes to none.
    "errors.deadletterqueue.topic.name" errors_deadletterqueue_topic_name: String = String::new(), Any, Accepted;
    /// How long a share group keeps its assignment before a new one is made.
    "share.assignment.interval.ms" share_assignment_interval_ms: i32 = 1000, AtLeast(0), Acts, from "group.share.assignment.interval.ms" group_share_assignment_interval_ms, within group_share_min_assignment_interval_ms group_share_max_assignment_interval_ms;
    /// Whether assignments are computed on a thread of their own. ottla's are not.
    "share.assignor.offload.enable" share_assignor_offload_enable: bool = true, Any, Accepted, from "group.share.assignor.offload.enable" group_share_assignor_offload_enable;
    /// Where a share group begins that has not read a partition before: latest, earliest, or by_duration: and a
    /// duration as ISO 8601 writes it.
    "share.auto.offset.reset" share_auto_offset_reset: ShareAutoOffsetReset = ShareAutoOffsetReset::Latest, Any, Acts;
    /// How often a record is given out that nobody acknowledges.
    "share.delivery.count.limit" share_delivery_count_limit: i32 = 5, AtLeast(2), Acts, from "group.share.delivery.count.limit" group_share_delivery_count_limit, within group_share_min_delivery_count_limit group_share_max_delivery_count_limit;
    /// How often members of the share group are told to report.
    "share.heartbeat.interval.ms" share_heartbeat_interval_ms: i32 = 5000, AtLeast(1), Acts, from "group.share.heartbeat.interval.ms" group_share_heartbeat_interval_ms, within group_share_min_heartbeat_interval_ms group_share_max_heartbeat_interval_ms;
    /// Whether records of transactions that are open or were aborted are given out.
    "share.isolation.level" share_isolation_level: IsolationLevel = IsolationLevel::ReadUncommitted, Any, Acts;
    /// How many records of a partition may be held at once.
    "share.partition.max.record.locks" share_partition_max_record_locks: i32 = 2000, AtLeast(100), Acts, from "group.share.partition.max.record.locks" group_share_partition_max_record_locks, within group_share_min_partition_max_record_locks group_share_max_partition_max_record_locks;
    /// How long a member may hold a record without an answer.
    "share.record.lock.duration.ms" share_record_lock_duration_ms: i32 = 30_000, AtLeast(1000), Acts, from "group.share.record.lock.duration.ms" group_share_record_lock_duration_ms, within group_share_min_record_lock_duration_ms group_share_max_record_lock_duration_ms;
    /// Whether a member may ask for more time for a record.
    "share.renew.acknowledge.enable" share_renew_acknowledge_enable: bool = true, Any, Acts;
    /// How long a member of the share group may be silent before it is taken for dead.
    "share.session.timeout.ms" share_session_timeout_ms: i32 = 45_000, AtLeast(1), Acts, from "group.share.session.timeout.ms" group_share_session_timeout_ms, within group_share_min_session_timeout_ms group_share_max_session_timeout_ms;
}

static KEYS: LazyLock<Vec<ConfigKey>> = LazyLock::new(|| {
    let defaults = GroupSettings::default();
    let describe = |row: &Row| {
        let setting = (row.get)(&defaults);
        ConfigKey {
            name: row.name,
            type_: setting.config_type(),
            default: value::print(setting),
            doc: row.doc.trim(),
            update_mode: UpdateMode::ClusterWide,
            sensitive: setting.config_type() == ConfigType::Password,
            effect: row.effect,
            allowed: value::describe_allowed(setting, row.valid),
            synonyms: row.broker_key.into_iter().collect(),
        }
    };
    ROWS.iter().map(describe).collect()
});

impl GroupSettings {
    /// What is known of every setting that a group can override.
    pub(crate) fn keys() -> &'static [ConfigKey] {
        &KEYS
    }

    /// What is known of the group's setting `name`.
    pub(crate) fn key(name: &str) -> Option<&'static ConfigKey> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// The value of the setting `name`, as Kafka prints it.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let row = ROWS.iter().find(|row| row.name == name)?;
        value::print((row.get)(self))
    }

    /// The settings of a group: its overrides, and the broker's settings for the rest. What the broker does not allow
    /// any more is taken for the nearest that it does (Kafka: `GroupConfig#evaluate`).
    ///
    /// # Errors
    /// All overrides that cannot be read, or have unknown names.
    pub(crate) fn from_overrides(
        broker: &BrokerConfig,
        overrides: &BTreeMap<String, String>,
    ) -> Result<GroupSettings, ConfigError> {
        let mut settings = Self::read_all(broker, overrides)?;
        for row in ROWS.iter().filter(|row| overrides.contains_key(row.name)) {
            if let (Some((low, high)), Value::Integer(given)) =
                ((row.bounds)(broker), (row.get)(&settings).value())
            {
                let allowed = given.clamp(low.into(), high.into());
                // Reads back what it has printed.
                (row.get_mut)(&mut settings).read(&allowed.to_string(), Valid::Any);
            }
        }
        Ok(settings)
    }

    /// The same of overrides that somebody wants to set: what the broker does not allow is refused (Kafka:
    /// `GroupConfig#validate`).
    ///
    /// # Errors
    /// All that is wrong.
    pub(crate) fn validate(
        broker: &BrokerConfig,
        overrides: &BTreeMap<String, String>,
    ) -> Result<GroupSettings, ConfigError> {
        let settings = Self::read_all(broker, overrides)?;
        let mut problems = Vec::new();
        let mut refuse = |key: &'static str, value: String, reason: String| {
            problems.push(ConfigProblem::Conflict { key, value, reason });
        };
        for row in ROWS.iter().filter(|row| overrides.contains_key(row.name)) {
            if let (Some((low, high)), Value::Integer(given)) =
                ((row.bounds)(broker), (row.get)(&settings).value())
                && !(i64::from(low)..=i64::from(high)).contains(&given)
            {
                let reason = format!("must be in the range {low} to {high} inclusive");
                refuse(row.name, given.to_string(), reason);
            }
        }
        for (session, session_ms, heartbeat, heartbeat_ms) in [
            (
                "consumer.session.timeout.ms",
                settings.consumer_session_timeout_ms,
                "consumer.heartbeat.interval.ms",
                settings.consumer_heartbeat_interval_ms,
            ),
            (
                "share.session.timeout.ms",
                settings.share_session_timeout_ms,
                "share.heartbeat.interval.ms",
                settings.share_heartbeat_interval_ms,
            ),
        ] {
            if session_ms <= heartbeat_ms {
                let reason = format!("must be greater than {heartbeat}={heartbeat_ms}");
                refuse(session, session_ms.to_string(), reason);
            }
        }
        if settings.errors_deadletterqueue_topic_name.starts_with("__") {
            let name = settings.errors_deadletterqueue_topic_name.clone();
            refuse("errors.deadletterqueue.topic.name", name, "must not start with '__'".to_owned());
        }
        if problems.is_empty() { Ok(settings) } else { Err(ConfigError::new(problems)) }
    }

    /// What whoever changes the overrides of a group should know: which of those that are new have no effect.
    pub(crate) fn warnings(
        before: &BTreeMap<String, String>,
        overrides: &BTreeMap<String, String>,
    ) -> Vec<ConfigWarning> {
        let is_idle = |name: &str| Self::key(name).is_some_and(|key| key.effect == Effect::Accepted);
        let new = overrides.iter().filter(|(name, value)| before.get(*name) != Some(*value));
        new.filter(|(name, _)| is_idle(name))
            .map(|(name, _)| ConfigWarning::WithoutEffect { key: name.clone() })
            .collect()
    }

    fn read_all(
        broker: &BrokerConfig,
        overrides: &BTreeMap<String, String>,
    ) -> Result<GroupSettings, ConfigError> {
        let mut settings = GroupSettings::from(broker);
        let problems: Vec<_> =
            overrides.iter().filter_map(|(name, text)| settings.read(name, text).err()).collect();
        if problems.is_empty() { Ok(settings) } else { Err(ConfigError::new(problems)) }
    }

    fn read(&mut self, name: &str, text: &str) -> Result<(), ConfigProblem> {
        let Some(row) = ROWS.iter().find(|row| row.name == name) else {
            let nearest = nearest::among(name, ROWS.iter().map(|row| row.name));
            return Err(ConfigProblem::UnknownKey { key: name.to_owned(), nearest });
        };
        let setting = (row.get_mut)(self);
        match setting.read(text, row.valid) {
            true => Ok(()),
            false => Err(ConfigProblem::bad_value(name, text, setting, row.valid)),
        }
    }
}
