use super::{RECORD_BATCH_OVERHEAD, RecordBatchBuilder};
use crate::model::{NO_TIMESTAMP, Timestamp};
use crate::record::varint::{SHORT_LIMIT, Varint, varint_size, zig_zag};
use crate::record::{BatchError, Headers};

/// Length, attributes, deltas, the key's length and the value's.
pub(super) const MAX_RECORD_HEAD: usize = 5 + 1 + 10 + 5 + 5 + 5;

impl RecordBatchBuilder {
    /// Adds a record without headers.
    ///
    /// # Errors
    /// [`BatchError::FormatLimit`] if the record, the batch or their number passes 2^31-1; the record is not
    /// added then.
    #[inline]
    pub fn append(
        &mut self,
        timestamp: Timestamp,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
    ) -> Result<(), BatchError> {
        if !self.append_short(timestamp, key, value) {
            // One byte: no headers.
            self.start_record(timestamp, key, value, 1)?;
            self.buffer.extend_from_slice(&[0]);
        }
        self.count_record(timestamp, key.is_none());
        Ok(())
    }

    /// Adds a record with headers.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn append_with_headers<K, V>(
        &mut self,
        timestamp: Timestamp,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(K, Option<V>)],
    ) -> Result<(), BatchError>
    where
        K: AsRef<str>,
        V: AsRef<[u8]>,
    {
        let count = i32::try_from(headers.len())
            .map_err(|_| BatchError::FormatLimit { what: "the number of headers" })?;
        let mut size = varint_size(count);
        for (name, value) in headers {
            size += field_size(Some(name.as_ref().as_bytes()))?;
            size += field_size(value.as_ref().map(AsRef::as_ref))?;
        }
        self.start_record(timestamp, key, value, size)?;
        self.put_varint(Varint::of(i64::from(count)));
        for (name, value) in headers {
            self.put_field(Some(name.as_ref().as_bytes()))?;
            self.put_field(value.as_ref().map(AsRef::as_ref))?;
        }
        self.count_record(timestamp, key.is_none());
        Ok(())
    }

    /// Adds a record whose headers are encoded already, those of another batch.
    pub(crate) fn append_with_encoded_headers(
        &mut self,
        timestamp: Timestamp,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: Headers<'_>,
    ) -> Result<(), BatchError> {
        let count = headers.len() as i32;
        let size = varint_size(count) + headers.as_bytes().len();
        self.start_record(timestamp, key, value, size)?;
        self.put_varint(Varint::of(i64::from(count)));
        self.buffer.extend_from_slice(headers.as_bytes());
        self.count_record(timestamp, key.is_none());
        Ok(())
    }

    /// Adds a record without headers if it is like nearly all are: not the first of its batch, a few kilobytes at
    /// most, not long after the first. Whether it was.
    ///
    /// All that stands in front of the key or the value is put together in a register then. Written to memory
    /// number by number and copied from there at once, it would make the processor wait.
    #[inline]
    fn append_short(&mut self, timestamp: Timestamp, key: Option<&[u8]>, value: Option<&[u8]>) -> bool {
        let timestamp_delta = zig_zag(timestamp.wrapping_sub(self.base_timestamp));
        let offset_delta = zig_zag(i64::from(self.facts.records_count));
        let key_len = zig_zag(key.map_or(-1, |key| key.len() as i64));
        let value_len = zig_zag(value.map_or(-1, |value| value.len() as i64));
        let key = key.unwrap_or_default();
        let value = value.unwrap_or_default();
        if (timestamp_delta | offset_delta | key_len | value_len) >= SHORT_LIMIT / 4
            || self.buffer.len().wrapping_sub(1) >= i32::MAX as usize - SHORT_LIMIT as usize
        {
            return false;
        }
        let (timestamp_delta, offset_delta) =
            (Varint::of_short(timestamp_delta), Varint::of_short(offset_delta));
        let (key_len, value_len) = (Varint::of_short(key_len), Varint::of_short(value_len));
        // One byte each: attributes in front, none so far, and the number of headers at the end.
        let deltas_size = 1 + timestamp_delta.len + offset_delta.len;
        let lens_size = key_len.len + value_len.len;
        let len = Varint::of_short(zig_zag((deltas_size + lens_size + key.len() + value.len() + 1) as i64));
        let deltas = timestamp_delta.bits << 8 | offset_delta.bits << (8 + 8 * timestamp_delta.len);
        let head = len.bits | deltas << (8 * len.len);
        let head_size = len.len + deltas_size;
        self.buffer.reserve(MAX_RECORD_HEAD + key.len() + value.len());
        if key.is_empty() {
            let lens = key_len.bits | value_len.bits << (8 * key_len.len);
            self.put_bits(u128::from(head) | u128::from(lens) << (8 * head_size), head_size + lens_size);
        } else {
            self.put_bits(
                u128::from(head) | u128::from(key_len.bits) << (8 * head_size),
                head_size + key_len.len,
            );
            self.buffer.extend_from_slice(key);
            self.put_bits(u128::from(value_len.bits), value_len.len);
        }
        self.buffer.extend_from_slice(value);
        self.buffer.extend_from_slice(&[0]);
        true
    }

    /// Checks that a record of any kind fits the format and writes everything but its headers.
    #[inline(never)]
    fn start_record(
        &mut self,
        timestamp: Timestamp,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers_size: usize,
    ) -> Result<(), BatchError> {
        let is_first = self.facts.records_count == 0;
        let base_timestamp = if is_first { timestamp } else { self.base_timestamp };
        let timestamp_delta = Varint::of(timestamp.wrapping_sub(base_timestamp));
        let offset_delta = Varint::of(i64::from(self.facts.records_count));
        // One byte: attributes, none so far.
        let deltas_size = 1 + timestamp_delta.len + offset_delta.len;
        let len = deltas_size + field_size(key)? + field_size(value)? + headers_size;
        // The count is less than the size, so the size's limit is the count's too.
        if self.buffer.len() + RECORD_BATCH_OVERHEAD + MAX_RECORD_HEAD + len > i32::MAX as usize {
            return Err(BatchError::FormatLimit { what: "the size of the batch" });
        }
        if self.buffer.is_empty() {
            self.buffer.extend_from_slice(&[0; RECORD_BATCH_OVERHEAD]);
        }
        self.base_timestamp = base_timestamp;
        self.buffer.reserve(len + MAX_RECORD_HEAD);
        self.put_varint(Varint::of(len as i64));
        self.buffer.extend_from_slice(&[0]);
        self.put_varint(timestamp_delta);
        self.put_varint(offset_delta);
        self.put_field(key)?;
        self.put_field(value)
    }

    /// Appends the lowest `len` bytes of `bits`: copies all, whose number the compiler knows, and cuts. That is
    /// faster than copying those few.
    #[inline(always)]
    fn put_bits(&mut self, bits: u128, len: usize) {
        let end = self.buffer.len() + len;
        self.buffer.extend_from_slice(&bits.to_le_bytes());
        self.buffer.truncate(end);
    }

    #[inline(always)]
    fn put_varint(&mut self, value: Varint) {
        self.put_bits(value.bits, value.len);
    }

    fn put_field(&mut self, field: Option<&[u8]>) -> Result<(), BatchError> {
        self.put_varint(Varint::of(i64::from(field_len(field)?)));
        self.buffer.extend_from_slice(field.unwrap_or_default());
        Ok(())
    }

    #[inline]
    fn count_record(&mut self, timestamp: Timestamp, key_is_null: bool) {
        let facts = &mut self.facts;
        if timestamp > facts.max_timestamp {
            facts.max_timestamp = timestamp;
            facts.offset_delta_of_max_timestamp = facts.records_count;
        }
        let known = if timestamp == NO_TIMESTAMP { Timestamp::MAX } else { timestamp };
        facts.min_timestamp = facts.min_timestamp.min(known);
        facts.has_null_key |= key_is_null;
        facts.records_count += 1;
    }
}

fn field_len(field: Option<&[u8]>) -> Result<i32, BatchError> {
    match field {
        None => Ok(-1),
        Some(field) => {
            i32::try_from(field.len()).map_err(|_| BatchError::FormatLimit { what: "the length of a field" })
        }
    }
}

fn field_size(field: Option<&[u8]>) -> Result<usize, BatchError> {
    let len = field_len(field)?;
    Ok(varint_size(len) + field.map_or(0, <[u8]>::len))
}
