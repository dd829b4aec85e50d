//! The codecs, each behind its Cargo feature. What comes out is bounded: memory follows the bytes that were
//! really decompressed, never what a header claims, and stops at a limit.

#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "lz4")]
mod lz4;
#[cfg(feature = "snappy")]
mod snappy;
#[cfg(feature = "zstd")]
mod zstd;

use std::borrow::Cow;
use std::io::{self, Read};

use super::{BatchError, CompressionType};

/// What the first piece of output is read into, if the limit allows.
const FIRST_CHUNK: usize = 16 * 1024;

/// Reads what `input` holds, decompressed, with a bounded buffer.
///
/// # Errors
/// A codec that this build does not have.
#[cfg_attr(not(feature = "zstd"), allow(unused_variables, reason = "not every codec needs every parameter"))]
pub(super) fn reader<'a>(
    codec: CompressionType,
    input: &'a [u8],
    limit: usize,
) -> Result<Box<dyn Read + 'a>, BatchError> {
    match codec {
        CompressionType::None => Ok(Box::new(input)),
        #[cfg(feature = "gzip")]
        CompressionType::Gzip => Ok(gzip::reader(input)),
        #[cfg(feature = "snappy")]
        CompressionType::Snappy => Ok(snappy::reader(input, limit)),
        #[cfg(feature = "lz4")]
        CompressionType::Lz4 => Ok(lz4::reader(input)),
        #[cfg(feature = "zstd")]
        CompressionType::Zstd => {
            zstd::reader(input, limit).map_err(|source| decompress_error(codec, limit, source))
        }
        #[allow(unreachable_patterns, reason = "with every feature on, all codecs are above")]
        _ => Err(not_in_this_build(codec)),
    }
}

fn not_in_this_build(codec: CompressionType) -> BatchError {
    BatchError::UnsupportedCompression { codec, reason: "this build of ottla is without its Cargo feature" }
}

/// Appends what `input` holds to `out`, decompressed, at most `limit` bytes.
pub(super) fn decompress_into(
    codec: CompressionType,
    input: &[u8],
    out: &mut Vec<u8>,
    limit: usize,
) -> Result<(), BatchError> {
    // Places within a batch are 31-bit numbers.
    let limit = limit.min(i32::MAX as usize);
    let mut reader = reader(codec, input, limit)?;
    match read_bounded(&mut reader, out, limit) {
        Ok(true) => Ok(()),
        Ok(false) => Err(BatchError::DecompressedTooLarge { codec, limit }),
        Err(source) => Err(decompress_error(codec, limit, source)),
    }
}

/// What a [`reader`]'s error means.
pub(super) fn decompress_error(codec: CompressionType, limit: usize, source: io::Error) -> BatchError {
    match source.kind() {
        io::ErrorKind::FileTooLarge => BatchError::DecompressedTooLarge { codec, limit },
        _ => BatchError::Decompress { codec, source },
    }
}

/// Reads to the end, or until it is known that there are more than `limit` bytes, which gives `false`.
fn read_bounded(reader: &mut dyn Read, out: &mut Vec<u8>, limit: usize) -> io::Result<bool> {
    let mut filled = out.len();
    let end = filled.saturating_add(limit);
    loop {
        if filled == end {
            let more = read_some(reader, &mut [0])?;
            return Ok(more == 0);
        }
        if filled == out.len() {
            let room = out.capacity().max(out.len() * 2).max(FIRST_CHUNK).min(end);
            out.reserve_exact(room - filled);
            out.resize(room, 0);
        }
        let n = read_some(reader, out.get_mut(filled..).unwrap_or_default())?;
        filled += n;
        if n == 0 {
            out.truncate(filled);
            return Ok(true);
        }
    }
}

fn read_some(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Appends `input`, compressed, to `out`. The level is the codec's own scale; `None` is its default, as is any
/// level of a codec that has none (snappy, and this build's lz4).
#[cfg_attr(not(feature = "zstd"), allow(unused_variables, reason = "not every codec needs every parameter"))]
pub(super) fn compress_into(
    codec: CompressionType,
    level: Option<i32>,
    input: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), BatchError> {
    let result: io::Result<()> = match codec {
        CompressionType::None => {
            out.extend_from_slice(input);
            Ok(())
        }
        #[cfg(feature = "gzip")]
        CompressionType::Gzip => gzip::compress(level, input, out),
        #[cfg(feature = "snappy")]
        CompressionType::Snappy => snappy::compress(input, out),
        #[cfg(feature = "lz4")]
        CompressionType::Lz4 => lz4::compress(input, out),
        #[cfg(feature = "zstd")]
        CompressionType::Zstd => zstd::compress(level, input, out),
        #[allow(unreachable_patterns, reason = "with every feature on, all codecs are above")]
        _ => return Err(not_in_this_build(codec)),
    };
    result.map_err(|source| BatchError::Compress { codec, source })
}

/// An LZ4 frame of a message of magic 0 with the checksum of its header as the LZ4 format has it.
pub(super) fn repair_lz4_header(frame: &[u8]) -> Cow<'_, [u8]> {
    #[cfg(feature = "lz4")]
    return lz4::with_header_checksum(frame, lz4::HeaderChecksum::Standard);
    #[cfg(not(feature = "lz4"))]
    Cow::Borrowed(frame)
}

/// An LZ4 frame for a message of magic 0, whose readers expect the checksum that Kafka's first clients computed.
pub(super) fn break_lz4_header(frame: &[u8]) -> Cow<'_, [u8]> {
    #[cfg(feature = "lz4")]
    return lz4::with_header_checksum(frame, lz4::HeaderChecksum::Kafka0);
    #[cfg(not(feature = "lz4"))]
    Cow::Borrowed(frame)
}
