//! The broker's settings: one typed field per Kafka key.
//!
//! The rows stand in the files beside this one, by theme; each file hands its rows on to the next, and
//! [`broker_settings!`] makes of all of them the struct, the defaults, the parser, the printer and the metadata.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use super::choice::{
    CleanupPolicy, GroupMigrationPolicy, MessageTimestampType, RecordingLevel, SecurityProtocol,
    SslClientAuth, TopicCompression,
};
use super::key::{ConfigKey, Effect, UpdateMode};
use super::valid::Valid;
use super::value::{self, ClassName, Password, Setting};

#[macro_use]
mod general;
#[macro_use]
mod network;
#[macro_use]
mod log;
#[macro_use]
mod replication;
#[macro_use]
mod groups;
#[macro_use]
mod transactions;
#[macro_use]
mod quotas;
#[macro_use]
mod security;
#[macro_use]
mod kraft;
#[macro_use]
mod metrics;
#[macro_use]
mod zookeeper;

mod effective;
mod load;

/// One row of the table, without the part that is the same for topics.
struct Row {
    name: &'static str,
    doc: &'static str,
    valid: Valid,
    update_mode: UpdateMode,
    effect: Effect,
    get: fn(&BrokerConfig) -> &dyn Setting,
    get_mut: fn(&mut BrokerConfig) -> &mut dyn Setting,
}

/// Hands the rows collected so far to the next file of rows, and at the end to [`broker_settings!`].
macro_rules! collect_rows {
    ([] $($rows:tt)*) => { broker_settings! { $($rows)* } };
    ([$first:ident $($rest:ident)*] $($rows:tt)*) => { $first! { [$($rest)*] $($rows)* } };
}

macro_rules! broker_settings {
    ($(
        $(#[doc = $doc:literal])+
        $name:literal $field:ident: $type:ty = $default:expr, $valid:expr, $mode:ident, $effect:ident;
    )*) => {
        /// Every setting of a broker, typed: one field per Kafka key, its dots become underscores.
        ///
        /// Fields may be set directly, or by Kafka's names and texts with [`BrokerConfig::set`] and
        /// [`BrokerConfig::from_properties`]. What depends on several settings is checked when the broker opens.
        ///
        /// # Examples
        /// ```
        /// use ottla::BrokerConfig;
        /// let mut config = BrokerConfig::default();
        /// assert_eq!(config.log_segment_bytes, 1 << 30);
        /// config.set("log.segment.bytes", "1048576")?;
        /// assert_eq!(config.log_segment_bytes, 1 << 20);
        /// assert!(config.set("log.segment.bytes", "small").is_err());
        /// # Ok::<(), ottla::ConfigError>(())
        /// ```
        #[derive(Clone, PartialEq)]
        pub struct BrokerConfig {
            $(
                $(#[doc = $doc])+
                ///
                #[doc = concat!("Kafka: `", $name, "`; default `", stringify!($default), "`.")]
                pub $field: $type,
            )*
            /// The settings that were given by name, as they were written: unknown ones and those of single
            /// listeners are among them.
            pub(super) originals: BTreeMap<String, String>,
        }

        impl Default for BrokerConfig {
            fn default() -> Self {
                BrokerConfig { $($field: $default,)* originals: BTreeMap::new() }
            }
        }

        static ROWS: &[Row] = {
            use Valid::*;
            &[$(Row {
                name: $name,
                doc: concat!($($doc),+),
                valid: $valid,
                update_mode: UpdateMode::$mode,
                effect: Effect::$effect,
                get: |config| &config.$field,
                get_mut: |config| &mut config.$field,
            }),*]
        };
    };
}

general_rows! { [network_rows log_rows replication_rows groups_rows transactions_rows quotas_rows security_rows
kraft_rows metrics_rows zookeeper_rows] }

static KEYS: LazyLock<Vec<ConfigKey>> = LazyLock::new(|| {
    let defaults = BrokerConfig::default();
    let describe = |row: &Row| {
        let setting = (row.get)(&defaults);
        let type_ = setting.config_type();
        ConfigKey {
            name: row.name,
            type_,
            default: value::print(setting),
            doc: row.doc.trim(),
            update_mode: row.update_mode,
            sensitive: type_ == super::key::ConfigType::Password,
            effect: row.effect,
            allowed: value::describe_allowed(setting, row.valid),
            synonyms: super::log::topic_keys_of(row.name),
        }
    };
    ROWS.iter().map(describe).collect()
});

impl BrokerConfig {
    /// What is known of every setting: name, type, default, range, when it may change, and what it is for.
    ///
    /// # Examples
    /// ```
    /// use ottla::BrokerConfig;
    /// let key = BrokerConfig::key("num.partitions").unwrap();
    /// assert_eq!((key.type_.name(), key.default.as_deref()), ("int", Some("1")));
    /// assert!(BrokerConfig::keys().len() > 300);
    /// ```
    pub fn keys() -> &'static [ConfigKey] {
        &KEYS
    }

    /// What is known of the setting that Kafka calls `name`.
    pub fn key(name: &str) -> Option<&'static ConfigKey> {
        position_of(name).and_then(|position| KEYS.get(position))
    }

    /// The value of the setting that Kafka calls `name`, as Kafka prints it. `None` for an unknown name and for a
    /// setting without a value. Secrets are not hidden here.
    pub fn get(&self, name: &str) -> Option<String> {
        let row = position_of(name).and_then(|position| ROWS.get(position))?;
        value::print((row.get)(self))
    }
}

/// Which row of the table a key is.
fn position_of(name: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.name == name)
}

fn list(items: &[&str]) -> Vec<String> {
    items.iter().map(|&item| item.to_owned()).collect()
}

/// `kafka-logs` in the system's directory for temporary files, as Kafka has it.
fn default_log_dir() -> String {
    std::env::temp_dir().join("kafka-logs").to_string_lossy().into_owned()
}

/// Shows only what differs from the defaults: all of it would be three hundred lines.
impl fmt::Debug for BrokerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let defaults = BrokerConfig::default();
        let mut shown = f.debug_struct("BrokerConfig");
        for row in ROWS {
            let setting = (row.get)(self).value();
            match setting {
                _ if setting == (row.get)(&defaults).value() => {}
                value::Value::Secret(_) => drop(shown.field(row.name, &"[hidden]")),
                setting => drop(shown.field(row.name, &setting)),
            }
        }
        shown.finish_non_exhaustive()
    }
}
