//! Doors for the fuzz targets in `fuzz/`, which exist in no other build: one function a target. Each panics if
//! something that must hold does not.

/// A frame as a listener receives it.
#[cfg(feature = "server")]
pub fn request(data: &[u8]) {
    crate::protocol::fuzzing::request(data);
}

/// Two bytes of API key, two of version, and a frame as a client receives it.
#[cfg(feature = "server")]
pub fn response(data: &[u8]) {
    crate::protocol::fuzzing::response(data);
}

/// The bytes of a properties file.
pub fn properties(data: &[u8]) {
    crate::config::fuzzing::properties(data);
}

/// Files of a log dir: a byte that chooses the name, two of length, the content, and so on.
pub fn log_dir(data: &[u8]) {
    let root = std::env::temp_dir().join(format!("ottla-fuzz-log-dir-{}", std::process::id()));
    crate::log::fuzzing::log_dir(data, &root);
}

/// Two bytes of choices, and record batches as a log or a request holds them, or the records of one.
pub fn record_batch(data: &[u8]) {
    crate::record::fuzzing::record_batch(data);
}
