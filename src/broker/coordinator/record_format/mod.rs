//! How the fields of a coordinator's records stand one after the other: Kafka's message format, outside of the protocol.

mod error;
#[cfg(feature = "cli")]
pub(super) mod json;
mod reader;
mod writer;

pub(super) use error::RecordError;
pub(super) use reader::FieldReader;
pub(super) use writer::FieldWriter;
