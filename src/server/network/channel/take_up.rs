//! Bytes that have arrived become requests.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::{Buf, Bytes};

use super::{Channel, End, Input, Reply, Workbench};
use crate::server::network::gate::Gates;
use crate::server::network::handler::{Outcome, RequestHandler, Slot};
use crate::server::network::send::{SendFrame, Sending};
use crate::sys::panic_message;

/// Requests of one connection that may wait for their answers. Clients keep 5 (Java) to a few hundred in flight;
/// this only bounds what a hostile one can pile up.
pub(in crate::server::network) const MAX_IN_FLIGHT_REQUESTS: usize = 1_000;

/// Bytes of requests that may wait for their answers on one connection, since a waiting request may keep its frame;
/// one more request may start below it. Room for the largest batches of five requests in flight.
pub(in crate::server::network) const MAX_IN_FLIGHT_BYTES: usize = 32 * 1024 * 1024;

/// Bytes of answers in memory that the peer has not taken yet, beyond which nothing more of it is taken up: a client
/// that asks without reading holds this and one answer.
pub(in crate::server::network) const MAX_UNSENT_BYTES: usize = 1024 * 1024;

/// The buffer that a thread reads to, unless the bytes belong to a large frame.
const SCRATCH_BYTES: usize = 64 * 1024;

impl<S> Channel<S> {
    /// Whether a further request may be taken up, or the rest of one.
    fn may_take_up(&self, gates: &Gates) -> bool {
        self.input == Input::Open
            && !self.held_back
            && gates.requests.is_open()
            // Who has begun has its bytes already: it can end, and so give them back.
            && (self.receive.claimed_bytes() > 0 || gates.request_bytes.is_open())
            && self.replies.len() < MAX_IN_FLIGHT_REQUESTS
            && self.waiting_bytes < MAX_IN_FLIGHT_BYTES
            && self.unsent_bytes < MAX_UNSENT_BYTES
    }

    /// Reads once, and hands on the frames that are whole by then. Says whether there may be more.
    pub(super) fn take_up<H: RequestHandler<Session = S>>(
        &mut self,
        bench: &mut Workbench<H>,
    ) -> Result<bool, End> {
        self.count_memory(bench);
        if !self.may_take_up(&bench.gates) {
            // Nobody reads, so nobody would meet the error.
            return if self.broken { Err(End::PeerClosed) } else { Ok(false) };
        }
        let taken = if self.receive.is_stalled() {
            let mut stalled = self.receive.take_stalled();
            let left = self.take_frames(&stalled, bench);
            stalled.advance(stalled.len() - left);
            self.receive.stall(stalled);
            Ok(true)
        } else if self.readable {
            self.read(bench)
        } else {
            Ok(false)
        };
        self.count_memory(bench);
        match taken {
            Ok(more) => Ok(more),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readable = false;
                Ok(false)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(End::Socket(error)),
        }
    }

    fn read<H: RequestHandler<Session = S>>(&mut self, bench: &mut Workbench<H>) -> io::Result<bool> {
        if let Some((buffer, limit)) = self.receive.direct() {
            let received = self.transport.receive(buffer, limit)?;
            self.on_received(received, limit, bench);
            if let Some(frame) = self.receive.take_whole() {
                self.handle(frame, bench);
            }
            return Ok(received > 0);
        }
        if let Some(mut buffer) = self.receive.expect() {
            let limit = buffer.capacity();
            let received = self.transport.receive(&mut buffer, limit)?;
            self.on_received(received, limit, bench);
            self.take_expected(buffer, bench);
            return Ok(received > 0);
        }
        let mut scratch = std::mem::take(&mut bench.scratch);
        scratch.clear();
        scratch.reserve_exact(SCRATCH_BYTES);
        let received = self.transport.receive(&mut scratch, SCRATCH_BYTES);
        if let Ok(received) = received {
            self.on_received(received, SCRATCH_BYTES, bench);
            self.take_frames_or_stall(&scratch, bench);
        }
        bench.scratch = scratch;
        Ok(received? > 0)
    }

    /// Hands on what has arrived in a buffer that was made for a frame as large as the one before.
    fn take_expected<H: RequestHandler<Session = S>>(&mut self, buffer: Vec<u8>, bench: &mut Workbench<H>) {
        match self.receive.adopt(buffer, max_frame_bytes(bench)) {
            Ok((frame, rest)) => {
                if let Some(frame) = frame {
                    self.handle(frame, bench);
                }
                self.take_frames_or_stall(&rest, bench);
            }
            Err(error) => self.push(Reply::Close(End::Frame(error))),
        }
    }

    /// Hands on the whole frames of `input`, and keeps what may not be taken up yet.
    fn take_frames_or_stall<H: RequestHandler<Session = S>>(
        &mut self,
        input: &[u8],
        bench: &mut Workbench<H>,
    ) {
        let left = self.take_frames(input, bench);
        if let Some(rest) = input.get(input.len() - left..).filter(|rest| !rest.is_empty()) {
            self.receive.stall(Bytes::copy_from_slice(rest));
        }
    }

    fn on_received<H>(&mut self, received: usize, limit: usize, bench: &Workbench<H>) {
        if received == 0 {
            self.input = Input::Ended;
            self.receive.clear();
            return;
        }
        self.last_active = bench.now;
        bench.metrics.bytes_in.add(received);
        // This saves asking once more; unless the end has been announced, whose event is spent.
        if received < limit && !self.read_closed && self.transport.is_drained_by_short_read() {
            self.readable = false;
        }
    }

    /// Hands on the whole frames of `input` as far as requests may be taken up. Returns how many bytes it has left.
    fn take_frames<H: RequestHandler<Session = S>>(
        &mut self,
        mut input: &[u8],
        bench: &mut Workbench<H>,
    ) -> usize {
        let max = max_frame_bytes(bench);
        while self.may_take_up(&bench.gates) {
            match self.receive.next(&mut input, max) {
                Ok(Some(frame)) => self.handle(frame, bench),
                Ok(None) => return 0,
                Err(error) => self.push(Reply::Close(End::Frame(error))),
            }
        }
        if self.input == Input::Open { input.len() } else { 0 }
    }

    fn handle<H: RequestHandler<Session = S>>(&mut self, frame: Bytes, bench: &mut Workbench<H>) {
        bench.metrics.requests.add(1);
        let request_bytes = frame.len();
        let (mut deferred, mut held_back) = (false, false);
        let slot = Slot {
            mailbox: &bench.mailbox,
            gates: &bench.gates,
            token: self.token,
            connection: self.context.id,
            sequence: self.first + self.replies.len() as u64,
            deferred: &mut deferred,
            held_back: &mut held_back,
        };
        let (handler, context) = (&bench.handler, &self.context);
        let Some(session) = self.session.as_mut() else { return };
        let outcome = catch_unwind(AssertUnwindSafe(|| handler.handle(context, session, frame, slot)));
        // Who has let go of it already has left a message about that, which comes later.
        self.held_back |= held_back;
        match outcome {
            Ok(Outcome::Respond(frame)) => self.push_send(frame),
            Ok(Outcome::RespondThenClose(frame)) => {
                self.push_send(frame);
                self.push(Reply::Close(End::Handler));
            }
            Ok(Outcome::NoResponse) => self.push(Reply::Nothing),
            Ok(Outcome::Pending) if deferred => self.push(Reply::Waiting { request_bytes }),
            Ok(Outcome::Pending) => self.push(Reply::Close(End::Unanswered)),
            Ok(Outcome::Close) => self.push(Reply::Close(End::Handler)),
            Err(panic) => self.push(Reply::Close(End::Panic(panic_message(&*panic).to_owned()))),
        }
    }

    fn push_send(&mut self, frame: SendFrame) {
        match Sending::new(frame) {
            Ok(sending) => self.push(Reply::Send(sending)),
            Err(size) => self.push(Reply::Close(End::AnswerTooLarge(size))),
        }
    }

    fn push(&mut self, reply: Reply) {
        match &reply {
            // Nothing stands before it, so it need not stand there either.
            Reply::Nothing if self.replies.is_empty() => {
                self.first += 1;
                return;
            }
            Reply::Nothing => {}
            Reply::Waiting { request_bytes } => {
                self.waiting += 1;
                self.waiting_bytes += request_bytes;
            }
            Reply::Send(sending) => self.unsent_bytes += sending.memory_bytes(),
            Reply::Close(_) => {
                self.input = Input::Closing;
                self.receive.clear();
            }
        }
        self.replies.push_back(reply);
    }
}

fn max_frame_bytes<H>(bench: &Workbench<H>) -> usize {
    usize::try_from(bench.config.socket_request_max_bytes).unwrap_or(0)
}
