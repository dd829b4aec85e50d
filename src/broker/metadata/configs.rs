//! Reading and changing the settings of the broker, of its topics and of groups while it runs (Kafka: `ConfigAdminManager`,
//! `ConfigurationControlManager`).

use std::sync::Arc;

use super::checkpoint::Overrides;
use super::store::MetadataStore;
use super::topic::Topic;
use crate::broker::core::BrokerCore;
use crate::config::{
    ConfigChange, ConfigEntry, DynamicBrokerConfig, GroupSettings, Scope, alter_group, alter_topic,
};
use crate::error::{Error, Result};
use crate::model::{ErrorCode, validate_topic_name};

/// Whose settings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ConfigResource {
    Topic(String),
    /// This broker.
    Broker,
    /// What all brokers of the cluster take unless they have their own.
    ClusterDefault,
    /// The group of this id, whether it exists or not.
    Group(String),
}

impl BrokerCore {
    /// The settings of a resource whose names `is_wanted` admits.
    pub(crate) fn describe_configs(
        &self,
        resource: &ConfigResource,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<ConfigEntry>> {
        self.ensure_open()?;
        match resource {
            ConfigResource::Topic(name) => {
                let topic = self.configured_topic(name)?;
                let overrides = topic.settings().overrides;
                Ok(self.dynamic_config.lock().describe_topic(&overrides, is_wanted)?)
            }
            ConfigResource::Broker => Ok(self.dynamic_config.lock().describe_broker(is_wanted)),
            ConfigResource::ClusterDefault => {
                Ok(self.dynamic_config.lock().describe_cluster_default(is_wanted))
            }
            ConfigResource::Group(id) => {
                if id.is_empty() {
                    return Err(Error::new(ErrorCode::InvalidRequest, "Group name must not be empty"));
                }
                let overrides = self.group_overrides(id);
                Ok(self.dynamic_config.lock().describe_group(&overrides, is_wanted)?)
            }
        }
    }

    /// The settings of a topic with these overrides, whether it exists or not.
    pub(crate) fn describe_topic_overrides(&self, overrides: &Overrides) -> Result<Vec<ConfigEntry>> {
        Ok(self.dynamic_config.lock().describe_topic(overrides, |_| true)?)
    }

    /// Changes single settings and keeps the others (Kafka: `incrementalAlterConfigs`).
    pub(crate) fn alter_configs(
        &self,
        resource: &ConfigResource,
        changes: &[ConfigChange<'_>],
        validate_only: bool,
    ) -> Result<()> {
        self.ensure_open()?;
        match resource {
            ConfigResource::Topic(name) => {
                let topic = self.configured_topic(name)?;
                let overrides = alter_topic(&self.config(), &topic.settings().overrides, changes)?;
                self.store_topic_overrides(&topic, overrides, validate_only)
            }
            ConfigResource::Broker => self.alter_broker(Scope::Broker, changes, validate_only),
            ConfigResource::ClusterDefault => {
                self.alter_broker(Scope::ClusterDefault, changes, validate_only)
            }
            ConfigResource::Group(id) => {
                let overrides = alter_group(&self.group_overrides(id), changes)?;
                self.store_group_overrides(id, overrides, validate_only)
            }
        }
    }

    /// Replaces all settings of a resource: what is not named has its default again (Kafka: `alterConfigs`).
    pub(crate) fn replace_configs(
        &self,
        resource: &ConfigResource,
        overrides: Overrides,
        validate_only: bool,
    ) -> Result<()> {
        self.ensure_open()?;
        let scope = match resource {
            ConfigResource::Topic(name) => {
                let topic = self.configured_topic(name)?;
                return self.store_topic_overrides(&topic, overrides, validate_only);
            }
            ConfigResource::Broker => Scope::Broker,
            ConfigResource::ClusterDefault => Scope::ClusterDefault,
            ConfigResource::Group(id) => return self.store_group_overrides(id, overrides, validate_only),
        };
        // Held from the change's check to its effect, so that two changes do not undo each other.
        let mut current = self.dynamic_config.lock();
        let changed = current.replace(scope, overrides)?;
        self.store_broker_overrides(&mut current, changed, validate_only)
    }

    fn configured_topic(&self, name: &str) -> Result<Arc<Topic>> {
        validate_topic_name(name)?;
        self.metadata.topic(name).ok_or_else(|| {
            Error::new(ErrorCode::UnknownTopicOrPartition, format!("The topic '{name}' does not exist."))
        })
    }

    fn store_topic_overrides(&self, topic: &Topic, overrides: Overrides, validate_only: bool) -> Result<()> {
        let settings = self.topic_settings(overrides)?;
        if validate_only {
            return Ok(());
        }
        let mut image = self.store.lock();
        MetadataStore::commit(&mut image, &*self.env.fs, &self.live_log_dirs(), |image| {
            if let Some(record) = image.topics.get_mut(&**topic.name()) {
                record.overrides = (*settings.overrides).clone();
            }
        })?;
        topic.update_settings(settings);
        Ok(())
    }

    /// The groups that are set in another way than the broker.
    pub(crate) fn groups_with_settings(&self) -> Vec<String> {
        let image = self.store.lock();
        let set = image.group_overrides.iter().filter(|(_, overrides)| !overrides.is_empty());
        set.map(|(id, _)| id.to_string()).collect()
    }

    /// What a group sets itself.
    fn group_overrides(&self, group_id: &str) -> Overrides {
        self.store.lock().group_overrides.get(group_id).cloned().unwrap_or_default()
    }

    fn store_group_overrides(&self, group_id: &str, overrides: Overrides, validate_only: bool) -> Result<()> {
        if group_id.is_empty() {
            return Err(Error::new(ErrorCode::InvalidRequest, "Default group resources are not allowed."));
        }
        let config = self.config();
        GroupSettings::validate(&config, &overrides)?;
        if validate_only {
            return Ok(());
        }
        let warnings = GroupSettings::warnings(&self.group_overrides(group_id), &overrides);
        let mut image = self.store.lock();
        MetadataStore::commit(&mut image, &*self.env.fs, &self.live_log_dirs(), |image| {
            match overrides.is_empty() {
                true => _ = image.group_overrides.remove(group_id),
                false => _ = image.group_overrides.insert(group_id.to_owned(), overrides),
            }
        })?;
        // Under the store's lock, so that the last change is the one that counts.
        self.apply_group_overrides(group_id, image.group_overrides.get(group_id));
        drop(image);
        for warning in warnings {
            tracing::warn!(group_id, "{warning}");
        }
        Ok(())
    }

    /// A group is set so from now on.
    pub(in crate::broker) fn apply_group_overrides(&self, group_id: &str, overrides: Option<&Overrides>) {
        let config = self.config();
        let settings = overrides.map(|overrides| GroupSettings::from_overrides(&config, overrides));
        match settings.transpose() {
            Ok(settings) => self.groups.set_group_settings(group_id, settings),
            Err(problem) => {
                tracing::error!(%problem, group_id, "settings of a group are not valid any more");
                self.groups.set_group_settings(group_id, None);
            }
        }
    }

    fn alter_broker(&self, scope: Scope, changes: &[ConfigChange<'_>], validate_only: bool) -> Result<()> {
        let mut current = self.dynamic_config.lock();
        let changed = current.alter(scope, changes)?;
        self.store_broker_overrides(&mut current, changed, validate_only)
    }

    fn store_broker_overrides(
        &self,
        current: &mut DynamicBrokerConfig,
        changed: DynamicBrokerConfig,
        validate_only: bool,
    ) -> Result<()> {
        if validate_only {
            return Ok(());
        }
        {
            let mut image = self.store.lock();
            MetadataStore::commit(&mut image, &*self.env.fs, &self.live_log_dirs(), |image| {
                image.cluster_overrides = changed.overrides(Scope::ClusterDefault).clone();
                image.broker_overrides = changed.overrides(Scope::Broker).clone();
            })?;
        }
        let effective = Arc::clone(changed.effective());
        *current = changed;
        *self.config.write() = Arc::clone(&effective);
        self.io_threads.resize(usize::try_from(effective.num_io_threads).unwrap_or(1));
        self.log_manager.set_cordoned_log_dirs(effective.effective_cordoned_log_dirs());
        self.log_manager.reconfigure_cleaner((&*effective).into());
        let expiration_ms = i64::from(effective.producer_id_expiration_ms);
        self.log_manager.set_producer_id_expiration_ms(expiration_ms);
        self.groups.reconfigure(&effective);
        {
            let image = self.store.lock();
            for (group_id, overrides) in &image.group_overrides {
                self.apply_group_overrides(group_id, Some(overrides));
            }
        }
        for service in self.services.lock().iter() {
            service.reconfigure(&effective);
        }
        // Topics take the broker's value of what they do not set themselves.
        for topic in self.metadata.topics() {
            let overrides = (*topic.settings().overrides).clone();
            topic.update_settings(self.topic_settings(overrides)?);
        }
        Ok(())
    }
}
