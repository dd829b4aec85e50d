//! The one error that callers see, and the one place where an inner error becomes a Kafka error code.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::broker::MetadataError;
use crate::config::ConfigError;
use crate::log::LogError;
use crate::model::{ErrorCode, InvalidTopicName};
use crate::record::BatchError;

/// What went wrong, for people ([`fmt::Display`]) and for programs ([`Error::code`], Kafka's own number).
///
/// One word wide, and with a chain of causes ([`std::error::Error::source`]).
///
/// # Examples
/// ```
/// use ottla::{Broker, ErrorCode, NewTopic};
/// # fn main() -> Result<(), ottla::Error> {
/// let broker = Broker::temporary()?;
/// broker.admin().create_topic(NewTopic::new("orders", 1))?;
/// let error = broker.admin().create_topic(NewTopic::new("orders", 1)).unwrap_err();
/// assert_eq!(error.code(), ErrorCode::TopicAlreadyExists);
/// assert!(!error.is_retriable());
/// assert_eq!(error.to_string(), "Topic 'orders' already exists.");
/// # Ok(())
/// # }
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    code: ErrorCode,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// An error that many have in common.
#[derive(Debug)]
struct Shared(Arc<Error>);

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl StdError for Shared {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

/// The result of a call into ottla.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with a message of its own.
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Error(Box::new(Inner { code, message: message.into(), source: None }))
    }

    /// The error that `source` causes; its message is part of ours.
    pub(crate) fn caused(
        code: ErrorCode,
        context: impl fmt::Display,
        source: impl StdError + Send + Sync + 'static,
    ) -> Self {
        Error(Box::new(Inner {
            code,
            message: format!("{context}: {source}"),
            source: Some(Box::new(source)),
        }))
    }

    /// The error that `source`, which others have too, causes.
    pub(crate) fn shared(context: impl fmt::Display, source: &Arc<Error>) -> Self {
        Self::caused(source.code(), context, Shared(Arc::clone(source)))
    }

    /// An error with a message of its own, which tells what `source` says.
    pub(crate) fn with_source(
        code: ErrorCode,
        message: impl Into<String>,
        source: impl StdError + Send + Sync + 'static,
    ) -> Self {
        Error(Box::new(Inner { code, message: message.into(), source: Some(Box::new(source)) }))
    }

    /// Adds what was being done, in front of the message.
    #[must_use]
    pub(crate) fn context(mut self, context: impl fmt::Display) -> Self {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }

    /// Kafka's code for this error.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// Whether the same call may succeed when it is made again.
    pub fn is_retriable(&self) -> bool {
        self.0.code.is_retriable()
    }

    /// Whether the handle that answered it is of no more use: its log directory is offline, its member or
    /// producer is fenced. Open or join again. A disk that is only full is no such case: writes succeed again once
    /// there is room.
    pub fn is_fatal(&self) -> bool {
        let mut cause = self.source();
        while let Some(error) = cause {
            if error.downcast_ref().is_some_and(LogError::is_disk_full) {
                return false;
            }
            cause = error.source();
        }
        matches!(
            self.0.code,
            ErrorCode::KafkaStorageError
                | ErrorCode::ProducerFenced
                | ErrorCode::InvalidProducerEpoch
                | ErrorCode::FencedInstanceId
        )
    }

    /// Whether the caller asked for something that can never work: a wrong setting, a wrong name.
    pub fn is_misuse(&self) -> bool {
        matches!(
            self.0.code,
            ErrorCode::InvalidRequest
                | ErrorCode::InvalidConfig
                | ErrorCode::InvalidTopicException
                | ErrorCode::InvalidPartitions
                | ErrorCode::InvalidReplicationFactor
                | ErrorCode::InvalidReplicaAssignment
                | ErrorCode::InvalidGroupId
                | ErrorCode::InvalidSessionTimeout
        )
    }
}

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Self {
        Error::new(code, code.message())
    }
}

impl From<InvalidTopicName> for Error {
    fn from(error: InvalidTopicName) -> Self {
        Error(Box::new(Inner {
            code: ErrorCode::InvalidTopicException,
            message: error.to_string(),
            source: Some(Box::new(error)),
        }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

macro_rules! from_inner {
    ($($inner:ty),+ $(,)?) => {
        $(impl From<$inner> for Error {
            fn from(error: $inner) -> Self {
                Error(Box::new(Inner { code: error.code(), message: error.to_string(), source: Some(Box::new(error)) }))
            }
        })+
    };
}

from_inner!(LogError, BatchError, ConfigError);

impl From<MetadataError> for Error {
    fn from(error: MetadataError) -> Self {
        match error {
            // As itself, so that it is seen whether the disk is only full.
            MetadataError::LogDir(error) => Error::from(*error),
            error => Error::with_source(error.code(), error.to_string(), error),
        }
    }
}
