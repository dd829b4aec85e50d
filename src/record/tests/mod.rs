mod batches;
mod differential;
mod message_sets;
mod round_trip;
mod validation;
mod varints;

use super::*;

/// Far more than any batch of these tests decompresses into.
const LIMIT: usize = 64 << 20;

fn build(options: BatchOptions, records: &[(i64, Option<&[u8]>, Option<&[u8]>)]) -> RecordBatch {
    let mut builder = RecordBatchBuilder::new(options);
    for (timestamp, key, value) in records {
        builder.append(*timestamp, *key, *value).unwrap();
    }
    RecordBatch::parse(builder.build().unwrap()).unwrap()
}

fn records_of(batch: &RecordBatch) -> Vec<Record> {
    batch.records(LIMIT).unwrap().collect::<Result<_, _>>().unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|c| !c.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
