//! How a test looks at requests and answers, and meddles with them.
//!
//! A broker has an [`Interceptor`] only if one was handed in when its first listener was opened; without, a request
//! pays one branch for it.

use std::fmt;
use std::time::Duration;

pub(crate) use super::network::{ConnectionContext, Responder};
use crate::model::ErrorCode;
use crate::protocol::RequestHeader;

/// Hears of every request before it is served, and of what became of it.
pub(crate) trait Interceptor: Send + Sync {
    /// Says what is to become of a request.
    fn on_request(&self, request: &InterceptedRequest<'_>) -> Ruling;

    /// A request was served as far as its own thread does it: it is over, or waits for what will end it. `ticket` is
    /// that of its ruling.
    fn on_taken_up(&self, ticket: u64);

    /// A request is over. `ticket` is that of its ruling; only the first call for it counts.
    fn on_end(&self, ticket: u64, end: &RequestEnd<'_>);

    /// Takes the place of an answer that is never to be given. Once it is dropped, the connection ends.
    fn keep_waiting(&self, place: Responder);
}

/// A request that has arrived, and is understood.
pub(crate) struct InterceptedRequest<'a> {
    pub(crate) connection: &'a ConnectionContext,
    pub(crate) header: &'a RequestHeader,
    /// The decoded body.
    pub(crate) body: &'a dyn fmt::Debug,
    pub(crate) scope: &'a Scope,
}

/// What a request is about. Topics that it names by id have their name here if they exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) topics: Vec<TopicScope>,
    pub(crate) groups: Vec<String>,
    pub(crate) transactional_id: Option<String>,
}

/// A topic that a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TopicScope {
    pub(crate) name: String,
    /// Empty if it is about the topic as a whole.
    pub(crate) partitions: Vec<i32>,
}

/// What is to become of a request. By default: what becomes of any other.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ruling {
    /// Names the request to [`Interceptor::on_end`].
    pub(crate) ticket: u64,
    /// Done in place of the work.
    pub(crate) instead: Option<Instead>,
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
    Answered(&'a dyn fmt::Debug),
    /// It needed no answer, or got none.
    Unanswered,
}
