mod batches;
mod differential;
mod filtering;
mod message_sets;
mod round_trip;
mod validation;
mod varints;

use super::*;

/// Far more than any batch of these tests decompresses into.
const LIMIT: usize = 64 << 20;

/// Timestamp, key and value of a record.
type Fields<'a> = (i64, Option<&'a [u8]>, Option<&'a [u8]>);

fn build(options: BatchOptions, records: &[Fields<'_>]) -> RecordBatch {
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
