//! A log dir: the files of a partition and those beside it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ottla::fuzzing::log_dir(data));
