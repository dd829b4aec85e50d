//! Every API and version against two releases of the kafka-protocol crate, which was made from Kafka's own schemas by
//! others: 0.15 has the oldest versions, 0.18 the newest. What neither has is listed, and shown by bytes in `golden`.

use bytes::{Buf, Bytes, BytesMut};

use super::generate::{Generate, Generator};
use super::round_trip::{decoded, encoded};
use crate::protocol::api_key::{for_each_api, for_each_older_api};
use crate::protocol::{self as ours, *};

/// Random messages for each version, beside the default one.
const ROUNDS: u64 = 24;

/// Versions that neither release has, by direction.
const UNCOVERED: &[(&str, i16)] = &[
    ("ListOffsetsRequest", 11),
    ("ListOffsetsResponse", 11),
    ("OffsetCommitRequest", 10),
    ("OffsetFetchRequest", 10),
    ("WriteTxnMarkersRequest", 2),
    ("WriteTxnMarkersResponse", 2),
    ("DescribeLogDirsRequest", 5),
    ("DescribeLogDirsResponse", 5),
    ("ShareFetchRequest", 2),
    ("ShareFetchResponse", 2),
    ("ShareAcknowledgeRequest", 2),
    ("ShareAcknowledgeResponse", 2),
    ("WriteShareGroupStateRequest", 1),
    ("WriteShareGroupStateResponse", 1),
    ("ReadShareGroupStateSummaryRequest", 1),
    ("ReadShareGroupStateSummaryResponse", 1),
    ("DescribeShareGroupOffsetsRequest", 1),
    ("DescribeShareGroupOffsetsResponse", 1),
];

/// What one release has to say about one type: its versions.
type Coverage = Vec<(&'static str, (i16, i16), (i16, i16))>;

macro_rules! release {
    ($module:ident, $release:ident, $rows:ident) => {
        mod $module {
            use theirs::messages::{
                RequestHeader as TheirRequestHeader, ResponseHeader as TheirResponseHeader,
            };
            use theirs::protocol::{Decodable, Encodable, HeaderVersion, Message as TheirMessage};
            use $release as theirs;

            use super::*;

            /// Bytes that they write from what they read of ours.
            fn echoed<Theirs: Decodable + Encodable>(bytes: &Bytes, version: i16, what: &str) -> Bytes {
                let mut rest = bytes.clone();
                let theirs = Theirs::decode(&mut rest, version)
                    .unwrap_or_else(|error| panic!("{what}: they cannot read {bytes:?}: {error}"));
                assert!(!rest.has_remaining(), "{what}: they leave {rest:?} of {bytes:?}");
                let mut echo = BytesMut::new();
                theirs
                    .encode(&mut echo, version)
                    .unwrap_or_else(|error| panic!("{what}: they cannot write: {error}"));
                echo.freeze()
            }

            fn compare<Ours, Theirs>(name: &'static str, coverage: &mut Coverage)
            where
                Ours: Message + Generate,
                Theirs: TheirMessage + Decodable + Encodable + Default,
            {
                coverage.push((name, Ours::VERSIONS, (Theirs::VERSIONS.min, Theirs::VERSIONS.max)));
                let from = Ours::VERSIONS.0.max(Theirs::VERSIONS.min);
                let to = Ours::VERSIONS.1.min(Theirs::VERSIONS.max);
                for version in from..=to {
                    for seed in 0..ROUNDS {
                        let what = format!("{name} version {version} seed {seed}");
                        let message = Ours::generate(&mut Generator::new(seed, version));
                        let bytes = encoded(&message, version);
                        let echo = echoed::<Theirs>(&bytes, version, &what);
                        assert_eq!(echo, bytes, "{what}: bytes");
                        assert_eq!(decoded::<Ours>(&echo, version), Ok(message), "{what}: message");
                    }
                    let mut default = BytesMut::new();
                    Theirs::default().encode(&mut default, version).unwrap();
                    assert_eq!(default, encoded(&Ours::default(), version), "{name} {version}: default");
                }
            }

            fn compare_headers<R: Request, Theirs, TheirResponse>()
            where
                Theirs: HeaderVersion + TheirMessage,
                TheirResponse: HeaderVersion + TheirMessage,
            {
                for version in
                    R::VERSIONS.0.max(Theirs::VERSIONS.min)..=R::VERSIONS.1.min(Theirs::VERSIONS.max)
                {
                    let request_header = Theirs::header_version(version);
                    assert_eq!(
                        R::KEY.request_header_version(version),
                        request_header,
                        "{:?} {version}",
                        R::KEY
                    );
                    let response_header = TheirResponse::header_version(version);
                    assert_eq!(
                        R::KEY.response_header_version(version),
                        response_header,
                        "{:?} {version}",
                        R::KEY
                    );

                    for client_id in [None, Some("kcat")] {
                        let their_header = TheirRequestHeader::default()
                            .with_request_api_key(R::KEY.code())
                            .with_request_api_version(version)
                            .with_correlation_id(77)
                            .with_client_id(client_id.map(theirs::protocol::StrBytes::from_static_str));
                        let mut bytes = BytesMut::new();
                        their_header.encode(&mut bytes, request_header).unwrap();
                        let bytes = bytes.freeze();
                        let mut reader = Reader::new(&bytes);
                        let header = RequestHeader::decode(&mut reader).unwrap();
                        reader.ensure_end().unwrap();
                        assert_eq!(
                            header,
                            RequestHeader {
                                api_key: R::KEY,
                                api_version: version,
                                correlation_id: 77,
                                client_id: client_id.map(StrBytes::from_static),
                            }
                        );
                        let frame = encode_request_frame(&header, &R::default()).unwrap().read().unwrap();
                        assert_eq!(frame.slice(..bytes.len()), bytes);
                        assert_eq!(frame.slice(bytes.len()..), encoded(&R::default(), version));
                    }

                    let mut bytes = BytesMut::new();
                    TheirResponseHeader::default()
                        .with_correlation_id(-5)
                        .encode(&mut bytes, response_header)
                        .unwrap();
                    let response = R::Response::default();
                    let frame = encode_response_frame(-5, &response, version).unwrap().read().unwrap();
                    assert_eq!(frame.slice(..bytes.len()), bytes);
                    let mut reader = Reader::new(&frame);
                    assert_eq!(decode_response_header(&mut reader, R::KEY, version), Ok(-5));
                    assert_eq!(R::Response::decode(&mut reader, version), Ok(response));
                    reader.ensure_end().unwrap();
                }
            }

            $rows!(compare_each);
        }
    };
}

macro_rules! compare_each {
    ($($key:literal $name:ident $versions:tt flexible $flexible:tt; $request:ident $response:ident,)*) => {
        pub(super) fn compare_all() -> Coverage {
            let mut coverage = Coverage::new();
            $(
                compare::<ours::$request, theirs::messages::$request>(stringify!($request), &mut coverage);
                compare::<ours::$response, theirs::messages::$response>(stringify!($response), &mut coverage);
            )*
            compare::<ours::ConsumerProtocolSubscription, theirs::messages::ConsumerProtocolSubscription>(
                "ConsumerProtocolSubscription",
                &mut coverage,
            );
            compare::<ours::ConsumerProtocolAssignment, theirs::messages::ConsumerProtocolAssignment>(
                "ConsumerProtocolAssignment",
                &mut coverage,
            );
            coverage
        }

        pub(super) fn compare_all_headers() {
            $(compare_headers::<
                ours::$request,
                theirs::messages::$request,
                theirs::messages::$response,
            >();)*
        }
    };
}

// The older one does not know share groups, nor whose settings there are but clients' metrics.
release!(release_015, kafka_protocol_015, for_each_older_api);
release!(release_018, kafka_protocol_018, for_each_api);

#[test]
fn every_message_is_what_another_implementation_reads_and_writes() {
    let mut uncovered = Vec::new();
    let older = release_015::compare_all();
    for (name, ours, new) in release_018::compare_all() {
        let same = older.iter().find(|(older_name, ..)| *older_name == name);
        let old = same.map_or(new, |(_, _, old)| *old);
        let covered = |version: &i16| [old, new].iter().any(|(from, to)| (*from..=*to).contains(version));
        uncovered
            .extend((ours.0..=ours.1).filter(|version| !covered(version)).map(|version| (name, version)));
    }
    assert_eq!(uncovered, UNCOVERED);
}

#[test]
fn headers_are_what_another_implementation_reads_and_writes() {
    release_015::compare_all_headers();
    release_018::compare_all_headers();
}
