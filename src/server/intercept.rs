//! How a test looks at requests and answers, and meddles with them.
//!
//! A broker has an [`Interceptor`] only if one was handed in when its first listener was opened; without, a request
//! pays one branch for it.

use std::fmt;
use std::time::Duration;

pub(crate) use super::network::{ConnectionContext, Responder};
use super::versions::ApiVersionRanges;
use crate::model::{BrokerId, ErrorCode};
use crate::protocol::walk::{Walk, Walker};
use crate::protocol::{CodecError, Message, RequestHeader};

/// Hears of every request before it is served, and of what became of it.
pub(crate) trait Interceptor: Send + Sync {
    /// The number of the first connection, for those of a broker that comes back not to be taken for older ones.
    fn first_connection(&self) -> u64;

    /// Says whether a connection may stay that a client has just opened.
    fn on_connection(&self, connection: &ConnectionContext) -> bool;

    /// A connection that was let in has ended.
    fn on_disconnect(&self, connection: &ConnectionContext);

    /// Says what is to become of a request.
    fn on_request(&self, request: &InterceptedRequest<'_>) -> Ruling;

    /// A request was refused before it could be ruled.
    fn on_refusal(&self, request: &RefusedRequest<'_>);

    /// A request was served as far as its own thread does it: it is over, or waits for what will end it. `ticket` is
    /// that of its ruling.
    fn on_taken_up(&self, ticket: u64);

    /// A request is over. `ticket` is that of its ruling; only the first call for it counts.
    fn on_end(&self, ticket: u64, end: &RequestEnd<'_>);

    /// The answer to a request that is over leaves now, after a delay.
    fn on_late_answer(&self, ticket: u64);

    /// The versions of each API that are offered, if not all are.
    fn versions(&self) -> Option<ApiVersionRanges>;

    /// Takes the place of an answer that is never to be given. Once it is dropped, the connection ends.
    fn keep_waiting(&self, place: Responder);
}

/// A request that has arrived, and is understood.
pub(crate) struct InterceptedRequest<'a> {
    pub(crate) connection: &'a ConnectionContext,
    pub(crate) header: &'a RequestHeader,
    /// The decoded body.
    pub(crate) body: &'a dyn Body,
    pub(crate) scope: &'a Scope,
}

/// A request of which there is no more than its header.
pub(crate) struct RefusedRequest<'a> {
    pub(crate) connection: &'a ConnectionContext,
    pub(crate) header: &'a RequestHeader,
    pub(crate) why: Refusal<'a>,
    /// Where there is none, the connection ends.
    pub(crate) answer: Option<&'a dyn Body>,
}

/// Why a request is not looked into.
pub(crate) enum Refusal<'a> {
    /// Its version is not one of these, which are offered, if any are.
    Version(Option<(i16, i16)>),
    /// Its bytes are no such request.
    Undecodable(&'a CodecError),
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Version(None) => f.write_str("unsupported version: none is offered"),
            Refusal::Version(Some((min, max))) => {
                write!(f, "unsupported version: {min} to {max} are offered")
            }
            Refusal::Undecodable(error) => write!(f, "cannot be decoded: {error}"),
        }
    }
}

/// A decoded request or answer, whatever it is.
pub(crate) trait Body: fmt::Debug {
    /// Tells of all that is in it.
    fn walk(&self, walker: &mut dyn Walker);
}

impl<M: Message> Body for M {
    fn walk(&self, walker: &mut dyn Walker) {
        // The same walk changes messages, too. A copy shares strings and records.
        Walk::walk(&mut self.clone(), walker);
    }
}

/// What a request is about. Topics that it names by id have their name here if they exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) topics: Vec<TopicScope>,
    pub(crate) groups: Vec<String>,
    pub(crate) transactional_ids: Vec<String>,
}

/// A topic that a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TopicScope {
    pub(crate) name: String,
    /// Empty if it is about the topic as a whole.
    pub(crate) partitions: Vec<i32>,
}

/// What is to become of a request. By default: what becomes of any other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ruling {
    /// Names the request to [`Interceptor::on_end`].
    pub(crate) ticket: u64,
    /// Done in place of the work.
    pub(crate) instead: Option<Instead>,
    /// What of the request is answered with an error, while the work for the others is done.
    pub(crate) part: Option<Part>,
    /// What moves to another broker before the request is served.
    pub(crate) moves: Vec<Move>,
    /// How much later the answer leaves, on the broker's clock.
    pub(crate) delay: Duration,
    /// What becomes of the answer.
    pub(crate) answer: AnswerFate,
    /// What the answer says of how long the client is to be quiet.
    pub(crate) throttle_ms: Option<i32>,
    /// Damages the checksum of the first batch of each partition that is fetched.
    pub(crate) corrupt_crc: bool,
}

/// What is done in place of a request's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instead {
    /// The answer says this error, of everything that was asked for.
    Error(ErrorCode),
    /// There never is an answer.
    Swallow,
    /// The connection ends.
    Disconnect,
}

/// A part of a request that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) code: ErrorCode,
    /// The topic, by the broker's name of it; otherwise all.
    pub(crate) topic: Option<String>,
    /// The partition of it; otherwise all.
    pub(crate) partition: Option<i32>,
    /// The group; otherwise all.
    pub(crate) group: Option<String>,
    /// The transactional id; otherwise all.
    pub(crate) transactional_id: Option<String>,
}

/// Something that another broker takes over, where there are several: the one with this id, or the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// The partitions that the request is about: of this topic, with this number, or all.
    Leaders { topic: Option<String>, partition: Option<i32>, to: Option<BrokerId> },
    /// Coordinating the groups and the transactional id that the request is about.
    Coordinators { to: Option<BrokerId> },
    /// Being the controller.
    Controller { to: Option<BrokerId> },
}

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum AnswerFate {
    /// It leaves.
    #[default]
    Send,
    /// It never leaves, though the work is done.
    Drop,
    /// The connection ends instead.
    Disconnect,
    /// So many of its bytes leave, then the connection ends.
    Cut(usize),
}

/// What became of a request.
pub(crate) enum RequestEnd<'a> {
    /// It was answered, or would have been.
    Answered(&'a dyn Body),
    /// It needed no answer, or got none.
    Unanswered,
}
