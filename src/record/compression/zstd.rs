use std::io::{self, Cursor, Read};

use zstd::bulk::Compressor;
use zstd::stream::read::Decoder;
use zstd::zstd_safe::{compress_bound, get_frame_content_size};

/// Kafka's default, and the library's.
const DEFAULT_LEVEL: i32 = 3;
/// What a frame may make its reader remember: from the 8 MiB that every reader is to support, since a writer that does
/// not know how much will come names 2 MiB for little content too, to the 128 MiB that Kafka's own reader accepts.
const WINDOW_LOG: std::ops::RangeInclusive<u32> = 23..=27;

pub(super) fn reader(input: &[u8], limit: usize) -> io::Result<Box<dyn Read + '_>> {
    if let Ok(Some(claimed)) = get_frame_content_size(input)
        && claimed > limit as u64
    {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut decoder = Decoder::with_buffer(input)?;
    // The window that a frame claims is allocated, so it must not be much larger than what may come out.
    let log = limit.max(1).next_power_of_two().trailing_zeros();
    decoder.window_log_max(log.clamp(*WINDOW_LOG.start(), *WINDOW_LOG.end()))?;
    Ok(Box::new(decoder))
}

pub(super) fn compress(level: Option<i32>, input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let start = out.len();
    out.reserve(compress_bound(input.len()));
    let mut at_end = Cursor::new(out);
    at_end.set_position(start as u64);
    Compressor::new(level.unwrap_or(DEFAULT_LEVEL))?.compress_to_buffer(input, &mut at_end)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_whose_writer_did_not_know_its_size_is_read_under_a_small_limit() {
        // As Kafka's client writes them.
        let frame = zstd::stream::encode_all(&b"little"[..], 3).unwrap();
        let mut content = Vec::new();
        reader(&frame, 1 << 10).unwrap().read_to_end(&mut content).unwrap();
        assert_eq!(content, b"little");
    }
}
