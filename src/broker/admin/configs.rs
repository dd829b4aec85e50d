use super::Admin;
use crate::broker::metadata;
use crate::config::{self, AlterOp, ConfigChange};
use crate::error::Result;

/// Whose settings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigResource {
    /// Those of the topic of this name.
    Topic(String),
    /// Those of this broker.
    Broker,
    /// What every broker takes that has no setting of its own.
    ClusterDefault,
    /// Those of the group of this name, whether it exists or not.
    Group(String),
}

impl ConfigResource {
    /// The settings of a topic.
    pub fn topic(name: impl Into<String>) -> Self {
        ConfigResource::Topic(name.into())
    }

    /// The settings of a group.
    pub fn group(id: impl Into<String>) -> Self {
        ConfigResource::Group(id.into())
    }

    fn inner(&self) -> metadata::ConfigResource {
        match self {
            ConfigResource::Topic(name) => metadata::ConfigResource::Topic(name.clone()),
            ConfigResource::Broker => metadata::ConfigResource::Broker,
            ConfigResource::ClusterDefault => metadata::ConfigResource::ClusterDefault,
            ConfigResource::Group(id) => metadata::ConfigResource::Group(id.clone()),
        }
    }
}

/// Who has chosen the value of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigSource {
    /// The topic has it as its own.
    Topic,
    /// The group has it as its own.
    Group,
    /// It was given to this broker while it ran.
    DynamicBroker,
    /// It was given to all brokers while they ran.
    DynamicDefaultBroker,
    /// The broker was opened with it.
    StaticBroker,
    /// Nobody: it is the default.
    Default,
}

/// A setting and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigEntry {
    /// Kafka's key.
    pub name: String,
    /// The value, as it would stand in a properties file; `None` if it has none, or if it is a secret.
    pub value: Option<String>,
    /// Who has chosen it.
    pub source: ConfigSource,
    /// Whether it is a secret.
    pub is_sensitive: bool,
    /// Whether it can only be set when the broker is opened.
    pub is_read_only: bool,
    /// What it is for.
    pub doc: Option<&'static str>,
}

impl From<config::ConfigEntry> for ConfigEntry {
    fn from(entry: config::ConfigEntry) -> Self {
        ConfigEntry {
            name: entry.name,
            value: entry.value,
            source: match entry.source {
                config::ConfigSource::Topic => ConfigSource::Topic,
                config::ConfigSource::Group => ConfigSource::Group,
                config::ConfigSource::DynamicBroker => ConfigSource::DynamicBroker,
                config::ConfigSource::DynamicDefaultBroker => ConfigSource::DynamicDefaultBroker,
                config::ConfigSource::StaticBroker => ConfigSource::StaticBroker,
                config::ConfigSource::Default => ConfigSource::Default,
            },
            is_sensitive: entry.sensitive,
            is_read_only: entry.read_only,
            doc: entry.doc,
        }
    }
}

/// A change of one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlterConfig {
    name: String,
    op: AlterOp,
    value: Option<String>,
}

impl AlterConfig {
    /// Gives a setting a value.
    pub fn set(name: impl Into<String>, value: impl Into<String>) -> Self {
        AlterConfig { name: name.into(), op: AlterOp::Set, value: Some(value.into()) }
    }

    /// Gives a setting its default again.
    pub fn delete(name: impl Into<String>) -> Self {
        AlterConfig { name: name.into(), op: AlterOp::Delete, value: None }
    }

    /// Adds items, separated by commas, to a setting that is a list.
    pub fn append(name: impl Into<String>, items: impl Into<String>) -> Self {
        AlterConfig { name: name.into(), op: AlterOp::Append, value: Some(items.into()) }
    }

    /// Takes items, separated by commas, from a setting that is a list.
    pub fn subtract(name: impl Into<String>, items: impl Into<String>) -> Self {
        AlterConfig { name: name.into(), op: AlterOp::Subtract, value: Some(items.into()) }
    }
}

impl Admin {
    /// All settings of a resource, sorted by name, with their values as they are now.
    ///
    /// # Errors
    /// [`UnknownTopicOrPartition`](crate::ErrorCode::UnknownTopicOrPartition),
    /// [`BrokerNotAvailable`](crate::ErrorCode::BrokerNotAvailable).
    pub fn describe_configs(&self, resource: &ConfigResource) -> Result<Vec<ConfigEntry>> {
        let entries = self.core.describe_configs(&resource.inner(), |_| true)?;
        let mut entries: Vec<ConfigEntry> = entries.into_iter().map(ConfigEntry::from).collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// One setting; `None` if the resource has none of that name.
    ///
    /// # Errors
    /// As [`describe_configs`](Self::describe_configs).
    pub fn describe_config(&self, resource: &ConfigResource, name: &str) -> Result<Option<ConfigEntry>> {
        let entries = self.core.describe_configs(&resource.inner(), |known| known == name)?;
        Ok(entries.into_iter().next().map(ConfigEntry::from))
    }

    /// Changes settings, all of them or none; the others stay as they are. The changes count at once, and are still
    /// there when the broker is opened again.
    ///
    /// # Errors
    /// [`InvalidConfig`](crate::ErrorCode::InvalidConfig): a value is wrong, or the setting cannot be changed while
    /// the broker runs; the message names all that are. [`InvalidRequest`](crate::ErrorCode::InvalidRequest),
    /// [`UnknownTopicOrPartition`](crate::ErrorCode::UnknownTopicOrPartition),
    /// [`KafkaStorageError`](crate::ErrorCode::KafkaStorageError),
    /// [`BrokerNotAvailable`](crate::ErrorCode::BrokerNotAvailable).
    ///
    /// # Examples
    /// ```
    /// use ottla::{AlterConfig, Broker, ConfigResource, ConfigSource, NewTopic};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let broker = Broker::temporary()?;
    /// let admin = broker.admin();
    /// admin.create_topic(NewTopic::new("orders", 1))?;
    /// let orders = ConfigResource::topic("orders");
    /// admin.alter_configs(&orders, [AlterConfig::set("retention.ms", "60000")])?;
    ///
    /// let retention = admin.describe_config(&orders, "retention.ms")?.unwrap();
    /// assert_eq!((retention.value.as_deref(), retention.source), (Some("60000"), ConfigSource::Topic));
    /// # Ok(())
    /// # }
    /// ```
    pub fn alter_configs(
        &self,
        resource: &ConfigResource,
        changes: impl IntoIterator<Item = AlterConfig>,
    ) -> Result<()> {
        let changes: Vec<AlterConfig> = changes.into_iter().collect();
        let changes: Vec<ConfigChange<'_>> = changes
            .iter()
            .map(|change| ConfigChange { name: &change.name, op: change.op, value: change.value.as_deref() })
            .collect();
        self.core.alter_configs(&resource.inner(), &changes, false)
    }
}
