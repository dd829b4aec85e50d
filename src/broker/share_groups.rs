//! Share groups as the broker has them: how each is set.

use std::sync::{Arc, OnceLock, Weak};

use super::core::BrokerCore;
use super::share::{ShareGroupSettings, ShareGroupSettingsSource};
use crate::config::BrokerConfig;

/// How share groups are set in a broker.
#[derive(Debug)]
pub(super) struct ShareSettings {
    config: Arc<BrokerConfig>,
    /// Set right after the broker was made, which in turn owns who asks.
    core: OnceLock<Weak<BrokerCore>>,
}

impl ShareSettings {
    pub(super) fn new(config: Arc<BrokerConfig>) -> Self {
        ShareSettings { config, core: OnceLock::new() }
    }

    pub(super) fn attach(&self, core: &Arc<BrokerCore>) {
        // Attached once, in `open`; a second time would name the same broker.
        self.core.get_or_init(|| Arc::downgrade(core));
    }
}

impl ShareGroupSettingsSource for ShareSettings {
    fn settings(&self, group_id: &str) -> ShareGroupSettings {
        let Some(core) = self.core.get().and_then(Weak::upgrade) else { return (&*self.config).into() };
        match core.groups.group_settings(group_id) {
            Some(own) => (&*own).into(),
            None => (&*core.config()).into(),
        }
    }
}
