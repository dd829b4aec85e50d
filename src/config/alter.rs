//! Changes settings one by one: the operations of IncrementalAlterConfigs.

use std::collections::BTreeSet;

use super::broker::BrokerConfig;
use super::dynamic::Overrides;
use super::error::{ConfigError, ConfigProblem};
use super::group::GroupSettings;
use super::key::{ConfigKey, ConfigType};
use super::log::LogConfig;
use super::value::split_list;

/// What becomes of one setting (Kafka: `AlterConfigOp.OpType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlterOp {
    /// It gets this value.
    Set,
    /// It has its default again.
    Delete,
    /// These items join its list, those already in it once.
    Append,
    /// These items leave its list.
    Subtract,
}

impl AlterOp {
    /// The operation that a request has this number for.
    pub(crate) fn from_code(code: i8) -> Option<Self> {
        Some(match code {
            0 => AlterOp::Set,
            1 => AlterOp::Delete,
            2 => AlterOp::Append,
            3 => AlterOp::Subtract,
            _ => return None,
        })
    }
}

/// One change of one setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConfigChange<'a> {
    pub(crate) name: &'a str,
    pub(crate) op: AlterOp,
    /// Missing only for [`AlterOp::Delete`].
    pub(crate) value: Option<&'a str>,
}

/// The overrides of a topic after some changes, checked as a whole.
pub(crate) fn alter_topic(
    broker: &BrokerConfig,
    overrides: &Overrides,
    changes: &[ConfigChange<'_>],
) -> Result<Overrides, ConfigError> {
    let changed = apply(overrides, changes, LogConfig::key)?;
    LogConfig::from_overrides(broker, &changed)?;
    Ok(changed)
}

/// The overrides of a group after some changes, checked as a whole.
pub(crate) fn alter_group(
    overrides: &Overrides,
    changes: &[ConfigChange<'_>],
) -> Result<Overrides, ConfigError> {
    apply(overrides, changes, GroupSettings::key)
}

/// The overrides after some changes; whether their values are admitted is the caller's to check.
pub(super) fn apply(
    overrides: &Overrides,
    changes: &[ConfigChange<'_>],
    known_key: fn(&str) -> Option<&'static ConfigKey>,
) -> Result<Overrides, ConfigError> {
    let mut changed = overrides.clone();
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for change in changes {
        if !seen.insert(change.name) {
            problems.push(ConfigProblem::ChangedTwice { key: change.name.to_owned() });
        } else if let Err(problem) = apply_one(&mut changed, *change, known_key(change.name)) {
            problems.push(problem);
        }
    }
    if problems.is_empty() { Ok(changed) } else { Err(ConfigError::new(problems)) }
}

fn apply_one(
    overrides: &mut Overrides,
    change: ConfigChange<'_>,
    known: Option<&ConfigKey>,
) -> Result<(), ConfigProblem> {
    let name = change.name.to_owned();
    if change.op == AlterOp::Delete {
        overrides.remove(change.name);
        return Ok(());
    }
    let Some(value) = change.value else { return Err(ConfigProblem::ValueMissing { key: name }) };
    if change.op == AlterOp::Set {
        overrides.insert(name, value.to_owned());
        return Ok(());
    }
    match known {
        Some(key) if key.type_ != ConfigType::List => {
            return Err(ConfigProblem::NotAList { key: name, type_: key.type_ });
        }
        None => return Err(ConfigProblem::UnknownKey { key: name, nearest: None }),
        Some(_) => {}
    }
    // A list that nobody has changed yet starts as the default of its key, not as what the layer below says.
    let current = overrides.get(change.name).or_else(|| known?.default.as_ref());
    let mut items = current.map(|text| split_list(text)).unwrap_or_default();
    let operands = split_list(value);
    if change.op == AlterOp::Append {
        for operand in operands {
            if !items.contains(&operand) {
                items.push(operand);
            }
        }
    } else {
        items.retain(|item| !operands.contains(item));
    }
    overrides.insert(name, items.join(","));
    Ok(())
}
