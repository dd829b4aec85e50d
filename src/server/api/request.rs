//! One request on its way through its API's file.

use std::sync::{Arc, Weak};

use super::tap::{Answered, Tap};
use crate::broker::BrokerCore;
use crate::model::{BrokerId, ErrorCode};
use crate::protocol::{RequestHeader, Response, encode_response_frame};
use crate::server::endpoints::{Address, Endpoints};
use crate::server::namespace::Namespace;
use crate::server::network::{ConnectionContext, Outcome, Responder, SendFrame, Slot};

/// Who asks, for what, and of whom: all that a handler needs besides the request, on any thread.
#[derive(Clone)]
pub(super) struct RequestContext {
    pub(super) core: Arc<BrokerCore>,
    pub(super) endpoints: Arc<Endpoints>,
    pub(super) connection: Arc<ConnectionContext>,
    pub(super) header: RequestHeader,
    /// What a test does with the request, if it looks.
    pub(super) tap: Option<Arc<Tap>>,
    /// The part of the broker that the client sees, if that is not all of it.
    pub(super) namespace: Option<Arc<Namespace>>,
}

/// A request that waits for its handler.
pub(super) struct Call<'a> {
    pub(super) context: RequestContext,
    place: Place<'a>,
}

/// Where the answer goes.
enum Place<'a> {
    /// To the connection, from the thread that has read the request.
    Here(Slot<'a>),
    /// There too, from another thread.
    Later(Responder),
}

/// The way of an answer that comes later, from any thread. Dropped without an answer it closes the connection.
#[must_use = "a reply that is not sent closes the connection"]
pub(super) struct Reply {
    /// Weak: a fetch or a join that waits must not keep a broker open that nobody uses any more.
    core: Weak<BrokerCore>,
    endpoints: Arc<Endpoints>,
    connection: Arc<ConnectionContext>,
    header: RequestHeader,
    tap: Option<Arc<Tap>>,
    namespace: Option<Arc<Namespace>>,
    responder: Responder,
}

impl RequestContext {
    pub(super) fn version(&self) -> i16 {
        self.header.api_version
    }

    /// Which of several brokers the client has connected to; `None` if there is one only.
    pub(super) fn node(&self) -> Option<BrokerId> {
        self.core.nodes()?;
        self.endpoints.node(&self.connection)
    }

    /// What a test wants this partition to be answered with, where the handler has to see to that: `Taken::ByHandler`.
    pub(super) fn fault_of(&self, topic: &str, partition: i32) -> Option<ErrorCode> {
        self.tap.as_ref()?.fault_of(topic, partition)
    }

    /// The id of the broker that the client has connected to.
    pub(super) fn node_id(&self) -> BrokerId {
        self.node().unwrap_or(self.core.node_id)
    }

    /// The brokers that are up, and where the client finds them.
    pub(super) fn brokers(&self) -> Vec<(BrokerId, Address)> {
        match self.core.nodes() {
            None => vec![(self.core.node_id, self.endpoints.advertised(&self.connection))],
            Some(nodes) => {
                let found = nodes.up().into_iter();
                found
                    .filter_map(|id| Some((id, self.endpoints.advertised_of(&self.connection, id)?)))
                    .collect()
            }
        }
    }

    /// Where the client finds this broker, if it is up.
    pub(super) fn address_of(&self, node: BrokerId) -> Option<Address> {
        match self.core.nodes() {
            None => Some(self.endpoints.advertised(&self.connection)),
            Some(_) => self.endpoints.advertised_of(&self.connection, node),
        }
    }

    /// The controller; -1 is none.
    pub(super) fn controller_id(&self) -> BrokerId {
        match self.core.nodes() {
            None => self.core.node_id,
            Some(nodes) => nodes.controller().unwrap_or(-1),
        }
    }

    /// How the client calls itself; empty if it does not.
    pub(super) fn client_id(&self) -> &str {
        self.header.client_id.as_deref().unwrap_or_default()
    }

    /// The client's address as Java prints an `InetAddress` without a name, which is how groups show it.
    pub(super) fn client_host(&self) -> String {
        format!("/{}", self.connection.peer.ip().to_canonical())
    }
}

/// The answer as it leaves. `None` if it cannot be said in the version asked for, which is a bug of ours.
pub(super) fn frame<R: Response>(
    header: &RequestHeader,
    namespace: Option<&Namespace>,
    response: &R,
) -> Option<SendFrame> {
    debug_assert_eq!(R::KEY, header.api_key);
    if let Some(namespace) = namespace {
        let mut mapped = response.clone();
        namespace.map_response(&mut mapped);
        return frame(header, None, &mapped);
    }
    match encode_response_frame(header.correlation_id, response, header.api_version) {
        Ok(frame) => Some(SendFrame::from(frame)),
        Err(error) => {
            let (api, version) = (R::KEY.name(), header.api_version);
            tracing::error!(api, version, %error, "cannot write an answer; the connection is closed");
            None
        }
    }
}

impl<'a> Call<'a> {
    pub(super) fn new(context: RequestContext, slot: Slot<'a>) -> Self {
        Call { context, place: Place::Here(slot) }
    }

    pub(super) fn version(&self) -> i16 {
        self.context.version()
    }

    /// Answers now.
    pub(super) fn respond<R: Response>(self, response: &R) -> Outcome {
        if matches!(self.place, Place::Later(_)) {
            self.defer().send(response);
            return Outcome::Pending;
        }
        match self.context.tap.clone() {
            None => {
                let RequestContext { header, namespace, .. } = &self.context;
                frame(header, namespace.as_deref(), response).map_or(Outcome::Close, Outcome::Respond)
            }
            Some(tap) => tap.respond(self, response),
        }
    }

    /// Keeps the answer's place in the order of the connection. The handler returns [`Outcome::Pending`].
    pub(super) fn defer(self) -> Reply {
        let RequestContext { core, endpoints, connection, header, tap, namespace } = self.context;
        Reply {
            core: Arc::downgrade(&core),
            endpoints,
            connection,
            header,
            tap,
            namespace,
            responder: self.place.into_responder(),
        }
    }

    /// The place of the answer, for one that nobody will give.
    pub(super) fn into_responder(self) -> Responder {
        self.place.into_responder()
    }

    /// No answer is due (acks=0).
    pub(super) fn no_response(self) -> Outcome {
        match self.place {
            Place::Here(_) => Outcome::NoResponse,
            Place::Later(_) => {
                self.defer().none();
                Outcome::Pending
            }
        }
    }

    /// Ends the connection.
    pub(super) fn close(self) -> Outcome {
        match self.place {
            Place::Here(_) => Outcome::Close,
            Place::Later(_) => {
                self.defer().close();
                Outcome::Pending
            }
        }
    }

    /// Has `handle` run on an I/O thread, where it may block. What the connection sends next waits until it has run, so
    /// that the order of requests is that of their effects; the answer may come later still.
    pub(super) fn handle_on_io_thread<Q: Send + 'static>(
        mut self,
        request: Q,
        handle: impl FnOnce(Call<'_>, Q) -> Outcome + Send + 'static,
    ) -> Outcome {
        let Place::Here(slot) = &mut self.place else { return handle(self, request) };
        let (queued, held_back) = (slot.enqueue(), slot.hold_back());
        let io_threads = Arc::clone(&self.context.core.io_threads);
        let reply = self.defer();
        io_threads.run(move || {
            drop(queued);
            if let Some(context) = reply.context() {
                let place = Place::Later(reply.responder);
                // What it answers with has gone by the responder.
                let _ = handle(Call { context, place }, request);
            }
            drop(held_back);
        });
        Outcome::Pending
    }

    /// The same for a request that is answered when it has run: for what changes something.
    pub(super) fn respond_in_order_on_io_thread<Q, R>(
        self,
        request: Q,
        handle: impl FnOnce(&RequestContext, Q) -> R + Send + 'static,
    ) -> Outcome
    where
        Q: Send + 'static,
        R: Response,
    {
        self.handle_on_io_thread(request, |call, request| {
            let response = handle(&call.context, request);
            call.respond(&response)
        })
    }

    /// Answers with what `handle` says on an I/O thread, where it may block: on the disk, or on a lock that is held
    /// while the disk works. What the connection sends next may be done before it: for what only looks.
    pub(super) fn respond_on_io_thread<Q, R>(
        self,
        request: Q,
        handle: impl FnOnce(&RequestContext, Q) -> R + Send + 'static,
    ) -> Outcome
    where
        Q: Send + 'static,
        R: Response,
    {
        let context = self.context.clone();
        let queued = match &self.place {
            Place::Here(slot) => Some(slot.enqueue()),
            Place::Later(_) => None,
        };
        let reply = self.defer();
        let io_threads = Arc::clone(&context.core.io_threads);
        io_threads.run(move || {
            drop(queued);
            let response = handle(&context, request);
            reply.send(&response);
        });
        Outcome::Pending
    }
}

impl Place<'_> {
    fn into_responder(self) -> Responder {
        match self {
            Place::Here(slot) => slot.defer(),
            Place::Later(responder) => responder,
        }
    }
}

impl Reply {
    /// The request as its handler knew it; `None` if the broker is gone.
    pub(super) fn context(&self) -> Option<RequestContext> {
        Some(RequestContext {
            core: self.core.upgrade()?,
            endpoints: Arc::clone(&self.endpoints),
            connection: Arc::clone(&self.connection),
            header: self.header.clone(),
            tap: self.tap.clone(),
            namespace: self.namespace.clone(),
        })
    }

    /// Answers.
    pub(super) fn send<R: Response>(self, response: &R) {
        if let Some(tap) = self.tap.clone() {
            let answered = Answered { header: &self.header, namespace: self.namespace.as_deref() };
            return tap.send(self.context(), answered, self.responder, response);
        }
        match frame(&self.header, self.namespace.as_deref(), response) {
            Some(frame) => self.responder.send(frame),
            None => self.responder.close(),
        }
    }

    /// No answer is due (acks=0).
    pub(super) fn none(self) {
        if let Some(tap) = &self.tap {
            tap.unanswered();
        }
        self.responder.none();
    }

    /// Ends the connection, after the answers before this one.
    pub(super) fn close(self) {
        if let Some(tap) = &self.tap {
            tap.unanswered();
        }
        self.responder.close();
    }
}

/// For log lines: which request it was.
impl std::fmt::Display for RequestContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let RequestHeader { api_key, api_version, correlation_id, .. } = &self.header;
        let (peer, name) = (self.connection.peer, api_key.name());
        write!(f, "{name} v{api_version} (correlation id {correlation_id}) of {peer} '{}'", self.client_id())
    }
}
