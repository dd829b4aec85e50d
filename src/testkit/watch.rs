//! The test's eye on what passes between the broker and its clients.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::connections::Connections;
use super::faults::Rules;
use super::journal::Journal;
use super::request_match::RequestFacts;
use crate::model::BrokerId;
use crate::server::ApiVersionRanges;
use crate::server::intercept::{
    ConnectionContext, InterceptedRequest, Interceptor, RefusedRequest, RequestEnd, Responder, Ruling,
};
use crate::sys::Clock;

/// Keeps the journal, follows the rules for faults, and tells those who wait that something has happened.
pub(super) struct Watch {
    clock: Arc<dyn Clock>,
    versions: Option<ApiVersionRanges>,
    node_ids: Vec<BrokerId>,
    journal: Mutex<Journal>,
    rules: Mutex<Rules>,
    connections: Mutex<Connections>,
    /// The places of answers that are never given.
    unanswered: Mutex<Vec<Responder>>,
    events: Mutex<u64>,
    happened: Condvar,
}

impl Watch {
    /// The eye on the brokers with these ids.
    pub(super) fn new(
        node_ids: Vec<BrokerId>,
        clock: Arc<dyn Clock>,
        seed: u64,
        versions: Option<ApiVersionRanges>,
    ) -> Arc<Self> {
        Arc::new(Watch {
            clock,
            versions,
            node_ids,
            journal: Mutex::default(),
            rules: Mutex::new(Rules::new(seed)),
            connections: Mutex::default(),
            unanswered: Mutex::default(),
            events: Mutex::default(),
            happened: Condvar::new(),
        })
    }

    pub(super) fn node_ids(&self) -> &[BrokerId] {
        &self.node_ids
    }

    pub(super) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock()
    }

    pub(super) fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock()
    }

    pub(super) fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock()
    }

    /// Ends all rules, and the connections that wait in vain because of one.
    pub(super) fn clear_faults(&self) {
        self.rules.lock().clear();
        let unanswered = std::mem::take(&mut *self.unanswered.lock());
        drop(unanswered);
    }

    /// How much has happened so far.
    pub(super) fn events(&self) -> u64 {
        *self.events.lock()
    }

    /// Waits until something has happened since `seen`, or for `limit`.
    pub(super) fn wait(&self, seen: u64, limit: Duration) {
        let mut events = self.events.lock();
        if *events == seen {
            self.happened.wait_for(&mut events, limit);
        }
    }

    fn notify(&self) {
        *self.events.lock() += 1;
        self.happened.notify_all();
    }
}

impl Interceptor for Watch {
    fn first_connection(&self) -> u64 {
        self.connections.lock().next()
    }

    fn on_connection(&self, connection: &ConnectionContext) -> bool {
        self.connections.lock().came(connection);
        let is_admitted = self.rules.lock().admits();
        if is_admitted {
            self.connections.lock().opened(connection, self.clock.now_ms());
        }
        self.notify();
        is_admitted
    }

    fn on_disconnect(&self, connection: &ConnectionContext) {
        self.connections.lock().closed(connection);
        self.notify();
    }

    fn on_request(&self, request: &InterceptedRequest<'_>) -> Ruling {
        let ticket = self.journal.lock().begin(request, self.clock.now_ms(), self.clock.monotonic());
        self.connections.lock().requested(request);
        let header = request.header;
        let ruling = self.rules.lock().rule(&RequestFacts {
            api: header.api_key,
            version: header.api_version,
            client_id: header.client_id.as_deref().unwrap_or_default(),
            connection: request.connection.id,
            scope: request.scope,
        });
        self.notify();
        Ruling { ticket, ..ruling }
    }

    fn on_refusal(&self, request: &RefusedRequest<'_>) {
        self.journal.lock().refuse(request, self.clock.now_ms(), self.clock.monotonic());
        self.connections.lock().refused(request);
        self.notify();
    }

    fn on_taken_up(&self, ticket: u64) {
        self.journal.lock().take_up(ticket);
        self.notify();
    }

    fn on_end(&self, ticket: u64, end: &RequestEnd<'_>) {
        let answer = match end {
            RequestEnd::Answered(answer) => Some(*answer),
            RequestEnd::Unanswered => None,
        };
        self.journal.lock().end(ticket, answer, self.clock.monotonic());
        self.notify();
    }

    fn on_late_answer(&self, ticket: u64) {
        self.journal.lock().prolong(ticket, self.clock.monotonic());
    }

    fn versions(&self) -> Option<ApiVersionRanges> {
        self.versions.clone()
    }

    fn keep_waiting(&self, place: Responder) {
        self.unanswered.lock().push(place);
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("rules", &*self.rules.lock()).finish_non_exhaustive()
    }
}
