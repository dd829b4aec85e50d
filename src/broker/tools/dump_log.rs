use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use super::java_string::java_string;
use crate::broker::coordinator::group::offsets_record_text;
use crate::broker::coordinator::share::share_group_state_record_text;
use crate::broker::coordinator::transaction::transaction_record_text;
use crate::error::{Error, Result};
use crate::log::{Dump, DumpError, DumpOptions, RecordText};
use crate::model::ErrorCode;
use crate::record::RecordRef;
use crate::sys::{FileSystem, OsFileSystem};

/// What [`DumpLog`] takes keys and values of records for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PayloadDecoder {
    /// Text; what is not UTF-8 is replaced, as Java does it.
    #[default]
    Text,
    /// Records of `__consumer_offsets`, given as JSON.
    Offsets,
    /// Records of `__transaction_state`, given as JSON.
    TransactionLog,
    /// Records of `__share_group_state`, given as JSON.
    ShareGroupState,
}

/// Tells what is in the files of a log: batches, records, indexes, producer snapshots. The words are those of
/// Apache Kafka's `kafka-dump-log`, for tools that read them.
///
/// Files are only read; those that a broker has open change meanwhile.
///
/// # Examples
/// ```
/// use ottla::{Broker, DumpLog, NewTopic, ProducerRecord};
/// # fn main() -> Result<(), ottla::Error> {
/// let dir = tempfile::tempdir().unwrap();
/// let broker = Broker::open(dir.path())?;
/// broker.admin().create_topic(NewTopic::new("orders", 1))?;
/// broker.producer().send(ProducerRecord::new("orders").key("k").value("v"))?.wait()?;
/// broker.close();
///
/// let mut text = Vec::new();
/// let file = dir.path().join("orders-0").join("00000000000000000000.log");
/// let mut dump = DumpLog::default();
/// dump.print_data_log = true;
/// let problems = dump.dump(&file, &mut text)?;
/// let text = String::from_utf8(text).unwrap();
/// assert!(text.contains("baseOffset: 0 lastOffset: 0 count: 1"));
/// assert!(text.contains(" key: k payload: v"));
/// assert!(problems.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DumpLog {
    /// Tell of each record, not only of each batch.
    pub deep_iteration: bool,
    /// Tell of each record with its key and value.
    pub print_data_log: bool,
    /// Of each record, tell nothing but key and value.
    pub skip_record_metadata: bool,
    /// Of indexes, tell only what is wrong with them.
    pub verify_index_only: bool,
    /// Of indexes, tell only whether a broker would take them for sound.
    pub index_sanity_check: bool,
    /// Of offset indexes, take what points at a larger batch than this, in bytes, for wrong.
    pub max_message_size: u64,
    /// Tell of no more bytes of a `.log` file than these, in whole batches.
    pub max_bytes: u64,
    /// What keys and values are taken for.
    pub decoder: PayloadDecoder,
}

impl Default for DumpLog {
    fn default() -> Self {
        DumpLog {
            deep_iteration: false,
            print_data_log: false,
            skip_record_metadata: false,
            verify_index_only: false,
            index_sanity_check: false,
            max_message_size: u64::MAX,
            max_bytes: u64::MAX,
            decoder: PayloadDecoder::Text,
        }
    }
}

impl DumpLog {
    /// Writes to `out` what is in one file: `.log`, `.index`, `.timeindex`, `.txnindex` or `.snapshot`, named as in the
    /// log. Answers what is wrong with it; a log with gaps, which compaction leaves, is told of there, too.
    ///
    /// # Errors
    /// [`ErrorCode::KafkaStorageError`] if the file, or one that it belongs to, cannot be read;
    /// [`ErrorCode::UnknownServerError`], with the [`io::Error`] as its source, if `out` takes no more.
    pub fn dump(&self, file: &Path, out: &mut dyn Write) -> Result<Vec<String>> {
        let fs: Arc<dyn FileSystem> = Arc::new(OsFileSystem::durable());
        let options = DumpOptions {
            deep_iteration: self.deep_iteration,
            print_data_log: self.print_data_log || self.decoder != PayloadDecoder::Text,
            skip_record_metadata: self.skip_record_metadata,
            verify_index_only: self.verify_index_only,
            index_sanity_check: self.index_sanity_check,
            max_message_size: self.max_message_size,
            max_bytes: self.max_bytes,
        };
        let decode: fn(&RecordRef<'_>) -> RecordText = match self.decoder {
            PayloadDecoder::Text => text,
            PayloadDecoder::Offsets => offsets,
            PayloadDecoder::TransactionLog => transactions,
            PayloadDecoder::ShareGroupState => share_group_state,
        };
        Dump::new(&fs, options, &decode, out).file(file).map_err(|error| match error {
            DumpError::Log(error) => error.into(),
            DumpError::Out(error) => cannot_write(error),
        })
    }
}

fn cannot_write(error: io::Error) -> Error {
    Error::caused(ErrorCode::UnknownServerError, "cannot write what is in the file", error)
}

fn text(record: &RecordRef<'_>) -> RecordText {
    let text = |bytes: Option<&[u8]>| bytes.map(java_string);
    RecordText { key: text(record.key()), payload: text(record.value()) }
}

fn offsets(record: &RecordRef<'_>) -> RecordText {
    let Some(key) = record.key() else { return without_key(record) };
    told(record, offsets_record_text(key, record.value()))
}

fn transactions(record: &RecordRef<'_>) -> RecordText {
    let Some(key) = record.key() else { return without_key(record) };
    told(record, transaction_record_text(key, record.value()))
}

fn share_group_state(record: &RecordRef<'_>) -> RecordText {
    let Some(key) = record.key() else { return without_key(record) };
    told(record, share_group_state_record_text(key, record.value()))
}

fn without_key(record: &RecordRef<'_>) -> RecordText {
    only_key(format!("Error at offset {}, skipping. message had a missing key", record.offset()))
}

fn told<E: std::fmt::Display>(
    record: &RecordRef<'_>,
    decoded: std::result::Result<Option<RecordText>, E>,
) -> RecordText {
    match decoded {
        Ok(Some(text)) => text,
        Ok(None) => {
            let kind =
                record.key().and_then(|key| key.first_chunk()).map_or(-1, |kind| i16::from_be_bytes(*kind));
            only_key(format!("Unknown record type {kind} at offset {}, skipping.", record.offset()))
        }
        Err(error) => only_key(format!("Error at offset {}, skipping. {error}", record.offset())),
    }
}

fn only_key(key: String) -> RecordText {
    RecordText { key: Some(key), payload: None }
}
