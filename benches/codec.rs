//! Record batches: building, checking and reading one of 1,000 records of 100 bytes, each codec, and the pieces
//! that they are made of. Rates are of the records' bytes, uncompressed; `copy` is the yardstick for all.
//!
//! `cargo bench --bench codec`

use std::hint::black_box;

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use ottla::{BatchOptions, CompressionType, RecordBatch, RecordBatchBuilder};

const RECORDS: usize = 1_000;
const VALUE_SIZE: usize = 100;
const LIMIT: usize = 64 << 20;

/// Values as an application's events are: text of which about a third repeats from event to event.
fn values() -> Vec<Vec<u8>> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    (0..RECORDS)
        .map(|i| {
            let mut value = format!("{{\"event\":{i},\"user\":\"").into_bytes();
            while value.len() < VALUE_SIZE {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                value.push(b'a' + (state % 26) as u8);
            }
            value
        })
        .collect()
}

fn fill(builder: &mut RecordBatchBuilder, values: &[Vec<u8>]) {
    for (i, value) in values.iter().enumerate() {
        builder.append(1_700_000_000_000 + i as i64, None, Some(value)).expect("it fits");
    }
}

fn sum_borrowed(batch: &RecordBatch, scratch: &mut Vec<u8>) -> usize {
    let records = batch.view().records(scratch, LIMIT).expect("it decompresses");
    records.map(|record| record.expect("it is a record").value().map_or(0, <[u8]>::len)).sum()
}

fn sum_owned(batch: &RecordBatch) -> usize {
    let records = batch.records(LIMIT).expect("it decompresses");
    records.map(|record| record.expect("it is a record").value().map_or(0, <[u8]>::len)).sum()
}

fn yardstick(group: &mut BenchmarkGroup<'_, WallTime>, values: &[Vec<u8>]) {
    let mut copy = Vec::with_capacity(RECORDS * VALUE_SIZE);
    group.bench_function("copy", |b| {
        b.iter(|| {
            copy.clear();
            for value in values {
                copy.extend_from_slice(value);
            }
            black_box(copy.len())
        });
    });
}

fn batches(c: &mut Criterion) {
    let values = values();
    let mut group = c.benchmark_group("batch-1000x100");
    group.throughput(Throughput::Bytes((RECORDS * VALUE_SIZE) as u64));
    yardstick(&mut group, &values);
    for compression in CompressionType::ALL {
        if !compression.is_supported() {
            continue;
        }
        let options = BatchOptions { compression, ..BatchOptions::default() };
        let mut builder = RecordBatchBuilder::with_capacity(options, 256 * 1024);
        group.bench_function(format!("build/{compression}"), |b| {
            b.iter(|| {
                fill(&mut builder, &values);
                black_box(builder.build().expect("it builds").len())
            });
        });
        fill(&mut builder, &values);
        let batch = RecordBatch::parse(builder.build().expect("it builds")).expect("it is a batch");
        let mut scratch = Vec::new();
        group.bench_function(format!("read/{compression}"), |b| {
            b.iter(|| black_box(sum_borrowed(&batch, &mut scratch)));
        });
        group
            .bench_function(format!("read-owned/{compression}"), |b| b.iter(|| black_box(sum_owned(&batch))));
    }
    let mut builder = RecordBatchBuilder::new(BatchOptions::default());
    fill(&mut builder, &values);
    let batch = RecordBatch::parse(builder.build().expect("it builds")).expect("it is a batch");
    group.bench_function("checksum", |b| {
        b.iter(|| black_box(&batch).view().ensure_valid().expect("it matches"))
    });
    group.finish();
}

criterion_group!(benches, batches);
criterion_main!(benches);
