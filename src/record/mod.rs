//! Records as bytes: batches of magic 2, message sets of magic 0 and 1, checksums, compression, and the rules
//! that a produced batch must keep. Nothing here reads a clock, takes a lock or touches a file.

mod batch;
mod batch_error;
mod builder;
mod compression;
mod compression_type;
mod control;
mod crc;
mod down_convert;
mod filter;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod header;
mod legacy;
#[allow(clippy::module_inception, reason = "Kafka calls it Record")]
mod record;
mod record_iter;
mod records;
mod validator;
mod varint;

#[cfg(test)]
mod tests;

pub(crate) use crate::sys::FileSlice;
pub use batch::{Batches, RecordBatch, RecordBatchRef};
pub use batch_error::{BatchError, RecordError};
pub use builder::{BatchOptions, RecordBatchBuilder};
pub use compression_type::{CompressionType, TimestampType};
pub(crate) use control::{ControlRecordType, EndTransactionMarker, MarkerParams};
pub(crate) use crc::crc32c;
pub(crate) use down_convert::{DownConvertParams, down_convert};
pub(crate) use filter::{BatchFilter, FilterParams, RecordRetention};
pub use header::BatchHeader;
pub(crate) use header::{
    LOG_OVERHEAD, MAGIC_OFFSET, MAGIC_VALUE_V0, MAGIC_VALUE_V1, MAGIC_VALUE_V2, RECORD_BATCH_OVERHEAD,
    increment_sequence, set_base_offset, set_max_timestamp, set_partition_leader_epoch, update_crc,
};
pub(crate) use legacy::message_checksums;
pub use record::{Header, Headers, HeadersIter, Record, RecordRef};
pub use record_iter::{RecordIter, RecordRefIter};
pub(crate) use records::Records;
pub(crate) use validator::{AppendOrigin, ValidatedRecords, ValidationOptions, validate, validate_built};
