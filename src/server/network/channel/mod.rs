//! One connection (Kafka: `KafkaChannel`).

mod end;
mod flush;
mod take_up;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::config::NetworkConfig;
use super::gate::Gates;
use super::handler::{ConnectionContext, RequestHandler};
use super::mailbox::{Answer, Mailbox};
use super::metrics::ThreadMetrics;
use super::quotas::Permit;
use super::receive::Receive;
use super::send::Sending;
use super::transport::Transport;
use crate::sys::panic_message;
use crate::sys::poller::{Poller, Readiness};

pub(super) use end::{End, log_end};
pub(super) use take_up::{MAX_IN_FLIGHT_BYTES, MAX_IN_FLIGHT_REQUESTS, MAX_UNSENT_BYTES};

/// Reads in a row on one connection before the others get their turn.
const READS_PER_TURN: usize = 4;

/// Bytes sent in a row on one connection before the others get their turn.
const SEND_BYTES_PER_TURN: usize = 4 * 1024 * 1024;

/// What the channels of one thread share.
pub(super) struct Workbench<H> {
    pub(super) handler: Arc<H>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) metrics: Arc<ThreadMetrics>,
    pub(super) gates: Arc<Gates>,
    pub(super) config: Arc<NetworkConfig>,
    /// What is read lands here first.
    pub(super) scratch: Vec<u8>,
    /// Where bytes of files pass through if the system cannot send them by itself.
    pub(super) file_bytes: Vec<u8>,
    /// The broker's monotonic clock, read once for all that happened at the same time.
    pub(super) now: Duration,
}

/// Whether bytes of the peer are taken up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    Open,
    /// The peer sends nothing more: what is ready leaves, then the connection ends.
    Ended,
    /// An end stands among the replies: nothing behind it counts.
    Closing,
}

/// The place of a request in the order of answers.
#[derive(Debug)]
enum Reply {
    Waiting { request_bytes: usize },
    Nothing,
    Send(Sending),
    Close(End),
}

/// One connection: a transport, the frame that is arriving, and the replies that are due.
pub(super) struct Channel<S> {
    pub(super) context: Arc<ConnectionContext>,
    token: usize,
    transport: Transport,
    session: Option<S>,
    receive: Receive,
    replies: VecDeque<Reply>,
    /// The number of the request that the first reply answers.
    first: u64,
    waiting: usize,
    waiting_bytes: usize,
    unsent_bytes: usize,
    input: Input,
    /// A request is worked off elsewhere, and those behind it must wait for that.
    held_back: bool,
    /// There may be something to read.
    readable: bool,
    /// The end of the stream has been announced.
    read_closed: bool,
    /// There is no room to write.
    blocked: bool,
    /// Room to write is reported.
    awaits_room: bool,
    broken: bool,
    /// It stands in its thread's list of those with something to do.
    pub(super) runnable: bool,
    last_active: Duration,
    counted_buffer_bytes: usize,
    counted_unsent_bytes: usize,
    /// What it has of the bytes that requests may take.
    counted_request_bytes: usize,
    _permit: Permit,
}

impl<S> Channel<S> {
    /// Takes up an accepted connection, which is registered already.
    pub(super) fn open<H: RequestHandler<Session = S>>(
        token: usize,
        transport: Transport,
        context: Arc<ConnectionContext>,
        permit: Permit,
        bench: &Workbench<H>,
    ) -> Result<Self, End> {
        let opened = catch_unwind(AssertUnwindSafe(|| bench.handler.connection_opened(&context)));
        let session = opened.map_err(|panic| End::Panic(panic_message(&*panic).to_owned()))?;
        Ok(Channel {
            context,
            token,
            transport,
            session: Some(session),
            receive: Receive::default(),
            replies: VecDeque::new(),
            first: 0,
            waiting: 0,
            waiting_bytes: 0,
            unsent_bytes: 0,
            input: Input::Open,
            held_back: false,
            readable: false,
            read_closed: false,
            blocked: false,
            awaits_room: false,
            broken: false,
            runnable: false,
            last_active: bench.now,
            counted_buffer_bytes: 0,
            counted_unsent_bytes: 0,
            counted_request_bytes: 0,
            _permit: permit,
        })
    }

    /// Takes note of what the poller says.
    pub(super) fn on_ready(&mut self, readiness: Readiness) {
        // An end, good or bad, is met by reading.
        self.readable |= readiness.readable || readiness.read_closed || readiness.broken;
        self.read_closed |= readiness.read_closed;
        self.broken |= readiness.broken;
        if readiness.writable {
            self.blocked = false;
        }
    }

    /// Puts a deferred answer in its place. One that is not waited for any more goes nowhere.
    pub(super) fn on_answer(&mut self, sequence: u64, answer: Answer) {
        let place = sequence.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        let Some(reply) = place.and_then(|index| self.replies.get_mut(index)) else { return };
        let Reply::Waiting { request_bytes } = *reply else { return };
        self.waiting -= 1;
        self.waiting_bytes -= request_bytes;
        let is_last = matches!(answer, Answer::SendThenClose(_));
        *reply = match answer {
            Answer::Send(frame) | Answer::SendThenClose(frame) => match Sending::new(frame) {
                Ok(sending) => {
                    self.unsent_bytes += sending.memory_bytes();
                    Reply::Send(sending)
                }
                Err(size) => Reply::Close(End::AnswerTooLarge(size)),
            },
            Answer::Nothing => Reply::Nothing,
            Answer::Close => Reply::Close(End::Unanswered),
        };
        if matches!(reply, Reply::Close(_)) {
            self.input = Input::Closing;
        }
        if is_last {
            self.close_after(sequence);
        }
    }

    /// Takes up what comes next.
    pub(super) fn resume(&mut self) {
        self.held_back = false;
    }

    /// Has the connection end behind the answer to this request: what was asked later is not answered any more.
    fn close_after(&mut self, sequence: u64) {
        let kept =
            usize::try_from(sequence.saturating_sub(self.first)).unwrap_or(usize::MAX).saturating_add(1);
        while self.replies.len() > kept {
            match self.replies.pop_back() {
                Some(Reply::Waiting { request_bytes }) => {
                    self.waiting -= 1;
                    self.waiting_bytes -= request_bytes;
                }
                Some(Reply::Send(sending)) => self.unsent_bytes -= sending.memory_bytes(),
                Some(Reply::Nothing | Reply::Close(_)) | None => {}
            }
        }
        self.replies.push_back(Reply::Close(End::Handler));
        self.input = Input::Closing;
        self.receive.clear();
    }

    /// Does what can be done: sends what is ready and takes up what has arrived. Says whether there is more to do
    /// that waits only for the other connections to have their turn.
    pub(super) fn proceed<H: RequestHandler<Session = S>>(
        &mut self,
        bench: &mut Workbench<H>,
        poller: &Poller,
    ) -> Result<bool, End> {
        let mut budget = SEND_BYTES_PER_TURN;
        let mut reads = 0;
        loop {
            self.flush(bench, poller, &mut budget)?;
            if reads == READS_PER_TURN || budget == 0 {
                return Ok(true);
            }
            reads += 1;
            if !self.take_up(bench)? {
                self.flush(bench, poller, &mut budget)?;
                return Ok(budget == 0);
            }
        }
    }

    fn count_memory<H>(&mut self, bench: &Workbench<H>) {
        let metrics = &bench.metrics;
        let buffer_bytes = self.receive.buffer_bytes();
        if buffer_bytes != self.counted_buffer_bytes {
            metrics.receive_buffer_bytes.add(buffer_bytes);
            metrics.receive_buffer_bytes.subtract(self.counted_buffer_bytes);
            self.counted_buffer_bytes = buffer_bytes;
        }
        let gate = &bench.gates.request_bytes;
        if gate.has_limit() {
            let request_bytes = self.receive.claimed_bytes() + self.waiting_bytes;
            let counted = std::mem::replace(&mut self.counted_request_bytes, request_bytes);
            match request_bytes.checked_sub(counted) {
                Some(more) => gate.enter(more),
                None => gate.leave(counted - request_bytes),
            }
        }
        if self.unsent_bytes != self.counted_unsent_bytes {
            metrics.unsent_bytes.add(self.unsent_bytes);
            metrics.unsent_bytes.subtract(self.counted_unsent_bytes);
            self.counted_unsent_bytes = self.unsent_bytes;
        }
    }

    /// When this connection will have been idle for `idle`. One that is owed an answer is not idle; one that does
    /// not take its answers is.
    pub(super) fn idle_at(&self, idle: Duration, now: Duration) -> Duration {
        let active = if self.waiting > 0 { now } else { self.last_active };
        active.saturating_add(idle)
    }

    /// Takes up nothing more; what is ready leaves, then the connection ends.
    pub(super) fn stop(&mut self) {
        if self.input == Input::Open {
            self.input = Input::Ended;
        }
        self.receive.clear();
    }

    /// Ends the connection.
    pub(super) fn close<H: RequestHandler<Session = S>>(mut self, end: &End, bench: &Workbench<H>) {
        self.receive.clear();
        (self.unsent_bytes, self.waiting_bytes) = (0, 0);
        self.count_memory(bench);
        log_end(&self.context, end);
        if let Some(session) = self.session.take() {
            let (handler, context) = (&bench.handler, &self.context);
            let closed = catch_unwind(AssertUnwindSafe(|| handler.connection_closed(context, session)));
            if let Err(panic) = closed {
                log_end(context, &End::Panic(panic_message(&*panic).to_owned()));
            }
        }
    }
}
