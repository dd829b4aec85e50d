use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use super::BatchError;
use super::varint::{read_varint, read_varlong};
use crate::model::{Offset, Timestamp};

/// One record of a batch. Key, value and headers are slices of the memory that the batch came in; a record keeps
/// that memory alive, so copy what is to be kept for long.
#[derive(Clone)]
pub struct Record {
    source: Bytes,
    raw: RawRecord,
}

impl Record {
    pub(super) fn new(source: Bytes, raw: RawRecord) -> Self {
        Record { source, raw }
    }

    /// Its number within the partition.
    pub fn offset(&self) -> Offset {
        self.raw.offset
    }

    /// When it happened, in milliseconds since the Unix epoch; -1 if it does not say.
    pub fn timestamp(&self) -> Timestamp {
        self.raw.timestamp
    }

    /// The key.
    pub fn key(&self) -> Option<&[u8]> {
        self.raw.key.of(&self.source)
    }

    /// The value; `None` is a tombstone where the topic is compacted.
    pub fn value(&self) -> Option<&[u8]> {
        self.raw.value.of(&self.source)
    }

    /// The key, sharing the batch's memory.
    pub fn key_bytes(&self) -> Option<Bytes> {
        self.key().map(|key| self.source.slice_ref(key))
    }

    /// The value, sharing the batch's memory.
    pub fn value_bytes(&self) -> Option<Bytes> {
        self.value().map(|value| self.source.slice_ref(value))
    }

    /// The headers.
    pub fn headers(&self) -> Headers<'_> {
        self.raw.headers(&self.source)
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.raw.borrow(&self.source), f)
    }
}

/// One record of a batch, borrowed.
#[derive(Clone, Copy)]
pub struct RecordRef<'a> {
    offset: Offset,
    timestamp: Timestamp,
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    headers: Headers<'a>,
}

impl<'a> RecordRef<'a> {
    /// Its number within the partition.
    pub fn offset(&self) -> Offset {
        self.offset
    }

    /// When it happened, in milliseconds since the Unix epoch; -1 if it does not say.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// The key.
    pub fn key(&self) -> Option<&'a [u8]> {
        self.key
    }

    /// The value; `None` is a tombstone where the topic is compacted.
    pub fn value(&self) -> Option<&'a [u8]> {
        self.value
    }

    /// The headers.
    pub fn headers(&self) -> Headers<'a> {
        self.headers
    }
}

impl fmt::Debug for RecordRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("offset", &self.offset)
            .field("timestamp", &self.timestamp)
            .field("key", &self.key.map(Bytes::copy_from_slice))
            .field("value", &self.value.map(Bytes::copy_from_slice))
            .field("headers", &self.headers)
            .finish()
    }
}

/// The headers of a record, read one by one when asked for.
#[derive(Clone, Copy, Default)]
pub struct Headers<'a> {
    bytes: &'a [u8],
    count: u32,
}

impl<'a> Headers<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// One after the other, in the order in which the producer gave them.
    pub fn iter(&self) -> HeadersIter<'a> {
        HeadersIter { bytes: self.bytes, position: 0, left: self.count }
    }

    /// The value of the last header called `key`, which is the one that counts if there are several.
    pub fn last(&self, key: &str) -> Option<Header<'a>> {
        self.iter().filter(|header| header.key == key.as_bytes()).last()
    }

    /// As they are encoded, without the count.
    pub(crate) fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

impl<'a> IntoIterator for Headers<'a> {
    type Item = Header<'a>;
    type IntoIter = HeadersIter<'a>;

    fn into_iter(self) -> HeadersIter<'a> {
        self.iter()
    }
}

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|header| (header.key(), header.value.map(Bytes::copy_from_slice))))
            .finish()
    }
}

/// A named value that travels with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    key: &'a [u8],
    value: Option<&'a [u8]>,
}

impl<'a> Header<'a> {
    /// The name. It should be UTF-8; what is not is replaced, as Kafka's own clients do.
    pub fn key(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.key)
    }

    /// The name as it was sent.
    pub fn key_bytes(&self) -> &'a [u8] {
        self.key
    }

    /// The value.
    pub fn value(&self) -> Option<&'a [u8]> {
        self.value
    }
}

/// The headers of one record.
#[derive(Clone, Debug)]
pub struct HeadersIter<'a> {
    bytes: &'a [u8],
    position: usize,
    left: u32,
}

impl<'a> Iterator for HeadersIter<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        self.left = self.left.checked_sub(1)?;
        // The walk cannot fail: the record was only handed out because `walk_headers` came to its end.
        let key = read_field(self.bytes, &mut self.position)??;
        let value = read_field(self.bytes, &mut self.position)?;
        Some(Header { key, value })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for HeadersIter<'_> {}

/// Reads a length and that many bytes; the inner `None` is a null.
#[inline]
fn read_field<'a>(bytes: &'a [u8], position: &mut usize) -> Option<Option<&'a [u8]>> {
    let len = read_varint(bytes, position)?;
    if len < 0 {
        return (len == -1).then_some(None);
    }
    let field = bytes.get(*position..)?.get(..len as usize)?;
    *position += len as usize;
    Some(Some(field))
}

/// Where a field lies in the source of its record.
#[derive(Clone, Copy, Default)]
pub(super) struct Span {
    start: u32,
    /// -1 for null.
    len: i32,
}

impl Span {
    pub(super) const NULL: Span = Span { start: 0, len: -1 };

    /// The same field, in a source that has `count` bytes more in front. Sources are at most 2^31 bytes long.
    pub(super) fn moved_by(self, count: usize) -> Span {
        Span { start: self.start + count as u32, len: self.len }
    }

    pub(super) fn is_null(self) -> bool {
        self.len < 0
    }

    #[inline]
    pub(super) fn of(self, source: &[u8]) -> Option<&[u8]> {
        let len = usize::try_from(self.len).ok()?;
        source.get(self.start as usize..)?.get(..len)
    }
}

/// A record by its places within a source: what borrowed and owned records are made of.
#[derive(Clone, Copy)]
pub(super) struct RawRecord {
    pub(super) offset: Offset,
    pub(super) timestamp: Timestamp,
    pub(super) key: Span,
    pub(super) value: Span,
    pub(super) headers: Span,
    pub(super) headers_count: u32,
}

impl RawRecord {
    #[inline]
    fn headers<'a>(&self, source: &'a [u8]) -> Headers<'a> {
        if self.headers_count == 0 {
            return Headers::default();
        }
        Headers { bytes: self.headers.of(source).unwrap_or_default(), count: self.headers_count }
    }

    #[inline]
    pub(super) fn borrow<'a>(&self, source: &'a [u8]) -> RecordRef<'a> {
        RecordRef {
            offset: self.offset,
            timestamp: self.timestamp,
            key: self.key.of(source),
            value: self.value.of(source),
            headers: self.headers(source),
        }
    }
}

/// Reads fields of one record and remembers where it stands.
pub(super) struct FieldReader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) position: usize,
}

impl FieldReader<'_> {
    #[cold]
    pub(super) fn malformed(&self, field: &'static str) -> BatchError {
        BatchError::MalformedRecord { field, position: self.position }
    }

    #[inline]
    pub(super) fn varint(&mut self, field: &'static str) -> Result<i32, BatchError> {
        read_varint(self.bytes, &mut self.position).ok_or_else(|| self.malformed(field))
    }

    #[inline]
    pub(super) fn varlong(&mut self, field: &'static str) -> Result<i64, BatchError> {
        read_varlong(self.bytes, &mut self.position).ok_or_else(|| self.malformed(field))
    }

    /// The place of `len` bytes from here, which must be there; a `len` of -1 is a null.
    #[inline]
    pub(super) fn span(&mut self, len: i32, field: &'static str) -> Result<Span, BatchError> {
        if len < 0 {
            return if len == -1 { Ok(Span::NULL) } else { Err(self.malformed(field)) };
        }
        if len as usize > self.bytes.len() - self.position {
            return Err(self.malformed(field));
        }
        let start = self.position as u32;
        self.position += len as usize;
        Ok(Span { start, len })
    }

    /// Goes over `count` headers, so that reading them later cannot fail.
    fn walk_headers(&mut self, count: i32) -> Result<Span, BatchError> {
        let start = self.position as u32;
        for _ in 0..count {
            let len = self.varint("length of a header's key")?;
            if len < 0 {
                return Err(self.malformed("null key of a header"));
            }
            self.span(len, "key of a header")?;
            let len = self.varint("length of a header's value")?;
            self.span(len, "value of a header")?;
        }
        Ok(Span { start, len: self.position as i32 - start as i32 })
    }
}

/// What a record of magic 2 says about itself, before the batch's base offset and timestamp are added.
pub(super) struct RecordFields {
    pub(super) timestamp_delta: i64,
    pub(super) offset_delta: i32,
    pub(super) key: Span,
    pub(super) value: Span,
    pub(super) headers: Span,
    pub(super) headers_count: u32,
}

/// Reads the record of magic 2 at `position` of `source` and moves on to the next
/// (Kafka: `DefaultRecord#readFrom`).
#[inline]
pub(super) fn read_record(source: &[u8], position: &mut usize) -> Result<RecordFields, BatchError> {
    let mut reader = FieldReader { bytes: source, position: *position };
    let len = reader.varint("length of the record")?;
    let start = reader.position;
    let end = usize::try_from(len).ok().and_then(|len| start.checked_add(len));
    let Some(bytes) = end.and_then(|end| source.get(..end)) else {
        return Err(reader.malformed("length of the record"));
    };
    reader.bytes = bytes;
    // Attributes, unused so far, are not looked at, as in Kafka.
    reader.position += 1;
    if reader.position > bytes.len() {
        return Err(reader.malformed("attributes"));
    }
    let timestamp_delta = reader.varlong("timestamp delta")?;
    let offset_delta = reader.varint("offset delta")?;
    let len = reader.varint("length of the key")?;
    let key = reader.span(len, "key")?;
    let len = reader.varint("length of the value")?;
    let value = reader.span(len, "value")?;
    let count = reader.varint("number of headers")?;
    let headers = match count {
        0 => Span::default(),
        1.. => reader.walk_headers(count)?,
        ..0 => return Err(reader.malformed("number of headers")),
    };
    if reader.position != bytes.len() {
        return Err(reader.malformed("end of the record"));
    }
    *position = reader.position;
    Ok(RecordFields { timestamp_delta, offset_delta, key, value, headers, headers_count: count as u32 })
}
