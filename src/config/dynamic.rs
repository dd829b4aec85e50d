//! Settings that change while the broker runs (Kafka: `DynamicBrokerConfig`). Everything here is a pure function of
//! settings; keeping them is the broker's business.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::alter::{self, ConfigChange};
use super::broker::BrokerConfig;
use super::error::{ConfigError, ConfigProblem};
use super::key::{ConfigKey, UpdateMode};
use super::listener_key::ListenerKey;

/// Settings by Kafka's names, as they were written.
pub(crate) type Overrides = BTreeMap<String, String>;

/// Whose settings change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The default of all brokers: the resource without a name.
    ClusterDefault,
    /// This broker: the resource named by its id.
    Broker,
}

/// The settings of a running broker: what it was started with, the defaults that its cluster got since, and what it got
/// itself. The last wins.
///
/// It does not change; a change makes another one, so that a refused change changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DynamicBrokerConfig {
    started_with: Arc<BrokerConfig>,
    cluster_defaults: Overrides,
    per_broker: Overrides,
    effective: Arc<BrokerConfig>,
}

/// Key stores and their passwords: while the broker runs they change per listener only
/// (Kafka: `SslConfigs.RECONFIGURABLE_CONFIGS`).
const LISTENER_ONLY: [&str; 10] = [
    "ssl.keystore.type",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.key.password",
    "ssl.truststore.type",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.truststore.certificates",
];

/// Settings of single listeners that may have a cluster-wide default
/// (Kafka: `DynamicBrokerConfig.ClusterLevelListenerConfigs`).
const CLUSTER_LEVEL_OF_LISTENERS: [&str; 3] =
    ["max.connections", "max.connection.creation.rate", "num.network.threads"];

/// Threads are added and taken in steps, to half or double their number at most (Kafka: `DynamicThreadPool`).
const THREADS: [&str; 6] = [
    "num.io.threads",
    "num.network.threads",
    "num.replica.fetchers",
    "num.recovery.threads.per.data.dir",
    "background.threads",
    "log.cleaner.threads",
];

impl DynamicBrokerConfig {
    /// The settings of a broker that nobody has changed since its start.
    pub(crate) fn new(started_with: BrokerConfig) -> Self {
        let started_with = Arc::new(started_with);
        DynamicBrokerConfig {
            effective: Arc::clone(&started_with),
            started_with,
            cluster_defaults: Overrides::new(),
            per_broker: Overrides::new(),
        }
    }

    /// The settings of a broker that was changed in an earlier life. What is no longer admitted is left out and handed
    /// back, since a broker that does not start over it would be worse.
    pub(crate) fn restore(
        started_with: BrokerConfig,
        mut cluster_defaults: Overrides,
        mut per_broker: Overrides,
    ) -> (Self, Vec<ConfigProblem>) {
        let mut problems = Vec::new();
        for (scope, overrides) in
            [(Scope::ClusterDefault, &mut cluster_defaults), (Scope::Broker, &mut per_broker)]
        {
            overrides.retain(|name, text| {
                let checked = check_key(scope, name).map_err(ConfigError::from);
                let checked = checked.and_then(|()| BrokerConfig::default().set(name, text));
                let problem = checked.map_err(ConfigError::into_problems);
                let is_admitted = problem.is_ok();
                problems.extend(problem.err().into_iter().flatten());
                is_admitted
            });
        }
        let unchanged = DynamicBrokerConfig::new(started_with);
        match unchanged.with(cluster_defaults, per_broker) {
            Ok(restored) => (restored, problems),
            Err(error) => {
                problems.extend(error.into_problems());
                (unchanged, problems)
            }
        }
    }

    /// The settings that count now.
    pub(crate) fn effective(&self) -> &Arc<BrokerConfig> {
        &self.effective
    }

    /// The settings that the broker was started with.
    pub(crate) fn started_with(&self) -> &BrokerConfig {
        &self.started_with
    }

    /// What changed since: to be kept by the broker.
    pub(crate) fn overrides(&self, scope: Scope) -> &Overrides {
        match scope {
            Scope::ClusterDefault => &self.cluster_defaults,
            Scope::Broker => &self.per_broker,
        }
    }

    /// The settings after some changes: IncrementalAlterConfigs.
    pub(crate) fn alter(&self, scope: Scope, changes: &[ConfigChange<'_>]) -> Result<Self, ConfigError> {
        let changed = alter::apply(self.overrides(scope), changes, known_key)?;
        self.replace(scope, changed)
    }

    /// The settings after all earlier changes of a scope gave way to these: AlterConfigs.
    pub(crate) fn replace(&self, scope: Scope, overrides: Overrides) -> Result<Self, ConfigError> {
        let problems: Vec<_> = overrides.keys().filter_map(|name| check_key(scope, name).err()).collect();
        if !problems.is_empty() {
            return Err(ConfigError::new(problems));
        }
        let changed = match scope {
            Scope::ClusterDefault => self.with(overrides, self.per_broker.clone()),
            Scope::Broker => self.with(self.cluster_defaults.clone(), overrides),
        }?;
        let problems: Vec<_> = THREADS
            .iter()
            .filter_map(|name| check_threads(name, &self.effective, &changed.effective))
            .collect();
        if problems.is_empty() { Ok(changed) } else { Err(ConfigError::new(problems)) }
    }

    fn with(&self, cluster_defaults: Overrides, per_broker: Overrides) -> Result<Self, ConfigError> {
        let mut effective = BrokerConfig::clone(&self.started_with);
        let mut problems = Vec::new();
        for (name, text) in cluster_defaults.iter().chain(&per_broker) {
            if let Err(error) = effective.set(name, text) {
                problems.extend(error.into_problems());
            }
        }
        if problems.is_empty() {
            problems = effective.conflicts();
        }
        if !problems.is_empty() {
            return Err(ConfigError::new(problems));
        }
        let started_with = Arc::clone(&self.started_with);
        Ok(DynamicBrokerConfig { started_with, cluster_defaults, per_broker, effective: Arc::new(effective) })
    }
}

/// What is known of a broker's setting, also of one that is given for a listener.
pub(super) fn known_key(name: &str) -> Option<&'static ConfigKey> {
    BrokerConfig::key(name).or_else(|| BrokerConfig::key(ListenerKey::parse(name)?.base))
}

/// Whether a setting may change while the broker runs, in this scope (Kafka: `DynamicBrokerConfig.validateConfigs`).
fn check_key(scope: Scope, name: &str) -> Result<(), ConfigProblem> {
    let key = || name.to_owned();
    if LISTENER_ONLY.contains(&name) {
        return Err(ConfigProblem::ListenerPrefixMissing { key: key() });
    }
    let of_listener = ListenerKey::parse(name);
    if let Some(of_listener) = of_listener {
        let has_default = CLUSTER_LEVEL_OF_LISTENERS.contains(&of_listener.base);
        return match scope {
            Scope::ClusterDefault if !has_default => Err(ConfigProblem::PerBrokerOnly { key: key() }),
            _ => Ok(()),
        };
    }
    match (BrokerConfig::key(name).map(|known| known.update_mode), scope) {
        (Some(UpdateMode::ReadOnly), _) => Err(ConfigProblem::ReadOnly { key: key() }),
        (Some(UpdateMode::PerBroker), Scope::ClusterDefault) => {
            Err(ConfigProblem::PerBrokerOnly { key: key() })
        }
        // Names that the table does not know are kept, as Kafka keeps them for its plug-ins.
        (Some(UpdateMode::PerBroker | UpdateMode::ClusterWide) | None, _) => Ok(()),
    }
}

fn check_threads(name: &&'static str, before: &BrokerConfig, after: &BrokerConfig) -> Option<ConfigProblem> {
    let threads = |config: &BrokerConfig| config.get(name).and_then(|text| text.parse::<i64>().ok());
    let (before, after) = (threads(before)?, threads(after)?);
    let reason = if after < before / 2 {
        format!("is below half of the {before} threads that there are")
    } else if after > before * 2 {
        format!("is above double the {before} threads that there are")
    } else {
        return None;
    };
    Some(ConfigProblem::Conflict { key: name, value: after.to_string(), reason })
}
