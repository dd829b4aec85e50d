//! A request of a broker with an [`Interceptor`], from its ruling to its end.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;

use super::placed::{self, Refused};
use super::request::{Call, RequestContext, frame};
use super::rulable::{Place, Rulable, Selection, Taken, set_throttle_time};
use crate::model::ErrorCode;
use crate::protocol::{FetchResponse, RequestHeader, Response};
use crate::record::Records;
use crate::server::intercept::{
    AnswerFate, Instead, InterceptedRequest, Interceptor, Part, RequestEnd, Ruling,
};
use crate::server::namespace::Namespace;
use crate::server::network::{Outcome, Responder, SendFrame};

/// Where the checksum of a batch of magic 2 stands.
const CRC_POSITION: usize = 17;

/// What stands between a request and its answer.
pub(super) struct Tap {
    interceptor: Arc<dyn Interceptor>,
    ruling: Ruling,
    /// Puts the answers to the parts of the request that went wrong into the answer to the rest.
    wrong: Vec<Merge>,
}

/// Puts one answer into another, which is the one to the same request.
type Merge = Box<dyn Fn(&mut dyn Any) + Send + Sync>;

fn merging<R: Rulable>(wrong: R::Response) -> Merge {
    Box::new(move |response| {
        if let Some(response) = response.downcast_mut::<R::Response>() {
            R::merge(response, &wrong);
        }
    })
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
    placed::apply(&call.context, &ruling.moves, &scope);
    let mut instead = ruling.instead;
    let mut wrong = Vec::new();
    if instead.is_none() {
        match placed::refuse(&call.context, &mut request, &scope) {
            Refused::Nothing => {}
            Refused::Part(answer) => wrong.push(merging::<R>(answer)),
            Refused::Whole(code) => instead = Some(Instead::Error(code)),
        }
    }
    if let Some(part) = ruling.part.as_ref().filter(|_| instead.is_none()) {
        match take_part(&call.context, &mut request, part) {
            Taken::Nothing => {}
            Taken::Part(answer) => wrong.push(merging::<R>(answer)),
            Taken::Whole => instead = Some(Instead::Error(part.code)),
            Taken::ByHandler => {}
        }
    }
    let nothing_is_left = !wrong.is_empty() && request.is_spent();
    let tap = Arc::new(Tap { interceptor: Arc::clone(interceptor), ruling, wrong });
    call.context.tap = Some(Arc::clone(&tap));
    match instead {
        // Kafka: who wants no answers learns of an error by the end of the connection.
        None | Some(Instead::Error(_))
            if (nothing_is_left || instead.is_some()) && !request.wants_answer() =>
        {
            tap.unanswered();
            call.close()
        }
        // `Call::respond` puts the parts in.
        None if nothing_is_left => call.respond(&R::Response::default()),
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

/// Takes out of a request what is to go wrong by a rule.
fn take_part<R: Rulable>(context: &RequestContext, request: &mut R, part: &Part) -> Taken<R::Response> {
    let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
    let means = |place: Place<'_>| match place {
        Place::Partition(topic, number) => means_partition(part, topic, number),
        Place::Topic(name) => is(&part.topic, name),
        Place::Group(id) => is(&part.group, id),
        Place::TransactionalId(id) => is(&part.transactional_id, id),
    };
    let is_of_topics = part.topic.is_some() || part.partition.is_some();
    let selection = Selection { is_of_topics, means: &means };
    match request.take(context, &selection) {
        Taken::Nothing => Taken::Nothing,
        Taken::Whole => Taken::Whole,
        Taken::ByHandler => Taken::ByHandler,
        Taken::Part(taken) => Taken::Part(taken.part_response(part.code, context.version(), &selection)),
    }
}

fn means_partition(part: &Part, topic: &str, number: i32) -> bool {
    part.topic.as_ref().is_none_or(|wanted| wanted == topic) && part.partition.is_none_or(|n| n == number)
}

impl Tap {
    /// What a rule wants a partition to be answered with, in a request whose handler sees to that itself.
    pub(super) fn fault_of(&self, topic: &str, number: i32) -> Option<ErrorCode> {
        let part = self.ruling.part.as_ref()?;
        let is_of_topics = part.topic.is_some() || part.partition.is_some();
        (is_of_topics && means_partition(part, topic, number)).then_some(part.code)
    }

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
                    tap.interceptor.on_late_answer(tap.ruling.ticket);
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
        for merge in &self.wrong {
            merge(changed.get_or_insert_with(|| response.clone()));
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
