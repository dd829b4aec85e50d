//! Answers on their way out (Kafka: `NetworkSend`, `RecordsSend`).

use std::fmt;
use std::io::IoSlice;

use bytes::Bytes;

use super::receive::SIZE_LEN;
use crate::protocol::{Frame, Segment};
use crate::sys::FileSlice;

/// One answer, without the four bytes of its size: the network layer writes those.
pub(crate) struct SendFrame(Frame);

impl SendFrame {
    /// An answer of several parts, one after the other.
    pub(crate) fn new(segments: Vec<Segment>) -> Self {
        let size = segments.iter().map(Segment::size).sum();
        SendFrame(Frame { head: Bytes::new(), tail: segments, size })
    }

    /// The bytes of the answer, without those of its size.
    pub(crate) fn size(&self) -> usize {
        self.0.size
    }

    /// An answer of which only the first `len` bytes leave, though its size says that there are more: what a client has
    /// when a broker dies while it answers. Nothing can follow it on the connection.
    pub(crate) fn cut(&self, len: usize) -> std::io::Result<Self> {
        let mut head = Vec::new();
        for part in (0..).map_while(|index| self.part(index)) {
            match part {
                Part::Bytes(bytes) => head.extend_from_slice(bytes),
                Part::File(slice) => head.extend_from_slice(&slice.read()?),
            }
            if head.len() >= len {
                break;
            }
        }
        head.truncate(len);
        Ok(SendFrame(Frame { head: head.into(), tail: Vec::new(), size: self.0.size }))
    }

    /// Those of them that are in memory.
    fn memory_bytes(&self) -> usize {
        let in_memory = |segment: &Segment| match segment {
            Segment::Bytes(bytes) => bytes.len(),
            Segment::File(_) => 0,
        };
        self.0.head.len() + self.0.tail.iter().map(in_memory).sum::<usize>()
    }

    /// A part: 0 is the head, then comes the tail.
    fn part(&self, index: usize) -> Option<Part<'_>> {
        match index.checked_sub(1) {
            None => Some(Part::Bytes(&self.0.head)),
            Some(index) => self.0.tail.get(index).map(|segment| match segment {
                Segment::Bytes(bytes) => Part::Bytes(bytes),
                Segment::File(slice) => Part::File(slice),
            }),
        }
    }
}

impl From<Frame> for SendFrame {
    fn from(frame: Frame) -> Self {
        SendFrame(frame)
    }
}

/// An answer of one piece, which most are, needs no list.
impl From<Bytes> for SendFrame {
    fn from(bytes: Bytes) -> Self {
        SendFrame(Frame { size: bytes.len(), head: bytes, tail: Vec::new() })
    }
}

impl fmt::Debug for SendFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SendFrame({} bytes)", self.size())
    }
}

enum Part<'a> {
    Bytes(&'a [u8]),
    File(&'a FileSlice),
}

impl Part<'_> {
    fn size(&self) -> usize {
        match self {
            Part::Bytes(bytes) => bytes.len(),
            Part::File(slice) => slice.size(),
        }
    }
}

/// The most parts that one call to the system takes.
pub(super) const MAX_PARTS: usize = 32;

/// Parts in memory for one call to the system.
pub(super) struct Parts<'a> {
    slices: [IoSlice<'a>; MAX_PARTS],
    count: usize,
}

impl<'a> Parts<'a> {
    pub(super) fn new() -> Self {
        Parts { slices: [IoSlice::new(&[]); MAX_PARTS], count: 0 }
    }

    /// Whether there was room.
    fn push(&mut self, bytes: &'a [u8]) -> bool {
        let Some(place) = self.slices.get_mut(self.count) else { return false };
        if !bytes.is_empty() {
            *place = IoSlice::new(bytes);
            self.count += 1;
        }
        true
    }

    pub(super) fn slices(&self) -> &[IoSlice<'a>] {
        self.slices.get(..self.count).unwrap_or_default()
    }
}

/// What stands behind the parts that were gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    /// Nothing: the answer is complete.
    Nothing,
    /// Further bytes, in memory or in a file.
    More,
}

/// An answer that is being sent.
#[derive(Debug)]
pub(super) struct Sending {
    frame: SendFrame,
    head: [u8; SIZE_LEN],
    /// The part at the front: 0 is `head`, then come the frame's own.
    part: usize,
    /// How much of it has left.
    sent: usize,
    memory_bytes: usize,
}

impl Sending {
    /// Puts the size in front of an answer; an error if no frame can be so large.
    pub(super) fn new(frame: SendFrame) -> Result<Self, usize> {
        let head = i32::try_from(frame.size()).map_err(|_| frame.size())?.to_be_bytes();
        let memory_bytes = frame.memory_bytes();
        Ok(Sending { frame, head, part: 0, sent: 0, memory_bytes })
    }

    /// The memory that the answer holds until it has left.
    pub(super) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    fn part(&self, index: usize) -> Option<Part<'_>> {
        match index.checked_sub(1) {
            None => Some(Part::Bytes(&self.head)),
            Some(index) => self.frame.part(index),
        }
    }

    /// Adds the bytes up to the next slice of a file.
    pub(super) fn gather<'a>(&'a self, parts: &mut Parts<'a>) -> Behind {
        let mut sent = self.sent;
        for index in self.part.. {
            match self.part(index) {
                None => return Behind::Nothing,
                Some(Part::Bytes(bytes)) => {
                    if !parts.push(bytes.get(sent..).unwrap_or_default()) {
                        return Behind::More;
                    }
                }
                Some(Part::File(slice)) if slice.is_empty() => {}
                Some(Part::File(_)) => return Behind::More,
            }
            sent = 0;
        }
        Behind::Nothing
    }

    /// The slice of a file that is at the front, and how much of it has left.
    pub(super) fn file(&self) -> Option<(&FileSlice, usize)> {
        match self.part(self.part) {
            Some(Part::File(slice)) => Some((slice, self.sent)),
            _ => None,
        }
    }

    /// Takes note that `count` bytes have left; says how many of them were not of this answer.
    pub(super) fn advance(&mut self, mut count: usize) -> usize {
        while let Some(size) = self.part(self.part).map(|part| part.size()) {
            let step = count.min(size - self.sent);
            self.sent += step;
            count -= step;
            if self.sent < size {
                break;
            }
            self.part += 1;
            self.sent = 0;
        }
        count
    }

    /// Whether all of it has left.
    pub(super) fn is_complete(&self) -> bool {
        self.part(self.part).is_none()
    }
}
