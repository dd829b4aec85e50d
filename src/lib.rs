//! ottla: an embeddable, synchronous, Kafka-compatible broker.
#![allow(dead_code, unused_imports, missing_docs)]

mod broker;
mod config;
mod error;
mod log;
mod model;
#[cfg(feature = "server")]
mod protocol;
mod record;
#[cfg(feature = "server")]
mod server;
mod sys;
#[cfg(feature = "testkit")]
mod testkit;

pub use broker::{Broker, BrokerBuilder, NewTopic};
pub use config::{
    BrokerConfig, ClassName, CleanupPolicy, ConfigError, ConfigKey, ConfigProblem, ConfigType, ConfigWarning,
    Effect, GroupMigrationPolicy, MessageTimestampType, Password, Properties, RecordingLevel,
    SecurityProtocol, SslClientAuth, TopicCompression, UpdateMode, settings_from_environment,
};
pub use error::{Error, Result};
pub use model::{ErrorCode, IsolationLevel, TopicPartition, Uuid};
pub use record::{
    BatchError, BatchHeader, BatchOptions, Batches, CompressionType, Header, Headers, HeadersIter, Record,
    RecordBatch, RecordBatchBuilder, RecordBatchRef, RecordError, RecordIter, RecordRef, RecordRefIter,
    TimestampType,
};
#[cfg(feature = "server")]
pub use server::Listener;
pub use sys::{Clock, ManualClock, SystemClock};
