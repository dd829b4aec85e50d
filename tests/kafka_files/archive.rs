//! What `tests/interop/files/run` has kept of Apache Kafka, here beside it.

use std::fs;
use std::io::Read as _;
use std::path::Path;

/// A file, unpacked.
pub(super) fn kept(name: &str) -> Vec<u8> {
    let path = format!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kafka_files/{}.gz"), name);
    let mut content = Vec::new();
    flate2::read::GzDecoder::new(fs::File::open(path).unwrap()).read_to_end(&mut content).unwrap();
    content
}

/// Unpacks plain files out of a tar archive of the simplest kind.
pub(super) fn unpack(archive: &[u8], into: &Path) {
    let mut rest = archive;
    while let Some((header, content)) = rest.split_at_checked(512).filter(|(header, _)| header[0] != 0) {
        let text = |range: std::ops::Range<usize>| {
            std::str::from_utf8(&header[range]).unwrap().trim_end_matches('\0').trim_end().to_owned()
        };
        let size = usize::from_str_radix(&text(124..135), 8).unwrap();
        let path = into.join(text(345..500)).join(text(0..100));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &content[..size]).unwrap();
        rest = &content[size.next_multiple_of(512)..];
    }
}
