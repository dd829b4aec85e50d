//! Whatever the bytes are, reading them ends in a message or an error.

use bytes::{Bytes, BytesMut};

use super::generate::{Generate, Generator};
use super::round_trip::{decoded, encoded};
use crate::protocol::api_key::{for_each_api, for_each_older_api};
use crate::protocol::*;

/// Seeds for each version in each of the tests here, which try many damages for one message.
const ROUNDS: u64 = 2;

/// What can be read can be written, and reads the same again.
fn reads_or_refuses<M: Message>(bytes: &Bytes, version: i16) {
    let mut reader = Reader::new(bytes);
    if let Ok(message) = M::decode(&mut reader, version) {
        assert_eq!(decoded::<M>(&encoded(&message, version), version), Ok(message));
    }
}

fn is_refused_when_truncated<M: Message + Generate>() {
    for version in M::VERSIONS.0..=M::VERSIONS.1 {
        for seed in 0..ROUNDS {
            let bytes = encoded(&M::generate(&mut Generator::new(seed, version)), version);
            for end in 0..bytes.len() {
                let error = decoded::<M>(&bytes.slice(..end), version).unwrap_err();
                assert!(error.at <= end, "{error} in {end} bytes");
            }
        }
    }
}

fn survives_large_numbers<M: Message + Generate>() {
    // i32::MAX as a plain length; 2^31 - 1, 2^32 - 2 and no end at all as compact ones; and null.
    const NUMBERS: [&[u8]; 5] = [
        &[0x7f, 0xff, 0xff, 0xff],
        &[0x80, 0x80, 0x80, 0x80, 0x08],
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0xff, 0xff, 0xff, 0xff, 0xff],
        &[0x00],
    ];
    for version in M::VERSIONS.0..=M::VERSIONS.1 {
        let bytes = (0..16)
            .map(|seed| encoded(&M::generate(&mut Generator::new(seed, version)), version))
            .filter(|bytes| bytes.len() < 400)
            .max_by_key(Bytes::len)
            .expect("not every message is long");
        for at in 0..bytes.len() {
            for number in NUMBERS {
                let mut damaged = BytesMut::from(bytes.as_ref());
                let end = bytes.len().min(at + number.len());
                damaged[at..end].copy_from_slice(&number[..end - at]);
                reads_or_refuses::<M>(&damaged.freeze(), version);
            }
        }
    }
}

fn survives_noise<M: Message + Generate>() {
    for version in M::VERSIONS.0..=M::VERSIONS.1 {
        let mut generator = Generator::new(11, version);
        for _ in 0..40 {
            // Small values more often, since they are the lengths that lead further.
            let len = generator.below(200);
            let noise: Bytes = (0..len)
                .map(|_| {
                    let byte = generator.next();
                    if byte & 0x300 == 0 { byte as u8 } else { (byte & 3) as u8 }
                })
                .collect();
            reads_or_refuses::<M>(&noise, version);
        }
    }
}

fn steps_over_unknown_tagged_fields<M: Message>() {
    for version in M::FIRST_FLEXIBLE.max(M::VERSIONS.0)..=M::VERSIONS.1 {
        let bytes = encoded(&M::default(), version);
        let (count, rest) = bytes.split_last().unwrap();
        assert_eq!(*count, 0, "a default message has no tagged fields");
        let mut longer = BytesMut::from(rest);
        // Two of them: number 999 with three bytes, number 1000 with none.
        longer.extend_from_slice(&[2, 0xe7, 0x07, 3, 1, 2, 3, 0xe8, 0x07, 0]);
        assert_eq!(decoded::<M>(&longer.freeze(), version), Ok(M::default()));
    }
}

macro_rules! check_each {
    ($($key:literal $name:ident $versions:tt flexible $flexible:tt; $request:ident $response:ident,)*) => {
        #[test]
        fn a_message_that_is_cut_anywhere_is_refused() {
            $(
                is_refused_when_truncated::<$request>();
                is_refused_when_truncated::<$response>();
            )*
        }

        #[test]
        fn lengths_in_the_billions_at_any_byte_neither_panic_nor_allocate() {
            $(
                survives_large_numbers::<$request>();
                survives_large_numbers::<$response>();
            )*
        }

        #[test]
        fn noise_is_read_or_refused() {
            $(
                survives_noise::<$request>();
                survives_noise::<$response>();
            )*
        }

        #[test]
        fn unknown_tagged_fields_are_stepped_over() {
            $(
                steps_over_unknown_tagged_fields::<$request>();
                steps_over_unknown_tagged_fields::<$response>();
            )*
        }
    };
}

for_each_api!(check_each);

/// The fault of the first error that `bytes` give as a MetadataRequest.
fn refusal(bytes: &'static [u8], version: i16) -> (&'static str, usize, CodecFault) {
    let error = decoded::<MetadataRequest>(&Bytes::from_static(bytes), version).unwrap_err();
    (error.field, error.at, error.what)
}

#[test]
fn an_error_names_the_field_and_the_byte() {
    // A topic's name, after the count and the first two bytes of its length.
    assert_eq!(
        refusal(&[0, 0, 0, 1, 0, 9, b'a'], 0),
        ("name", 6, CodecFault::Truncated { wanted: 9, remaining: 1 })
    );
    assert_eq!(refusal(&[0, 0, 0, 1, 0xff, 0xfe], 0), ("name", 6, CodecFault::NegativeLength(-2)));
    assert_eq!(refusal(&[0, 0, 0, 1, 0, 1, 0xff], 0), ("name", 7, CodecFault::InvalidUtf8));
    assert_eq!(
        refusal(&[0, 0, 0, 9, 0, 0], 0),
        ("topics", 4, CodecFault::ImpossibleCount { count: 9, remaining: 2 })
    );
    // Null topics: "all" from version 1 on, nothing in version 0.
    assert_eq!(refusal(&[0xff; 4], 0), ("topics", 4, CodecFault::UnexpectedNull));
    assert_eq!(decoded::<MetadataRequest>(&Bytes::from_static(&[0xff; 4]), 1).unwrap().topics, None);
    assert_eq!(refusal(&[0, 0, 0, 0, 1, 2], 4), ("frame", 5, CodecFault::TrailingBytes(1)));
    assert_eq!(refusal(&[], 14), ("frame", 0, CodecFault::UnsupportedVersion(14)));
    assert_eq!(refusal(&[], -1), ("frame", 0, CodecFault::UnsupportedVersion(-1)));
    // Version 9 is flexible: 0x80 0x80 0x02 is a string of 32767 bytes, one more is too long whatever follows.
    assert_eq!(refusal(&[2, 0x81, 0x80, 0x02, 0, 0], 9), ("name", 4, CodecFault::TooLong(32768)));
    assert_eq!(refusal(&[0xff; 6], 9), ("topics", 5, CodecFault::UnendingVarint));
    // No topics, three flags, then more tagged fields than there are bytes.
    assert_eq!(
        refusal(&[0, 1, 0, 0, 9, 0, 7], 9),
        ("tagged_fields", 7, CodecFault::Truncated { wanted: 7, remaining: 0 })
    );
}

#[test]
fn a_frame_cannot_grow_out_of_proportion() {
    // Topics without a name, at two bytes each.
    let frame_of = |topics: u32| {
        let mut bytes = Vec::new();
        let mut compact = topics + 1;
        while compact >= 0x80 {
            bytes.push(compact as u8 | 0x80);
            compact >>= 7;
        }
        bytes.push(compact as u8);
        bytes.extend(std::iter::repeat_n([1, 0], topics as usize).flatten());
        bytes.extend_from_slice(&[0, 0, 0, 0]);
        Bytes::from(bytes)
    };
    let topics = decoded::<MetadataRequest>(&frame_of(10_000), 9).unwrap().topics.unwrap();
    assert_eq!(topics.len(), 10_000);
    let error = decoded::<MetadataRequest>(&frame_of(1_000_000), 9).unwrap_err();
    assert_eq!(error.field, "topics");
    assert!(matches!(error.what, CodecFault::Inflated { count: 1_000_000, .. }), "{error}");
}

#[test]
fn a_tagged_field_of_another_size_than_it_says_is_refused() {
    // finalized_features_epoch, tag 1 of ApiVersionsResponse, with seven and with nine bytes announced.
    for announced in [7, 9] {
        let mut bytes = vec![0, 0, 1, 0, 0, 0, 0, 1, 1, announced];
        bytes.extend_from_slice(&[0; 9]);
        let error = decoded::<ApiVersionsResponse>(&bytes.into(), 3).unwrap_err();
        assert_eq!(error.field, "finalized_features_epoch");
        assert_eq!(error.what, CodecFault::TaggedFieldSize { announced: announced.into(), actual: 8 });
    }
}

#[test]
fn an_unknown_api_is_refused_and_an_unknown_version_is_not() {
    let bytes = Bytes::from_static(&[0x7f, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
    let error = RequestHeader::decode(&mut Reader::new(&bytes)).unwrap_err();
    assert_eq!(error.what, CodecFault::UnknownApiKey(0x7f00));

    // ApiVersions 100: the header of the highest version, with tagged fields; the body is not looked at.
    let bytes = Bytes::from_static(&[0, 18, 0, 100, 0, 0, 0, 1, 0, 1, b'x', 0, 0xab]);
    let mut reader = Reader::new(&bytes);
    let header = RequestHeader::decode(&mut reader).unwrap();
    assert_eq!((header.api_key, header.api_version), (ApiKey::ApiVersions, 100));
    assert_eq!(header.client_id.as_deref(), Some("x"));
    assert!(!header.api_key.supports(header.api_version));
    assert_eq!(reader.remaining(), 1);
}
