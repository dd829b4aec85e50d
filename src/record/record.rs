use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use super::BatchError;
use super::varint::{take_varint, take_varlong};
use crate::model::{Offset, Timestamp};

/// One record of a batch. Key, value and headers are slices of the memory that the batch came in; a record keeps
/// that memory alive, so copy what is to be kept for long.
#[derive(Clone)]
pub struct Record {
    source: Bytes,
    offset: Offset,
    timestamp: Timestamp,
    key: Span,
    value: Span,
    headers: Span,
    headers_count: u32,
}

impl Record {
    /// The owned form of a record whose fields are slices of `source`.
    #[inline]
    pub(super) fn new(source: &Bytes, record: RecordRef<'_>) -> Self {
        Record {
            offset: record.offset,
            timestamp: record.timestamp,
            key: Span::within(source, record.key),
            value: Span::within(source, record.value),
            headers: Span::within(source, Some(record.headers.bytes)),
            headers_count: record.headers.count,
            source: source.clone(),
        }
    }

    /// Its number within the partition.
    pub fn offset(&self) -> Offset {
        self.offset
    }

    /// When it happened, in milliseconds since the Unix epoch; -1 if it does not say.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// The key.
    pub fn key(&self) -> Option<&[u8]> {
        self.key.of(&self.source)
    }

    /// The value; `None` is a tombstone where the topic is compacted.
    pub fn value(&self) -> Option<&[u8]> {
        self.value.of(&self.source)
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
        if self.headers_count == 0 {
            return Headers::default();
        }
        Headers { bytes: self.headers.of(&self.source).unwrap_or_default(), count: self.headers_count }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (offset, timestamp, headers) = (self.offset, self.timestamp, self.headers());
        let record = RecordRef { offset, timestamp, key: self.key(), value: self.value(), headers };
        fmt::Debug::fmt(&record, f)
    }
}

/// One record of a batch, borrowed.
#[derive(Clone, Copy)]
pub struct RecordRef<'a> {
    pub(super) offset: Offset,
    pub(super) timestamp: Timestamp,
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
    pub(super) headers: Headers<'a>,
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
///
/// # Examples
/// ```
/// use ottla::{BatchOptions, RecordBatch, RecordBatchBuilder};
/// let mut builder = RecordBatchBuilder::new(BatchOptions::default());
/// let headers = [("trace", Some("17")), ("retry", None), ("trace", Some("18"))];
/// builder.append_with_headers(1_000, None, Some(b"v"), &headers)?;
/// let batch = RecordBatch::parse(builder.build()?)?;
///
/// let record = batch.records(1 << 20)?.next().expect("there is a record")?;
/// let keys: Vec<_> = record.headers().iter().map(|header| header.key()).collect();
/// assert_eq!(keys, ["trace", "retry", "trace"]);
/// assert_eq!(record.headers().last("trace").and_then(|header| header.value()), Some(&b"18"[..]));
/// # Ok::<(), ottla::BatchError>(())
/// ```
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
        HeadersIter { rest: self.bytes, left: self.count }
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
    rest: &'a [u8],
    left: u32,
}

impl<'a> Iterator for HeadersIter<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        self.left = self.left.checked_sub(1)?;
        // This cannot fail: the record was only handed out because `take_headers` came to its end.
        let key = take_field(&mut self.rest)??;
        let value = take_field(&mut self.rest)?;
        Some(Header { key, value })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for HeadersIter<'_> {}

/// Where a field lies in the source of its record, which has at most 2^31 bytes.
#[derive(Clone, Copy)]
struct Span {
    start: u32,
    /// -1 for null.
    len: i32,
}

impl Span {
    /// The place of `field`, which is a slice of `source`.
    #[inline]
    fn within(source: &[u8], field: Option<&[u8]>) -> Self {
        match field {
            None => Span { start: 0, len: -1 },
            Some(field) => {
                let start = (field.as_ptr() as usize).wrapping_sub(source.as_ptr() as usize);
                Span { start: start as u32, len: field.len() as i32 }
            }
        }
    }

    #[inline]
    fn of(self, source: &[u8]) -> Option<&[u8]> {
        let len = usize::try_from(self.len).ok()?;
        source.get(self.start as usize..)?.get(..len)
    }
}

/// Takes a length and that many bytes; the inner `None` is a null, the outer one bytes that are no field.
#[inline(always)]
fn take_field<'a>(bytes: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let len = take_varint(bytes)?;
    if len < 0 {
        return (len == -1).then_some(None);
    }
    let (field, rest) = bytes.split_at_checked(len as usize)?;
    *bytes = rest;
    Some(Some(field))
}

/// What a record of magic 2 says about itself, before the batch's base offset and timestamp are added.
pub(super) struct RecordFields<'a> {
    pub(super) timestamp_delta: i64,
    pub(super) offset_delta: i32,
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
    pub(super) headers: Headers<'a>,
}

/// Reads the record of magic 2 at `position` of `source` and moves on to the next
/// (Kafka: `DefaultRecord#readFrom`).
#[inline(always)]
pub(super) fn read_record<'a>(
    source: &'a [u8],
    position: &mut usize,
) -> Result<RecordFields<'a>, BatchError> {
    let mut rest = source.get(*position..).unwrap_or_default();
    let Some(record) = take_field(&mut rest).flatten() else {
        return Err(BatchError::MalformedRecord { field: "length", position: *position });
    };
    let end = source.len() - rest.len();
    match parse_record(record) {
        Ok(fields) => {
            *position = end;
            Ok(fields)
        }
        Err((field, left)) => Err(BatchError::MalformedRecord { field, position: end - left }),
    }
}

/// Reads what follows a record's length; an error is the name of a field and the number of bytes from it to the
/// end.
#[inline(always)]
pub(super) fn parse_record(record: &[u8]) -> Result<RecordFields<'_>, (&'static str, usize)> {
    // Attributes, unused so far, are not looked at, as in Kafka.
    let Some((_, mut rest)) = record.split_first() else { return Err(("attributes", 0)) };
    let Some(timestamp_delta) = take_varlong(&mut rest) else { return Err(("timestamp delta", rest.len())) };
    let Some(offset_delta) = take_varint(&mut rest) else { return Err(("offset delta", rest.len())) };
    let Some(key) = take_field(&mut rest) else { return Err(("key", rest.len())) };
    let Some(value) = take_field(&mut rest) else { return Err(("value", rest.len())) };
    let headers = match rest {
        [0] => Headers::default(),
        _ => take_headers(rest)?,
    };
    Ok(RecordFields { timestamp_delta, offset_delta, key, value, headers })
}

/// Goes over the headers at the end of a record, so that reading them later cannot fail.
fn take_headers(mut rest: &[u8]) -> Result<Headers<'_>, (&'static str, usize)> {
    let count = take_varint(&mut rest).and_then(|count| u32::try_from(count).ok());
    let Some(count) = count else { return Err(("number of headers", rest.len())) };
    let bytes = rest;
    for _ in 0..count {
        let Some(Some(_)) = take_field(&mut rest) else { return Err(("key of a header", rest.len())) };
        let Some(_) = take_field(&mut rest) else { return Err(("value of a header", rest.len())) };
    }
    if rest.is_empty() { Ok(Headers { bytes, count }) } else { Err(("end", rest.len())) }
}
