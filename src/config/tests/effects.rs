//! Holds the table's claims about what acts against the code that would have to act.

use std::collections::HashSet;
use std::path::Path;

use crate::config::{BrokerConfig, ConfigKey, Effect, GroupSettings, LogConfig};

/// The code that takes settings: everything outside of tests and of the table itself.
fn code_that_acts() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut code = String::new();
    collect(&root, &root, &mut code);
    code
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test reads the sources of the crate, whose disk is no matter"
)]
fn collect(root: &Path, dir: &Path, code: &mut String) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        let resolves = ["config/broker/effective.rs", "config/listeners.rs"].contains(&name.as_str());
        if path.is_dir() {
            if !name.ends_with("tests") {
                collect(root, &path, code);
            }
        } else if name.ends_with(".rs")
            && !name.ends_with("tests.rs")
            && (resolves || !name.starts_with("config/"))
        {
            code.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// The broker's settings that a group's own must keep within: the table of groups' settings names them, and takes them.
fn bounds_of_groups() -> Vec<&'static str> {
    let rows = include_str!("../group.rs").lines().filter(|row| row.contains(", Acts"));
    let bounds = rows.filter_map(|row| row.split_once(", within ")?.1.strip_suffix(';'));
    let bounds: Vec<&str> = bounds.flat_map(|bounds| bounds.split(' ')).collect();
    assert!(bounds.len() >= 18, "the table does not look as this test reads it: {bounds:?}");
    bounds
}

fn field(key: &ConfigKey) -> String {
    let letter = |c: char| match c {
        '.' => "_".to_owned(),
        c if c.is_ascii_uppercase() => format!("_{}", c.to_ascii_lowercase()),
        c => c.to_string(),
    };
    key.name.chars().map(letter).collect()
}

fn words(code: &str) -> HashSet<&str> {
    code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect()
}

#[test]
fn every_setting_that_is_said_to_act_is_taken_by_some_code() {
    let code = code_that_acts();
    let words = words(&code);
    let bounds = bounds_of_groups();
    let is_taken = |word: &str| words.contains(word) || bounds.contains(&word);
    let topic_key_acts = |name: &str| {
        // Limits of timestamps are resolved by the table's own file.
        let resolved =
            name.starts_with("message.timestamp.") && is_taken("effective_timestamp_before_max_ms");
        resolved || LogConfig::key(name).is_some_and(|key| is_taken(&field(key)))
    };
    let mut idle = Vec::new();
    for key in BrokerConfig::keys().iter().filter(|key| key.effect == Effect::Acts) {
        if !is_taken(&field(key)) && !key.synonyms.iter().any(|name| topic_key_acts(name)) {
            idle.push(key.name);
        }
    }
    for key in LogConfig::keys().iter().filter(|key| key.effect == Effect::Acts) {
        if !topic_key_acts(key.name) {
            idle.push(key.name);
        }
    }
    for key in GroupSettings::keys().iter().filter(|key| key.effect == Effect::Acts) {
        if !is_taken(&field(key)) {
            idle.push(key.name);
        }
    }
    assert!(idle.is_empty(), "said to act, but no code takes them: {idle:?}");
}

#[test]
fn what_bounds_the_settings_of_groups_is_not_said_to_be_without_effect() {
    let bounds = bounds_of_groups();
    let keys = BrokerConfig::keys().iter().filter(|key| bounds.contains(&field(key).as_str()));
    let idle: Vec<_> = keys.filter(|key| key.effect != Effect::Acts).map(|key| key.name).collect();
    assert!(idle.is_empty(), "groups' settings must keep within these: {idle:?}");
}
