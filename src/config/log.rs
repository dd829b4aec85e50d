//! The settings of one topic's logs: one typed field per Kafka key, each with the broker's setting it defaults to.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::broker::BrokerConfig;
use super::choice::{CleanupPolicy, MessageTimestampType, TopicCompression};
use super::error::{ConfigError, ConfigProblem};
use super::key::{ConfigKey, ConfigType, Effect, UpdateMode};
use super::nearest;
use super::valid::Valid;
use super::value::{self, Setting};

/// One row of the table.
struct Row {
    name: &'static str,
    doc: &'static str,
    valid: Valid,
    effect: Effect,
    /// The broker's keys that give the default, the one that wins first.
    broker_keys: &'static [&'static str],
    get: fn(&LogConfig) -> &dyn Setting,
    get_mut: fn(&mut LogConfig) -> &mut dyn Setting,
}

macro_rules! topic_settings {
    ($(
        $(#[doc = $doc:literal])+
        $name:literal $field:ident: $type:ty = $default:expr, $valid:expr, $effect:ident,
        [$($broker_key:literal),*] $(from ($($from:tt)+))?;
    )*) => {
        /// Every setting of one topic's logs, typed: what the topic overrides, and the broker's settings for the rest.
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) struct LogConfig {
            $(
                $(#[doc = $doc])+
                ///
                #[doc = concat!("Kafka: `", $name, "`; default `", stringify!($default), "`.")]
                pub(crate) $field: $type,
            )*
        }

        impl Default for LogConfig {
            fn default() -> Self {
                LogConfig { $($field: $default),* }
            }
        }

        impl LogConfig {
            /// The settings of a topic that overrides none (Kafka: `KafkaConfig#extractLogConfigMap`).
            pub(crate) fn from_broker(broker: &BrokerConfig) -> LogConfig {
                let mut config = LogConfig::default();
                $($(config.$field = broker.$($from)+;)?)*
                config
            }
        }

        static ROWS: &[Row] = {
            use Valid::*;
            &[$(Row {
                name: $name,
                doc: concat!($($doc),+),
                valid: $valid,
                effect: Effect::$effect,
                broker_keys: &[$($broker_key),*],
                get: |config| &config.$field,
                get_mut: |config| &mut config.$field,
            }),*]
        };
    };
}

topic_settings! {
    /// What becomes of old records: `delete` drops segments by age and size, `compact` keeps the last record of
    /// each key, both do both, and neither keeps everything.
    "cleanup.policy" cleanup_policy: CleanupPolicy = CleanupPolicy::DELETE, Any, Acts, ["log.cleanup.policy"] from (log_cleanup_policy);
    /// The codec that batches are stored with: uncompressed, gzip, snappy, lz4 or zstd; `producer` keeps what
    /// was sent.
    "compression.type" compression_type: TopicCompression = TopicCompression::Producer, Any, Acts, ["compression.type"] from (compression_type);
    /// How hard gzip tries, from 1 to 9; -1 is its own choice.
    "compression.gzip.level" compression_gzip_level: i32 = -1, GzipLevel, Acts, ["compression.gzip.level"] from (compression_gzip_level);
    /// How hard lz4 tries, from 1 to 17.
    "compression.lz4.level" compression_lz4_level: i32 = 9, Between(1, 17), Acts, ["compression.lz4.level"] from (compression_lz4_level);
    /// How hard zstd tries, up to 22; below 0 is faster and larger.
    "compression.zstd.level" compression_zstd_level: i32 = 3, Between(-131_072, 22), Acts, ["compression.zstd.level"] from (compression_zstd_level);
    /// How long the record that deletes a key stays, so that a slow reader learns of the deletion.
    "delete.retention.ms" delete_retention_ms: i64 = 86_400_000, AtLeast(0), Acts, ["log.cleaner.delete.retention.ms"] from (log_cleaner_delete_retention_ms);
    /// How long a deleted segment's files stay, so that readers can finish.
    "file.delete.delay.ms" file_delete_delay_ms: i64 = 60_000, AtLeast(0), Acts, ["log.segment.delete.delay.ms"] from (log_segment_delete_delay_ms);
    /// After how many records the log is forced to disk; by default the system decides when.
    "flush.messages" flush_messages: i64 = i64::MAX, AtLeast(1), Acts, ["log.flush.interval.messages"] from (log_flush_interval_messages);
    /// How long records may wait until they are forced to disk.
    "flush.ms" flush_ms: i64 = i64::MAX, AtLeast(0), Acts, ["log.flush.interval.ms", "log.flush.scheduler.interval.ms"] from (effective_log_flush_interval_ms());
    /// The replicas whose fetching is throttled, as partition:broker, or * for all.
    "follower.replication.throttled.replicas" follower_replication_throttled_replicas: Vec<String> = Vec::new(), ThrottledReplicas, Accepted, [];
    /// The replicas whose sending is throttled, as partition:broker, or * for all.
    "leader.replication.throttled.replicas" leader_replication_throttled_replicas: Vec<String> = Vec::new(), ThrottledReplicas, Accepted, [];
    /// How many bytes of log lie between two entries of its index: fewer make exact lookups and a larger index.
    "index.interval.bytes" index_interval_bytes: i32 = 4096, AtLeast(0), Acts, ["log.index.interval.bytes"] from (log_index_interval_bytes);
    /// The largest batch of records that is accepted, as it is stored.
    "max.message.bytes" max_message_bytes: i32 = 1_048_588, AtLeast(0), Acts, ["message.max.bytes"] from (message_max_bytes);
    /// The format that records are stored in, in words of Kafka's releases. Since 3.0 it has no effect.
    "message.format.version" message_format_version: String = "3.0-IV1".to_owned(), Any, Accepted, ["log.message.format.version"] from (log_message_format_version.clone());
    /// Whose clock gives records their timestamps: CreateTime is the producer's, LogAppendTime the broker's.
    "message.timestamp.type" message_timestamp_type: MessageTimestampType = MessageTimestampType::CreateTime, Any, Acts, ["log.message.timestamp.type"] from (log_message_timestamp_type);
    /// How far a record's timestamp may be from the broker's clock, in both directions. The two settings below
    /// took its place, and count where they are changed.
    "message.timestamp.difference.max.ms" message_timestamp_difference_max_ms: i64 = i64::MAX, AtLeast(0), Acts, ["log.message.timestamp.difference.max.ms"] from (log_message_timestamp_difference_max_ms);
    /// How far behind the broker's clock a record's timestamp may be.
    "message.timestamp.before.max.ms" message_timestamp_before_max_ms: i64 = i64::MAX, AtLeast(0), Acts, ["log.message.timestamp.before.max.ms"] from (log_message_timestamp_before_max_ms);
    /// How far ahead of the broker's clock a record's timestamp may be.
    "message.timestamp.after.max.ms" message_timestamp_after_max_ms: i64 = 3_600_000, AtLeast(0), Acts, ["log.message.timestamp.after.max.ms"] from (log_message_timestamp_after_max_ms);
    /// Whether batches are rewritten for consumers that know only older formats; if not, these get
    /// UNSUPPORTED_VERSION.
    "message.downconversion.enable" message_downconversion_enable: bool = true, Any, Acts, ["log.message.downconversion.enable"] from (log_message_downconversion_enable);
    /// The share of the log that has to be new since the last compaction before it is compacted again.
    "min.cleanable.dirty.ratio" min_cleanable_dirty_ratio: f64 = 0.5, Fraction(0.0, 1.0), Acts, ["log.cleaner.min.cleanable.ratio"] from (log_cleaner_min_cleanable_ratio);
    /// How long every record stays as it is before compaction may touch it.
    "min.compaction.lag.ms" min_compaction_lag_ms: i64 = 0, AtLeast(0), Acts, ["log.cleaner.min.compaction.lag.ms"] from (log_cleaner_min_compaction_lag_ms);
    /// The age from which records are compacted, however small their share is.
    "max.compaction.lag.ms" max_compaction_lag_ms: i64 = i64::MAX, AtLeast(1), Acts, ["log.cleaner.max.compaction.lag.ms"] from (log_cleaner_max_compaction_lag_ms);
    /// How many replicas, the leader among them, must have a record before acks=all is answered.
    /// Never more than there are copies.
    "min.insync.replicas" min_insync_replicas: i32 = 1, AtLeast(1), Accepted, ["min.insync.replicas"] from (min_insync_replicas);
    /// Whether a segment's file takes its full size at once.
    "preallocate" preallocate: bool = false, Any, Acts, ["log.preallocate"] from (log_preallocate);
    /// How large a partition may grow before its oldest segments go; -1 is without limit.
    "retention.bytes" retention_bytes: i64 = -1, Any, Acts, ["log.retention.bytes"] from (log_retention_bytes);
    /// How long records are kept; -1 is for ever.
    "retention.ms" retention_ms: i64 = 604_800_000, AtLeast(-1), Acts, ["log.retention.ms", "log.retention.minutes", "log.retention.hours"] from (effective_log_retention_ms());
    /// The size at which a segment is full and the next begins. Whole segments are what retention deletes.
    "segment.bytes" segment_bytes: i32 = 1 << 30, AtLeast(14), Acts, ["log.segment.bytes"] from (log_segment_bytes);
    /// How large a segment's index may grow; a full one ends the segment.
    "segment.index.bytes" segment_index_bytes: i32 = 10_485_760, AtLeast(4), Acts, ["log.index.size.max.bytes"] from (log_index_size_max_bytes);
    /// By how much at most the age at which segments end is spread, so that not all end at once.
    "segment.jitter.ms" segment_jitter_ms: i64 = 0, AtLeast(0), Acts, ["log.roll.jitter.ms", "log.roll.jitter.hours"] from (effective_log_roll_jitter_ms());
    /// The age at which a segment ends, however small it is.
    "segment.ms" segment_ms: i64 = 604_800_000, AtLeast(1), Acts, ["log.roll.ms", "log.roll.hours"] from (effective_log_roll_ms());
    /// Whether a replica that misses records may lead when no other is left: the missing ones are then lost.
    "unclean.leader.election.enable" unclean_leader_election_enable: bool = false, Any, Accepted, ["unclean.leader.election.enable"] from (unclean_leader_election_enable);
    /// Whether old segments move to another storage.
    "remote.storage.enable" remote_storage_enable: bool = false, Any, Accepted, [];
    /// How long a segment stays here after it was copied to the other storage; -2 is as long as `retention.ms`.
    "local.retention.ms" local_retention_ms: i64 = -2, AtLeast(-2), Accepted, ["log.local.retention.ms"] from (log_local_retention_ms);
    /// How large the part of the log may be that stays here beside the other storage; -2 is as large as
    /// `retention.bytes`.
    "local.retention.bytes" local_retention_bytes: i64 = -2, AtLeast(-2), Accepted, ["log.local.retention.bytes"] from (log_local_retention_bytes);
    /// Whether no more segments go to the other storage, while those there can still be read.
    "remote.log.copy.disable" remote_log_copy_disable: bool = false, Any, Accepted, [];
    /// Whether what lies in the other storage is deleted when the topic stops using it.
    "remote.log.delete.on.disable" remote_log_delete_on_disable: bool = false, Any, Accepted, [];
}

static KEYS: LazyLock<Vec<ConfigKey>> = LazyLock::new(|| {
    let defaults = LogConfig::default();
    let describe = |row: &Row| {
        let setting = (row.get)(&defaults);
        let type_ = setting.config_type();
        ConfigKey {
            name: row.name,
            type_,
            default: value::print(setting),
            doc: row.doc.trim(),
            update_mode: UpdateMode::ClusterWide,
            sensitive: type_ == ConfigType::Password,
            effect: row.effect,
            allowed: value::describe_allowed(setting, row.valid),
            synonyms: row.broker_keys.to_vec(),
        }
    };
    ROWS.iter().map(describe).collect()
});

impl LogConfig {
    /// What is known of every setting that a topic can override.
    pub(crate) fn keys() -> &'static [ConfigKey] {
        &KEYS
    }

    /// What is known of the topic's setting `name`.
    pub(crate) fn key(name: &str) -> Option<&'static ConfigKey> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// The value of the setting `name`, as Kafka prints it.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let row = ROWS.iter().find(|row| row.name == name)?;
        value::print((row.get)(self))
    }

    /// The settings of a topic: its overrides, and the broker's settings for the rest.
    ///
    /// Every wrong override is listed in the error, unknown names among them: a topic has no plug-ins that could know
    /// them (Kafka: `LogConfig.validate`).
    pub(crate) fn from_overrides(
        broker: &BrokerConfig,
        overrides: &BTreeMap<String, String>,
    ) -> Result<LogConfig, ConfigError> {
        let mut config = LogConfig::from_broker(broker);
        let problems: Vec<_> =
            overrides.iter().filter_map(|(name, text)| config.read(name, text).err()).collect();
        if !problems.is_empty() {
            return Err(ConfigError::new(problems));
        }
        let conflicts = config.conflicts();
        if conflicts.is_empty() { Ok(config) } else { Err(ConfigError::new(conflicts)) }
    }

    /// Whether a topic may be given this setting, whatever its others are.
    pub(crate) fn validate_override(name: &str, text: &str) -> Result<(), ConfigError> {
        LogConfig::default().read(name, text).map_err(ConfigError::from)
    }

    fn read(&mut self, name: &str, text: &str) -> Result<(), ConfigProblem> {
        let Some(row) = ROWS.iter().find(|row| row.name == name) else {
            let nearest = nearest::among(name, ROWS.iter().map(|row| row.name));
            return Err(ConfigProblem::UnknownKey { key: name.to_owned(), nearest });
        };
        let setting = (row.get_mut)(self);
        if setting.read(text, row.valid) {
            return Ok(());
        }
        Err(ConfigProblem::bad_value(name, text, setting, row.valid))
    }

    /// Settings that are right by themselves and do not go together (Kafka: `LogConfig.validateValues`).
    pub(crate) fn conflicts(&self) -> Vec<ConfigProblem> {
        let mut problems = Vec::new();
        let mut refuse =
            |key, value: String, reason| problems.push(ConfigProblem::Conflict { key, value, reason });
        if self.min_compaction_lag_ms > self.max_compaction_lag_ms {
            let reason = format!("is above max.compaction.lag.ms={}", self.max_compaction_lag_ms);
            refuse("min.compaction.lag.ms", self.min_compaction_lag_ms.to_string(), reason);
        }
        if self.remote_storage_enable {
            if self.cleanup_policy.compact {
                let reason =
                    format!("cannot keep old segments remote with cleanup.policy={}", self.cleanup_policy);
                refuse("remote.storage.enable", "true".to_owned(), reason);
            }
            let local_outlives =
                |local: i64, whole: i64| local != -2 && whole != -1 && (local == -1 || local > whole);
            if local_outlives(self.local_retention_ms, self.retention_ms) {
                let reason = format!("is above retention.ms={}", self.retention_ms);
                refuse("local.retention.ms", self.local_retention_ms.to_string(), reason);
            }
            if local_outlives(self.local_retention_bytes, self.retention_bytes) {
                let reason = format!("is above retention.bytes={}", self.retention_bytes);
                refuse("local.retention.bytes", self.local_retention_bytes.to_string(), reason);
            }
        }
        problems
    }

    /// How old a record's own timestamp may be. The older two-sided limit counts where the newer one was left alone
    /// (Kafka 3.6 to 3.9: `LogConfig#getMessageTimestampBeforeMaxMs`).
    pub(crate) fn effective_timestamp_before_max_ms(&self) -> i64 {
        if self.message_timestamp_before_max_ms != i64::MAX {
            return self.message_timestamp_before_max_ms;
        }
        self.message_timestamp_difference_max_ms
    }

    /// How far in the future a record's own timestamp may be; the older two-sided limit counts as above. Where that is set,
    /// no limit is no more than the newer one's default, which it was up to 3.9.
    pub(crate) fn effective_timestamp_after_max_ms(&self) -> i64 {
        let defaults = [LogConfig::default().message_timestamp_after_max_ms, i64::MAX];
        let is_left_alone = defaults.contains(&self.message_timestamp_after_max_ms);
        if is_left_alone && self.message_timestamp_difference_max_ms != i64::MAX {
            return self.message_timestamp_difference_max_ms;
        }
        self.message_timestamp_after_max_ms
    }
}

/// The topic's keys whose default the broker's key gives.
pub(super) fn topic_keys_of(broker_key: &str) -> Vec<&'static str> {
    ROWS.iter().filter(|row| row.broker_keys.contains(&broker_key)).map(|row| row.name).collect()
}

/// What the broker calls the default of a topic's setting.
pub(super) fn broker_key_of(topic_key: &str) -> Option<&'static str> {
    ROWS.iter().find(|row| row.name == topic_key).and_then(|row| row.broker_keys.first().copied())
}
