//! What a test does to its broker's disk.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ottla::{DiskFault, FileOperation, PowerLoss};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::fields::Fields;
use super::{Control, Failure};

/// The names of what is asked of a disk.
const OPERATIONS: &[(&str, FileOperation)] = &[
    ("sync", FileOperation::Sync),
    ("write", FileOperation::Write),
    ("read", FileOperation::Read),
    ("open", FileOperation::Open),
    ("rename", FileOperation::Rename),
    ("remove", FileOperation::Remove),
    ("createDir", FileOperation::CreateDir),
    ("readDir", FileOperation::ReadDir),
    ("metadata", FileOperation::Metadata),
    ("lock", FileOperation::Lock),
    ("setModified", FileOperation::SetModified),
    ("setLen", FileOperation::SetLen),
    ("allocate", FileOperation::Allocate),
];

fn operation(name: &str) -> Result<FileOperation, Failure> {
    let found = OPERATIONS.iter().find(|(known, _)| *known == name);
    found.map(|(_, operation)| *operation).ok_or_else(|| {
        let known: Vec<_> = OPERATIONS.iter().map(|(known, _)| *known).collect();
        Failure::bad_request(format!("an operation is one of {}, not {name}", known.join(", ")))
    })
}

/// What becomes of an operation.
#[derive(Clone, Copy)]
enum Effect {
    Fail(DiskFault),
    Delay(Duration),
}

/// Operations that fail, or take time.
struct DiskRule {
    operation: FileOperation,
    effect: Effect,
    /// What the file's path has in it; `None`: any file.
    path: Option<String>,
    skip: u64,
    left: u64,
    hits: u64,
    /// As it was given.
    told: Value,
}

impl DiskRule {
    fn hit(&mut self, operation: FileOperation, path: &Path) -> bool {
        let is_meant = self.operation == operation
            && self.path.as_ref().is_none_or(|part| path.to_string_lossy().contains(part));
        if !is_meant || self.left == 0 {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.left -= 1;
        self.hits += 1;
        true
    }
}

/// All of them; the oldest of a kind that means an operation says how it fails, and how long it takes.
#[derive(Clone, Default)]
pub(super) struct DiskRules {
    rules: Arc<Mutex<Vec<DiskRule>>>,
}

impl DiskRules {
    pub(super) fn clear(&self) {
        self.rules.lock().clear();
    }

    fn fault(&self, operation: FileOperation, path: &Path) -> Option<std::io::Error> {
        let fault = |effect| match effect {
            Effect::Fail(fault) => Some(fault),
            Effect::Delay(_) => None,
        };
        self.first(operation, path, fault).map(std::io::Error::from)
    }

    fn delay(&self, operation: FileOperation, path: &Path) -> Option<Duration> {
        self.first(operation, path, |effect| match effect {
            Effect::Delay(by) => Some(by),
            Effect::Fail(_) => None,
        })
    }

    fn first<E>(
        &self,
        operation: FileOperation,
        path: &Path,
        effect: impl Fn(Effect) -> Option<E>,
    ) -> Option<E> {
        let mut rules = self.rules.lock();
        // All of them count it, as those for requests do.
        let of_a_kind = rules.iter_mut().filter_map(|rule| effect(rule.effect).map(|effect| (rule, effect)));
        let hits = of_a_kind.filter_map(|(rule, effect)| rule.hit(operation, path).then_some(effect));
        hits.fold(None, |first, effect| first.or(Some(effect)))
    }
}

/// `GET`, `POST` and `DELETE /v1/disk`, `POST /v1/power-loss`.
pub(super) fn answer(
    control: &Control,
    method: &str,
    path: &[&str],
    mut fields: Fields,
) -> Result<Value, Failure> {
    match (method, path) {
        ("GET", ["disk"]) => {
            fields.end()?;
            let rules = control.disk_rules.rules.lock();
            Ok(rules.iter().map(|rule| json!({ "hits": rule.hits, "rule": rule.told })).collect())
        }
        ("POST", ["disk"]) => {
            add(control, fields)?;
            Ok(json!({}))
        }
        ("DELETE", ["disk"]) => {
            fields.end()?;
            control.disk_rules.clear();
            control.kafka.read().disk().heal();
            Ok(json!({}))
        }
        ("POST", ["power-loss"]) => {
            let loss = fields.number("seed")?.map_or(PowerLoss::Everything, PowerLoss::Torn);
            fields.end()?;
            let mut kafka = control.kafka.write();
            let done = kafka.lose_power(loss);
            control.look_whether_it_runs(&kafka);
            done?;
            // The disk that comes back is whole.
            control.disk_rules.clear();
            Ok(json!({}))
        }
        (method, _) => Err(Failure::not_found(format!("there is no {method} /v1/{}", path.join("/")))),
    }
}

fn add(control: &Control, mut fields: Fields) -> Result<(), Failure> {
    let told = fields.told();
    let (operation_name, effect) = match (fields.text("fail")?, fields.text("delay")?) {
        (Some(name), None) => (name, Effect::Fail(fault(&mut fields)?)),
        (None, Some(name)) => {
            let by = fields.milliseconds("ms")?;
            (name, Effect::Delay(by.ok_or_else(|| Failure::bad_request("'ms' is missing"))?))
        }
        _ => return Err(Failure::bad_request("give one of fail and delay")),
    };
    let rule = DiskRule {
        operation: operation(&operation_name)?,
        effect,
        path: fields.text("path")?,
        skip: fields.number("skip")?.unwrap_or(0),
        left: fields.number("times")?.unwrap_or(u64::MAX),
        hits: 0,
        told,
    };
    fields.end()?;
    let (failing, slow) = (control.disk_rules.clone(), control.disk_rules.clone());
    failing.rules.lock().push(rule);
    let kafka = control.kafka.read();
    kafka.disk().fail_when(move |operation, path| failing.fault(operation, path));
    kafka.disk().delay_when(move |operation, path| slow.delay(operation, path));
    Ok(())
}

fn fault(fields: &mut Fields) -> Result<DiskFault, Failure> {
    match fields.text("with")?.as_deref().unwrap_or("EIO") {
        "EIO" => Ok(DiskFault::Io),
        "ENOSPC" => Ok(DiskFault::NoSpace),
        other => Err(Failure::bad_request(format!("'with' is EIO or ENOSPC, not {other}"))),
    }
}
