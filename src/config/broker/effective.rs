//! Settings that several keys decide: which of them wins, and what follows.

use super::BrokerConfig;
use crate::config::value::split_list;
use crate::model::BrokerId;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

impl BrokerConfig {
    /// The broker's id: `node.id`, else `broker.id`, else 1.
    pub(crate) fn effective_node_id(&self) -> BrokerId {
        [self.node_id, self.broker_id].into_iter().find(|&id| id >= 0).unwrap_or(1)
    }

    /// The data directories: `log.dirs`, else `log.dir` (Kafka: `KafkaConfig#logDirs`).
    pub(crate) fn effective_log_dirs(&self) -> Vec<String> {
        let mut dirs = split_list(self.log_dirs.as_deref().unwrap_or(&self.log_dir));
        dirs.retain(|dir| !dir.is_empty());
        dirs
    }

    /// The data directories that get nothing new: `*` is all of them (Kafka: `KafkaConfig#cordonedLogDirs`).
    pub(crate) fn effective_cordoned_log_dirs(&self) -> Vec<String> {
        match self.cordoned_log_dirs.as_slice() {
            [all] if all == "*" => self.effective_log_dirs(),
            some => some.iter().filter(|dir| !dir.is_empty()).cloned().collect(),
        }
    }

    /// How long records are kept: milliseconds win over minutes, and these over hours; -1 is for ever.
    pub(crate) fn effective_log_retention_ms(&self) -> i64 {
        let minutes = || self.log_retention_minutes.map(|minutes| i64::from(minutes) * MINUTE_MS);
        let hours = || i64::from(self.log_retention_hours) * HOUR_MS;
        let retention_ms = self.log_retention_ms.or_else(minutes).unwrap_or_else(hours);
        retention_ms.max(-1)
    }

    /// The age at which a segment rolls: milliseconds win over hours.
    pub(crate) fn effective_log_roll_ms(&self) -> i64 {
        self.log_roll_ms.unwrap_or_else(|| i64::from(self.log_roll_hours) * HOUR_MS)
    }

    /// By how much the rolling of segments is spread: milliseconds win over hours.
    pub(crate) fn effective_log_roll_jitter_ms(&self) -> i64 {
        self.log_roll_jitter_ms.unwrap_or_else(|| i64::from(self.log_roll_jitter_hours) * HOUR_MS)
    }

    /// How long a record may stay unflushed: by default until the flusher looks.
    pub(crate) fn effective_log_flush_interval_ms(&self) -> i64 {
        self.log_flush_interval_ms.unwrap_or(self.log_flush_scheduler_interval_ms)
    }
}
