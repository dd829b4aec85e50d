//! What we write is what we read, and damage is an error.

use bytes::Bytes;

use super::generate::{Generate, Generator};
use crate::protocol::api_key::{for_each_api, for_each_older_api};
use crate::protocol::*;

/// Several messages for each version, so that most fields take several values.
const ROUNDS: u64 = 12;

pub(super) fn encoded<M: Message>(message: &M, version: i16) -> Bytes {
    let mut writer = Writer::new();
    message.encode(&mut writer, version);
    let frame = writer.into_frame().unwrap();
    let bytes = frame.read().unwrap();
    assert_eq!(bytes.len(), frame.size);
    bytes
}

pub(super) fn decoded<M: Message>(bytes: &Bytes, version: i16) -> Result<M, CodecError> {
    let mut reader = Reader::new(bytes);
    let message = M::decode(&mut reader, version)?;
    reader.ensure_end()?;
    Ok(message)
}

fn each_version<M: Message + Generate>(mut check: impl FnMut(M, i16)) {
    for version in M::VERSIONS.0..=M::VERSIONS.1 {
        for seed in 0..ROUNDS {
            check(M::generate(&mut Generator::new(seed * 1000 + version as u64, version)), version);
        }
    }
}

fn survives_a_round_trip<M: Message + Generate>() {
    each_version::<M>(|message, version| {
        let bytes = encoded(&message, version);
        assert_eq!(decoded::<M>(&bytes, version).as_ref(), Ok(&message), "version {version}");
    });
}

#[test]
fn every_message_of_every_version_survives_a_round_trip() {
    macro_rules! round_trips {
        ($($key:literal $name:ident $versions:tt flexible $flexible:tt; $request:ident $response:ident,)*) => {$(
            survives_a_round_trip::<$request>();
            survives_a_round_trip::<$response>();
        )*};
    }
    for_each_api!(round_trips);
}
