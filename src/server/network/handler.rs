//! What the network layer asks of whoever understands the frames: `server::api`.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;

use super::gate::{Gates, Queued};
use super::mailbox::{Answer, Mailbox, Message};
use super::send::SendFrame;

/// Turns frames into answers.
///
/// All calls come on the network thread that owns the connection, so an implementation must not block: what has to
/// wait defers its answer with [`Slot::defer`]. A panic ends the connection and nothing else.
pub(crate) trait RequestHandler: Send + Sync + 'static {
    /// What is kept for each connection (who is logged in, which versions it speaks, …). It is only lent to the
    /// calls on the network thread, so it needs no lock.
    type Session: Send + 'static;

    /// Whether a connection may stay that the system has accepted.
    fn admits(&self, _connection: &ConnectionContext) -> bool {
        true
    }

    /// A connection was accepted.
    fn connection_opened(&self, connection: &Arc<ConnectionContext>) -> Self::Session;

    /// A whole frame has arrived, without the four bytes of its size; frames come in the order in which they
    /// arrived on the connection, also while earlier ones wait for their answers. `frame` shares its memory with
    /// nobody.
    fn handle(
        &self,
        connection: &Arc<ConnectionContext>,
        session: &mut Self::Session,
        frame: Bytes,
        slot: Slot<'_>,
    ) -> Outcome;

    /// The connection has ended, for whatever reason; answers that are still due go nowhere.
    fn connection_closed(&self, connection: &Arc<ConnectionContext>, session: Self::Session);
}

/// Who is at the other end.
#[derive(Debug)]
pub(crate) struct ConnectionContext {
    /// A number that no other connection of this process's networks has had since the network was started.
    pub(crate) id: u64,
    /// The listener that accepted it.
    pub(crate) listener: Arc<str>,
    /// The address of the client.
    pub(crate) peer: SocketAddr,
    /// The address that the client connected to.
    pub(crate) local: SocketAddr,
}

/// What became of a frame.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The answer, now.
    Respond(SendFrame),
    /// The answer, after which the connection is closed.
    RespondThenClose(SendFrame),
    /// No answer is due (acks=0).
    NoResponse,
    /// The [`Responder`] made of the slot answers later.
    Pending,
    /// The peer broke the protocol: the answers before this one leave, then the connection is closed.
    Close,
}

/// The place of one answer in the order of its connection. It costs nothing unless it is deferred.
pub(crate) struct Slot<'a> {
    pub(super) mailbox: &'a Arc<Mailbox>,
    pub(super) gates: &'a Arc<Gates>,
    pub(super) token: usize,
    pub(super) connection: u64,
    pub(super) sequence: u64,
    pub(super) deferred: &'a mut bool,
    /// Nothing more of the connection is to be taken up for now.
    pub(super) held_back: &'a mut bool,
}

/// While this lives, nothing more of a connection is taken up.
#[must_use = "dropped, the connection goes on"]
pub(crate) struct HoldBack {
    mailbox: Arc<Mailbox>,
    token: usize,
    connection: u64,
}

impl Drop for HoldBack {
    fn drop(&mut self) {
        let (token, connection) = (self.token, self.connection);
        self.mailbox.post(Message::Resume { token, connection });
    }
}

impl Slot<'_> {
    /// Leaves what the peer sends next where it is, for as long as what is given back lives: for requests that must be
    /// worked off in the order in which they came, on another thread.
    pub(crate) fn hold_back(&mut self) -> HoldBack {
        *self.held_back = true;
        let (token, connection) = (self.token, self.connection);
        HoldBack { mailbox: Arc::clone(self.mailbox), token, connection }
    }

    /// Counts the request among those that wait for a thread, for as long as what is given back lives. There may be
    /// `queued.max.requests` of them before no more are read.
    pub(crate) fn enqueue(&self) -> Queued {
        Queued::new(self.gates)
    }

    /// Keeps the place for an answer that comes later, from any thread; the handler then returns
    /// [`Outcome::Pending`]. (If it returns anything else, that counts, and what the responder does is ignored.)
    pub(crate) fn defer(self) -> Responder {
        *self.deferred = true;
        Responder {
            mailbox: Some(Arc::clone(self.mailbox)),
            token: self.token,
            connection: self.connection,
            sequence: self.sequence,
        }
    }
}

/// Answers one request, from any thread. Dropped without an answer it closes the connection, so that a client
/// never waits for an answer that nobody owes it any more. If the connection has ended meanwhile, the answer goes
/// nowhere.
#[must_use = "a responder dropped without an answer closes the connection"]
pub(crate) struct Responder {
    mailbox: Option<Arc<Mailbox>>,
    token: usize,
    connection: u64,
    sequence: u64,
}

impl Responder {
    /// Answers.
    pub(crate) fn send(mut self, frame: SendFrame) {
        self.post(Answer::Send(frame));
    }

    /// Answers, after which the connection is closed.
    pub(crate) fn send_then_close(mut self, frame: SendFrame) {
        self.post(Answer::SendThenClose(frame));
    }

    /// No answer is due (acks=0).
    pub(crate) fn none(mut self) {
        self.post(Answer::Nothing);
    }

    /// Closes the connection, after the answers before this one.
    pub(crate) fn close(mut self) {
        self.post(Answer::Close);
    }

    /// The [`ConnectionContext::id`] of the connection that waits.
    pub(crate) fn connection_id(&self) -> u64 {
        self.connection
    }

    fn post(&mut self, answer: Answer) {
        if let Some(mailbox) = self.mailbox.take() {
            let (token, connection, sequence) = (self.token, self.connection, self.sequence);
            mailbox.post(Message::Answer { token, connection, sequence, answer });
        }
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.post(Answer::Close);
    }
}

impl std::fmt::Debug for Responder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Responder(request {} of connection {})", self.sequence, self.connection)
    }
}
