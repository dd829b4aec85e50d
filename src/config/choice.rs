//! Settings with a closed choice of values.

use std::fmt;

use super::key::ConfigType;
use super::valid::Valid;
use super::value::{Setting, Value, split_list};

macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant),+
        }

        impl $name {
            const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word that Kafka has for it.
            pub fn name(self) -> &'static str {
                match self {
                    $($name::$variant => $word),+
                }
            }

            /// The value that Kafka spells so; upper and lower case count.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($word => Some($name::$variant),)+
                    _ => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl Setting for $name {
            fn config_type(&self) -> ConfigType {
                ConfigType::String
            }
            fn read(&mut self, text: &str, _valid: Valid) -> bool {
                let Some(value) = $name::from_name(text.trim()) else { return false };
                *self = value;
                true
            }
            fn value(&self) -> Value<'_> {
                Value::Text(self.name())
            }
            fn choices(&self) -> &'static [&'static str] {
                $name::WORDS
            }
        }
    };
}

choice! {
    /// How the bytes of a listener are protected and its peers known.
    SecurityProtocol {
        /// No encryption, no names.
        Plaintext = "PLAINTEXT",
        /// TLS.
        Ssl = "SSL",
        /// SASL without encryption.
        SaslPlaintext = "SASL_PLAINTEXT",
        /// SASL within TLS.
        SaslSsl = "SASL_SSL",
    }
}

choice! {
    /// Whose clock gives records their timestamps.
    MessageTimestampType {
        /// The producer's.
        CreateTime = "CreateTime",
        /// The broker's, when it appends.
        LogAppendTime = "LogAppendTime",
    }
}

choice! {
    /// The codec that batches are stored with.
    TopicCompression {
        /// Stored as none, decompressed where a producer compressed.
        Uncompressed = "uncompressed",
        /// zstd.
        Zstd = "zstd",
        /// lz4, in frames.
        Lz4 = "lz4",
        /// snappy, in xerial's framing where old formats want it.
        Snappy = "snappy",
        /// gzip.
        Gzip = "gzip",
        /// Whatever the producer used.
        Producer = "producer",
    }
}

impl TopicCompression {
    /// The number of the codec in a batch's attributes; `None` where the producer's own is kept.
    pub fn codec_id(self) -> Option<i8> {
        match self {
            TopicCompression::Producer => None,
            TopicCompression::Uncompressed => Some(0),
            TopicCompression::Gzip => Some(1),
            TopicCompression::Snappy => Some(2),
            TopicCompression::Lz4 => Some(3),
            TopicCompression::Zstd => Some(4),
        }
    }
}

choice! {
    /// Whether a TLS client has to show a certificate.
    SslClientAuth {
        /// It has to.
        Required = "required",
        /// It is asked, and may decline.
        Requested = "requested",
        /// It is not asked.
        None = "none",
    }
}

choice! {
    /// In which directions a group with members may change between the classic and the consumer protocol.
    GroupMigrationPolicy {
        /// In none.
        Disabled = "disabled",
        /// From classic to consumer.
        Upgrade = "upgrade",
        /// From consumer to classic.
        Downgrade = "downgrade",
        /// In both.
        Bidirectional = "bidirectional",
    }
}

choice! {
    /// How much is measured.
    RecordingLevel {
        /// What operators watch.
        Info = "INFO",
        /// More.
        Debug = "DEBUG",
        /// Everything.
        Trace = "TRACE",
    }
}

/// What becomes of old records: `cleanup.policy`. Neither of the two keeps them for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CleanupPolicy {
    /// Old segments are deleted by age, size and log start offset.
    pub delete: bool,
    /// The last record of each key stays, earlier ones go.
    pub compact: bool,
}

impl CleanupPolicy {
    /// Only deletion: the default.
    pub const DELETE: CleanupPolicy = CleanupPolicy { delete: true, compact: false };
    /// Only compaction.
    pub const COMPACT: CleanupPolicy = CleanupPolicy { delete: false, compact: true };
}

impl fmt::Display for CleanupPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.compact, self.delete) {
            (true, true) => "compact,delete",
            (true, false) => "compact",
            (false, true) => "delete",
            (false, false) => "",
        })
    }
}

impl Setting for CleanupPolicy {
    fn config_type(&self) -> ConfigType {
        ConfigType::List
    }
    fn read(&mut self, text: &str, _valid: Valid) -> bool {
        let mut policy = CleanupPolicy { delete: false, compact: false };
        for item in split_list(text) {
            match item.as_str() {
                "delete" => policy.delete = true,
                "compact" => policy.compact = true,
                _ => return false,
            }
        }
        *self = policy;
        true
    }
    fn value(&self) -> Value<'_> {
        Value::Text(match (self.compact, self.delete) {
            (true, true) => "compact,delete",
            (true, false) => "compact",
            (false, true) => "delete",
            (false, false) => "",
        })
    }
    fn choices(&self) -> &'static [&'static str] {
        &["delete", "compact"]
    }
}
