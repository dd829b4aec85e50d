//! An embeddable, synchronous, Kafka-compatible broker: a durable, partitioned, replayable event log with consumer
//! groups inside your program, without an async runtime; the same topics, at the same time, to any Kafka client
//! over an optional listener; and a Kafka for tests that starts in a millisecond.
//!
//! ```
//! use std::time::Duration;
//! use ottla::{AutoOffsetReset, Broker, NewTopic, ProducerRecord};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let dir = dir.path();
//! let broker = Broker::builder().log_dir(dir).set("group.initial.rebalance.delay.ms", "0").open()?;
//! broker.admin().create_topic(NewTopic::new("orders", 3))?;
//!
//! let producer = broker.producer();
//! let sent = producer.send(ProducerRecord::new("orders").key("customer-7").value("two pears"))?;
//! println!("at offset {}", sent.wait()?.offset);
//!
//! let builder = broker.consumer_builder().group_id("billing").auto_offset_reset(AutoOffsetReset::Earliest);
//! let mut consumer = builder.build()?;
//! consumer.subscribe(["orders"])?;
//! let records = consumer.poll(Duration::from_secs(5))?;
//! assert_eq!(records.iter().next().unwrap().value(), Some(&b"two pears"[..]));
//! consumer.commit()?;
//!
//! // From here on, any Kafka client sees the same topics and may join the same groups.
//! # #[cfg(feature = "server")]
//! let listener = broker.listen("127.0.0.1:0")?;
//! # Ok(())
//! # }
//! ```
//!
//! # Three doors, one engine
//!
//! ```text
//!    your Rust program                      any Kafka client, any language
//!    ┌──────────────────────┐               ┌─────────────────────────────┐
//!    │ Producer   Consumer  │               │ librdkafka, Java, Go, JS, … │
//!    │ Admin                │               └──────────────┬──────────────┘
//!    └──────────┬───────────┘                      TCP (Broker::listen)
//!               │ plain function calls                     │
//!               │                        ┌─────────────────▼─────────────────┐
//!               │                        │ server   network/ -> api/         │
//!               │                        │ protocol bytes <-> messages       │
//!               │                        └─────────────────┬─────────────────┘
//!               └───────────────┬──────────────────────────┘
//!               ┌───────────────▼───────────────┐
//!               │ broker  topics, waiting,      │
//!               │         groups, settings      │
//!               ├───────────────────────────────┤
//!               │ log     segments, in Apache   │
//!               │         Kafka's file format   │
//!               └───────────────────────────────┘
//!    below all of them: record (batches, codecs)  config (Kafka's keys)  model (nouns)  sys (clock, files)
//! ```
//!
//! A folder of `src/` is a layer, and imports go down this table only; `tests/layers.rs` checks it.
//!
//! | folder | what | may import |
//! |---|---|---|
//! | `testkit` | [`TestBroker`]: time, faults, waiting, looking | everything |
//! | `server` | `network/` moves frames, `api/` has a file for each Kafka API | broker, protocol and below |
//! | `broker` | [`Broker`], [`Producer`], [`Consumer`], [`ShareConsumer`], [`Admin`], partitions, purgatory, coordinators | log and below |
//! | `protocol` | messages as tables; no I/O, no clock | record, model, sys |
//! | `log` | logs, segments, indexes, recovery | record, config, model, sys |
//! | `record` | [`RecordBatch`]es, checksums, compression | model, sys |
//! | `config` | one row a Kafka key: [`BrokerConfig`] | model |
//! | `model` | [`TopicPartition`], [`ErrorCode`], ids | |
//! | `sys` | [`Clock`], files, threads | model |
//!
//! # Features
//!
//! | feature | default | what it brings, and why one would leave it out |
//! |---|---|---|
//! | `server` | yes | [`Broker::listen`]; without it, no networking and no wire format is compiled |
//! | `testkit` | yes | [`TestBroker`]: a broker with a listener for tests |
//! | `cli` | yes | the `ottla` binary, and what it does with files; a library does not need its argument parser |
//! | `gzip`, `snappy`, `lz4`, `zstd` | yes | one codec each; without it, its batches are refused with `UNSUPPORTED_COMPRESSION_TYPE` |
//!
//! `default-features = false` leaves the log engine and the native API.
//!
//! # What the names mean
//!
//! Everything is called as Kafka calls it: settings by Kafka's keys, errors by Kafka's codes ([`Error::code`]),
//! files by Kafka's names. What a setting, an API or a file means is what it means there.
//!
//! What belongs to no single item, such as the file formats and what survives which crash, is in [`manual`].
#![cfg_attr(
    not(test),
    allow(
        dead_code,
        unused_imports,
        reason = "what only the tests of a layer look at; a build with tests refuses the rest"
    )
)]

mod broker;
mod config;
mod error;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
#[allow(
    dead_code,
    reason = "truncation and follower appends: what a replica needs, held by the log's own tests"
)]
mod log;
pub mod manual;
mod model;
#[cfg(feature = "server")]
#[allow(
    dead_code,
    reason = "the client's half of the codec, against which tests and fuzzing hold the broker's"
)]
mod protocol;
mod record;
#[cfg(feature = "server")]
mod server;
mod sys;
#[cfg(feature = "testkit")]
mod testkit;

pub use broker::admin::{
    Admin, AlterConfig, ConfigEntry, ConfigResource, ConfigSource, FuturePartition, GroupDescription,
    GroupListing, ListGroupsOptions, LogDirDescription, MemberDescription, MemberToRemove, OffsetSpec,
    PartitionDescription, ShareGroupOffset, TopicDescription,
};
pub use broker::topic::{AppendedBatch, OffsetAndTimestamp, Partition, RecordReader, Topic};
pub use broker::{
    AcknowledgeType, AcknowledgementMode, Acks, AutoOffsetReset, Broker, BrokerBuilder, Consumer,
    ConsumerBuilder, ConsumerIter, ConsumerRecord, ConsumerRecords, ConsumerRecordsIter, ConsumerWaker,
    GroupProtocol, GroupState, GroupType, HistoryEvent, LogDirFailure, NewTopic, OffsetAndMetadata,
    PartitionAssignor, Producer, ProducerBuilder, ProducerRecord, RebalanceListener, RecordMetadata,
    SendHandle, ShareAcquireMode, ShareConsumer, ShareConsumerBuilder, ShareRecord, ShareRecords,
    Transaction,
};
#[cfg(feature = "cli")]
pub use broker::{DumpLog, PayloadDecoder, RepairLogDir, VerifyLogDir};
pub use config::{
    BrokerConfig, ClassName, CleanupPolicy, ConfigError, ConfigKey, ConfigProblem, ConfigType, ConfigWarning,
    Effect, GroupMigrationPolicy, MessageTimestampType, Password, Properties, RecordingLevel,
    SecurityProtocol, SslClientAuth, TopicCompression, UpdateMode, settings_from_environment,
};
pub use error::{Error, Result};
pub use log::RecoveryProgress;
#[cfg(feature = "cli")]
pub use log::VerifyProgress;
pub use model::{ErrorCode, IsolationLevel, ParseUuidError, TopicPartition, Uuid};
#[cfg(feature = "server")]
pub use protocol::ApiKey;
pub use record::{
    BatchError, BatchHeader, BatchOptions, Batches, CompressionType, Header, Headers, HeadersIter, Record,
    RecordBatch, RecordBatchBuilder, RecordBatchRef, RecordError, RecordIter, RecordRef, RecordRefIter,
    TimestampType,
};
#[cfg(feature = "testkit")]
pub use server::ApiVersionRanges;
#[cfg(feature = "server")]
pub use server::Listener;
pub use sys::{Clock, ManualClock, ScaledClock, SystemClock, Wake};
#[cfg(feature = "testkit")]
pub use testkit::{
    Disk, DiskFault, FaultHandle, FaultRule, Faults, FieldValue, FileOperation, JournalEnd, JournalEntry,
    Namespace, PowerLoss, RequestMatch, Snapshot, TestBroker, TestBrokerBuilder, TestConnection, TestRecord,
    TestTransaction, Until,
};
