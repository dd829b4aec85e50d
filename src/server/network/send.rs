//! Answers on their way out (Kafka: `NetworkSend`, `RecordsSend`).

use std::fmt;

use bytes::Bytes;

use crate::sys::FileSlice;

/// A part of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Segment {
    /// Bytes in memory.
    Bytes(Bytes),
    /// Bytes of a file, which leave without being read where the system can do that.
    File(FileSlice),
}

impl Segment {
    /// The bytes in the segment.
    pub(crate) fn size(&self) -> usize {
        match self {
            Segment::Bytes(bytes) => bytes.len(),
            Segment::File(slice) => slice.size(),
        }
    }
}

/// One answer, without the four bytes of its size: the network layer writes those.
pub(crate) struct SendFrame {
    body: Body,
    size: usize,
}

/// An answer of one piece, which most are, needs no list.
enum Body {
    One(Bytes),
    Many(Vec<Segment>),
}

impl SendFrame {
    /// An answer of several parts, one after the other.
    pub(crate) fn new(segments: Vec<Segment>) -> Self {
        let size = segments.iter().map(Segment::size).sum();
        SendFrame { body: Body::Many(segments), size }
    }

    /// The bytes of the answer, without those of its size.
    pub(crate) fn size(&self) -> usize {
        self.size
    }
}

impl From<Bytes> for SendFrame {
    fn from(bytes: Bytes) -> Self {
        SendFrame { size: bytes.len(), body: Body::One(bytes) }
    }
}

impl fmt::Debug for SendFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SendFrame({} bytes)", self.size)
    }
}
