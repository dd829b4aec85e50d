//! What can be asked of the control endpoint.

use std::time::Duration;

use ottla::{Clock, FaultRule, NewTopic, RequestMatch, SystemClock, TopicPartition, Until};
use serde_json::{Value, json};

use super::fields::Fields;
use super::http::Request;
use super::{Control, Failure, State, disk, groups, nodes, operations, records, show, snapshots};

/// How long a wait lasts if it does not say.
const DEFAULT_LIMIT: Duration = Duration::from_secs(10);

/// How long a wait keeps others from restarting the broker.
const WAIT_SLICE: Duration = Duration::from_millis(50);

pub(super) fn answer(control: &Control, request: &Request) -> Result<Value, Failure> {
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    if !operations::is_known(&request.method, &path) {
        let (method, path) = (&request.method, path.join("/"));
        return Err(Failure::not_found(format!("there is no {method} /{path}: GET /v1 lists what there is")));
    }
    let mut fields = Fields::of(request)?;
    let done = || Ok(json!({}));
    match (request.method.as_str(), path.as_slice()) {
        ("GET", ["v1"]) => {
            fields.end()?;
            Ok(operations::all().collect())
        }
        ("GET", ["v1", "status"]) => {
            fields.end()?;
            let kafka = control.kafka.read();
            Ok(json!({
                "bootstrapServers": kafka.bootstrap_servers(),
                "clusterId": kafka.cluster_id(),
                "nowMs": kafka.now_ms(),
                "faultSeed": kafka.faults().seed(),
                "state": Value::from(*control.state.lock()),
            }))
        }
        ("POST", ["v1", "advance"]) => {
            let by = fields.milliseconds("ms")?.ok_or_else(|| Failure::bad_request("'ms' is missing"))?;
            fields.end()?;
            let kafka = control.kafka.read();
            if !kafka.can_advance() {
                return Err(Failure::bad_request(
                    "the system's time cannot be advanced: start with another --clock",
                ));
            }
            let left = kafka.max_advance();
            if by > left {
                let message = format!("the clock cannot show so much: 'ms' is at most {}", left.as_millis());
                return Err(Failure::bad_request(message));
            }
            kafka.advance(by);
            Ok(json!({ "nowMs": kafka.now_ms() }))
        }
        ("POST", ["v1", "wait"]) => wait(control, fields),
        ("GET", ["v1", "journal"]) => {
            let wanted = fields.requests()?;
            fields.end()?;
            Ok(control.kafka.read().journal(&wanted).iter().map(show::journal_entry).collect())
        }
        ("DELETE", ["v1", "journal"]) => {
            fields.end()?;
            control.kafka.read().clear_journal();
            done()
        }
        ("GET", ["v1", "topics"]) => {
            fields.end()?;
            Ok(show::topics(&control.kafka.read())?)
        }
        ("POST", ["v1", "topics"]) => {
            let mut topic =
                NewTopic::new(fields.required_text("name")?, fields.number("partitions")?.unwrap_or(1));
            for (key, value) in fields.settings("configs")? {
                topic = topic.config(key, value);
            }
            fields.end()?;
            let kafka = control.kafka.read();
            let made = kafka.admin().create_topic(topic)?;
            Ok(show::topic(&kafka, &made.name)?)
        }
        ("DELETE", ["v1", "topics", name]) => {
            fields.end()?;
            control.kafka.read().admin().delete_topic(name)?;
            done()
        }
        (method, ["v1", "topics", name, "records"]) => records::answer(control, method, name, fields),
        ("GET", ["v1", "groups"]) => {
            fields.end()?;
            Ok(groups::all(&control.kafka.read())?)
        }
        ("GET", ["v1", "transactions"]) => {
            fields.end()?;
            Ok(control.kafka.read().transactions()?.iter().map(show::transaction).collect())
        }
        ("GET", ["v1", "connections"]) => {
            fields.end()?;
            Ok(control.kafka.read().connections().iter().map(show::connection).collect())
        }
        ("GET", ["v1", kind @ ("groups" | "transactions" | "producers"), id, "history"]) => {
            fields.end()?;
            let kafka = control.kafka.read();
            let events = match *kind {
                "groups" => kafka.group_history(id),
                "producers" => {
                    let is_none = |_| Failure::bad_request(format!("'{id}' is no producer's number"));
                    kafka.producer_history(id.parse().map_err(is_none)?)
                }
                _ => kafka.transaction_history(id),
            };
            let event = |event: &ottla::HistoryEvent| json!({ "timestampMs": event.timestamp_ms, "text": event.text });
            Ok(events.iter().map(event).collect())
        }
        (_, ["v1", "faults", ..]) => faults(control, request, &path, fields),
        (method, ["v1", rest @ ..]) if matches!(rest.first(), Some(&("disk" | "power-loss"))) => {
            disk::answer(control, method, rest, fields)
        }
        (method, ["v1", rest @ ..]) if matches!(rest.first(), Some(&("nodes" | "move"))) => {
            nodes::answer(control, method, rest, fields)
        }
        (method, ["v1", rest @ ..]) if matches!(rest.first(), Some(&("snapshots" | "forks"))) => {
            snapshots::answer(control, method, rest, fields)
        }
        ("GET", ["v1", "namespaces"]) => {
            fields.end()?;
            Ok(control.kafka.read().namespaces().iter().map(namespace_json).collect())
        }
        ("POST", ["v1", "namespaces"]) => {
            let name = fields.required_text("name")?;
            fields.end()?;
            Ok(namespace_json(&control.kafka.read().namespace(&name)?))
        }
        ("DELETE", ["v1", "namespaces", name]) => {
            fields.end()?;
            control.kafka.read().end_namespace(name)?;
            done()
        }
        ("POST", ["v1", command @ ("stop" | "restart" | "reset" | "pause" | "resume")]) => {
            fields.end()?;
            command_broker(control, command)
        }
        (method, _) => Err(Failure::not_found(format!("there is no {method} /{}", path.join("/")))),
    }
}

fn namespace_json(namespace: &ottla::Namespace) -> Value {
    json!({ "name": namespace.name(), "bootstrapServers": namespace.bootstrap_servers() })
}

fn command_broker(control: &Control, command: &str) -> Result<Value, Failure> {
    if let "pause" | "resume" = command {
        let kafka = control.kafka.read();
        let mut state = control.state.lock();
        match (command, *state) {
            ("pause", State::Running) => *state = State::Paused,
            ("resume", State::Paused) => *state = State::Running,
            _ => {}
        }
        if command == "pause" {
            kafka.pause()
        } else {
            kafka.resume()
        }
        return Ok(json!({}));
    }
    let mut kafka = control.kafka.write();
    let done = match command {
        "stop" => {
            kafka.stop();
            Ok(())
        }
        "restart" => kafka.restart(),
        _ => {
            control.forget_rules();
            kafka.reset()
        }
    };
    control.look_whether_it_runs(&kafka);
    done?;
    Ok(json!({}))
}

fn until(fields: &mut Fields) -> Result<Until, Failure> {
    Ok(match fields.required_text("until")?.as_str() {
        "records" => {
            let (topic, count) = (fields.required_text("topic")?, fields.required_number("count")?);
            Until::records(topic, count)
        }
        "committedRecords" => {
            let (topic, count) = (fields.required_text("topic")?, fields.required_number("count")?);
            Until::committed_records(topic, count)
        }
        "groupStable" => {
            let (group, members) =
                (fields.required_text("group")?, fields.required_number::<u32>("members")?);
            Until::group_is_stable(group, members as usize)
        }
        "groupEmpty" => Until::group_is_empty(fields.required_text("group")?),
        "lagZero" => Until::lag_is_zero(fields.required_text("group")?),
        "committed" => {
            let (group, topic) = (fields.required_text("group")?, fields.required_text("topic")?);
            let tp = TopicPartition::new(topic.as_str(), fields.number("partition")?.unwrap_or(0));
            Until::committed(group, tp, fields.required_number("offset")?)
        }
        "transactionEnded" => Until::transaction_has_ended(fields.required_text("transactionalId")?),
        "requests" => {
            let (wanted, count) = (fields.requests()?, fields.required_number::<u32>("count")?);
            Until::requests(wanted, count as usize)
        }
        "requestsEnded" => {
            let (wanted, count) = (fields.requests()?, fields.required_number::<u32>("count")?);
            Until::requests_have_ended(wanted, count as usize)
        }
        other => {
            let kinds = "records, committedRecords, groupStable, groupEmpty, lagZero, committed, transactionEnded, \
                         requests or requestsEnded";
            return Err(Failure::bad_request(format!("'until' is {kinds}, not {other}")));
        }
    })
}

fn wait(control: &Control, mut fields: Fields) -> Result<Value, Failure> {
    let limit = fields.milliseconds("limitMs")?.unwrap_or(DEFAULT_LIMIT);
    let until = until(&mut fields)?;
    fields.end()?;
    let clock = SystemClock::new();
    loop {
        let left = limit.saturating_sub(clock.monotonic());
        let kafka = control.kafka.read();
        if kafka.wait_until(&until, left.min(WAIT_SLICE)).is_ok() {
            return Ok(json!({ "waitedMs": clock.monotonic().as_secs_f64() * 1_000.0 }));
        }
        // Not the error of the wait above, which knows of its slice only.
        if left <= WAIT_SLICE
            && let Err(state) = until.check(&kafka)
        {
            return Err(Failure::timed_out(format!("waited {limit:?} in vain until {until}: {state}")));
        }
    }
}

fn faults(control: &Control, request: &Request, path: &[&str], mut fields: Fields) -> Result<Value, Failure> {
    match (request.method.as_str(), path) {
        ("POST", ["v1", "faults"]) => {
            let told = fields.told();
            let requests: RequestMatch = fields.requests()?;
            let mut rule = control.kafka.read().faults().on(requests);
            if let Some(count) = fields.number("skip")? {
                rule = rule.skip(count);
            }
            if let Some(count) = fields.number("times")? {
                rule = rule.times(count);
            }
            if let Some(probability) = fields.fraction("probability")? {
                rule = rule.probability(probability);
            }
            let nodes = control.kafka.read().node_ids();
            let start = effect(&mut fields, &nodes)?;
            fields.end()?;
            let handle = start(rule);
            let id = handle.id();
            control.faults.lock().push((handle, told));
            Ok(json!({ "id": id }))
        }
        ("GET", ["v1", "faults"]) => {
            fields.end()?;
            let faults = control.faults.lock();
            let told = faults
                .iter()
                .map(|(fault, rule)| json!({ "id": fault.id(), "hits": fault.hits(), "rule": rule }));
            Ok(told.collect())
        }
        ("DELETE", ["v1", "faults"]) => {
            fields.end()?;
            control.kafka.read().faults().clear();
            control.faults.lock().clear();
            Ok(json!({}))
        }
        ("DELETE", ["v1", "faults", id]) => {
            fields.end()?;
            let mut faults = control.faults.lock();
            let found = faults.iter().position(|(fault, _)| fault.id().to_string() == *id);
            let found = found.ok_or_else(|| Failure::not_found(format!("there is no rule {id}")))?;
            faults.remove(found).0.remove();
            Ok(json!({}))
        }
        (method, _) => Err(Failure::not_found(format!("there is no {method} /{}", path.join("/")))),
    }
}

type Start = Box<dyn FnOnce(FaultRule) -> ottla::FaultHandle>;

/// The start of a rule that needs no more to be said.
type StartPlain = fn(FaultRule) -> ottla::FaultHandle;

/// The start of a rule that moves something to a broker, or to the next one.
type StartMove = fn(FaultRule, Option<i32>) -> ottla::FaultHandle;

/// Refuses what could never do anything.
fn check_move(name: &str, to: Option<i32>, nodes: &[i32]) -> Result<(), Failure> {
    if nodes.len() < 2 {
        let message = format!("'{name}' is for several brokers, and there is one only: start with --nodes");
        return Err(Failure::bad_request(message));
    }
    match to.filter(|to| !nodes.contains(to)) {
        Some(to) => Err(Failure::bad_request(format!("'{name}': there is no broker {to}, but {nodes:?}"))),
        None => Ok(()),
    }
}

/// The one thing that a rule does.
fn effect(fields: &mut Fields, nodes: &[i32]) -> Result<Start, Failure> {
    let mut effects: Vec<Start> = Vec::new();
    if let Some(code) = fields.error_code("answer")? {
        effects.push(Box::new(move |rule| rule.answer(code)));
    }
    if let Some(code) = fields.error_code("answerThere")? {
        effects.push(Box::new(move |rule| rule.answer_there(code)));
    }
    if let Some(by) = fields.milliseconds("delayMs")? {
        effects.push(Box::new(move |rule| rule.delay(by)));
    }
    if let Some(by) = fields.milliseconds("throttleMs")? {
        effects.push(Box::new(move |rule| rule.throttle(by)));
    }
    if let Some(size) = fields.number::<u32>("cutAnswer")? {
        effects.push(Box::new(move |rule| rule.cut_answer(size as usize)));
    }
    let flags: [(&str, StartPlain); 6] = [
        ("swallow", FaultRule::swallow),
        ("disconnect", FaultRule::disconnect),
        ("disconnectAfter", FaultRule::disconnect_after),
        ("dropAnswer", FaultRule::drop_answer),
        ("corruptCrc", FaultRule::corrupt_crc),
        ("refuseConnections", FaultRule::refuse_connections),
    ];
    for (name, start) in flags {
        if fields.flag(name)? {
            effects.push(Box::new(start));
        }
    }
    let moves: [(&str, StartMove); 3] = [
        ("moveLeader", FaultRule::move_leader),
        ("moveCoordinator", FaultRule::move_coordinator),
        ("moveController", FaultRule::move_controller),
    ];
    for (name, start) in moves {
        if let Some(to) = fields.node_or_next(name)? {
            check_move(name, to, nodes)?;
            effects.push(Box::new(move |rule| start(rule, to)));
        }
    }
    match (effects.pop(), effects.is_empty()) {
        (Some(effect), true) => Ok(effect),
        _ => Err(Failure::bad_request(
            "give one of answer, answerThere, delayMs, throttleMs, cutAnswer, swallow, disconnect, disconnectAfter, \
             dropAnswer, corruptCrc, refuseConnections, moveLeader, moveCoordinator, moveController",
        )),
    }
}
