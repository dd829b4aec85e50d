//! Frames out of a stream of bytes (Kafka: `NetworkReceive`).

use bytes::Bytes;

/// The bytes of the size in front of each frame.
pub(super) const SIZE_LEN: usize = 4;

/// A frame of which so much has arrived takes further bytes directly, not by way of the thread's buffer.
const DIRECT_RECEIVED: usize = 32 * 1024;

/// And only if so much is still missing: for less, a read by way of the thread's buffer brings the next frame, too.
const DIRECT_MISSING: usize = 16 * 1024;

/// A frame that no client of this protocol sends.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameError {
    #[error("a frame announces {size} bytes")]
    Negative { size: i32 },
    #[error("a frame announces {size} bytes, more than socket.request.max.bytes = {max}")]
    TooLarge { size: usize, max: usize },
}

/// Puts frames together. What a frame announces costs nothing: its buffer has at most twice the bytes that have
/// arrived, and there is none between frames.
#[derive(Debug, Default)]
pub(super) struct Receive {
    head: [u8; SIZE_LEN],
    head_len: usize,
    /// The size of the frame that `body` belongs to, once `head` is whole.
    size: usize,
    body: Vec<u8>,
    stalled: Bytes,
}

impl Receive {
    /// Takes the next whole frame out of `input`, or all of `input` if it ends before the frame does.
    pub(super) fn next(&mut self, input: &mut &[u8], max: usize) -> Result<Option<Bytes>, FrameError> {
        if self.head_len < SIZE_LEN && !self.take_head(input, max)? {
            return Ok(None);
        }
        let missing = self.size - self.body.len();
        if self.body.is_empty()
            && let Some((frame, rest)) = input.split_at_checked(missing)
        {
            // The usual case: one allocation of just the frame's size, which the records in it keep alive.
            *input = rest;
            self.head_len = 0;
            return Ok(Some(Bytes::copy_from_slice(frame)));
        }
        let (part, rest) = input.split_at(missing.min(input.len()));
        self.grow(part.len());
        self.body.extend_from_slice(part);
        *input = rest;
        Ok(self.take_whole())
    }

    fn take_head(&mut self, input: &mut &[u8], max: usize) -> Result<bool, FrameError> {
        let (part, rest) = input.split_at(input.len().min(SIZE_LEN - self.head_len));
        for (place, byte) in self.head.iter_mut().skip(self.head_len).zip(part) {
            *place = *byte;
        }
        self.head_len += part.len();
        *input = rest;
        if self.head_len < SIZE_LEN {
            return Ok(false);
        }
        let size = i32::from_be_bytes(self.head);
        let size = usize::try_from(size).map_err(|_| FrameError::Negative { size })?;
        if size > max {
            return Err(FrameError::TooLarge { size, max });
        }
        self.size = size;
        Ok(true)
    }

    /// Makes room for `count` bytes more, doubling, but never beyond the frame.
    fn grow(&mut self, count: usize) {
        let needed = self.body.len() + count;
        if needed > self.body.capacity() {
            let wanted = needed.max(self.body.len() * 2).min(self.size);
            self.body.reserve_exact(wanted - self.body.len());
        }
    }

    /// Where further bytes of a large frame may be read to directly, and how many. Call [`Receive::take_whole`]
    /// afterwards.
    pub(super) fn direct(&mut self) -> Option<(&mut Vec<u8>, usize)> {
        if self.head_len < SIZE_LEN || self.body.len() < DIRECT_RECEIVED {
            return None;
        }
        let missing = self.size - self.body.len();
        if missing < DIRECT_MISSING {
            return None;
        }
        if self.body.len() == self.body.capacity() {
            self.grow(self.body.len().min(missing));
        }
        let room = self.body.capacity() - self.body.len();
        Some((&mut self.body, room.min(missing)))
    }

    /// The frame, if all of it is there.
    pub(super) fn take_whole(&mut self) -> Option<Bytes> {
        if self.head_len < SIZE_LEN || self.body.len() < self.size {
            return None;
        }
        self.head_len = 0;
        Some(Bytes::from(std::mem::take(&mut self.body)))
    }

    /// The bytes of the frame that is on its way: all that it announces, since it may take them any time.
    pub(super) fn claimed_bytes(&self) -> usize {
        if self.head_len == SIZE_LEN { self.size } else { 0 }
    }

    /// Keeps bytes that arrived while no further request may be taken up.
    pub(super) fn stall(&mut self, input: Bytes) {
        self.stalled = input;
    }

    /// Takes the bytes that were kept, to be given to [`Receive::next`].
    pub(super) fn take_stalled(&mut self) -> Bytes {
        std::mem::take(&mut self.stalled)
    }

    /// Whether bytes are kept.
    pub(super) fn is_stalled(&self) -> bool {
        !self.stalled.is_empty()
    }

    /// The memory that is held for bytes that have arrived.
    pub(super) fn buffer_bytes(&self) -> usize {
        self.body.capacity() + self.stalled.len()
    }

    /// Forgets all: nothing more will be taken up.
    pub(super) fn clear(&mut self) {
        *self = Receive::default();
    }
}
