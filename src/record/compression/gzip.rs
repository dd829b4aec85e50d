use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

pub(super) fn reader(input: &[u8]) -> Box<dyn Read + '_> {
    Box::new(MultiGzDecoder::new(input))
}

pub(super) fn compress(level: Option<i32>, input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let level = match level.map(u32::try_from) {
        Some(Ok(level)) => Compression::new(level.min(9)),
        // -1 is Kafka's way to say "the default".
        Some(Err(_)) | None => Compression::default(),
    };
    let mut encoder = GzEncoder::new(out, level);
    encoder.write_all(input)?;
    encoder.finish()?;
    Ok(())
}
