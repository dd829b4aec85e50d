//! The settings: one row per Kafka key, from which field, parser, printer and description come.
//!
//! `broker/`, `log.rs` and `group.rs` hold the rows of brokers, topics and groups; `properties.rs` and `environment.rs` read where settings
//! are written; `listeners.rs` is the one setting with a grammar of its own; `conflicts.rs` checks what depends on
//! several settings.

mod alter;
mod broker;
mod choice;
mod conflicts;
mod describe;
mod dynamic;
mod environment;
mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod group;
mod key;
mod listener_key;
mod listeners;
mod log;
mod nearest;
mod properties;
mod share_auto_offset_reset;
mod valid;
mod value;

#[cfg(test)]
mod tests;

pub(crate) use alter::{AlterOp, ConfigChange, alter_group, alter_topic};
pub use broker::BrokerConfig;
pub use choice::{
    CleanupPolicy, GroupMigrationPolicy, MessageTimestampType, RecordingLevel, SecurityProtocol,
    SslClientAuth, TopicCompression,
};
pub(crate) use describe::{ConfigEntry, ConfigSource};
pub(crate) use dynamic::{DynamicBrokerConfig, Overrides, Scope};
pub use environment::settings_from_environment;
pub use error::{ConfigError, ConfigProblem, ConfigWarning};
pub(crate) use group::GroupSettings;
pub use key::{ConfigKey, ConfigType, Effect, UpdateMode};
pub(crate) use listeners::{Endpoint, Listeners};
pub(crate) use log::LogConfig;
pub use properties::Properties;
pub(crate) use share_auto_offset_reset::ShareAutoOffsetReset;
pub use value::{ClassName, Password};
