//! Who is connected.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::TestBroker;
use super::field_value::FieldValue;
use crate::protocol::{ApiKey, RequestHeader};
use crate::server::intercept::{ConnectionContext, InterceptedRequest, RefusedRequest};

/// A connection that is open: [`TestBroker::connections`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestConnection {
    /// As in [`JournalEntry::connection`](crate::JournalEntry::connection).
    pub number: u64,
    /// Where the client is.
    pub peer: SocketAddr,
    /// Which of the broker's addresses it has connected to.
    pub local: SocketAddr,
    /// How the client calls itself, by its last request; empty before the first.
    pub client_id: String,
    /// Which program it is, such as `apache-kafka-java 4.4.0`; empty if it has not said.
    pub software: String,
    /// When it came, in milliseconds since the Unix epoch, on the broker's clock.
    pub opened_at_ms: i64,
    /// How many requests have come by it.
    pub requests: u64,
}

/// Those that are open, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Connections {
    open: BTreeMap<u64, TestConnection>,
    /// The number of the next one.
    next: u64,
}

impl Connections {
    pub(super) fn opened(&mut self, connection: &ConnectionContext, now_ms: i64) {
        let opened = TestConnection {
            number: connection.id,
            peer: connection.peer,
            local: connection.local,
            client_id: String::new(),
            software: String::new(),
            opened_at_ms: now_ms,
            requests: 0,
        };
        self.open.insert(connection.id, opened);
    }

    /// The number of the first connection to come.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Takes note of its number, whether it may stay or not.
    pub(super) fn came(&mut self, connection: &ConnectionContext) {
        self.next = self.next.max(connection.id.saturating_add(1));
    }

    pub(super) fn refused(&mut self, request: &RefusedRequest<'_>) {
        self.asked(request.connection, request.header);
    }

    fn asked(
        &mut self,
        connection: &ConnectionContext,
        header: &RequestHeader,
    ) -> Option<&mut TestConnection> {
        let connection = self.open.get_mut(&connection.id)?;
        connection.requests += 1;
        let client_id = header.client_id.as_deref().unwrap_or_default();
        if connection.client_id != client_id {
            client_id.clone_into(&mut connection.client_id);
        }
        Some(connection)
    }

    pub(super) fn requested(&mut self, request: &InterceptedRequest<'_>) {
        let Some(connection) = self.asked(request.connection, request.header) else { return };
        if request.header.api_key == ApiKey::ApiVersions {
            let body = FieldValue::of(request.body, request.header.api_version);
            let field =
                |name: &str| body.at(name).and_then(FieldValue::as_str).unwrap_or_default().to_owned();
            let software = format!("{} {}", field("clientSoftwareName"), field("clientSoftwareVersion"));
            software.trim().clone_into(&mut connection.software);
        }
    }

    pub(super) fn closed(&mut self, connection: &ConnectionContext) {
        self.open.remove(&connection.id);
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.open.len()
    }

    pub(super) fn clear(&mut self) {
        self.open.clear();
    }
}

impl TestBroker {
    /// The connections that are open now, the oldest first.
    pub fn connections(&self) -> Vec<TestConnection> {
        self.watch.connections().open.values().cloned().collect()
    }
}
