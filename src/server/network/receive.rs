//! Frames out of a stream of bytes (Kafka: `NetworkReceive`).

use bytes::Bytes;

/// The bytes of the size in front of each frame.
pub(super) const SIZE_LEN: usize = 4;

/// A frame of which so much has arrived takes further bytes directly, not by way of the thread's buffer.
const DIRECT_RECEIVED: usize = 32 * 1024;

/// And only if so much is still missing: for less, a read by way of the thread's buffer brings the next frame, too.
const DIRECT_MISSING: usize = 16 * 1024;

/// Frames are expected to be as large as the one before, up to this.
const MAX_EXPECTED: usize = 2 * 1024 * 1024;

/// A frame that no client of this protocol sends.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameError {
    #[error("a frame announces {size} bytes")]
    Negative { size: i32 },
    #[error("a frame announces {size} bytes, more than socket.request.max.bytes = {max}")]
    TooLarge { size: usize, max: usize },
}

/// Puts frames together. What a frame announces costs nothing: its buffer has at most twice the bytes that have
/// arrived, or as many as the frame before it really had, and there is none between frames.
#[derive(Debug, Default)]
pub(super) struct Receive {
    head: [u8; SIZE_LEN],
    head_len: usize,
    /// The size of the frame that `body` belongs to, once `head` is whole.
    size: usize,
    body: Vec<u8>,
    /// How many bytes of `body` stand in front of the frame: its size, if both came in one read.
    skip: usize,
    /// The size of the frame before, if it was a large one.
    expected: usize,
    stalled: Bytes,
}

impl Receive {
    /// Takes the next whole frame out of `input`, or all of `input` if it ends before the frame does.
    pub(super) fn next(&mut self, input: &mut &[u8], max: usize) -> Result<Option<Bytes>, FrameError> {
        if self.head_len < SIZE_LEN && !self.take_head(input, max)? {
            return Ok(None);
        }
        let missing = self.missing();
        if self.body.is_empty()
            && let Some((frame, rest)) = input.split_at_checked(missing)
        {
            // The usual case: one allocation of just the frame's size, which the records in it keep alive.
            *input = rest;
            self.end_frame();
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
            let wanted = needed.max(self.body.len() * 2).min(self.skip + self.size);
            self.body.reserve_exact(wanted - self.body.len());
        }
    }

    /// The bytes that the frame still lacks.
    fn missing(&self) -> usize {
        self.skip + self.size - self.body.len()
    }

    /// Where further bytes of a large frame may be read to directly, and how many. Call [`Receive::take_whole`]
    /// afterwards.
    pub(super) fn direct(&mut self) -> Option<(&mut Vec<u8>, usize)> {
        if self.head_len < SIZE_LEN {
            return None;
        }
        let missing = self.missing();
        let is_expected = self.skip > 0;
        if !is_expected && (self.body.len() < DIRECT_RECEIVED || missing < DIRECT_MISSING) {
            return None;
        }
        if self.body.len() == self.body.capacity() {
            self.grow(self.body.len().min(missing));
        }
        let room = self.body.capacity() - self.body.len();
        Some((&mut self.body, room.min(missing)))
    }

    /// A buffer to read the next frame to, with its size in front, where another large one is expected. Give it to
    /// [`Receive::adopt`].
    pub(super) fn expect(&self) -> Option<Vec<u8>> {
        let is_between_frames = self.head_len == 0 && self.body.is_empty();
        (is_between_frames && self.expected > 0).then(|| Vec::with_capacity(SIZE_LEN + self.expected))
    }

    /// Takes what has arrived in a buffer of [`Receive::expect`]: the frame, if all of it is there, and the bytes
    /// behind it. A frame is not copied if it fills most of the buffer.
    pub(super) fn adopt(
        &mut self,
        buffer: Vec<u8>,
        max: usize,
    ) -> Result<(Option<Bytes>, Bytes), FrameError> {
        let mut input = buffer.as_slice();
        if !self.take_head(&mut input, max)? {
            return Ok((None, Bytes::new()));
        }
        let end = SIZE_LEN + self.size;
        if end < buffer.capacity() / 2 {
            let frame = self.next(&mut input, max)?;
            return Ok((frame, Bytes::copy_from_slice(input)));
        }
        if buffer.len() < end {
            self.body = buffer;
            self.skip = SIZE_LEN;
            return Ok((None, Bytes::new()));
        }
        self.end_frame();
        let mut frame = Bytes::from(buffer);
        let rest = Bytes::copy_from_slice(&frame.split_off(end));
        Ok((Some(frame.slice(SIZE_LEN..)), rest))
    }

    /// The frame, if all of it is there.
    pub(super) fn take_whole(&mut self) -> Option<Bytes> {
        if self.head_len < SIZE_LEN || self.missing() > 0 {
            return None;
        }
        let frame = Bytes::from(std::mem::take(&mut self.body)).slice(self.skip..);
        self.end_frame();
        Some(frame)
    }

    fn end_frame(&mut self) {
        self.expected = if self.size < DIRECT_RECEIVED { 0 } else { self.size.min(MAX_EXPECTED) };
        self.head_len = 0;
        self.skip = 0;
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
