//! Kafka's wire protocol: bytes to messages and back. No I/O, no clock, no state.
//!
//! ```text
//!   frame -> Reader -> RequestHeader -> ProduceRequest::decode(reader, version)      messages/: one file an API,
//!   Frame <- Writer <- encode_response_frame(correlation_id, &ProduceResponse, version)   one row a field
//! ```
//!
//! Strings, bytes and records of a decoded message are slices of its frame. Records of an encoded one become
//! segments of their own, those in a file unread. Whatever the bytes are, reading them gives a message or a
//! [`CodecError`], and makes room for no more than has arrived.

mod api_key;
mod codec_error;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod header;
mod message;
pub(crate) mod messages;
mod reader;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod walk;
mod wire;
mod writer;

pub use api_key::ApiKey;
#[cfg(test)]
pub(crate) use api_key::{for_each_api, for_each_older_api};
pub(crate) use codec_error::{CodecError, CodecFault};
pub(crate) use header::{RequestHeader, decode_response_header, encode_request_frame, encode_response_frame};
pub(crate) use message::{Message, Request, Response};
pub(crate) use messages::*;
pub(crate) use reader::Reader;
pub(crate) use wire::StrBytes;
pub(crate) use writer::{Frame, Segment, Writer};
