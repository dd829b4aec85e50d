//! Reads settings by their names.

use super::{BrokerConfig, KEYS, ROWS, position_of};
use crate::config::error::{ConfigError, ConfigProblem, ConfigWarning};
use crate::config::key::Effect;
use crate::config::listener_key::ListenerKey;
use crate::config::{nearest, value};

impl BrokerConfig {
    /// Reads settings written as Kafka writes them, on top of the defaults, and checks them, also against each other.
    ///
    /// Where a key comes twice the later value counts. Unknown keys are no error, since Kafka tolerates them; they come
    /// back as warnings, and so do keys that are accepted without effect.
    ///
    /// # Examples
    /// ```
    /// use ottla::BrokerConfig;
    /// let (config, warnings) = BrokerConfig::from_properties([("node.id", "7"), ("num.partition", "3")])?;
    /// assert_eq!((config.node_id, config.num_partitions), (7, 1));
    /// assert!(warnings[0].to_string().contains("did you mean num.partitions?"));
    /// # Ok::<(), ottla::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// Lists every wrong setting, not only the first, each with its key, its value and what is allowed.
    pub fn from_properties<K, V>(
        properties: impl IntoIterator<Item = (K, V)>,
    ) -> Result<(BrokerConfig, Vec<ConfigWarning>), ConfigError>
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        let mut config = BrokerConfig::default();
        let mut problems = Vec::new();
        for (name, text) in properties {
            if let Err(error) = config.set(name.as_ref(), text.as_ref()) {
                problems.extend(error.into_problems());
            }
        }
        // Checks across settings mean something only where each of them is right by itself.
        if problems.is_empty() {
            problems = config.conflicts();
        }
        if problems.is_empty() {
            let warnings = config.warnings();
            Ok((config, warnings))
        } else {
            Err(ConfigError::new(problems))
        }
    }

    /// Sets one setting by Kafka's name and text. An unknown name is kept without effect, as Kafka keeps it for its
    /// plug-ins; [`BrokerConfig::key`] tells which names are known.
    ///
    /// # Errors
    /// Says what is allowed, if `text` is not. The setting then keeps its value.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), ConfigError> {
        match position_of(name).and_then(|position| ROWS.get(position)) {
            Some(row) => {
                if !(row.get_mut)(self).read(text, row.valid) {
                    let setting = (row.get)(self);
                    return Err(ConfigProblem::bad_value(name, text, setting, row.valid).into());
                }
            }
            None => self.check_listener_setting(name, text)?,
        }
        self.originals.insert(name.to_owned(), text.to_owned());
        Ok(())
    }

    /// `listener.name.internal.ssl.keystore.location` has to be right as `ssl.keystore.location` would.
    fn check_listener_setting(&self, name: &str, text: &str) -> Result<(), ConfigError> {
        let Some(row) =
            ListenerKey::parse(name).and_then(|key| position_of(key.base)).and_then(|row| ROWS.get(row))
        else {
            return Ok(());
        };
        let mut scratch = BrokerConfig::default();
        let setting = (row.get_mut)(&mut scratch);
        if setting.read(text, row.valid) {
            return Ok(());
        }
        Err(ConfigProblem::bad_value(name, text, setting, row.valid).into())
    }

    /// What the operator should know about the settings given by name: unknown keys and keys without effect.
    pub(crate) fn warnings(&self) -> Vec<ConfigWarning> {
        let is_so_anyway = |name: &str, text: &str| OF_ONE_BROKER.contains(&(name, text.trim()));
        let telling = self.originals.iter().filter(|(name, text)| !is_so_anyway(name, text));
        telling.filter_map(|(name, _)| warning_of(name)).collect()
    }

    /// The settings that were given by name, as they were written.
    pub(crate) fn originals(&self) -> impl Iterator<Item = (&str, &str)> {
        self.originals.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// The text of a setting that was given, by name or by a field other than its default.
    pub(crate) fn given_text(&self, name: &str) -> Option<String> {
        if let Some(text) = self.originals.get(name) {
            return Some(text.clone());
        }
        let position = position_of(name)?;
        let value = value::print((ROWS.get(position)?.get)(self));
        if value == KEYS.get(position)?.default { None } else { value }
    }

    /// Whether the setting was given, by name or by a field other than its default.
    pub(crate) fn is_given(&self, name: &str) -> bool {
        self.given_text(name).is_some()
    }

    /// The settings of one listener: those that carry its prefix win over those without
    /// (Kafka: `AbstractConfig.valuesWithPrefixOverride`).
    pub(crate) fn for_listener(&self, listener_name: &str) -> BrokerConfig {
        let mut config = self.clone();
        for (name, text) in &self.originals {
            let Some(key) = ListenerKey::parse(name) else { continue };
            let is_its_own = key.mechanism.is_none() && key.listener.eq_ignore_ascii_case(listener_name);
            if let (true, Some(row)) = (is_its_own, position_of(key.base).and_then(|row| ROWS.get(row))) {
                // Checked when it was set.
                (row.get_mut)(&mut config).read(text, row.valid);
            }
        }
        config
    }

    /// A setting of one SASL mechanism on one listener, else of the listener, else of the broker:
    /// `listener.name.internal.scram-sha-256.sasl.jaas.config`.
    pub(crate) fn for_mechanism(&self, listener_name: &str, mechanism: &str, base: &str) -> Option<String> {
        let listener = listener_name.to_ascii_lowercase();
        let mechanism = mechanism.to_ascii_lowercase();
        self.originals
            .get(&format!("listener.name.{listener}.{mechanism}.{base}"))
            .or_else(|| self.originals.get(&format!("listener.name.{listener}.{base}")))
            .cloned()
            .or_else(|| self.get(base))
    }
}

/// What has no effect because a broker that is alone does it anyway: Kafka's own `server.properties` has these.
const OF_ONE_BROKER: [(&str, &str); 8] = [
    ("default.replication.factor", "1"),
    ("min.insync.replicas", "1"),
    ("offsets.topic.replication.factor", "1"),
    ("process.roles", "broker,controller"),
    ("share.coordinator.state.topic.min.isr", "1"),
    ("share.coordinator.state.topic.replication.factor", "1"),
    ("transaction.state.log.min.isr", "1"),
    ("transaction.state.log.replication.factor", "1"),
];

fn warning_of(name: &str) -> Option<ConfigWarning> {
    let known = ListenerKey::parse(name).map_or(name, |key| key.base);
    match position_of(known).and_then(|position| ROWS.get(position)) {
        Some(row) => {
            (row.effect == Effect::Accepted).then(|| ConfigWarning::WithoutEffect { key: name.to_owned() })
        }
        None => {
            let key = name.to_owned();
            Some(match crate::config::log::broker_key_of(name) {
                Some(broker_key) => ConfigWarning::TopicKey { key, broker_key },
                None => ConfigWarning::UnknownKey {
                    nearest: nearest::among(name, ROWS.iter().map(|r| r.name)),
                    key,
                },
            })
        }
    }
}
