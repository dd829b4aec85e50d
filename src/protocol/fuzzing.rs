//! What has to hold for any bytes: they are refused, or what they say can be written and reads the same again.

use bytes::Bytes;

use super::api_key::{for_each_api, for_each_older_api};
use super::*;

macro_rules! define_dispatch {
    ($($key:literal $name:ident $versions:tt flexible $flexible:tt; $request:ident $response:ident,)*) => {
        fn read_request(api_key: ApiKey, reader: &mut Reader<'_>, version: i16) {
            match api_key {
                $(ApiKey::$name => reads_the_same_again::<$request>(reader, version),)*
            }
        }

        fn read_response(api_key: ApiKey, reader: &mut Reader<'_>, version: i16) {
            match api_key {
                $(ApiKey::$name => reads_the_same_again::<$response>(reader, version),)*
            }
        }
    };
}

for_each_api!(define_dispatch);

fn reads_the_same_again<M: Message>(reader: &mut Reader<'_>, version: i16) {
    let Ok(message) = M::decode(reader, version) else { return };
    let mut writer = Writer::new();
    message.encode(&mut writer, version);
    let frame = writer.into_frame().expect("what was read can be written");
    let bytes = frame.read().expect("no part of it is in a file");
    assert_eq!(bytes.len(), frame.size);
    let mut reader = Reader::new(&bytes);
    assert_eq!(M::decode(&mut reader, version), Ok(message));
    assert_eq!(reader.ensure_end(), Ok(()));
}

/// A frame as a listener receives it.
pub(crate) fn request(data: &[u8]) {
    let frame = Bytes::copy_from_slice(data);
    let mut reader = Reader::new(&frame);
    if let Ok(header) = RequestHeader::decode(&mut reader) {
        read_request(header.api_key, &mut reader, header.api_version);
    }
}

/// Two bytes of API key, two of version, and a frame as a client receives it.
pub(crate) fn response(data: &[u8]) {
    let Some((&[k, e, v, s], frame)) = data.split_first_chunk() else { return };
    let Some(api_key) = ApiKey::from_code(i16::from_be_bytes([k, e])) else { return };
    let version = i16::from_be_bytes([v, s]);
    let frame = Bytes::copy_from_slice(frame);
    let mut reader = Reader::new(&frame);
    if decode_response_header(&mut reader, api_key, version).is_ok() {
        read_response(api_key, &mut reader, version);
    }
}
