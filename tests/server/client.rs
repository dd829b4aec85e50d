//! A blocking client that says exactly what a test tells it to.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// No answer takes that long: a test that waits for one that never comes fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection.
pub(super) struct Client {
    stream: TcpStream,
    client_id: String,
    next_correlation_id: i32,
}

impl Client {
    pub(super) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream, client_id: "test".to_owned(), next_correlation_id: 1 }
    }

    /// The same connection under another client id.
    pub(super) fn named(mut self, client_id: &str) -> Self {
        self.client_id = client_id.to_owned();
        self
    }

    /// Sends a frame as it is, with its size in front.
    pub(super) fn send_frame(&mut self, frame: &[u8]) {
        let mut sized = Vec::with_capacity(4 + frame.len());
        sized.put_i32(frame.len().try_into().unwrap());
        sized.put_slice(frame);
        self.send_bytes(&sized);
    }

    pub(super) fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The next frame, without its size; `None` if the broker has closed the connection.
    pub(super) fn try_receive_frame(&mut self) -> Option<Bytes> {
        let mut size = [0; 4];
        match self.stream.read_exact(&mut size) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                return None;
            }
            Err(error) => panic!("no answer: {error}"),
        }
        let mut frame = vec![0; i32::from_be_bytes(size).try_into().unwrap()];
        self.stream.read_exact(&mut frame).unwrap();
        Some(frame.into())
    }

    pub(super) fn receive_frame(&mut self) -> Bytes {
        self.try_receive_frame().expect("the broker closed the connection")
    }

    /// Whether an answer, or the start of one, has arrived.
    pub(super) fn has_answer(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let arrived = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        match arrived {
            Ok(_) => true,
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// Whether the broker has closed the connection, and everything it had sent before was read.
    #[allow(dead_code, reason = "for the tests of the test broker")]
    pub(super) fn has_ended(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let read = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        matches!(read, Ok(0))
    }

    /// Reads up to the end of the connection.
    #[allow(dead_code, reason = "for the tests of the test broker")]
    pub(super) fn receive_rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).unwrap();
        rest
    }

    pub(super) fn expect_closed(&mut self) {
        if let Some(frame) = self.try_receive_frame() {
            panic!("an answer of {} bytes came instead of the end of the connection", frame.len());
        }
    }

    /// The header of a request in its version 1, or 2 if `flexible`.
    pub(super) fn header(&mut self, key: i16, version: i16, flexible: bool) -> BytesMut {
        let mut header = BytesMut::new();
        header.put_i16(key);
        header.put_i16(version);
        header.put_i32(self.next_correlation_id);
        self.next_correlation_id += 1;
        header.put_i16(self.client_id.len().try_into().unwrap());
        header.put_slice(self.client_id.as_bytes());
        if flexible {
            header.put_u8(0);
        }
        header
    }

    /// Takes the correlation id off an answer.
    fn answer(&mut self, flexible: bool) -> (i32, Bytes) {
        let mut frame = self.receive_frame();
        let correlation_id = frame.get_i32();
        if flexible {
            assert_eq!(frame.get_u8(), 0, "no tagged field belongs into the header of an answer");
        }
        (correlation_id, frame)
    }
}

macro_rules! speaks {
    ($crate_name:ident, $call:ident, $send:ident, $receive:ident) => {
        impl Client {
            /// Sends a request and returns its correlation id.
            pub(super) fn $send<R: $crate_name::protocol::Request>(
                &mut self,
                version: i16,
                request: &R,
            ) -> i32 {
                let flexible = R::header_version(version) >= 2;
                let correlation_id = self.next_correlation_id;
                let mut frame = self.header(R::KEY, version, flexible);
                request.encode(&mut frame, version).unwrap();
                self.send_frame(&frame);
                correlation_id
            }

            /// The next answer, which is one to an `R`, with its correlation id.
            pub(super) fn $receive<R: $crate_name::protocol::Request>(
                &mut self,
                version: i16,
            ) -> (i32, R::Response) {
                use $crate_name::protocol::{Decodable, HeaderVersion};
                let flexible = <R::Response as HeaderVersion>::header_version(version) >= 1;
                let (correlation_id, mut body) = self.answer(flexible);
                let response = R::Response::decode(&mut body, version).unwrap();
                assert!(body.is_empty(), "{} bytes follow the answer", body.len());
                (correlation_id, response)
            }

            /// Asks and waits for the answer.
            pub(super) fn $call<R: $crate_name::protocol::Request>(
                &mut self,
                version: i16,
                request: &R,
            ) -> R::Response {
                let sent = self.$send(version, request);
                let (received, response) = self.$receive::<R>(version);
                assert_eq!(received, sent, "the answers are out of order");
                response
            }
        }
    };
}

speaks!(kafka_protocol_018, call, send, receive);
speaks!(kafka_protocol_015, call_old, send_old, receive_old);
