//! Writes the parts of a message, and makes a frame of them that copies no records.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};

use super::codec_error::{CodecError, CodecFault};
use super::reader::MAX_STRING_LEN;
use crate::record::{FileSlice, Records};

/// Bytes fields below this size are copied between their neighbours: one more segment costs more than the copy.
const ATTACH_MIN_BYTES: usize = 1024;

/// What a message starts with room for; most answers fit.
const INITIAL_CAPACITY_BYTES: usize = 256;

/// A part of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// In memory.
    Bytes(Bytes),
    /// In a file that nobody has read.
    File(FileSlice),
}

impl Segment {
    /// The bytes in it.
    pub(crate) fn size(&self) -> usize {
        match self {
            Segment::Bytes(bytes) => bytes.len(),
            Segment::File(slice) => slice.size(),
        }
    }
}

/// A whole message as it goes out, without the four bytes of its size in front.
///
/// Most are one piece of memory, `head`, and then `tail` costs no allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The first bytes.
    pub(crate) head: Bytes,
    /// What follows, in order.
    pub(crate) tail: Vec<Segment>,
    /// The bytes of `head` and `tail` together: what the four bytes of size say.
    pub(crate) size: usize,
}

impl Frame {
    /// The frame in one piece: shared if it is one, else joined, files read.
    pub(crate) fn read(&self) -> io::Result<Bytes> {
        if self.tail.is_empty() {
            return Ok(self.head.clone());
        }
        let mut joined = BytesMut::with_capacity(self.size);
        joined.extend_from_slice(&self.head);
        for segment in &self.tail {
            match segment {
                Segment::Bytes(bytes) => joined.extend_from_slice(bytes),
                Segment::File(slice) => joined.extend_from_slice(&slice.read()?),
            }
        }
        Ok(joined.freeze())
    }
}

/// Collects a message. All that is small goes into one buffer; large bytes and file slices are noted with the place
/// in the buffer where they belong.
///
/// An error does not end the writing: the first one is kept, and whoever asks for the result gets it.
pub(crate) struct Writer {
    buffer: BytesMut,
    attached: Vec<(usize, Segment)>,
    attached_bytes: usize,
    attach_min_bytes: usize,
    version: i16,
    flexible: bool,
    field: &'static str,
    error: Option<CodecError>,
}

/// Where the number of tagged fields of one struct stands, in versions that have it.
pub(super) struct TagCount(Option<usize>);

impl Default for Writer {
    fn default() -> Self {
        Writer::new()
    }
}

impl Writer {
    /// Starts with nothing.
    pub(crate) fn new() -> Self {
        Writer {
            buffer: BytesMut::with_capacity(INITIAL_CAPACITY_BYTES),
            attached: Vec::new(),
            attached_bytes: 0,
            attach_min_bytes: ATTACH_MIN_BYTES,
            version: 0,
            flexible: false,
            field: "frame",
            error: None,
        }
    }

    /// Starts with nothing, and copies bytes of any size: the frame is one piece, unless there are records in files.
    pub(super) fn contiguous() -> Self {
        Writer { attach_min_bytes: usize::MAX, ..Writer::new() }
    }

    /// The bytes written so far, attached ones included.
    pub(crate) fn size(&self) -> usize {
        self.buffer.len() + self.attached_bytes
    }

    /// The frame, or the first error.
    pub(crate) fn into_frame(self) -> Result<Frame, CodecError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let size = self.buffer.len() + self.attached_bytes;
        if i32::try_from(size).is_err() {
            return Err(CodecError { at: 0, field: "frame", what: CodecFault::TooLong(size) });
        }
        let mut rest = self.buffer.freeze();
        if self.attached.is_empty() {
            return Ok(Frame { head: rest, tail: Vec::new(), size });
        }
        let mut tail = Vec::with_capacity(2 * self.attached.len());
        let mut cut = 0;
        let mut head = Bytes::new();
        for (index, (place, segment)) in self.attached.into_iter().enumerate() {
            let before = rest.split_to(place - cut);
            cut = place;
            if index == 0 {
                head = before;
            } else if !before.is_empty() {
                tail.push(Segment::Bytes(before));
            }
            tail.push(segment);
        }
        if !rest.is_empty() {
            tail.push(Segment::Bytes(rest));
        }
        Ok(Frame { head, tail, size })
    }

    /// Says which message comes next.
    pub(super) fn set_version(&mut self, version: i16, flexible: bool) {
        self.version = version;
        self.flexible = flexible;
    }

    /// Notes which field comes next, for errors, and tells whether the version has it.
    #[inline]
    pub(super) fn begin(&mut self, field: &'static str, versions: (i16, i16)) -> bool {
        self.field = field;
        self.speaks(versions)
    }

    #[inline]
    pub(super) fn speaks(&self, (from, to): (i16, i16)) -> bool {
        from <= self.version && self.version <= to
    }

    /// Keeps the error if it is the first.
    #[cold]
    pub(super) fn fail(&mut self, what: CodecFault) {
        let error = CodecError { at: self.size(), field: self.field, what };
        self.error.get_or_insert(error);
    }

    /// Refuses null in versions outside of `versions`.
    pub(super) fn check_null(&mut self, is_null: bool, versions: (i16, i16)) {
        if is_null && !self.speaks(versions) {
            self.fail(CodecFault::UnexpectedNull);
        }
    }

    #[inline]
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.buffer.put_slice(bytes);
    }

    /// Kafka: `ByteUtils#writeUnsignedVarint`.
    pub(super) fn put_unsigned_varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.buffer.put_u8(value as u8 | 0x80);
            value >>= 7;
        }
        self.buffer.put_u8(value as u8);
    }

    fn put_compact_len(&mut self, len: Option<usize>) {
        match len.map(|len| u32::try_from(len).ok().and_then(|len| len.checked_add(1))) {
            None => self.put_unsigned_varint(0),
            Some(Some(compact)) => self.put_unsigned_varint(compact),
            Some(None) => self.fail(CodecFault::TooLong(len.unwrap_or_default())),
        }
    }

    /// The length of a string; `None` is null.
    pub(super) fn put_string_len(&mut self, len: Option<usize>) {
        if let Some(len) = len.filter(|len| *len > MAX_STRING_LEN) {
            self.fail(CodecFault::TooLong(len));
        }
        if self.flexible {
            self.put_compact_len(len);
        } else {
            let plain = len.map_or(-1, |len| i16::try_from(len).unwrap_or(i16::MAX));
            self.buffer.put_i16(plain);
        }
    }

    /// The length of bytes, records or an array; `None` is null.
    pub(super) fn put_len(&mut self, len: Option<usize>) {
        if let Some(len) = len.filter(|len| i32::try_from(*len).is_err()) {
            self.fail(CodecFault::TooLong(len));
        }
        if self.flexible {
            self.put_compact_len(len);
        } else {
            let plain = len.map_or(-1, |len| i32::try_from(len).unwrap_or(i32::MAX));
            self.buffer.put_i32(plain);
        }
    }

    fn attach(&mut self, segment: Segment) {
        self.attached_bytes += segment.size();
        self.attached.push((self.buffer.len(), segment));
    }

    /// Bytes, shared if they are many and copied if they are few.
    pub(super) fn put_shared(&mut self, bytes: &Bytes) {
        if bytes.len() < self.attach_min_bytes {
            self.put(bytes);
        } else {
            self.attach(Segment::Bytes(bytes.clone()));
        }
    }

    /// Records, without reading those that are in a file.
    pub(super) fn put_records(&mut self, records: &Records) {
        match records {
            Records::Bytes(bytes) => self.put_shared(bytes),
            Records::File(slice) if slice.is_empty() => {}
            Records::File(slice) => self.attach(Segment::File(slice.clone())),
            Records::Mixed(parts) => parts.iter().for_each(|part| self.put_records(part)),
        }
    }

    /// Starts the tagged fields at the end of a struct: room for their number, one byte, since no struct of Kafka's
    /// comes near the 128 that would need two.
    pub(super) fn begin_tags(&mut self) -> TagCount {
        if !self.flexible {
            return TagCount(None);
        }
        let place = self.buffer.len();
        self.buffer.put_u8(0);
        TagCount(Some(place))
    }

    /// Writes one tagged field: its number, its size, and what `write` writes. Numbers must ascend.
    pub(super) fn put_tag(&mut self, count: &TagCount, number: u32, write: impl FnOnce(&mut Self)) {
        let Some(place) = count.0 else { return };
        if let Some(byte) = self.buffer.get_mut(place) {
            *byte += 1;
        }
        self.put_unsigned_varint(number);
        // The size comes first and is known last. What tagged fields hold is small and rarely set, so a buffer
        // of their own is fine.
        let mut value = Writer::contiguous();
        value.set_version(self.version, self.flexible);
        value.field = self.field;
        write(&mut value);
        if let Some(error) = value.error {
            self.error.get_or_insert(error);
        }
        debug_assert!(value.attached.is_empty(), "no tagged field of Kafka's holds records");
        self.put_unsigned_varint(value.buffer.len() as u32);
        self.buffer.put_slice(&value.buffer);
    }
}
