//! How groups are set where that may change while they are there (Kafka: `GroupConfigManager`, `DynamicGroupConfig`).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use parking_lot::RwLock;

use super::config::GroupConfig;
use super::coordinator::GroupCoordinator;
use super::turn::GroupTurn;
use crate::config::{BrokerConfig, GroupSettings};

#[derive(Debug)]
pub(super) struct GroupConfigManager {
    has_any: AtomicBool,
    /// The groups that have settings of their own, with all that they are set to.
    groups: RwLock<HashMap<Arc<str>, Arc<GroupSettings>>>,
    /// What the broker is set to, for the other groups.
    consumer_assignment_interval_ms: AtomicI32,
    share_assignment_interval_ms: AtomicI32,
}

impl From<&GroupConfig> for GroupConfigManager {
    fn from(config: &GroupConfig) -> Self {
        GroupConfigManager {
            has_any: AtomicBool::default(),
            groups: RwLock::default(),
            consumer_assignment_interval_ms: AtomicI32::new(config.group_consumer_assignment_interval_ms),
            share_assignment_interval_ms: AtomicI32::new(config.group_share_assignment_interval_ms),
        }
    }
}

impl GroupCoordinator {
    /// The broker is set so from now on. Groups with settings of their own [are to be set](Self::set_group_settings) anew:
    /// what they do not set themselves is the broker's.
    pub(crate) fn reconfigure(&self, config: &BrokerConfig) {
        let BrokerConfig {
            group_consumer_assignment_interval_ms, group_share_assignment_interval_ms, ..
        } = config;
        let manager = &self.group_configs;
        manager
            .consumer_assignment_interval_ms
            .store(*group_consumer_assignment_interval_ms, Ordering::Relaxed);
        manager.share_assignment_interval_ms.store(*group_share_assignment_interval_ms, Ordering::Relaxed);
    }

    /// A group is set so from now on; `None` if it is set as the broker is. Members hear of it with their next heartbeat.
    pub(crate) fn set_group_settings(&self, group_id: &str, settings: Option<GroupSettings>) {
        let manager = &self.group_configs;
        let mut groups = manager.groups.write();
        match settings {
            Some(settings) => _ = groups.insert(Arc::from(group_id), Arc::new(settings)),
            None => _ = groups.remove(group_id),
        }
        manager.has_any.store(!groups.is_empty(), Ordering::Release);
    }

    /// How a group is set, if it has settings of its own.
    pub(crate) fn group_settings(&self, group_id: &str) -> Option<Arc<GroupSettings>> {
        let manager = &self.group_configs;
        // Most brokers have no such groups, and every heartbeat asks.
        if !manager.has_any.load(Ordering::Acquire) {
            return None;
        }
        manager.groups.read().get(group_id).cloned()
    }
}

impl GroupTurn<'_> {
    fn own_settings(&self) -> Option<Arc<GroupSettings>> {
        self.coordinator.group_settings(&self.group.id)
    }

    pub(super) fn consumer_session_timeout_ms(&self) -> i32 {
        let default = self.coordinator.config().group_consumer_session_timeout_ms;
        self.own_settings().map_or(default, |own| own.consumer_session_timeout_ms)
    }

    pub(super) fn consumer_heartbeat_interval_ms(&self) -> i32 {
        let default = self.coordinator.config().group_consumer_heartbeat_interval_ms;
        self.own_settings().map_or(default, |own| own.consumer_heartbeat_interval_ms)
    }

    pub(super) fn consumer_assignment_interval_ms(&self) -> i32 {
        let default = self.coordinator.group_configs.consumer_assignment_interval_ms.load(Ordering::Relaxed);
        self.own_settings().map_or(default, |own| own.consumer_assignment_interval_ms)
    }

    pub(super) fn share_session_timeout_ms(&self) -> i32 {
        let default = self.coordinator.config().group_share_session_timeout_ms;
        self.own_settings().map_or(default, |own| own.share_session_timeout_ms)
    }

    pub(super) fn share_heartbeat_interval_ms(&self) -> i32 {
        let default = self.coordinator.config().group_share_heartbeat_interval_ms;
        self.own_settings().map_or(default, |own| own.share_heartbeat_interval_ms)
    }

    pub(super) fn share_assignment_interval_ms(&self) -> i32 {
        let default = self.coordinator.group_configs.share_assignment_interval_ms.load(Ordering::Relaxed);
        self.own_settings().map_or(default, |own| own.share_assignment_interval_ms)
    }
}
