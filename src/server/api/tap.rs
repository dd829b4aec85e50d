//! A request of a broker with an [`Interceptor`], from its ruling to its end.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;

use super::partial;
use super::request::{Call, RequestContext, frame};
use super::rulable::{Rulable, set_throttle_time};
use crate::protocol::{FetchResponse, RequestHeader, Response};
use crate::record::Records;
use crate::server::intercept::{AnswerFate, Instead, InterceptedRequest, Interceptor, RequestEnd, Ruling};
use crate::server::namespace::Namespace;
use crate::server::network::{Outcome, Responder, SendFrame};

/// Where the checksum of a batch of magic 2 stands.
const CRC_POSITION: usize = 17;

/// What stands between a request and its answer.
pub(super) struct Tap {
    interceptor: Arc<dyn Interceptor>,
    ruling: Ruling,
    /// The answer to the part of the request that went wrong.
    wrong: Option<Box<dyn Any + Send + Sync>>,
}

/// The request that is answered, and to whom.
pub(super) struct Answered<'a> {
    pub(super) header: &'a RequestHeader,
    pub(super) namespace: Option<&'a Namespace>,
}

/// Asks what is to become of the request, and sees to it.
pub(super) fn handle<R: Rulable>(
    mut call: Call<'_>,
    mut request: R,
    interceptor: &Arc<dyn Interceptor>,
    handle: impl FnOnce(Call<'_>, R) -> Outcome,
) -> Outcome {
    let scope = request.scope(&call.context);
    let ruling = interceptor.on_request(&InterceptedRequest {
        connection: &call.context.connection,
        header: &call.context.header,
        body: &request,
        scope: &scope,
    });
    let mut instead = ruling.instead;
    let mut wrong: Option<Box<dyn Any + Send + Sync>> = None;
    if let Some(part) = ruling.part.as_ref().filter(|_| instead.is_none()) {
        match partial::take_part(&mut request, &call.context, part) {
            Some(taken) => wrong = Some(Box::new(taken.error_response(part.code, call.version()))),
            None => instead = Some(Instead::Error(part.code)),
        }
    }
    let tap = Arc::new(Tap { interceptor: Arc::clone(interceptor), ruling, wrong });
    call.context.tap = Some(Arc::clone(&tap));
    match instead {
        None => {
            let outcome = handle(call, request);
            if matches!(outcome, Outcome::NoResponse | Outcome::Close) {
                tap.unanswered();
            }
            tap.interceptor.on_taken_up(tap.ruling.ticket);
            outcome
        }
        Some(Instead::Error(code)) => {
            let response = request.error_response(code, call.version());
            call.respond(&response)
        }
        Some(Instead::Swallow) => {
            tap.interceptor.keep_waiting(call.into_responder());
            tap.unanswered();
            Outcome::Pending
        }
        Some(Instead::Disconnect) => {
            tap.unanswered();
            Outcome::Close
        }
    }
}

impl Tap {
    /// No answer is due, or there is none.
    pub(super) fn unanswered(&self) {
        self.interceptor.on_end(self.ruling.ticket, &RequestEnd::Unanswered);
    }

    /// Answers on the thread that has read the request.
    pub(super) fn respond<R: Response>(&self, call: Call<'_>, response: &R) -> Outcome {
        if self.ruling.delay == Duration::ZERO && self.ruling.answer == AnswerFate::Send {
            let changed = self.change(response);
            let response = changed.as_ref().unwrap_or(response);
            self.answered(response);
            let RequestContext { header, namespace, .. } = &call.context;
            return frame(header, namespace.as_deref(), response).map_or(Outcome::Close, Outcome::Respond);
        }
        let reply = call.defer();
        reply.send(response);
        Outcome::Pending
    }

    /// Answers from any thread.
    ///
    /// A test that hears that the request is over may at once move the clock, or end the rules. So it hears of it only
    /// after the delay has begun, or the connection waits in vain; and before the client can have an answer.
    pub(super) fn send<R: Response>(
        self: Arc<Self>,
        context: Option<RequestContext>,
        answered: Answered<'_>,
        responder: Responder,
        response: &R,
    ) {
        let Answered { header, namespace } = answered;
        let response = self.change(response).unwrap_or_else(|| response.clone());
        let Some(frame) = frame(header, namespace, &response) else {
            self.answered(&response);
            return responder.close();
        };
        let delay = self.ruling.delay;
        match context {
            _ if self.ruling.answer == AnswerFate::Drop => {
                self.interceptor.keep_waiting(responder);
                self.answered(&response);
            }
            Some(context) if delay > Duration::ZERO => {
                let response = Arc::new(response);
                let late = (Arc::clone(&self), Arc::clone(&response));
                context.core.timer.schedule(delay, move || {
                    let (tap, response) = late;
                    tap.answered(&*response);
                    tap.release(responder, frame);
                });
                self.answered(&*response);
            }
            _ => {
                self.answered(&response);
                self.release(responder, frame);
            }
        }
    }

    /// Lets go of an answer, or of what is left of it.
    fn release(&self, responder: Responder, frame: SendFrame) {
        match self.ruling.answer {
            AnswerFate::Send => responder.send(frame),
            AnswerFate::Drop => self.interceptor.keep_waiting(responder),
            AnswerFate::Disconnect => responder.close(),
            AnswerFate::Cut(len) => match frame.cut(len) {
                Ok(cut) => responder.send_then_close(cut),
                Err(error) => {
                    tracing::error!(%error, "cannot read a log to send it");
                    responder.close();
                }
            },
        }
    }

    /// The interceptor hears of the answer; only the first time counts.
    fn answered<R: Response>(&self, response: &R) {
        self.interceptor.on_end(self.ruling.ticket, &RequestEnd::Answered(response));
    }

    /// The answer as the ruling wants it, if that is another one.
    fn change<R: Response>(&self, response: &R) -> Option<R> {
        let Ruling { throttle_ms, corrupt_crc, .. } = self.ruling;
        let mut changed = None;
        if let Some(wrong) = &self.wrong {
            partial::merge(changed.get_or_insert_with(|| response.clone()), &**wrong);
        }
        if let Some(throttle_ms) = throttle_ms {
            set_throttle_time(changed.get_or_insert_with(|| response.clone()), throttle_ms);
        }
        if corrupt_crc {
            let response: &mut dyn Any = changed.get_or_insert_with(|| response.clone());
            if let Some(fetched) = response.downcast_mut() {
                corrupt(fetched);
            }
        }
        changed
    }
}

/// Changes a bit of the first checksum of each partition's records.
fn corrupt(response: &mut FetchResponse) {
    for partition in response.responses.iter_mut().flat_map(|topic| &mut topic.partitions) {
        let bytes = partition.records.as_ref().and_then(|records| records.read().ok());
        let Some(mut bytes) = bytes.map(|bytes| BytesMut::from(&*bytes)) else { continue };
        if let Some(byte) = bytes.get_mut(CRC_POSITION) {
            *byte ^= 1;
        }
        partition.records = Some(Records::Bytes(bytes.freeze()));
    }
}
