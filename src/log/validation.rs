//! The rules of the topic for the records of an append.

use super::Log;
use crate::config::{LogConfig, MessageTimestampType};
use crate::record::{AppendOrigin, CompressionType, TimestampType, ValidationOptions};

/// Decompressed, a batch may have this many bytes, or this many times `max.message.bytes` if that is more.
const MIN_DECOMPRESSION_LIMIT: usize = 100 << 20;
const DECOMPRESSION_FACTOR: usize = 20;

impl Log {
    /// What `record::validate` needs to know to check records for this log, as of now. `requires_batch_format` says
    /// that the request knows magic 2 only.
    pub(crate) fn validation_options(
        &self,
        origin: AppendOrigin,
        requires_batch_format: bool,
    ) -> ValidationOptions {
        let config = self.config();
        let target = target_compression(&config);
        let max_message_bytes = usize::try_from(config.max_message_bytes).unwrap_or_default();
        ValidationOptions {
            target_compression: target,
            target_compression_level: target.and_then(|codec| compression_level(&config, codec)),
            compacted: config.cleanup_policy.compact,
            timestamp_type: match config.message_timestamp_type {
                MessageTimestampType::CreateTime => TimestampType::CreateTime,
                MessageTimestampType::LogAppendTime => TimestampType::LogAppendTime,
            },
            timestamp_before_max_ms: config.effective_timestamp_before_max_ms(),
            timestamp_after_max_ms: config.effective_timestamp_after_max_ms(),
            now_ms: self.env.clock.now_ms(),
            origin,
            max_message_bytes,
            decompression_limit_bytes: decompression_limit_bytes(&config),
            requires_batch_format,
        }
    }
}

/// How large a batch may get when it is decompressed.
pub(super) fn decompression_limit_bytes(config: &LogConfig) -> usize {
    let max_message_bytes = usize::try_from(config.max_message_bytes).unwrap_or_default();
    max_message_bytes.saturating_mul(DECOMPRESSION_FACTOR).max(MIN_DECOMPRESSION_LIMIT)
}

/// The codec that all batches are stored with; `None`: each producer's own.
fn target_compression(config: &LogConfig) -> Option<CompressionType> {
    let id = u8::try_from(config.compression_type.codec_id()?).ok()?;
    CompressionType::from_id(id)
}

fn compression_level(config: &LogConfig, codec: CompressionType) -> Option<i32> {
    match codec {
        CompressionType::None | CompressionType::Snappy => None,
        // -1 is the codec's own default.
        CompressionType::Gzip => Some(config.compression_gzip_level).filter(|level| *level >= 0),
        CompressionType::Lz4 => Some(config.compression_lz4_level),
        CompressionType::Zstd => Some(config.compression_zstd_level),
    }
}
