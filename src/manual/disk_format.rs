//! The files of a log directory. They are Apache Kafka's, so that its tools read them.
//!
//! Numbers are big-endian. *Offset* counts records, *position* counts bytes in a file.
//!
//! # A log directory
//!
//! One for each entry of `log.dirs`.
//!
//! | name | what |
//! |---|---|
//! | `<topic>-<partition>/` | a partition |
//! | `<topic>-<partition>.<32 hex>-delete/` | a partition that was deleted and waits `file.delete.delay.ms` for its removal |
//! | `meta.properties` | which cluster, which broker, which directory this is (version 1: `cluster.id`, `node.id`) |
//! | `broker-metadata-checkpoint` | topics and changed settings; ottla's own file, see below |
//! | `recovery-point-offset-checkpoint` | for each partition the first offset that is not known to be on disk |
//! | `replication-offset-checkpoint` | for each partition the high watermark |
//! | `log-start-offset-checkpoint` | for each partition that has one, a start that is beyond its first segment's |
//! | `.kafka_cleanshutdown` | the last stop was a clean one; it is removed when the directory is opened |
//! | `.lock` | locked while a broker has the directory open |
//! | `*.tmp` | the next version of a file, not yet in its place |
//!
//! The checkpoints are text: a line `0` for the version, a line with the number of entries, then one
//! `topic partition offset` a line. They are replaced as a whole: written beside, synced, renamed.
//!
//! Apache Kafka keeps topics and settings in its controllers. A broker of one has none, and keeps them in
//! `broker-metadata-checkpoint`, of which each log directory has a copy; the one with the highest generation counts.
//!
//! ```text
//! 0                                    version
//! 17                                   generation, one more at each write
//! topic orders BwcHBwcHBwcHBwcHBwcHBw 3
//! config orders retention.ms 86400000
//! cluster-metadata 1234                up to where the topics of an Apache Kafka have been taken over, if there was one
//! crc32c 90ab12cd                      of everything before
//! end 4                                the number of lines since the generation
//! ```
//!
//! # A partition
//!
//! `<base>` is the offset of the segment's first record, in 20 digits.
//!
//! | name | what |
//! |---|---|
//! | `<base>.log` | record batches, one after the other |
//! | `<base>.index` | offset -> position, sparse: an entry every `index.interval.bytes` |
//! | `<base>.timeindex` | timestamp -> offset, as sparse |
//! | `<base>.txnindex` | aborted transactions, if there are any |
//! | `<offset>.snapshot` | the state of producers before that offset |
//! | `leader-epoch-checkpoint` | leader epoch -> its first offset |
//! | `partition.metadata` | the topic's id |
//! | `*.deleted` | waits for its removal |
//! | `*.cleaned`, `*.swap` | a replacement that is being written, and one that is complete |
//!
//! # A record batch (magic 2)
//!
//! ```text
//!  0        8     12    16  17    21    23      27          35          43          51  53    57    61
//!  ├────────┼─────┼─────┼───┼─────┼─────┼───────┼───────────┼───────────┼───────────┼───┼─────┼─────┼───────…
//!  │ base   │batch│leadr│mag│ crc │attri│ last  │ base      │ max       │ producer  │pro│base │count│records
//!  │ offset │len  │epoch│ic │     │butes│ delta │ timestamp │ timestamp │ id        │ep.│seq. │     │
//! ```
//!
//! `batch len` counts the bytes after itself. `crc` is the CRC-32C of everything after it, so that the broker sets the
//! three fields before `magic` without computing it anew. Attributes: bits 0 to 2 the codec (none, gzip, snappy, lz4,
//! zstd), 3 log append time, 4 transactional, 5 control, 6 the base timestamp is a delete horizon. With a codec,
//! everything from byte 61 on is compressed.
//!
//! A record: `length`, `attributes` (one byte, 0), `timestamp delta`, `offset delta`, `key length`, key, `value length`,
//! value, `headers count`, and for each header the length and bytes of its name and of its value. Lengths and deltas are
//! zig-zag varints; a length of -1 is null.
//!
//! Batches of magic 0 and 1, which Kafka wrote before 0.11, are read as well.
//!
//! # Indexes
//!
//! ```text
//! .index      ├ offset - base: 4 ┼ position: 4 ┤
//! .timeindex  ├ timestamp: 8 ┼ offset - base: 4 ┤
//! .txnindex   ├ version: 2 ┼ producer id: 8 ┼ first offset: 8 ┼ last offset: 8 ┼ last stable offset: 8 ┤
//! ```
//!
//! They have no checksums: what follows the recovery point is rebuilt from the batches after an unclean stop. The indexes of
//! the segment that is written to grow by pages of 4 KiB, and lack the entries that came since the last one; they have all
//! once the segment is rolled or closed. (Apache Kafka's are as long as `segment.index.bytes` says meanwhile, and filled with
//! zeros, which are left alone here.)
//!
//! # Producer snapshots
//!
//! `version: 2` (1), `crc: 4` (CRC-32C of what follows), `count: 4`, then 46 bytes for each producer: id 8, epoch 2,
//! last sequence 4, last offset 8, offset delta 4, timestamp 8, coordinator epoch 4, first offset of its open
//! transaction 8 (or -1).
//!
//! # Sources
//!
//! Kafka's classes `DefaultRecordBatch`, `DefaultRecord`, `OffsetIndex`, `TimeIndex`, `TransactionIndex`,
//! `ProducerStateManager`, `CheckpointFile`, `LeaderEpochCheckpointFile`, `PartitionMetadataFile`.
