//! The control endpoint of `ottla test`: a test's hand on its broker, from any language, as JSON over HTTP.
//!
//! What it offers stands in [`operations`], and is written down in `examples/control.openapi.yaml`, and in the handbook's
//! page on testing.

mod disk;
mod fields;
mod groups;
pub(super) mod http;
mod nodes;
mod operations;
mod records;
mod routes;
mod show;
mod snapshots;

use std::io::BufReader;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use ottla::TestBroker;
use parking_lot::{Mutex, RwLock};
use serde_json::{Value, json};

use super::CliError;
use http::{Refusal, Request};

/// How long nobody is let in after that has failed.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);

/// The broker under test, and what the test has started on it.
pub(super) struct Control {
    kafka: RwLock<TestBroker>,
    state: Mutex<State>,
    /// The rules for requests, each as it was given.
    faults: Mutex<Vec<(ottla::FaultHandle, Value)>>,
    disk_rules: disk::DiskRules,
    offspring: snapshots::Offspring,
}

/// What a broker does, if it does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    Paused,
    Stopped,
}

impl From<State> for Value {
    fn from(state: State) -> Self {
        Value::from(match state {
            State::Running => "running",
            State::Paused => "paused",
            State::Stopped => "stopped",
        })
    }
}

/// An endpoint that is open.
pub(super) struct Serving {
    address: SocketAddr,
    has_ended: Arc<AtomicBool>,
    accepting: JoinHandle<()>,
}

impl Serving {
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections: whoever connects from now on is refused.
    fn end(self) {
        self.has_ended.store(true, Ordering::SeqCst);
        // For the thread to see it. If even that fails, it sees it with the next that comes.
        if TcpStream::connect(self.address).is_ok() && self.accepting.join().is_err() {
            tracing::error!(address = %self.address, "the control endpoint's thread has panicked");
        }
    }
}

impl Control {
    pub(super) fn new(kafka: TestBroker) -> Arc<Self> {
        Arc::new(Control {
            kafka: RwLock::new(kafka),
            state: Mutex::new(State::Running),
            faults: Mutex::default(),
            disk_rules: Default::default(),
            offspring: Default::default(),
        })
    }

    /// Serves at `address` from now on, and says where that is.
    pub(super) fn serve(self: &Arc<Self>, address: &str) -> Result<Serving, CliError> {
        let failed = |source| CliError::Control { address: address.to_owned(), source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        let control = Arc::clone(self);
        let has_ended = Arc::new(AtomicBool::new(false));
        let is_to_end = Arc::clone(&has_ended);
        let accept = move || {
            for stream in listener.incoming() {
                if is_to_end.load(Ordering::SeqCst) {
                    return;
                }
                match stream {
                    Ok(stream) => control.take(stream),
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection to the control endpoint");
                        // Such as that there are too many files: it stays so for a while, and would be said for ever.
                        std::thread::park_timeout(AFTER_FAILED_ACCEPT);
                    }
                }
            }
        };
        let accepting =
            std::thread::Builder::new().name("control".to_owned()).spawn(accept).map_err(failed)?;
        Ok(Serving { address: local, has_ended, accepting })
    }

    /// Ends the broker. A request that still waits is refused.
    pub(super) fn close(&self) {
        self.offspring.end();
        // What waits for a slow disk would be waited for.
        self.kafka.read().disk().heal();
        let kafka = self.kafka.write();
        kafka.broker().close();
    }

    /// After something that has stopped the broker, or started it, or failed to.
    fn look_whether_it_runs(&self, kafka: &TestBroker) {
        *self.state.lock() = if kafka.is_running() { State::Running } else { State::Stopped };
    }

    /// For a broker that has begun anew, and has none any more.
    fn forget_rules(&self) {
        self.faults.lock().clear();
        self.disk_rules.clear();
    }

    fn take(self: &Arc<Self>, stream: TcpStream) {
        let control = Arc::clone(self);
        let serve = move || {
            if let Err(error) = control.converse(stream) {
                tracing::debug!(%error, "a connection to the control endpoint broke");
            }
        };
        if let Err(error) = std::thread::Builder::new().name("control-conn".to_owned()).spawn(serve) {
            tracing::warn!(%error, "cannot serve a connection to the control endpoint");
        }
    }

    fn converse(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut writer = stream.try_clone()?;
        let mut reader = BufReader::new(stream);
        loop {
            let (answer, keeps_alive) = match Request::read(&mut reader) {
                Ok(None) => return Ok(()),
                Ok(Some(request)) => (routes::answer(self, &request), request.keeps_alive),
                Err(Refusal::Io(error)) => return Err(error),
                Err(Refusal::Malformed(what)) => (Err(Failure::bad_request(what)), false),
                Err(Refusal::Foreign) => (Err(Failure::foreign()), false),
            };
            let (status, body) = match answer {
                Ok(body) => (200, body),
                Err(failure) => (failure.status, failure.body()),
            };
            http::respond(&mut writer, status, &body, keeps_alive)?;
            if !keeps_alive {
                return Ok(());
            }
        }
    }
}

/// Why something was not done.
#[derive(Debug)]
struct Failure {
    status: u16,
    code: String,
    message: String,
}

impl Failure {
    fn bad_request(message: impl Into<String>) -> Self {
        Failure { status: 400, code: "INVALID_REQUEST".to_owned(), message: message.into() }
    }

    fn not_found(message: impl Into<String>) -> Self {
        Failure { status: 404, code: "NOT_FOUND".to_owned(), message: message.into() }
    }

    fn internal(message: String) -> Self {
        Failure { status: 500, code: ottla::ErrorCode::UnknownServerError.name(), message }
    }

    fn timed_out(message: String) -> Self {
        Failure { status: 408, code: ottla::ErrorCode::RequestTimedOut.name(), message }
    }

    fn foreign() -> Self {
        let message = "requests with an Origin come from a browser, which this is not for";
        Failure { status: 403, code: "FORBIDDEN".to_owned(), message: message.to_owned() }
    }

    fn body(&self) -> Value {
        json!({ "error": { "code": self.code, "message": self.message } })
    }
}

impl From<ottla::Error> for Failure {
    fn from(error: ottla::Error) -> Self {
        use ottla::ErrorCode::{
            BrokerNotAvailable, GroupIdNotFound, InvalidConfig, InvalidPartitions, InvalidRecord,
            InvalidRequest, InvalidTimestamp, InvalidTopicException, MessageTooLarge, RecordListTooLarge,
            RequestTimedOut, TopicAlreadyExists, UnknownTopicOrPartition,
        };
        let status = match error.code() {
            RequestTimedOut => 408,
            UnknownTopicOrPartition | GroupIdNotFound => 404,
            TopicAlreadyExists
            | InvalidTopicException
            | InvalidPartitions
            | InvalidConfig
            | InvalidRequest
            | InvalidRecord
            | InvalidTimestamp
            | MessageTooLarge
            | RecordListTooLarge
            | BrokerNotAvailable => 400,
            _ => 500,
        };
        Failure { status, code: error.code().name(), message: error.to_string() }
    }
}
