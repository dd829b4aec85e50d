//! Real sockets, and a handler that the test tells what to do by the first byte of each frame.

mod answers;
mod framing;
mod idle;
mod lifecycle;
mod limits;
mod sending;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;

use super::gate::Queued;
use super::*;
use crate::sys::{Clock, Env, ManualClock, SystemClock};

/// Answer with the rest of the frame.
const ECHO: u8 = b'e';
/// No answer is due.
const NONE: u8 = b'n';
/// Leave the responder with the test.
const DEFER: u8 = b'd';
/// Drop the responder.
const FORGET: u8 = b'f';
/// Say that the answer comes later, and keep no responder.
const LIE: u8 = b'l';
/// Answer through the responder before the handler returns.
const DEFER_AND_ECHO: u8 = b's';
/// Close.
const CLOSE: u8 = b'c';
/// Answer with the rest of the frame, then close.
const ECHO_AND_CLOSE: u8 = b'q';
/// Panic.
const PANIC: u8 = b'p';
/// Keep the thread until the test lets go.
const HOLD: u8 = b'h';
/// Say that the answer comes later, and that the request waits for a thread until then.
const QUEUE: u8 = b'w';
/// Answer with as many bytes as the number behind says.
const BULK: u8 = b'b';
/// Answer with the segments that the test has laid out.
const SEGMENTS: u8 = b'g';

#[derive(Default)]
struct TestHandler {
    deferred: Mutex<Vec<(Bytes, Responder)>>,
    queued: Mutex<Vec<(Queued, Responder)>>,
    segments: Mutex<Vec<Segment>>,
    held: Mutex<()>,
    handled: AtomicUsize,
    opened: AtomicUsize,
    closed: Mutex<Vec<(u64, usize)>>,
}

impl RequestHandler for TestHandler {
    /// The requests of the connection so far.
    type Session = usize;

    fn connection_opened(&self, _connection: &Arc<ConnectionContext>) -> usize {
        self.opened.fetch_add(1, Ordering::SeqCst);
        0
    }

    fn handle(
        &self,
        _connection: &Arc<ConnectionContext>,
        session: &mut usize,
        frame: Bytes,
        slot: Slot<'_>,
    ) -> Outcome {
        *session += 1;
        self.handled.fetch_add(1, Ordering::SeqCst);
        let Some(kind) = frame.first().copied() else { return Outcome::Close };
        let body = frame.slice(1..);
        match kind {
            ECHO => Outcome::Respond(body.into()),
            NONE => Outcome::NoResponse,
            DEFER => {
                self.deferred.lock().push((body, slot.defer()));
                Outcome::Pending
            }
            QUEUE => {
                self.queued.lock().push((slot.enqueue(), slot.defer()));
                Outcome::Pending
            }
            DEFER_AND_ECHO => {
                slot.defer().send(body.into());
                Outcome::Pending
            }
            FORGET => {
                drop(slot.defer());
                Outcome::Pending
            }
            LIE => Outcome::Pending,
            HOLD => {
                // The test has the lock.
                drop(self.held.lock());
                Outcome::Respond(body.into())
            }
            CLOSE => Outcome::Close,
            ECHO_AND_CLOSE => Outcome::RespondThenClose(body.into()),
            PANIC => panic!("as the test wishes"),
            BULK => {
                let count = u32::from_be_bytes(body[..4].try_into().unwrap());
                Outcome::Respond(Bytes::from(vec![7; count as usize]).into())
            }
            SEGMENTS => Outcome::Respond(SendFrame::new(self.segments.lock().clone())),
            _ => Outcome::Close,
        }
    }

    fn connection_closed(&self, connection: &Arc<ConnectionContext>, session: usize) {
        self.closed.lock().push((connection.id, session));
    }
}

struct Fixture {
    server: SocketServer,
    handler: Arc<TestHandler>,
    address: SocketAddr,
    clock: Arc<ManualClock>,
}

impl Fixture {
    fn start() -> Self {
        Self::with(|_| {})
    }

    fn with(adjust: impl FnOnce(&mut NetworkConfig)) -> Self {
        let clock = Arc::new(ManualClock::new(0));
        let env = Env { clock: clock.clone(), ..Env::system() };
        let mut config = NetworkConfig {
            num_network_threads: 2,
            // A full backlog costs the client a second.
            socket_listen_backlog_size: 1000,
            ..NetworkConfig::default()
        };
        adjust(&mut config);
        let handler = Arc::new(TestHandler::default());
        let listener = Listener::bind("PLAINTEXT", "127.0.0.1", 0, &config).unwrap();
        let address = listener.local_addr();
        let server = SocketServer::start(config, Arc::clone(&handler), &env).unwrap();
        server.accept_from(listener).unwrap();
        Fixture { server, handler, address, clock }
    }

    fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// Takes the responders that the handler has left, once there are `count`, in the order of their requests.
    fn deferred(&self, count: usize) -> Vec<(Bytes, Responder)> {
        eventually("requests wait", || self.handler.deferred.lock().len() == count);
        std::mem::take(&mut *self.handler.deferred.lock())
    }

    /// Returns when the one network thread has dealt with everything that had arrived before.
    fn let_it_look(&self) {
        let opened = || self.handler.opened.load(Ordering::SeqCst);
        for _ in 0..2 {
            // What was there before this connection has its turn when the connection has been accepted.
            let before = opened();
            let _connection = self.connect();
            eventually("the connection is accepted", || opened() > before);
        }
    }

    fn handled(&self) -> usize {
        self.handler.handled.load(Ordering::SeqCst)
    }

    fn closed(&self) -> usize {
        self.handler.closed.lock().len()
    }
}

/// A client that blocks.
struct Client {
    stream: TcpStream,
}

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
        Client { stream }
    }

    fn send(&mut self, kind: u8, body: &[u8]) {
        self.stream.write_all(&frame(kind, body)).unwrap();
    }

    fn receive(&mut self) -> Vec<u8> {
        let mut size = [0; 4];
        self.stream.read_exact(&mut size).unwrap();
        let mut body = vec![0; u32::from_be_bytes(size) as usize];
        self.stream.read_exact(&mut body).unwrap();
        body
    }

    fn ask(&mut self, body: &[u8]) -> Vec<u8> {
        self.send(ECHO, body);
        self.receive()
    }

    /// Asserts that the server closes the connection without a further byte.
    #[track_caller]
    fn expect_closed(&mut self) {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}"),
        }
        assert_eq!(rest, b"");
    }
}

fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = (body.len() as u32 + 1).to_be_bytes().to_vec();
    bytes.push(kind);
    bytes.extend_from_slice(body);
    bytes
}

/// Waits until something has come true.
#[track_caller]
fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let clock = SystemClock::new();
    while !condition() {
        assert!(clock.monotonic() < Duration::from_secs(20), "never came true: {what}");
        std::thread::yield_now();
    }
}
