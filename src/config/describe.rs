//! What DescribeConfigs tells of brokers and topics (Kafka: `ConfigHelper`).

use super::broker::BrokerConfig;
use super::dynamic::{DynamicBrokerConfig, Overrides, Scope, known_key};
use super::error::ConfigError;
use super::group::GroupSettings;
use super::key::{ConfigKey, ConfigType, UpdateMode};
use super::log::LogConfig;

/// Where a value comes from, the one that wins first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ConfigSource {
    /// The topic's own.
    Topic,
    /// The group's own.
    Group,
    /// Given to this broker while it ran.
    DynamicBroker,
    /// Given to all brokers while they ran.
    DynamicDefaultBroker,
    /// What the broker was started with.
    StaticBroker,
    /// Nobody's choice.
    Default,
}

impl ConfigSource {
    /// The number that stands for it in an answer.
    pub(crate) fn code(self) -> i8 {
        match self {
            ConfigSource::Topic => 1,
            ConfigSource::Group => 8,
            ConfigSource::DynamicBroker => 2,
            ConfigSource::DynamicDefaultBroker => 3,
            ConfigSource::StaticBroker => 4,
            ConfigSource::Default => 5,
        }
    }
}

/// One setting with its value and how it came by it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ConfigEntry {
    pub(crate) name: String,
    /// `None` for Kafka's `null`, and for secrets.
    pub(crate) value: Option<String>,
    pub(crate) source: ConfigSource,
    pub(crate) sensitive: bool,
    pub(crate) read_only: bool,
    /// `None` for a setting that the table does not know.
    pub(crate) type_: Option<ConfigType>,
    pub(crate) doc: Option<&'static str>,
    /// Every value that was given for it, the one that wins first.
    pub(crate) synonyms: Vec<ConfigSynonym>,
}

/// One of the values that were given for a setting, under one of its names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ConfigSynonym {
    pub(crate) name: String,
    /// `None` for secrets.
    pub(crate) value: Option<String>,
    pub(crate) source: ConfigSource,
}

/// Settings in several units, the one that wins first (Kafka: `DynamicBrokerConfig.brokerConfigSynonyms`).
const UNITS: [&[&str]; 4] = [
    &["log.roll.ms", "log.roll.hours"],
    &["log.roll.jitter.ms", "log.roll.jitter.hours"],
    &["log.retention.ms", "log.retention.minutes", "log.retention.hours"],
    &["log.flush.interval.ms", "log.flush.scheduler.interval.ms"],
];

impl DynamicBrokerConfig {
    /// The settings of a topic with these overrides; `is_wanted` picks by name.
    ///
    /// # Errors
    /// The topic's overrides are no longer admitted.
    pub(crate) fn describe_topic(
        &self,
        overrides: &Overrides,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<ConfigEntry>, ConfigError> {
        let config = LogConfig::from_overrides(self.effective(), overrides)?;
        // Numbers as Kafka writes them, whoever set them; a list keeps the order of its items.
        let own_value = |key: &ConfigKey| {
            let written = overrides.get(key.name)?;
            if key.type_ == ConfigType::List { Some(written.clone()) } else { config.get(key.name) }
        };
        let describe = |key: &ConfigKey| {
            let own = own_value(key).map(|value| ConfigSynonym {
                name: key.name.to_owned(),
                value: Some(value),
                source: ConfigSource::Topic,
            });
            let of_broker = key.synonyms.first().map(|name| self.synonyms(name, false)).unwrap_or_default();
            let synonyms: Vec<_> = own.into_iter().chain(of_broker).collect();
            ConfigEntry {
                name: key.name.to_owned(),
                value: own_value(key).or_else(|| config.get(key.name)),
                source: synonyms.first().map_or(ConfigSource::Default, |synonym| synonym.source),
                sensitive: false,
                read_only: false,
                type_: Some(key.type_),
                doc: Some(key.doc),
                synonyms,
            }
        };
        Ok(LogConfig::keys().iter().filter(|key| is_wanted(key.name)).map(describe).collect())
    }

    /// The settings of a group with these overrides; `is_wanted` picks by name.
    ///
    /// # Errors
    /// The group's overrides are no longer admitted.
    pub(crate) fn describe_group(
        &self,
        overrides: &Overrides,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<ConfigEntry>, ConfigError> {
        let settings = GroupSettings::from_overrides(self.effective(), overrides)?;
        let describe = |key: &ConfigKey| {
            let own = overrides.get(key.name).map(|value| ConfigSynonym {
                name: key.name.to_owned(),
                value: Some(value.clone()),
                source: ConfigSource::Group,
            });
            let of_broker = key.synonyms.first().map(|name| self.synonyms(name, false)).unwrap_or_default();
            let default = of_broker.is_empty().then(|| ConfigSynonym {
                name: key.name.to_owned(),
                value: key.default.clone(),
                source: ConfigSource::Default,
            });
            let synonyms: Vec<_> = own.into_iter().chain(of_broker).chain(default).collect();
            ConfigEntry {
                name: key.name.to_owned(),
                value: settings.get(key.name),
                source: synonyms.first().map_or(ConfigSource::Default, |synonym| synonym.source),
                sensitive: false,
                read_only: false,
                type_: Some(key.type_),
                doc: Some(key.doc),
                synonyms,
            }
        };
        Ok(GroupSettings::keys().iter().filter(|key| is_wanted(key.name)).map(describe).collect())
    }

    /// The settings of this broker, also those that were given to it under unknown names.
    pub(crate) fn describe_broker(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<ConfigEntry> {
        let known = BrokerConfig::keys().iter().map(|key| key.name);
        let others = self.effective().originals().map(|(name, _)| name);
        let others = others.filter(|name| BrokerConfig::key(name).is_none());
        known.chain(others).filter(|name| is_wanted(name)).map(|name| self.describe(name)).collect()
    }

    /// The defaults that all brokers were given while they ran.
    pub(crate) fn describe_cluster_default(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<ConfigEntry> {
        let given = self.overrides(Scope::ClusterDefault);
        let describe = |(name, value): (&String, &String)| {
            let mut entry = self.describe(name);
            entry.synonyms.retain(|synonym| synonym.source == ConfigSource::DynamicDefaultBroker);
            entry.source = ConfigSource::DynamicDefaultBroker;
            entry.value = (!entry.sensitive).then(|| value.clone());
            entry
        };
        given.iter().filter(|(name, _)| is_wanted(name)).map(describe).collect()
    }

    fn describe(&self, name: &str) -> ConfigEntry {
        let key = known_key(name);
        // Of a setting that nobody knows, nobody knows either whether it is a secret.
        let sensitive = key.is_none_or(|key| key.sensitive);
        let synonyms = self.synonyms(name, sensitive);
        let given = || {
            self.effective().originals().find(|(given, _)| *given == name).map(|(_, text)| text.to_owned())
        };
        ConfigEntry {
            name: name.to_owned(),
            value: if sensitive { None } else { self.effective().get(name).or_else(given) },
            source: synonyms.first().map_or(ConfigSource::Default, |synonym| synonym.source),
            sensitive,
            read_only: key.is_none_or(|key| key.update_mode == UpdateMode::ReadOnly),
            type_: key.map(|key| key.type_),
            doc: key.map(|key| key.doc),
            synonyms,
        }
    }

    /// Every value given for a broker's setting, from the first that stands under its own name: a value in a coarser
    /// unit that wins over nothing is not told (Kafka: `ConfigHelper#configSynonyms`).
    fn synonyms(&self, name: &str, sensitive: bool) -> Vec<ConfigSynonym> {
        let names = match UNITS.iter().find(|names| names.contains(&name)) {
            // The flusher's own interval has no other name, although it is the default of another.
            Some(_) if name == "log.flush.scheduler.interval.ms" => vec![name],
            Some(names) => names.to_vec(),
            None => match super::listener_key::ListenerKey::parse(name) {
                Some(key) => vec![name, key.base],
                None => vec![name],
            },
        };
        let per_broker = self.overrides(Scope::Broker);
        let defaults = self.overrides(Scope::ClusterDefault);
        let started_with = self.started_with();
        let mut synonyms = Vec::new();
        let mut add = |source, value_of: &dyn Fn(&str) -> Option<String>| {
            for name in &names {
                if let Some(value) = value_of(name) {
                    let value = (!sensitive).then_some(value);
                    synonyms.push(ConfigSynonym { name: (*name).to_owned(), value, source });
                }
            }
        };
        add(ConfigSource::DynamicBroker, &|name| per_broker.get(name).cloned());
        add(ConfigSource::DynamicDefaultBroker, &|name| defaults.get(name).cloned());
        add(ConfigSource::StaticBroker, &|name| started_with.given_text(name));
        add(ConfigSource::Default, &|name| BrokerConfig::key(name).and_then(|key| key.default.clone()));
        let start = synonyms.iter().position(|synonym| synonym.name == name).unwrap_or(synonyms.len());
        synonyms.split_off(start)
    }
}
