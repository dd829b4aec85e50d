//! Reads the parts of a message from the frame that it came in.

use bytes::Bytes;

use super::codec_error::{CodecError, CodecFault};

/// The longest string that Kafka takes, in both encodings of its length.
pub(super) const MAX_STRING_LEN: usize = i16::MAX as usize;

/// What the arrays of one message may take in memory, beside [`MEMORY_PER_FRAME_BYTE`]: messages of ordinary size have
/// no use for a limit.
const MEMORY_OF_ANY_FRAME_BYTES: usize = 4 * 1024 * 1024;

/// A topic without a name is two bytes of a frame and many times that in memory; real ones come to less than this. So a
/// frame of `socket.request.max.bytes` cannot be turned into gigabytes.
const MEMORY_PER_FRAME_BYTE: usize = 8;

/// A place in a frame, with what has to be known to read on: the version of the message, whether that version is a
/// flexible one (compact lengths, tagged fields), and which field is being read, for errors.
///
/// What is read as string, bytes or records is a slice of the frame and keeps all of it alive.
pub(crate) struct Reader<'a> {
    frame: &'a Bytes,
    rest: &'a [u8],
    version: i16,
    flexible: bool,
    field: &'static str,
    memory_bytes: usize,
}

/// The tagged fields of one struct that are still to come.
pub(super) struct Tags {
    left: usize,
}

/// A tagged field: its number, and where it says that it ends.
#[derive(Clone, Copy)]
pub(super) struct Tag {
    pub(super) number: u32,
    start: usize,
    size: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte of `frame`.
    pub(crate) fn new(frame: &'a Bytes) -> Self {
        let memory_bytes =
            frame.len().saturating_mul(MEMORY_PER_FRAME_BYTE).saturating_add(MEMORY_OF_ANY_FRAME_BYTES);
        Reader { frame, rest: frame, version: 0, flexible: false, field: "frame", memory_bytes }
    }

    /// The byte of the frame that is read next.
    pub(crate) fn position(&self) -> usize {
        self.frame.len() - self.rest.len()
    }

    /// The bytes that are left.
    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Makes sure that nothing is left. A broker that finds more than it asked for may still answer: Kafka does.
    pub(crate) fn ensure_end(&self) -> Result<(), CodecError> {
        match self.remaining() {
            0 => Ok(()),
            left => {
                Err(CodecError { at: self.position(), field: "frame", what: CodecFault::TrailingBytes(left) })
            }
        }
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

    /// The error that `what` makes of the field being read.
    #[cold]
    pub(super) fn error(&self, what: CodecFault) -> CodecError {
        CodecError { at: self.position(), field: self.field, what }
    }

    /// Refuses null in versions outside of `versions`.
    pub(super) fn check_null(&self, is_null: bool, versions: (i16, i16)) -> Result<(), CodecError> {
        if is_null && !self.speaks(versions) {
            return Err(self.error(CodecFault::UnexpectedNull));
        }
        Ok(())
    }

    #[inline]
    fn take(&mut self, count: usize) -> Result<&'a [u8], CodecError> {
        match self.rest.split_at_checked(count) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(self.error(CodecFault::Truncated { wanted: count, remaining: self.remaining() })),
        }
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        match self.rest.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(*taken)
            }
            None => Err(self.error(CodecFault::Truncated { wanted: N, remaining: self.remaining() })),
        }
    }

    /// The next `count` bytes, as a slice of the frame.
    pub(super) fn slice(&mut self, count: usize) -> Result<Bytes, CodecError> {
        let start = self.position();
        let taken = self.take(count)?;
        Ok(self.frame.slice(start..start + taken.len()))
    }

    /// Kafka: `ByteUtils#readUnsignedVarint`.
    pub(super) fn unsigned_varint(&mut self) -> Result<u32, CodecError> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.error(CodecFault::UnendingVarint))
    }

    /// A compact length is one more than the length, so that 0 can stand for null.
    fn compact_len(&mut self) -> Result<Option<usize>, CodecError> {
        Ok(self.unsigned_varint()?.checked_sub(1).map(|len| len as usize))
    }

    fn plain_len(&self, len: i32) -> Result<Option<usize>, CodecError> {
        match len {
            -1 => Ok(None),
            _ => match usize::try_from(len) {
                Ok(len) => Ok(Some(len)),
                Err(_) => Err(self.error(CodecFault::NegativeLength(len))),
            },
        }
    }

    /// The length of a string; `None` is null.
    pub(super) fn string_len(&mut self) -> Result<Option<usize>, CodecError> {
        if !self.flexible {
            let len = i16::from_be_bytes(self.array()?);
            return self.plain_len(i32::from(len));
        }
        match self.compact_len()? {
            Some(len) if len > MAX_STRING_LEN => Err(self.error(CodecFault::TooLong(len))),
            len => Ok(len),
        }
    }

    /// The length of bytes or records; `None` is null.
    pub(super) fn bytes_len(&mut self) -> Result<Option<usize>, CodecError> {
        if self.flexible {
            return self.compact_len();
        }
        let len = i32::from_be_bytes(self.array()?);
        self.plain_len(len)
    }

    /// How many elements an array has, each of at least `min_size` bytes here and of `memory_size` in memory; `None` is
    /// null. A count that the rest of the frame cannot hold, or that would take out of proportion more memory, is an
    /// error here, before anybody makes room for it.
    pub(super) fn array_len(
        &mut self,
        min_size: usize,
        memory_size: usize,
    ) -> Result<Option<usize>, CodecError> {
        let Some(count) = self.bytes_len()? else { return Ok(None) };
        let remaining = self.remaining();
        if count > remaining / min_size.max(1) {
            return Err(self.error(CodecFault::ImpossibleCount { count, remaining }));
        }
        let wanted = count.saturating_mul(memory_size);
        match self.memory_bytes.checked_sub(wanted) {
            Some(left) => self.memory_bytes = left,
            None => {
                let allowed = self.memory_bytes;
                return Err(self.error(CodecFault::Inflated { count, wanted, allowed }));
            }
        }
        Ok(Some(count))
    }

    /// Starts the tagged fields at the end of a struct; a version that is not flexible has none.
    pub(super) fn tags(&mut self) -> Result<Tags, CodecError> {
        if !self.flexible {
            return Ok(Tags { left: 0 });
        }
        self.field = "tagged_fields";
        Ok(Tags { left: self.unsigned_varint()? as usize })
    }

    /// The next tagged field. No room is made for them, so their announced number needs no check: each takes bytes.
    pub(super) fn next_tag(&mut self, tags: &mut Tags) -> Result<Option<Tag>, CodecError> {
        if tags.left == 0 {
            return Ok(None);
        }
        tags.left -= 1;
        self.field = "tagged_fields";
        let number = self.unsigned_varint()?;
        let size = self.unsigned_varint()? as usize;
        if size > self.remaining() {
            return Err(self.error(CodecFault::Truncated { wanted: size, remaining: self.remaining() }));
        }
        Ok(Some(Tag { number, start: self.position(), size }))
    }

    /// Makes sure that the tagged field took the size that it announced.
    pub(super) fn end_tag(&self, tag: Tag) -> Result<(), CodecError> {
        let actual = self.position() - tag.start;
        if actual != tag.size {
            return Err(self.error(CodecFault::TaggedFieldSize { announced: tag.size, actual }));
        }
        Ok(())
    }

    /// Steps over a tagged field that we do not know. It is dropped: a broker answers, it does not forward.
    pub(super) fn skip_tag(&mut self, tag: Tag) -> Result<(), CodecError> {
        self.take(tag.size).map(|_| ())
    }
}
