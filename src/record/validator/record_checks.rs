use super::ValidationOptions;
use crate::model::{NO_TIMESTAMP, Timestamp};
use crate::record::header::BatchHeader;
use crate::record::record::read_record;
use crate::record::{BatchError, RecordError, TimestampType};

/// A batch may hold a million bad records; the producer is told of the first of them.
const MAX_RECORD_ERRORS: usize = 1_000;

/// Goes over the records of a set, checks each and remembers what the log wants to know of all.
pub(super) struct RecordChecks<'a> {
    options: &'a ValidationOptions,
    /// Set by whoever claims to be the broker.
    has_log_append_time: bool,
    base_timestamp: Timestamp,
    count: i32,
    offset_deltas_are_dense: bool,
    max_timestamp: Timestamp,
    offset_delta_of_max_timestamp: i32,
    invalid_timestamp: bool,
    error_count: usize,
    errors: Vec<RecordError>,
}

/// What is checked of one record.
#[derive(Clone, Copy)]
pub(super) struct Facts {
    pub(super) timestamp: Timestamp,
    pub(super) has_key: bool,
}

impl<'a> RecordChecks<'a> {
    pub(super) fn new(batch: BatchHeader<'_>, options: &'a ValidationOptions) -> Self {
        RecordChecks {
            options,
            has_log_append_time: batch.timestamp_type() == TimestampType::LogAppendTime,
            base_timestamp: batch.base_timestamp(),
            count: 0,
            offset_deltas_are_dense: true,
            max_timestamp: NO_TIMESTAMP,
            offset_delta_of_max_timestamp: -1,
            invalid_timestamp: false,
            error_count: 0,
            errors: Vec::new(),
        }
    }

    /// The next record of a batch of magic 2.
    #[inline]
    pub(super) fn check_delta(&mut self, offset_delta: i32, timestamp_delta: i64, has_key: bool) {
        self.offset_deltas_are_dense &= offset_delta == self.count;
        self.check(Facts { timestamp: self.base_timestamp.wrapping_add(timestamp_delta), has_key });
    }

    /// The next record of a set of any magic (Kafka: `LogValidator#validateRecord`).
    #[inline]
    pub(super) fn check(&mut self, record: Facts) {
        let index = self.count;
        self.count += 1;
        if self.options.compacted && !record.has_key {
            self.reject(index, false, "Compacted topic cannot accept message without key.".to_owned());
            return;
        }
        if self.has_log_append_time || !self.options.accepts_timestamp(record.timestamp) {
            self.reject_timestamp(index, record.timestamp);
            return;
        }
        if record.timestamp > self.max_timestamp {
            self.max_timestamp = record.timestamp;
            self.offset_delta_of_max_timestamp = index;
        }
    }

    /// Whether a record that comes next, of another entry of the same set, claims the broker's timestamp.
    pub(super) fn next_entry(&mut self, entry: BatchHeader<'_>) {
        self.has_log_append_time = entry.timestamp_type() == TimestampType::LogAppendTime;
    }

    #[cold]
    fn reject_timestamp(&mut self, index: i32, timestamp: Timestamp) {
        let message = if self.has_log_append_time {
            "Invalid timestamp type in message. Producer should not set timestamp type to LogAppendTime."
                .to_owned()
        } else {
            let (min, max) = self.options.timestamp_bounds();
            format!(
                "Timestamp {timestamp} of message with offset {index} is out of range. The timestamp should be \
                 within [{min}, {max}]"
            )
        };
        self.reject(index, true, message);
    }

    #[cold]
    fn reject(&mut self, batch_index: i32, invalid_timestamp: bool, message: String) {
        self.invalid_timestamp |= invalid_timestamp;
        self.error_count += 1;
        if self.errors.len() < MAX_RECORD_ERRORS {
            self.errors.push(RecordError { batch_index, message });
        }
    }

    /// All records of a batch of magic 2, from bytes that are not compressed. The header's count must be right.
    pub(super) fn read_all(&mut self, body: &[u8], count: i32) -> Result<(), BatchError> {
        let mut position = 0;
        for _ in 0..count {
            let record = read_record(body, &mut position)?;
            self.check_delta(record.offset_delta, record.timestamp_delta, record.key.is_some());
        }
        match body.len() - position {
            0 => Ok(()),
            left => Err(BatchError::TrailingBytes { count, left }),
        }
    }

    /// # Errors
    /// [`BatchError::Rejected`] if a record broke a rule.
    pub(super) fn finish(&mut self) -> Result<(), BatchError> {
        if self.errors.is_empty() {
            return Ok(());
        }
        Err(BatchError::Rejected {
            invalid_timestamp: self.invalid_timestamp,
            count: self.error_count,
            errors: std::mem::take(&mut self.errors),
        })
    }

    /// Whether the records do not have the offset deltas 0, 1, 2, … that let the log set one number for all.
    pub(super) fn needs_new_offsets(&self) -> bool {
        !self.offset_deltas_are_dense
    }

    /// The largest timestamp and the place of the first record that has it; [`NO_TIMESTAMP`] if none has one.
    pub(super) fn max_timestamp(&self) -> (Timestamp, i32) {
        (self.max_timestamp, self.offset_delta_of_max_timestamp)
    }
}
