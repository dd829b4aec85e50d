//! Snappy as Kafka has it: blocks in the framing of xerial's Java library, or one raw block, as librdkafka
//! sends it.

use std::io::{self, Read};

use snap::raw::{Decoder, Encoder, decompress_len, max_compress_len};

const MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
/// The magic, a version and the oldest version that can read it.
const HEADER_SIZE: usize = 16;
/// What the Java library compresses at once.
const BLOCK_SIZE: usize = 32 * 1024;
/// No element of a snappy block makes more than 64 bytes of 3, so a larger claim is a lie.
const MAX_RATIO: usize = 22;

pub(super) fn reader(input: &[u8], limit: usize) -> Box<dyn Read + '_> {
    let is_framed = input.starts_with(&MAGIC) && input.len() >= HEADER_SIZE;
    Box::new(BlockReader { input, is_framed, limit, decoder: Decoder::new(), block: Vec::new(), position: 0 })
}

struct BlockReader<'a> {
    input: &'a [u8],
    is_framed: bool,
    limit: usize,
    decoder: Decoder,
    block: Vec<u8>,
    position: usize,
}

impl<'a> BlockReader<'a> {
    /// Takes the next compressed block off the input.
    fn next_block(&mut self) -> io::Result<Option<&'a [u8]>> {
        if !self.is_framed {
            let block = std::mem::take(&mut self.input);
            return Ok((!block.is_empty()).then_some(block));
        }
        // Streams may follow each other, as when a Java client flushed in between.
        while self.input.starts_with(&MAGIC) {
            self.input = self.input.get(HEADER_SIZE..).ok_or_else(|| malformed("the header is cut"))?;
        }
        if self.input.is_empty() {
            return Ok(None);
        }
        let (len, rest) = self.input.split_first_chunk().ok_or_else(|| malformed("a length is cut"))?;
        let len = usize::try_from(i32::from_be_bytes(*len)).map_err(|_| malformed("negative length"))?;
        let (block, rest) = rest.split_at_checked(len).ok_or_else(|| malformed("a block is cut"))?;
        self.input = rest;
        Ok(Some(block))
    }

    fn fill(&mut self) -> io::Result<bool> {
        let Some(block) = self.next_block()? else { return Ok(false) };
        let claimed = decompress_len(block)?;
        if claimed > block.len().saturating_mul(MAX_RATIO) {
            return Err(malformed("a block claims more than it can hold"));
        }
        if claimed > self.limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.block.resize(claimed, 0);
        let n = self.decoder.decompress(block, &mut self.block)?;
        self.block.truncate(n);
        self.position = 0;
        Ok(true)
    }
}

impl Read for BlockReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.position == self.block.len() {
            if !self.fill()? {
                return Ok(0);
            }
        }
        let available = self.block.get(self.position..).unwrap_or_default();
        let n = available.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..n), available.get(..n)) {
            to.copy_from_slice(from);
        }
        self.position += n;
        Ok(n)
    }
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&1i32.to_be_bytes());
    out.extend_from_slice(&1i32.to_be_bytes());
    let mut encoder = Encoder::new();
    for block in input.chunks(BLOCK_SIZE) {
        let at = out.len();
        out.resize(at + 4 + max_compress_len(block.len()), 0);
        let (len, room) = out.get_mut(at..).unwrap_or_default().split_at_mut(4);
        let n = encoder.compress(block, room)?;
        len.copy_from_slice(&(n as i32).to_be_bytes());
        out.truncate(at + 4 + n);
    }
    Ok(())
}
