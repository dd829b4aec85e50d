use std::fmt;

use crate::config::{self, BrokerConfig, GroupSettings};
use crate::model::IsolationLevel;

/// Where a share group begins that has not read a partition before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShareAutoOffsetReset {
    Earliest,
    Latest,
    /// With the first record that is not older than this.
    ByDuration {
        ms: i64,
    },
}

/// How a share group is set; each is the group's setting of the same name, without `share.`, or else the broker's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShareGroupSettings {
    pub(crate) record_lock_duration_ms: i32,
    pub(crate) delivery_count_limit: i32,
    pub(crate) partition_max_record_locks: i32,
    pub(crate) isolation_level: IsolationLevel,
    pub(crate) auto_offset_reset: ShareAutoOffsetReset,
    pub(crate) renew_acknowledge_enable: bool,
}

impl From<&BrokerConfig> for ShareGroupSettings {
    fn from(config: &BrokerConfig) -> Self {
        ShareGroupSettings {
            record_lock_duration_ms: config.group_share_record_lock_duration_ms,
            delivery_count_limit: config.group_share_delivery_count_limit,
            partition_max_record_locks: config.group_share_partition_max_record_locks,
            isolation_level: IsolationLevel::ReadUncommitted,
            auto_offset_reset: ShareAutoOffsetReset::Latest,
            renew_acknowledge_enable: true,
        }
    }
}

impl From<&GroupSettings> for ShareGroupSettings {
    fn from(own: &GroupSettings) -> Self {
        ShareGroupSettings {
            record_lock_duration_ms: own.share_record_lock_duration_ms,
            delivery_count_limit: own.share_delivery_count_limit,
            partition_max_record_locks: own.share_partition_max_record_locks,
            isolation_level: own.share_isolation_level,
            auto_offset_reset: match &own.share_auto_offset_reset {
                config::ShareAutoOffsetReset::Latest => ShareAutoOffsetReset::Latest,
                config::ShareAutoOffsetReset::Earliest => ShareAutoOffsetReset::Earliest,
                config::ShareAutoOffsetReset::ByDuration { ms, .. } => {
                    ShareAutoOffsetReset::ByDuration { ms: *ms }
                }
            },
            renew_acknowledge_enable: own.share_renew_acknowledge_enable,
        }
    }
}

/// Where it is known how groups are set. Asked with a share partition's lock held.
pub(crate) trait ShareGroupSettingsSource: Send + Sync + fmt::Debug {
    fn settings(&self, group_id: &str) -> ShareGroupSettings;
}
