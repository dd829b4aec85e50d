//! `.log` files.

use std::path::Path;

use super::{DECOMPRESSION_LIMIT, Dump, DumpError};
use crate::log::file_records::ScanError;
use crate::model::{NO_SEQUENCE, Offset};
use crate::record::{
    ControlRecordType, EndTransactionMarker, MAGIC_VALUE_V0, MAGIC_VALUE_V2, RecordBatchRef, RecordRef,
    TimestampType, increment_sequence, message_checksums,
};

/// What stands in front of each record of a batch.
const RECORD_INDENT: &str = "|";

/// What the records before say about the next one.
#[derive(Default)]
struct Seen {
    last_offset: Option<Offset>,
    /// Where offsets are missing, as compaction leaves them.
    gaps: Vec<String>,
}

impl Dump<'_> {
    pub(super) fn log(&mut self, path: &Path, base_offset: Offset) -> Result<(), DumpError> {
        writeln!(self.out, "Log starting offset: {base_offset}")?;
        let records = self.records(path)?;
        let mut batches = records.batches_from(0)?;
        let mut valid_bytes = 0;
        let mut seen = Seen::default();
        let mut scratch = Vec::new();
        loop {
            match batches.next() {
                // What does not fit wholly is not told of.
                Ok(Some((position, batch)))
                    if position + batch.size_in_bytes() as u64 > self.options.max_bytes =>
                {
                    return Ok(());
                }
                Ok(Some((position, batch))) => {
                    self.batch(position, batch)?;
                    if self.options.deep_iteration || self.options.print_data_log {
                        self.batch_records(path, batch, &mut seen, &mut scratch)?;
                    }
                    valid_bytes = position + batch.size_in_bytes() as u64;
                }
                Ok(None) | Err(ScanError::Corrupt { .. }) => break,
                Err(ScanError::Log(error)) => return Err(error.into()),
            }
        }
        self.problem_list(format!("Non-consecutive offsets in {}", path.display()), seen.gaps);
        let trailing = records.size() - valid_bytes;
        if trailing > 0 {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            writeln!(self.out, "Found {trailing} invalid bytes at the end of {name}")?;
        }
        Ok(())
    }

    fn batch(&mut self, position: u64, batch: RecordBatchRef<'_>) -> Result<(), DumpError> {
        if batch.magic() >= MAGIC_VALUE_V2 {
            write!(
                self.out,
                "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} \
                 producerEpoch: {} partitionLeaderEpoch: {} isTransactional: {} isControl: {} deleteHorizonMs: {}",
                batch.base_offset(),
                batch.last_offset(),
                batch.records_count().unwrap_or_default(),
                batch.base_sequence(),
                batch.last_sequence(),
                batch.producer_id(),
                batch.producer_epoch(),
                batch.partition_leader_epoch(),
                batch.is_transactional(),
                batch.is_control(),
                super::indexes::optional(batch.delete_horizon_ms()),
            )?;
        } else {
            write!(self.out, "offset: {}", batch.last_offset())?;
        }
        let codec = batch.compression_type().map_or_else(|_| "unknown", |codec| codec.name());
        writeln!(
            self.out,
            " position: {position} {}: {} size: {} magic: {} compresscodec: {codec} crc: {} isvalid: {}",
            timestamp_type(batch),
            batch.max_timestamp(),
            batch.size_in_bytes(),
            batch.magic(),
            batch.crc(),
            batch.ensure_valid().is_ok(),
        )?;
        Ok(())
    }

    fn batch_records(
        &mut self,
        path: &Path,
        batch: RecordBatchRef<'_>,
        seen: &mut Seen,
        scratch: &mut Vec<u8>,
    ) -> Result<(), DumpError> {
        let unreadable = |error| format!("{}: offset {}: {error}", path.display(), batch.base_offset());
        let checksums = if batch.magic() >= MAGIC_VALUE_V2 {
            Vec::new()
        } else {
            // What cannot be decompressed is told of below.
            message_checksums(batch, scratch, DECOMPRESSION_LIMIT).unwrap_or_default()
        };
        let mut checksums = checksums.into_iter();
        let records = match batch.records(scratch, DECOMPRESSION_LIMIT) {
            Ok(records) => records,
            Err(error) => {
                self.problems.push(unreadable(error));
                return Ok(());
            }
        };
        for record in records {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    self.problems.push(unreadable(error));
                    break;
                }
            };
            if let Some(last) = seen.last_offset.filter(|last| record.offset() != last + 1) {
                seen.gaps.push(format!("{last} is followed by {}", record.offset()));
            }
            seen.last_offset = Some(record.offset());
            self.record(batch, &record, checksums.next())?;
        }
        Ok(())
    }

    fn record(
        &mut self,
        batch: RecordBatchRef<'_>,
        record: &RecordRef<'_>,
        checksum: Option<(u32, bool)>,
    ) -> Result<(), DumpError> {
        let is_bare = self.options.skip_record_metadata;
        if !is_bare {
            let size = |field: Option<&[u8]>| field.map_or(-1, |field| field.len() as i64);
            write!(
                self.out,
                "{RECORD_INDENT} offset: {} {}: {} keySize: {} valueSize: {}",
                record.offset(),
                timestamp_type(batch),
                record.timestamp(),
                size(record.key()),
                size(record.value()),
            )?;
            if batch.magic() >= MAGIC_VALUE_V2 {
                let keys: Vec<_> = record.headers().iter().map(|header| header.key().into_owned()).collect();
                write!(self.out, " sequence: {} headerKeys: [{}]", sequence(batch, record), keys.join(","))?;
            }
            if let Some((crc, is_valid)) = checksum {
                write!(self.out, " isValid: {is_valid} crc: {crc}")?;
            }
            if batch.is_control() {
                write!(self.out, "{}", control(record))?;
            }
        }
        if self.options.print_data_log && !batch.is_control() {
            let text = (self.decode)(record);
            if is_bare && (text.key.is_some() || text.payload.is_some()) {
                write!(self.out, "{RECORD_INDENT}")?;
            }
            if let Some(key) = text.key {
                write!(self.out, " key: {key}")?;
            }
            if let Some(payload) = text.payload {
                write!(self.out, " payload: {payload}")?;
            }
        }
        writeln!(self.out)?;
        Ok(())
    }
}

fn sequence(batch: RecordBatchRef<'_>, record: &RecordRef<'_>) -> i32 {
    match (batch.base_sequence(), i32::try_from(record.offset().wrapping_sub(batch.base_offset()))) {
        (NO_SEQUENCE, _) | (_, Err(_)) => NO_SEQUENCE,
        (base, Ok(delta)) => increment_sequence(base, delta),
    }
}

fn timestamp_type(batch: RecordBatchRef<'_>) -> &'static str {
    match batch.timestamp_type() {
        _ if batch.magic() == MAGIC_VALUE_V0 => "NoTimestampType",
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
    }
}

fn control(record: &RecordRef<'_>) -> String {
    match EndTransactionMarker::parse(record.key(), record.value()) {
        Ok(Some(marker)) => {
            let kind = if marker.is_commit { "COMMIT" } else { "ABORT" };
            format!(" endTxnMarker: {kind} coordinatorEpoch: {}", marker.coordinator_epoch)
        }
        Ok(None) => match ControlRecordType::parse(record.key()) {
            Ok(kind) => format!(" controlType: {}({})", kind.name(), kind.id()),
            Err(error) => format!(" controlType: {error}"),
        },
        Err(error) => format!(" controlType: {error}"),
    }
}
