use std::borrow::Cow;
use std::io::{self, Read, Write};

use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
use twox_hash::XxHash32;

const MAGIC: [u8; 4] = 0x184D_2204u32.to_le_bytes();
const CONTENT_SIZE_FLAG: u8 = 0x08;
const DICTIONARY_ID_FLAG: u8 = 0x01;

pub(super) fn reader(input: &[u8]) -> Box<dyn Read + '_> {
    Box::new(FrameDecoder::new(input))
}

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    // What Kafka's own reader asks for: independent blocks.
    let info = FrameInfo::new().block_size(BlockSize::Max64KB).block_mode(BlockMode::Independent);
    let mut encoder = FrameEncoder::with_frame_info(info, out);
    encoder.write_all(input)?;
    encoder.finish()?;
    Ok(())
}

/// Over which bytes the checksum of a frame's header is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderChecksum {
    /// The descriptor, as the LZ4 format says.
    Standard,
    /// The magic and the descriptor, as Kafka did for messages of magic 0.
    Kafka0,
}

/// The same frame with another checksum of its header. What is no frame stays as it is.
pub(super) fn with_header_checksum(frame: &[u8], kind: HeaderChecksum) -> Cow<'_, [u8]> {
    let Some(&flags) = frame.get(MAGIC.len()).filter(|_| frame.starts_with(&MAGIC)) else {
        return Cow::Borrowed(frame);
    };
    let mut end = MAGIC.len() + 2;
    if flags & CONTENT_SIZE_FLAG != 0 {
        end += 8;
    }
    if flags & DICTIONARY_ID_FLAG != 0 {
        end += 4;
    }
    let start = match kind {
        HeaderChecksum::Standard => MAGIC.len(),
        HeaderChecksum::Kafka0 => 0,
    };
    let mut frame = frame.to_owned();
    let Some((descriptor, rest)) = frame.split_at_mut_checked(end) else { return Cow::Owned(frame) };
    if let (Some(covered), Some(checksum)) = (descriptor.get(start..), rest.first_mut()) {
        *checksum = (XxHash32::oneshot(0, covered) >> 8) as u8;
    }
    Cow::Owned(frame)
}
