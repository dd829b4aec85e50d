//! What was asked of the broker over the wire.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use super::TestBroker;
use super::field_value::FieldValue;
use super::request_match::{RequestFacts, RequestMatch};
use crate::model::ErrorCode;
use crate::protocol::{ApiKey, RequestHeader};
use crate::server::intercept::{Body, ConnectionContext, InterceptedRequest, RefusedRequest, Scope};

/// How many requests are remembered; the oldest are forgotten first.
const MAX_ENTRIES: usize = 10_000;

/// How many requests are told of where another one is waited for.
const TOLD: usize = 5;

/// How much of a request's text is kept.
const MAX_TEXT: usize = 4 * 1024;

/// A request, and what became of it: [`TestBroker::journal`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JournalEntry {
    /// Counts the requests of this broker, from 0 on.
    pub number: u64,
    /// What was called.
    pub api: ApiKey,
    /// In which version.
    pub api_version: i16,
    /// How the client pairs the answer with it.
    pub correlation_id: i32,
    /// How the client calls itself; empty if it does not.
    pub client_id: String,
    /// The number of its connection. No other connection has it, before or after a restart.
    pub connection: u64,
    /// Where the client is.
    pub peer: SocketAddr,
    /// When it came, in milliseconds since the Unix epoch, on the broker's clock.
    pub timestamp_ms: i64,
    /// The decoded request, for people: of records, only how many bytes they are. Cut after 4 KiB. Of one that was
    /// refused, why.
    pub request: String,
    /// The decoded request, by Kafka's names: see [`FieldValue`]. [`FieldValue::Null`] if it was
    /// [refused](JournalEnd::refusal).
    pub body: FieldValue,
    /// Whether the request says more than [`JournalEntry::body`] does.
    pub is_truncated: bool,
    /// What became of it.
    pub end: Option<JournalEnd>,
    is_taken_up: bool,
    scope: Scope,
    received_at: Duration,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalEnd {
    /// Whether there was an answer. There is none to a request that needs none (`acks=0`), and none where a rule for
    /// faults has it so; to that which a rule drops on its way, there was one.
    pub is_answered: bool,
    /// All errors in the answer, each once; none if all went well.
    pub error_codes: Vec<ErrorCode>,
    /// The answer, by Kafka's names: see [`FieldValue`]. [`FieldValue::Null`] if there was none.
    pub body: FieldValue,
    /// Whether the answer says more than [`JournalEnd::body`] does.
    pub is_truncated: bool,
    /// How long it took, on the broker's clock, with the delay that a rule for faults may have added, once that is over:
    /// while that lasts, and when the client has gone before its end, how long it took without it.
    pub duration: Duration,
    /// Why nobody has looked into it: `unsupported version: …`, or `cannot be decoded: …`. Of such a request there is no
    /// body, only its header, and no rule for faults is for it. Nearly always the connection has ended with it.
    pub refusal: Option<String>,
}

impl JournalEntry {
    /// The topics that it names.
    pub fn topics(&self) -> impl Iterator<Item = &str> {
        self.scope.topics.iter().map(|topic| topic.name.as_str())
    }

    /// The groups that it names.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.scope.groups.iter().map(String::as_str)
    }

    /// All but what it says.
    fn in_words(&self) -> String {
        let JournalEntry { number, api, api_version, client_id, connection, .. } = self;
        let end = match &self.end {
            None => "not over".to_owned(),
            Some(JournalEnd { refusal: Some(_), .. }) => "refused".to_owned(),
            Some(JournalEnd { is_answered: false, .. }) => "no answer".to_owned(),
            Some(JournalEnd { error_codes, .. }) if error_codes.is_empty() => "answered".to_owned(),
            Some(JournalEnd { error_codes, .. }) => format!("answered with {error_codes:?}"),
        };
        format!("#{number} {} v{api_version} of '{client_id}' on connection {connection}: {end}", api.name())
    }

    fn facts(&self) -> RequestFacts<'_> {
        RequestFacts {
            api: self.api,
            version: self.api_version,
            client_id: &self.client_id,
            connection: self.connection,
            scope: &self.scope,
        }
    }
}

impl fmt::Display for JournalEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.in_words(), self.request)
    }
}

/// Who has sent a request, and when it came.
struct Came<'a> {
    connection: &'a ConnectionContext,
    header: &'a RequestHeader,
    now_ms: i64,
    now: Duration,
}

/// The requests that are remembered.
#[derive(Debug, Default)]
pub(super) struct Journal {
    entries: VecDeque<JournalEntry>,
    next: u64,
}

impl Journal {
    /// Takes note of a request and numbers it.
    pub(super) fn begin(&mut self, request: &InterceptedRequest<'_>, now_ms: i64, now: Duration) -> u64 {
        let InterceptedRequest { connection, header, body, scope } = request;
        let mut text = format!("{body:?}");
        if text.len() > MAX_TEXT {
            let end = (0..=MAX_TEXT).rev().find(|end| text.is_char_boundary(*end));
            text.truncate(end.unwrap_or(0));
            text.push('…');
        }
        let came = Came { connection, header, now_ms, now };
        self.add(came, text, FieldValue::with_mark(*body, header.api_version), (*scope).clone())
    }

    /// Takes note of a request that is refused before anybody looks into it, and so is over at once.
    pub(super) fn refuse(&mut self, request: &RefusedRequest<'_>, now_ms: i64, now: Duration) {
        let RefusedRequest { connection, header, why, answer } = request;
        let why = why.to_string();
        let came = Came { connection, header, now_ms, now };
        let number = self.add(came, why.clone(), (FieldValue::Null, false), Scope::default());
        if let Some(entry) = self.entry(number) {
            entry.end = Some(JournalEnd {
                is_answered: answer.is_some(),
                error_codes: answer.map(|answer| error_codes(&answer)).unwrap_or_default(),
                // The only answer that there is to a version that nobody has is in the oldest.
                body: answer.map_or(FieldValue::Null, |answer| FieldValue::of(answer, 0)),
                is_truncated: false,
                duration: Duration::ZERO,
                refusal: Some(why),
            });
        }
    }

    fn add(&mut self, came: Came<'_>, text: String, body: (FieldValue, bool), scope: Scope) -> u64 {
        let Came { connection, header, now_ms, now } = came;
        let (body, is_truncated) = body;
        let number = self.next;
        self.next += 1;
        if self.entries.len() == MAX_ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(JournalEntry {
            number,
            api: header.api_key,
            api_version: header.api_version,
            correlation_id: header.correlation_id,
            client_id: header.client_id.as_deref().unwrap_or_default().to_owned(),
            connection: connection.id,
            peer: connection.peer,
            timestamp_ms: now_ms,
            request: text,
            body,
            is_truncated,
            end: None,
            is_taken_up: false,
            scope,
            received_at: now,
        });
        number
    }

    /// From now on the request counts for those who wait for it: what time does to it from here on is what the test
    /// means. One that has only been read might be parked after the test has moved the clock.
    pub(super) fn take_up(&mut self, number: u64) {
        if let Some(entry) = self.entry(number) {
            entry.is_taken_up = true;
        }
    }

    fn entry(&mut self, number: u64) -> Option<&mut JournalEntry> {
        let oldest = self.next - self.entries.len() as u64;
        let index = number.checked_sub(oldest).and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| self.entries.get_mut(index))
    }

    /// Takes note of what became of a request, once.
    pub(super) fn end(&mut self, number: u64, answer: Option<&dyn Body>, now: Duration) {
        if let Some(entry) = self.entry(number).filter(|entry| entry.end.is_none()) {
            let version = entry.api_version;
            let described = answer.map(|answer| FieldValue::with_mark(answer, version));
            let (body, is_truncated) = described.unwrap_or_default();
            entry.end = Some(JournalEnd {
                is_answered: answer.is_some(),
                error_codes: answer.map(|answer| error_codes(&answer)).unwrap_or_default(),
                body,
                is_truncated,
                duration: now.saturating_sub(entry.received_at),
                refusal: None,
            });
        }
    }

    /// Takes note of when an answer leaves that a rule has delayed.
    pub(super) fn prolong(&mut self, number: u64, now: Duration) {
        if let Some(entry) = self.entry(number)
            && let Some(end) = &mut entry.end
        {
            end.duration = now.saturating_sub(entry.received_at);
        }
    }

    pub(super) fn matching(&self, wanted: &RequestMatch) -> Vec<JournalEntry> {
        self.entries.iter().filter(|entry| wanted.matches(&entry.facts())).cloned().collect()
    }

    /// How many there are that have been taken up.
    pub(super) fn count(&self, wanted: &RequestMatch) -> usize {
        let taken_up = self.entries.iter().filter(|entry| entry.is_taken_up || entry.end.is_some());
        taken_up.filter(|entry| wanted.matches(&entry.facts())).count()
    }

    /// The last of them, for an error that tells what has come instead.
    pub(super) fn last_in_words(&self) -> String {
        if self.entries.is_empty() {
            return "nobody has sent any request".to_owned();
        }
        let behind = self.entries.iter().skip(self.entries.len().saturating_sub(TOLD));
        let told: Vec<_> = behind.map(JournalEntry::in_words).collect();
        format!("the last of all are {}", told.join(", "))
    }

    /// Forgets the requests; those to come are numbered on.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}

/// The errors that an answer's text shows, each once. (Every answer has them under this name, at its own depth.)
pub(super) fn error_codes(answer: &dyn fmt::Debug) -> Vec<ErrorCode> {
    const FIELD: &str = "error_code: ";
    let text = format!("{answer:?}");
    let mut codes = Vec::new();
    let mut in_string = false;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'e' if !in_string => {
                let number = text.get(at..).and_then(|rest| rest.strip_prefix(FIELD));
                let number = number.and_then(|rest| rest.split([',', ' ', '}']).next());
                let code = number
                    .and_then(|number| number.parse().ok())
                    .map_or(ErrorCode::None, ErrorCode::from_code);
                if code != ErrorCode::None && !codes.contains(&code) {
                    codes.push(code);
                }
            }
            _ => {}
        }
    }
    codes
}

impl TestBroker {
    /// The requests of remote clients that are meant, in the order in which they came; the last ten thousand are
    /// remembered.
    ///
    /// # Examples
    /// ```
    /// use std::io::{Read, Write};
    /// use ottla::{ApiKey, RequestMatch, TestBroker};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let kafka = TestBroker::start()?;
    /// // A client asks for the versions (key 18, version 0, correlation id 7, no client id).
    /// let mut client = std::net::TcpStream::connect(kafka.local_addr())?;
    /// client.write_all(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 255, 255])?;
    /// client.read_exact(&mut [0; 10])?;
    ///
    /// let requests = kafka.journal(&RequestMatch::any());
    /// assert_eq!((requests[0].api, requests[0].correlation_id), (ApiKey::ApiVersions, 7));
    /// assert!(requests[0].end.as_ref().is_some_and(|end| end.error_codes.is_empty()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn journal(&self, wanted: &RequestMatch) -> Vec<JournalEntry> {
        self.watch.journal().matching(wanted)
    }

    /// Forgets the requests so far.
    pub fn clear_journal(&self) {
        self.watch.journal().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_found_at_any_depth_but_not_in_texts() {
        #[derive(Debug)]
        #[expect(dead_code, reason = "it is only printed")]
        struct Answer {
            error_code: i16,
            message: &'static str,
            topics: Vec<Topic>,
        }
        #[derive(Debug)]
        #[expect(dead_code, reason = "it is only printed")]
        struct Topic {
            error_code: i16,
        }
        let topics = vec![Topic { error_code: 6 }, Topic { error_code: 0 }, Topic { error_code: 6 }];
        let answer = Answer { error_code: 3, message: "a \" error_code: 7, b", topics };
        assert_eq!(
            error_codes(&answer),
            [ErrorCode::UnknownTopicOrPartition, ErrorCode::NotLeaderOrFollower]
        );
    }
}
