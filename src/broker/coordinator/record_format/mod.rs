//! How the fields of a coordinator's records stand one after the other: Kafka's message format, outside of the protocol.

mod error;
#[cfg(feature = "cli")]
pub(super) mod json;
mod reader;
mod writer;

pub(in crate::broker) use error::RecordError;
pub(in crate::broker) use reader::FieldReader;
pub(in crate::broker) use writer::FieldWriter;
