//! The log: segments, retention, flushing, compaction, compression, tiered storage: one row per setting.

macro_rules! log_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// The data directory, where `log.dirs` names none.
            "log.dir" log_dir: String = default_log_dir(), Any, ReadOnly, Acts;
            /// The data directories. New partitions go to the one with the fewest.
            "log.dirs" log_dirs: Option<String> = None, Any, ReadOnly, Acts;
            /// The size at which a segment is full and the next begins. Whole segments are what retention
            /// deletes.
            "log.segment.bytes" log_segment_bytes: i32 = 1_073_741_824, AtLeast(14), ClusterWide, Acts;
            /// The age at which a segment ends, however small it is; by default `log.roll.hours` says so.
            "log.roll.ms" log_roll_ms: Option<i64> = None, AtLeast(1), ClusterWide, Acts;
            /// The age at which a segment ends, in hours, where `log.roll.ms` is not given.
            "log.roll.hours" log_roll_hours: i32 = 168, AtLeast(1), ReadOnly, Acts;
            /// By how much at most the age at which segments end is spread, so that not all end at once; by
            /// default `log.roll.jitter.hours` says so.
            "log.roll.jitter.ms" log_roll_jitter_ms: Option<i64> = None, AtLeast(0), ClusterWide, Acts;
            /// The spread of the age at which segments end, in hours, where `log.roll.jitter.ms` is not given.
            "log.roll.jitter.hours" log_roll_jitter_hours: i32 = 0, AtLeast(0), ReadOnly, Acts;
            /// What becomes of old records: `delete` drops segments by age and size, `compact` keeps the last
            /// record of each key, both do both.
            "log.cleanup.policy" log_cleanup_policy: CleanupPolicy = CleanupPolicy::DELETE, Any, ClusterWide, Acts;
            /// How long records are kept; -1 is for ever. By default `log.retention.minutes` or
            /// `log.retention.hours` say so.
            "log.retention.ms" log_retention_ms: Option<i64> = None, Any, ClusterWide, Acts;
            /// How long records are kept, in minutes, where `log.retention.ms` is not given.
            "log.retention.minutes" log_retention_minutes: Option<i32> = None, Any, ReadOnly, Acts;
            /// How long records are kept, in hours, where neither milliseconds nor minutes are given.
            "log.retention.hours" log_retention_hours: i32 = 168, Any, ReadOnly, Acts;
            /// How large a partition may grow before its oldest segments go; -1 is without limit.
            "log.retention.bytes" log_retention_bytes: i64 = -1, Any, ClusterWide, Acts;
            /// How often segments are looked at for whether they are past their time.
            "log.retention.check.interval.ms" log_retention_check_interval_ms: i64 = 300_000, AtLeast(1), ReadOnly, Acts;
            /// How long after the start the upkeep of the logs begins.
            "log.initial.task.delay.ms" log_initial_task_delay_ms: i64 = 30_000, AtLeast(0), ReadOnly, Acts;
            /// Whether logs with `cleanup.policy=compact` are compacted at all.
            "log.cleaner.enable" log_cleaner_enable: bool = true, Any, ReadOnly, Acts;
            /// How many threads compact logs.
            "log.cleaner.threads" log_cleaner_threads: i32 = 1, AtLeast(0), ClusterWide, Acts;
            /// How much compaction may read and write in a second, all threads together.
            "log.cleaner.io.max.bytes.per.second" log_cleaner_io_max_bytes_per_second: f64 = f64::MAX, Any, ClusterWide, Acts;
            /// The memory in which compaction remembers the last offset of each key, all threads together;
            /// above 1 MiB for each.
            "log.cleaner.dedupe.buffer.size" log_cleaner_dedupe_buffer_size: i64 = 134_217_728, Any, ClusterWide, Acts;
            /// The memory through which compaction copies, all threads together.
            "log.cleaner.io.buffer.size" log_cleaner_io_buffer_size: i32 = 524_288, AtLeast(0), ClusterWide, Acts;
            /// How full compaction may fill its memory of keys: fuller does more in one pass, with more
            /// collisions.
            "log.cleaner.io.buffer.load.factor" log_cleaner_io_buffer_load_factor: f64 = 0.9, Any, ClusterWide, Acts;
            /// How long compaction sleeps when there is nothing to do.
            "log.cleaner.backoff.ms" log_cleaner_backoff_ms: i64 = 15_000, AtLeast(0), ClusterWide, Acts;
            /// The share of a log that has to be new since the last compaction before it is compacted again.
            "log.cleaner.min.cleanable.ratio" log_cleaner_min_cleanable_ratio: f64 = 0.5, Fraction(0.0, 1.0), ClusterWide, Acts;
            /// How long the record that deletes a key stays, so that a slow reader learns of the deletion.
            "log.cleaner.delete.retention.ms" log_cleaner_delete_retention_ms: i64 = 86_400_000, AtLeast(0), ClusterWide, Acts;
            /// How long every record stays as it is before compaction may touch it.
            "log.cleaner.min.compaction.lag.ms" log_cleaner_min_compaction_lag_ms: i64 = 0, AtLeast(0), ClusterWide, Acts;
            /// The age from which records are compacted, however small their share is.
            "log.cleaner.max.compaction.lag.ms" log_cleaner_max_compaction_lag_ms: i64 = i64::MAX, AtLeast(1), ClusterWide, Acts;
            /// How large a segment's index may grow; a full one ends the segment.
            "log.index.size.max.bytes" log_index_size_max_bytes: i32 = 10_485_760, AtLeast(4), ClusterWide, Acts;
            /// How many bytes of log lie between two entries of its index: fewer make exact lookups and a
            /// larger index.
            "log.index.interval.bytes" log_index_interval_bytes: i32 = 4096, AtLeast(0), ClusterWide, Acts;
            /// After how many records a log is forced to disk; by default the system decides when.
            "log.flush.interval.messages" log_flush_interval_messages: i64 = i64::MAX, AtLeast(1), ClusterWide, Acts;
            /// How long records may wait until they are forced to disk; by default as long as the flusher
            /// sleeps.
            "log.flush.interval.ms" log_flush_interval_ms: Option<i64> = None, Any, ClusterWide, Acts;
            /// How often the flusher looks for logs that are due.
            "log.flush.scheduler.interval.ms" log_flush_scheduler_interval_ms: i64 = i64::MAX, Any, ReadOnly, Acts;
            /// How often it is noted up to where each log is on disk: what lies before need not be read after a
            /// crash.
            "log.flush.offset.checkpoint.interval.ms" log_flush_offset_checkpoint_interval_ms: i32 = 60_000, AtLeast(0), ReadOnly, Acts;
            /// How often it is noted where each log begins, so that deleted records stay deleted.
            "log.flush.start.offset.checkpoint.interval.ms" log_flush_start_offset_checkpoint_interval_ms: i32 = 60_000, AtLeast(0), ReadOnly, Acts;
            /// How long a deleted segment's files stay, so that readers can finish.
            "log.segment.delete.delay.ms" log_segment_delete_delay_ms: i64 = 60_000, AtLeast(0), ClusterWide, Acts;
            /// Whether a segment's file takes its full size at once.
            "log.preallocate" log_preallocate: bool = false, Any, ClusterWide, Acts;
            /// The format that records are stored in, in words of Kafka's releases. Since 3.0 it has no effect.
            "log.message.format.version" log_message_format_version: String = "3.0-IV1".to_owned(), Any, ReadOnly, Accepted;
            /// Whose clock gives records their timestamps: CreateTime is the producer's, LogAppendTime the
            /// broker's.
            "log.message.timestamp.type" log_message_timestamp_type: MessageTimestampType = MessageTimestampType::CreateTime, Any, ClusterWide, Acts;
            /// How far a record's timestamp may be from the broker's clock, in both directions. The two
            /// settings below took its place, and count where they are changed.
            "log.message.timestamp.difference.max.ms" log_message_timestamp_difference_max_ms: i64 = i64::MAX, AtLeast(0), ClusterWide, Acts;
            /// How far behind the broker's clock a record's timestamp may be.
            "log.message.timestamp.before.max.ms" log_message_timestamp_before_max_ms: i64 = i64::MAX, AtLeast(0), ClusterWide, Acts;
            /// How far ahead of the broker's clock a record's timestamp may be.
            "log.message.timestamp.after.max.ms" log_message_timestamp_after_max_ms: i64 = 3_600_000, AtLeast(0), ClusterWide, Acts;
            /// Whether batches are rewritten for consumers that know only older formats; if not, these get
            /// UNSUPPORTED_VERSION.
            "log.message.downconversion.enable" log_message_downconversion_enable: bool = true, Any, ClusterWide, Acts;
            /// How long a KRaft broker tries to report a failed data directory before it stops.
            "log.dir.failure.timeout.ms" log_dir_failure_timeout_ms: i64 = 30_000, AtLeast(1), ReadOnly, Accepted;
            /// Data directories that get no new partitions.
            "cordoned.log.dirs" cordoned_log_dirs: Vec<String> = list(&[]), Any, PerBroker, Acts;
            /// The largest batch of records that is accepted, as it is stored.
            "message.max.bytes" message_max_bytes: i32 = 1_048_588, AtLeast(0), ClusterWide, Acts;
            /// The codec that batches are stored with: uncompressed, gzip, snappy, lz4 or zstd; `producer`
            /// keeps what was sent.
            "compression.type" compression_type: TopicCompression = TopicCompression::Producer, Any, ClusterWide, Acts;
            /// How hard gzip tries, from 1 to 9; -1 is its own choice.
            "compression.gzip.level" compression_gzip_level: i32 = -1, GzipLevel, ClusterWide, Acts;
            /// How hard lz4 tries, from 1 to 17.
            "compression.lz4.level" compression_lz4_level: i32 = 9, Between(1, 17), ClusterWide, Acts;
            /// How hard zstd tries, up to 22; below 0 is faster and larger.
            "compression.zstd.level" compression_zstd_level: i32 = 3, Between(-131072, 22), ClusterWide, Acts;
            /// Whether old segments can be moved to another storage.
            "remote.log.storage.system.enable" remote_log_storage_system_enable: bool = false, Any, ReadOnly, Accepted;
            /// The plug-in that reaches the other storage.
            "remote.log.storage.manager.class.name" remote_log_storage_manager_class_name: Option<String> = None, Any, ReadOnly, Accepted;
            /// The plug-in that remembers which segments lie in the other storage.
            "remote.log.metadata.manager.class.name" remote_log_metadata_manager_class_name: String = "org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager".to_owned(), Any, ReadOnly, Accepted;
            /// How often segments to be moved are looked for.
            "remote.log.manager.task.interval.ms" remote_log_manager_task_interval_ms: i64 = 30_000, AtLeast(1), ReadOnly, Accepted;
            /// How much disk the indexes of segments from the other storage may take here.
            "remote.log.index.file.cache.total.size.bytes" remote_log_index_file_cache_total_size_bytes: i64 = 1_073_741_824, AtLeast(0), ClusterWide, Accepted;
            /// How long a fetch may wait for the other storage.
            "remote.fetch.max.wait.ms" remote_fetch_max_wait_ms: i32 = 500, AtLeast(0), ClusterWide, Accepted;
            /// How long a segment stays here after it was copied to the other storage; -2 is as long as
            /// `log.retention.ms`.
            "log.local.retention.ms" log_local_retention_ms: i64 = -2, AtLeast(-2), ClusterWide, Accepted;
            /// How large the part of a log may be that stays here beside the other storage; -2 is as large as
            /// `log.retention.bytes`.
            "log.local.retention.bytes" log_local_retention_bytes: i64 = -2, AtLeast(-2), ClusterWide, Accepted;
        }
    };
}
