use std::fmt;

use super::BatchError;

/// How the records of a batch are compressed.
///
/// # Examples
/// ```
/// use ottla::CompressionType;
/// assert_eq!(CompressionType::Zstd.id(), 4);
/// assert_eq!(CompressionType::from_name("lz4"), Some(CompressionType::Lz4));
/// assert_eq!(CompressionType::Gzip.to_string(), "gzip");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CompressionType {
    /// As they are.
    #[default]
    None = 0,
    /// RFC 1952. Cargo feature `gzip`.
    Gzip = 1,
    /// Blocks of snappy in the framing of xerial's Java library. Cargo feature `snappy`.
    Snappy = 2,
    /// LZ4 frames. Cargo feature `lz4`.
    Lz4 = 3,
    /// Zstandard frames. Cargo feature `zstd`.
    Zstd = 4,
}

impl CompressionType {
    /// Every codec, in the order of their numbers.
    pub const ALL: [CompressionType; 5] = [
        CompressionType::None,
        CompressionType::Gzip,
        CompressionType::Snappy,
        CompressionType::Lz4,
        CompressionType::Zstd,
    ];

    /// The number in a batch's attributes.
    pub fn id(self) -> u8 {
        self as u8
    }

    /// The codec of a number.
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.get(usize::from(id)).copied()
    }

    /// The name in settings, as in `compression.type=zstd`.
    pub fn name(self) -> &'static str {
        match self {
            CompressionType::None => "none",
            CompressionType::Gzip => "gzip",
            CompressionType::Snappy => "snappy",
            CompressionType::Lz4 => "lz4",
            CompressionType::Zstd => "zstd",
        }
    }

    /// The codec of a name; `uncompressed`, as a topic's setting says it, is `none`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "uncompressed" => Some(CompressionType::None),
            _ => Self::ALL.into_iter().find(|codec| codec.name() == name),
        }
    }

    /// Whether this build has the codec: each is a Cargo feature.
    pub fn is_supported(self) -> bool {
        match self {
            CompressionType::None => true,
            CompressionType::Gzip => cfg!(feature = "gzip"),
            CompressionType::Snappy => cfg!(feature = "snappy"),
            CompressionType::Lz4 => cfg!(feature = "lz4"),
            CompressionType::Zstd => cfg!(feature = "zstd"),
        }
    }

    /// The codec in the lowest three bits of a batch's attributes.
    pub(crate) fn from_attributes(attributes: i16) -> Result<Self, BatchError> {
        let id = (attributes & 0x07) as u8;
        Self::from_id(id).ok_or(BatchError::UnknownCompression { id })
    }
}

impl fmt::Display for CompressionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who says when a record happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TimestampType {
    /// The producer, record by record.
    #[default]
    CreateTime = 0,
    /// The broker, when it appended the batch.
    LogAppendTime = 1,
}

impl TimestampType {
    /// The name in settings, as in `message.timestamp.type=CreateTime`.
    pub fn name(self) -> &'static str {
        match self {
            TimestampType::CreateTime => "CreateTime",
            TimestampType::LogAppendTime => "LogAppendTime",
        }
    }
}
