//! The log: segments, retention, flushing, compaction, compression, tiered storage: one row per setting.

macro_rules! log_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// Single data directory, used when log.dirs is absent.
            "log.dir" log_dir: String = default_log_dir(), Any, ReadOnly, Acts;
            /// Comma list of data directories (JBOD).
            "log.dirs" log_dirs: Option<String> = None, Any, ReadOnly, Acts;
            /// Size at which a segment rolls.
            "log.segment.bytes" log_segment_bytes: i32 = 1_073_741_824, AtLeast(14), ClusterWide, Acts;
            /// Age at which the active segment rolls; beats hours.
            "log.roll.ms" log_roll_ms: Option<i64> = None, AtLeast(1), ClusterWide, Acts;
            /// Fallback for log.roll.ms.
            "log.roll.hours" log_roll_hours: i32 = 168, AtLeast(1), ReadOnly, Acts;
            /// Random amount subtracted from roll time.
            "log.roll.jitter.ms" log_roll_jitter_ms: Option<i64> = None, AtLeast(0), ClusterWide, Acts;
            /// Fallback for jitter.
            "log.roll.jitter.hours" log_roll_jitter_hours: i32 = 0, AtLeast(0), ReadOnly, Acts;
            /// delete, compact or both.
            "log.cleanup.policy" log_cleanup_policy: CleanupPolicy = CleanupPolicy::DELETE, Any, ClusterWide, Acts;
            /// Age limit; -1 unlimited; beats minutes and hours.
            "log.retention.ms" log_retention_ms: Option<i64> = None, Any, ClusterWide, Acts;
            /// Fallback for log.retention.ms.
            "log.retention.minutes" log_retention_minutes: Option<i32> = None, Any, ReadOnly, Acts;
            /// Fallback for log.retention.minutes.
            "log.retention.hours" log_retention_hours: i32 = 168, Any, ReadOnly, Acts;
            /// Per-partition size limit; -1 unlimited.
            "log.retention.bytes" log_retention_bytes: i64 = -1, Any, ClusterWide, Acts;
            /// How often retention runs.
            "log.retention.check.interval.ms" log_retention_check_interval_ms: i64 = 300_000, AtLeast(1), ReadOnly, Acts;
            /// Delay before first log maintenance task.
            "log.initial.task.delay.ms" log_initial_task_delay_ms: i64 = 30_000, AtLeast(0), ReadOnly, Acts;
            /// Run the compactor.
            "log.cleaner.enable" log_cleaner_enable: bool = true, Any, ReadOnly, Accepted;
            /// Compactor threads.
            "log.cleaner.threads" log_cleaner_threads: i32 = 1, AtLeast(0), ClusterWide, Accepted;
            /// Compactor I/O throttle (reads+writes).
            "log.cleaner.io.max.bytes.per.second" log_cleaner_io_max_bytes_per_second: f64 = f64::MAX, Any, ClusterWide, Accepted;
            /// Total memory of the key-to-offset maps of all threads.
            "log.cleaner.dedupe.buffer.size" log_cleaner_dedupe_buffer_size: i64 = 134_217_728, Any, ClusterWide, Accepted;
            /// Total I/O buffer of all compactor threads.
            "log.cleaner.io.buffer.size" log_cleaner_io_buffer_size: i32 = 524_288, AtLeast(0), ClusterWide, Accepted;
            /// How full the dedupe map may get.
            "log.cleaner.io.buffer.load.factor" log_cleaner_io_buffer_load_factor: f64 = 0.9, Any, ClusterWide, Accepted;
            /// Sleep when nothing is dirty.
            "log.cleaner.backoff.ms" log_cleaner_backoff_ms: i64 = 15_000, AtLeast(0), ClusterWide, Accepted;
            /// Dirty share of the log that makes it eligible.
            "log.cleaner.min.cleanable.ratio" log_cleaner_min_cleanable_ratio: f64 = 0.5, Fraction(0.0, 1.0), ClusterWide, Acts;
            /// How long tombstones and txn markers stay after they became cleanable.
            "log.cleaner.delete.retention.ms" log_cleaner_delete_retention_ms: i64 = 86_400_000, AtLeast(0), ClusterWide, Acts;
            /// Records younger than this are not compacted.
            "log.cleaner.min.compaction.lag.ms" log_cleaner_min_compaction_lag_ms: i64 = 0, AtLeast(0), ClusterWide, Acts;
            /// Records older than this force compaction.
            "log.cleaner.max.compaction.lag.ms" log_cleaner_max_compaction_lag_ms: i64 = i64::MAX, AtLeast(1), ClusterWide, Acts;
            /// Capacity of offset index (and time index).
            "log.index.size.max.bytes" log_index_size_max_bytes: i32 = 10_485_760, AtLeast(4), ClusterWide, Acts;
            /// Bytes between index entries.
            "log.index.interval.bytes" log_index_interval_bytes: i32 = 4096, AtLeast(0), ClusterWide, Acts;
            /// fsync after so many unflushed messages.
            "log.flush.interval.messages" log_flush_interval_messages: i64 = i64::MAX, AtLeast(1), ClusterWide, Acts;
            /// Longest time a message stays unflushed.
            "log.flush.interval.ms" log_flush_interval_ms: Option<i64> = None, Any, ClusterWide, Acts;
            /// How often the flusher looks for due logs.
            "log.flush.scheduler.interval.ms" log_flush_scheduler_interval_ms: i64 = i64::MAX, Any, ReadOnly, Acts;
            /// How often recovery-point-offset-checkpoint is written.
            "log.flush.offset.checkpoint.interval.ms" log_flush_offset_checkpoint_interval_ms: i32 = 60_000, AtLeast(0), ReadOnly, Acts;
            /// How often log-start-offset-checkpoint is written.
            "log.flush.start.offset.checkpoint.interval.ms" log_flush_start_offset_checkpoint_interval_ms: i32 = 60_000, AtLeast(0), ReadOnly, Acts;
            /// Time between renaming to .deleted and unlinking.
            "log.segment.delete.delay.ms" log_segment_delete_delay_ms: i64 = 60_000, AtLeast(0), ClusterWide, Acts;
            /// Preallocate segment files.
            "log.preallocate" log_preallocate: bool = false, Any, ClusterWide, Acts;
            /// Stored message format; ignored when IBP >= 3.0.
            "log.message.format.version" log_message_format_version: String = "3.0-IV1".to_owned(), Any, ReadOnly, Accepted;
            /// CreateTime or LogAppendTime.
            "log.message.timestamp.type" log_message_timestamp_type: MessageTimestampType = MessageTimestampType::CreateTime, Any, ClusterWide, Acts;
            /// Max skew of CreateTime both ways.
            "log.message.timestamp.difference.max.ms" log_message_timestamp_difference_max_ms: i64 = i64::MAX, AtLeast(0), ClusterWide, Acts;
            /// Max age of CreateTime relative to broker clock.
            "log.message.timestamp.before.max.ms" log_message_timestamp_before_max_ms: i64 = i64::MAX, AtLeast(0), ClusterWide, Acts;
            /// Max future skew of CreateTime.
            "log.message.timestamp.after.max.ms" log_message_timestamp_after_max_ms: i64 = 3_600_000, AtLeast(0), ClusterWide, Acts;
            /// Allow converting batches for old fetch versions; false gives UNSUPPORTED_VERSION (35).
            "log.message.downconversion.enable" log_message_downconversion_enable: bool = true, Any, ClusterWide, Acts;
            /// KRaft broker stops if it cannot report a failed dir in this time.
            "log.dir.failure.timeout.ms" log_dir_failure_timeout_ms: i64 = 30_000, AtLeast(1), ReadOnly, Accepted;
            /// Dirs that get no new replicas.
            "cordoned.log.dirs" cordoned_log_dirs: Vec<String> = list(&[]), Any, PerBroker, Accepted;
            /// Largest record batch (after compression).
            "message.max.bytes" message_max_bytes: i32 = 1_048_588, AtLeast(0), ClusterWide, Acts;
            /// Stored codec: uncompressed,gzip,snappy,lz4,zstd or producer (keep).
            "compression.type" compression_type: TopicCompression = TopicCompression::Producer, Any, ClusterWide, Acts;
            /// gzip level used when broker recompresses.
            "compression.gzip.level" compression_gzip_level: i32 = -1, GzipLevel, ClusterWide, Acts;
            /// lz4 level.
            "compression.lz4.level" compression_lz4_level: i32 = 9, Between(1, 17), ClusterWide, Acts;
            /// zstd level.
            "compression.zstd.level" compression_zstd_level: i32 = 3, Between(-131072, 22), ClusterWide, Acts;
            /// Tiered storage master switch.
            "remote.log.storage.system.enable" remote_log_storage_system_enable: bool = false, Any, ReadOnly, Accepted;
            /// RemoteStorageManager plug-in.
            "remote.log.storage.manager.class.name" remote_log_storage_manager_class_name: Option<String> = None, Any, ReadOnly, Accepted;
            /// RemoteLogMetadataManager plug-in.
            "remote.log.metadata.manager.class.name" remote_log_metadata_manager_class_name: String = "org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager".to_owned(), Any, ReadOnly, Accepted;
            /// Tiering task period.
            "remote.log.manager.task.interval.ms" remote_log_manager_task_interval_ms: i64 = 30_000, AtLeast(1), ReadOnly, Accepted;
            /// Cache of remote index files.
            "remote.log.index.file.cache.total.size.bytes" remote_log_index_file_cache_total_size_bytes: i64 = 1_073_741_824, AtLeast(0), ClusterWide, Accepted;
            /// Max wait for a remote read.
            "remote.fetch.max.wait.ms" remote_fetch_max_wait_ms: i32 = 500, AtLeast(0), ClusterWide, Accepted;
            /// Local age limit for tiered topics; -2 = retention.ms.
            "log.local.retention.ms" log_local_retention_ms: i64 = -2, AtLeast(-2), ClusterWide, Accepted;
            /// Local size limit for tiered topics; -2 = retention.bytes.
            "log.local.retention.bytes" log_local_retention_bytes: i64 = -2, AtLeast(-2), ClusterWide, Accepted;
        }
    };
}
