//! An API, a version, and a frame as a client receives it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ottla::fuzzing::response(data));
