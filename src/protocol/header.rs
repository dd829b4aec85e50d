//! What stands in front of every request and response, and whole frames of both.
//!
//! Request header version 0 has no client id (only ControlledShutdown version 0 has it); 1 adds it; 2 adds tagged
//! fields, while the client id keeps its plain length, so that a broker can read it without knowing the version of
//! the API. Response header version 1 adds tagged fields.

use super::api_key::ApiKey;
use super::codec_error::{CodecError, CodecFault};
use super::message::{Request, Response};
use super::reader::Reader;
use super::wire::{Nullable, StrBytes, Wire};
use super::writer::{Frame, Writer};

/// The last version of the request header.
const FLEXIBLE_REQUEST_HEADER: i16 = 2;
/// The last version of the response header.
const FLEXIBLE_RESPONSE_HEADER: i16 = 1;

/// Who asks for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestHeader {
    /// The API that is called.
    pub(crate) api_key: ApiKey,
    /// The version in which the request is written and the answer is expected. Not checked: see
    /// [`ApiKey::supports`].
    pub(crate) api_version: i16,
    /// What the answer has to repeat.
    pub(crate) correlation_id: i32,
    /// How the client calls itself.
    pub(crate) client_id: Option<StrBytes>,
}

impl RequestHeader {
    /// Reads the header, up to the first byte of the body. A version that we do not speak is no error here, since
    /// ApiVersions answers it; its header is taken to be like that of our highest version.
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        const EVER: (i16, i16) = (i16::MIN, i16::MAX);
        reader.set_version(0, false);
        reader.begin("request_api_key", EVER);
        let key = i16::read(reader)?;
        let Some(api_key) = ApiKey::from_code(key) else {
            return Err(reader.error(CodecFault::UnknownApiKey(key)));
        };
        reader.begin("request_api_version", EVER);
        let api_version = i16::read(reader)?;
        reader.begin("correlation_id", EVER);
        let correlation_id = i32::read(reader)?;
        let header_version = api_key.request_header_version(api_version);
        let mut client_id = None;
        if header_version >= 1 {
            reader.begin("client_id", EVER);
            client_id = StrBytes::read_nullable(reader)?;
        }
        if header_version >= FLEXIBLE_REQUEST_HEADER {
            skip_tags(reader)?;
        }
        Ok(RequestHeader { api_key, api_version, correlation_id, client_id })
    }

    fn encode(&self, writer: &mut Writer) {
        writer.set_version(0, false);
        self.api_key.code().write(writer);
        self.api_version.write(writer);
        self.correlation_id.write(writer);
        let header_version = self.api_key.request_header_version(self.api_version);
        if header_version >= 1 {
            writer.begin("client_id", (0, 0));
            self.client_id.write(writer);
        }
        if header_version >= FLEXIBLE_REQUEST_HEADER {
            writer.put(&[0]);
        }
    }
}

/// Reads the header in front of a response to a request of `version`, and gives the correlation id.
pub(crate) fn decode_response_header(
    reader: &mut Reader<'_>,
    api_key: ApiKey,
    version: i16,
) -> Result<i32, CodecError> {
    reader.set_version(0, false);
    reader.begin("correlation_id", (0, 0));
    let correlation_id = i32::read(reader)?;
    if api_key.response_header_version(version) >= FLEXIBLE_RESPONSE_HEADER {
        skip_tags(reader)?;
    }
    Ok(correlation_id)
}

fn skip_tags(reader: &mut Reader<'_>) -> Result<(), CodecError> {
    reader.set_version(0, true);
    let mut tags = reader.tags()?;
    while let Some(tag) = reader.next_tag(&mut tags)? {
        reader.skip_tag(tag)?;
    }
    Ok(())
}

/// A whole request; `header` has to be of the same API.
pub(crate) fn encode_request_frame<R: Request>(
    header: &RequestHeader,
    request: &R,
) -> Result<Frame, CodecError> {
    debug_assert_eq!(header.api_key, R::KEY);
    let mut writer = Writer::new();
    header.encode(&mut writer);
    request.encode(&mut writer, header.api_version);
    writer.into_frame()
}

/// A whole response in `version`, which answers the request with `correlation_id`.
pub(crate) fn encode_response_frame<R: Response>(
    correlation_id: i32,
    response: &R,
    version: i16,
) -> Result<Frame, CodecError> {
    let mut writer = Writer::new();
    correlation_id.write(&mut writer);
    if R::KEY.response_header_version(version) >= FLEXIBLE_RESPONSE_HEADER {
        writer.put(&[0]);
    }
    response.encode(&mut writer, version);
    writer.into_frame()
}
