//! What can be wrong with bytes that should be a message.

use crate::model::ErrorCode;

/// A message that cannot be read or written: which field, at which byte of the frame, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("field '{field}' at byte {at}: {what}")]
pub(crate) struct CodecError {
    /// The byte of the frame at which reading or writing stopped.
    pub(crate) at: usize,
    /// Kafka's name of the field, in snake_case.
    pub(crate) field: &'static str,
    /// What is wrong with it.
    pub(crate) what: CodecFault,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CodecFault {
    /// The frame ends inside of the field.
    #[error("{wanted} bytes are needed, {remaining} are left")]
    Truncated {
        /// What the field takes.
        wanted: usize,
        /// What the frame has left.
        remaining: usize,
    },
    /// An array announces more elements than the rest of the frame can hold.
    #[error("{count} elements cannot fit in the {remaining} bytes that are left")]
    ImpossibleCount {
        /// The elements announced.
        count: usize,
        /// What the frame has left.
        remaining: usize,
    },
    /// Elements that are small on the wire and large in memory, too many of them for a frame of this size.
    #[error("{count} elements would take {wanted} bytes of memory, {allowed} are allowed")]
    Inflated {
        /// The elements announced.
        count: usize,
        /// What they would take.
        wanted: usize,
        /// What is left of what a frame of this size may take.
        allowed: usize,
    },
    /// A length below -1, which stands for null.
    #[error("length {0} is negative")]
    NegativeLength(i32),
    /// A length or count above what Kafka allows for the type.
    #[error("length {0} is above the limit of its type")]
    TooLong(usize),
    /// A variable-length integer of more than five bytes.
    #[error("the variable-length integer does not end")]
    UnendingVarint,
    /// A string that is not UTF-8.
    #[error("the string is not UTF-8")]
    InvalidUtf8,
    /// Null, where this version of the message has none.
    #[error("null is not allowed in this version")]
    UnexpectedNull,
    /// A tagged field that announces another size than it has.
    #[error("the tagged field announces {announced} bytes and has {actual}")]
    TaggedFieldSize {
        /// The size in front of it.
        announced: usize,
        /// What its value takes.
        actual: usize,
    },
    /// An API that we do not speak.
    #[error("API key {0} is unknown")]
    UnknownApiKey(i16),
    /// A version of a message that we do not speak.
    #[error("version {0} is not supported")]
    UnsupportedVersion(i16),
    /// The message ended and the frame did not.
    #[error("{0} bytes follow the end of the message")]
    TrailingBytes(usize),
}

impl CodecError {
    /// Kafka's code for it.
    pub(crate) fn code(&self) -> ErrorCode {
        match self.what {
            CodecFault::UnsupportedVersion(_) => ErrorCode::UnsupportedVersion,
            CodecFault::Truncated { .. }
            | CodecFault::ImpossibleCount { .. }
            | CodecFault::Inflated { .. }
            | CodecFault::NegativeLength(_)
            | CodecFault::TooLong(_)
            | CodecFault::UnendingVarint
            | CodecFault::InvalidUtf8
            | CodecFault::UnexpectedNull
            | CodecFault::TaggedFieldSize { .. }
            | CodecFault::UnknownApiKey(_)
            | CodecFault::TrailingBytes(_) => ErrorCode::InvalidRequest,
        }
    }
}
