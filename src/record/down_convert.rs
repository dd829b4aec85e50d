use bytes::Bytes;

use super::batch::{Batches, RecordBatchRef};
use super::legacy::MessageSetBuilder;
use super::{BatchError, CompressionType};
use crate::model::Offset;

/// How to write records for a reader that does not know their format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DownConvertParams {
    /// The newest format that the reader knows: 0 or 1.
    pub(crate) to_magic: i8,
    /// The first offset that the reader asked for.
    pub(crate) first_offset: Offset,
    /// The most bytes that a batch may have when decompressed.
    pub(crate) decompression_limit_bytes: usize,
}

/// Writes batches in an older format (Kafka: `RecordsUtil#downConvert`). Entries that the reader knows stay as
/// they are; control batches are left out; headers and producers are lost; a compressed batch becomes a
/// compressed set of the same codec. A batch that is cut at the end is left out.
///
/// # Errors
/// zstd, which the old formats do not have, and bytes that are no records.
pub(crate) fn down_convert(batches: &[u8], params: DownConvertParams) -> Result<Bytes, BatchError> {
    let mut out = Vec::with_capacity(batches.len());
    let mut scratch = Vec::new();
    for batch in Batches::new(batches) {
        let batch = batch?;
        if batch.magic() <= params.to_magic {
            out.extend_from_slice(batch.as_bytes());
        } else if !batch.is_control() {
            convert_batch(batch, params, &mut scratch, &mut out)?;
        }
    }
    Ok(Bytes::from(out))
}

fn convert_batch(
    batch: RecordBatchRef<'_>,
    params: DownConvertParams,
    scratch: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<(), BatchError> {
    let codec = batch.compression_type()?;
    let mut set = MessageSetBuilder::new(params.to_magic, codec, batch.timestamp_type())?;
    for record in batch.records(scratch, params.decompression_limit_bytes)? {
        let record = record?;
        // Uncompressed messages stand alone, and some versions of librdkafka rely on getting none from before
        // the offset that they asked for.
        if codec != CompressionType::None || record.offset() >= params.first_offset {
            set.append(record)?;
        }
    }
    set.finish(out)
}
