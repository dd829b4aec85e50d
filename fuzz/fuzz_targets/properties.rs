//! A properties file, and the settings in it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ottla::fuzzing::properties(data));
