//! How `ottla test` ends, and what is left then.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::json;

use super::process::TestProcess;

#[test]
fn it_ends_with_its_stdin_if_it_is_told_to() {
    let mut kafka = TestProcess::start(&["--until-stdin-ends"]);
    drop(kafka.child.stdin.take());
    assert!(kafka.child.wait().unwrap().success());
}

/// Where a broker has its files, of those that are temporary.
#[cfg(target_os = "linux")]
fn files_of(process: u32) -> Vec<std::path::PathBuf> {
    let user = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap());
    let prefix = format!("{process}-");
    let entries = std::fs::read_dir(std::env::temp_dir().join(format!("ottla-{user}")));
    let own = entries.into_iter().flatten().flatten().filter(|entry| {
        let name = entry.file_name();
        let name = name.to_str().unwrap();
        name.starts_with(&prefix) && !name.ends_with(".lock")
    });
    own.map(|entry| entry.path()).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_left_behind_when_it_ends_and_when_it_is_killed() {
    for is_killed in [false, true] {
        let mut kafka = TestProcess::start(&["--until-stdin-ends"]);
        kafka.post("/v1/topics", json!({ "name": "orders" }));
        let fork = kafka.post("/v1/forks", json!({}))["bootstrapServers"].clone();
        kafka.post("/v1/snapshots", json!({}));
        let process = kafka.child.id();
        let [dir] = &files_of(process)[..] else { panic!("not one directory") };
        assert_eq!(std::fs::read_dir(dir).unwrap().count(), 3, "the broker's, the fork's and the snapshot's");
        match is_killed {
            true => kafka.child.kill().unwrap(),
            false => drop(kafka.child.stdin.take()),
        }
        kafka.child.wait().unwrap();
        assert!(TcpStream::connect(fork.as_str().unwrap()).is_err());
        while !files_of(process).is_empty() {
            std::thread::yield_now();
        }
    }
}

#[cfg(unix)]
#[test]
fn it_ends_with_the_program_that_has_started_it() {
    // A shell starts it, and is killed once the broker is ready.
    let line = format!("'{}' test --override num.io.threads=2 & wait", env!("CARGO_BIN_EXE_ottla"));
    let mut shell = Command::new("sh").args(["-c", &line]).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(shell.stdout.take().unwrap());
    let mut ready = String::new();
    stdout.read_line(&mut ready).unwrap();
    assert!(ready.starts_with("ready "), "{ready:?}");
    shell.kill().unwrap();
    shell.wait().unwrap();
    // Its stdout ends where the broker's process does.
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    let address = ready.split_whitespace().find_map(|part| part.strip_prefix("bootstrap.servers=")).unwrap();
    assert!(TcpStream::connect(address).is_err());
}

/// It took the process that adopts orphans for its parent, and lived for ever.
#[cfg(target_os = "linux")]
#[test]
fn it_does_not_begin_if_the_program_that_has_started_it_has_ended_already() {
    // In a session of its own, as programs mostly are: who adopts the orphan is in another one.
    let line = format!("(while kill -0 $$; do :; done; exec '{}' test) 2>&- &", env!("CARGO_BIN_EXE_ottla"));
    let mut shell = Command::new("setsid").args(["sh", "-c", &line]).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(shell.stdout.take().unwrap());
    shell.wait().unwrap();
    let mut ready = String::new();
    stdout.read_line(&mut ready).unwrap();
    assert_eq!(ready, "");
}

#[cfg(target_os = "linux")]
#[test]
fn it_begins_in_a_session_of_its_own_too() {
    let mut command = Command::new("setsid");
    command.args([env!("CARGO_BIN_EXE_ottla"), "test"]).stdout(Stdio::piped());
    let mut broker = command.spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(broker.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    broker.kill().unwrap();
    broker.wait().unwrap();
    assert!(ready.starts_with("ready "), "{ready:?}");
}
