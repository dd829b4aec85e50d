//! Record batches and message sets, compressed or not: read, validated, converted.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ottla::fuzzing::record_batch(data));
