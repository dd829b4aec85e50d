//! Snapshots of the broker, and its forks, each with a control endpoint of its own.

use std::sync::Arc;

use ottla::{Snapshot, TestBroker};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::fields::Fields;
use super::{Control, Failure, Serving};

/// What a test has made of its broker.
#[derive(Default)]
pub(super) struct Offspring {
    snapshots: Mutex<Numbered<Snapshot>>,
    forks: Mutex<Numbered<Fork>>,
}

/// A fork, and where it is told what to do.
struct Fork {
    control: Arc<Control>,
    /// `None` once it is dropped.
    serving: Option<Serving>,
}

impl Drop for Fork {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.end();
        }
        self.control.close();
    }
}

/// Things by number, from 0 on.
struct Numbered<T> {
    next: u64,
    things: Vec<(u64, T)>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Numbered { next: 0, things: Vec::new() }
    }
}

impl<T> Numbered<T> {
    fn add(&mut self, thing: T) -> u64 {
        let number = self.next;
        self.next += 1;
        self.things.push((number, thing));
        number
    }

    fn find(&self, number: u64, what: &str) -> Result<&T, Failure> {
        let found = self.things.iter().find(|(own, _)| *own == number);
        found.map(|(_, thing)| thing).ok_or_else(|| missing(what, number))
    }

    fn remove(&mut self, number: u64, what: &str) -> Result<T, Failure> {
        let found = self.things.iter().position(|(own, _)| *own == number);
        found.map(|at| self.things.remove(at).1).ok_or_else(|| missing(what, number))
    }
}

fn missing(what: &str, number: u64) -> Failure {
    Failure::not_found(format!("there is no {what} {number}"))
}

impl Offspring {
    /// Ends all forks, and removes all snapshots.
    pub(super) fn end(&self) {
        self.forks.lock().things.clear();
        self.snapshots.lock().things.clear();
    }
}

pub(super) fn answer(
    control: &Control,
    method: &str,
    path: &[&str],
    mut fields: Fields,
) -> Result<Value, Failure> {
    let Offspring { snapshots, forks } = &control.offspring;
    let number = |text: &str| {
        text.parse().map_err(|_| Failure::bad_request(format!("'{text}' is not the number of one")))
    };
    match (method, path) {
        ("POST", ["snapshots"]) => {
            fields.end()?;
            let snapshot = control.kafka.read().snapshot()?;
            Ok(json!({ "id": snapshots.lock().add(snapshot) }))
        }
        ("POST", ["snapshots", id, "restore"]) => {
            fields.end()?;
            let snapshots = snapshots.lock();
            let snapshot = snapshots.find(number(id)?, "snapshot")?;
            let mut kafka = control.kafka.write();
            let done = kafka.restore(snapshot);
            control.look_whether_it_runs(&kafka);
            done?;
            control.forget_rules();
            Ok(json!({}))
        }
        ("DELETE", ["snapshots", id]) => {
            fields.end()?;
            snapshots.lock().remove(number(id)?, "snapshot")?;
            Ok(json!({}))
        }
        ("POST", ["forks"]) => {
            let from = fields.number::<u64>("snapshot")?;
            fields.end()?;
            let fork = match from {
                None => control.kafka.read().fork()?,
                Some(id) => snapshots.lock().find(id, "snapshot")?.start()?,
            };
            let (fork, servers, address) = serve(fork)?;
            let id = forks.lock().add(fork);
            Ok(json!({ "id": id, "bootstrapServers": servers, "control": format!("http://{address}") }))
        }
        ("DELETE", ["forks", id]) => {
            fields.end()?;
            let fork = forks.lock().remove(number(id)?, "fork")?;
            drop(fork);
            Ok(json!({}))
        }
        (method, _) => Err(Failure::not_found(format!("there is no {method} /v1/{}", path.join("/")))),
    }
}

fn serve(kafka: TestBroker) -> Result<(Fork, String, std::net::SocketAddr), Failure> {
    let servers = kafka.bootstrap_servers();
    let control = Control::new(kafka);
    let serving = control.serve("127.0.0.1:0").map_err(|error| Failure::internal(error.to_string()))?;
    let address = serving.address();
    Ok((Fork { control, serving: Some(serving) }, servers, address))
}
