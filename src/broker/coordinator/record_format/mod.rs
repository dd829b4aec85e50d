//! How the fields of a coordinator's records stand one after the other: Kafka's message format, outside of the protocol.

mod error;
mod reader;
mod writer;

pub(super) use error::RecordError;
pub(super) use reader::FieldReader;
pub(super) use writer::FieldWriter;
