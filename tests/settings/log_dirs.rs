//! What it does when its log directories fail.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;

use super::{Serving, serve, signal, value};

#[test]
fn it_goes_on_while_a_log_dir_is_left_and_then_ends_with_the_reason() {
    let root = tempfile::tempdir().unwrap();
    let dirs = ["a", "b"].map(|name| root.path().join(name));
    let mut command = serve(&dirs[0]);
    let log_dirs = dirs.each_ref().map(|dir| dir.display().to_string()).join(",");
    command.args(["--override", &format!("log.dirs={log_dirs}")]);
    // So that it notices at once that a directory is gone.
    for task in ["log.initial.task.delay.ms", "log.flush.offset.checkpoint.interval.ms"] {
        command.args(["--override", &format!("{task}=10")]);
    }
    let mut serving = Serving::start(&mut command);
    let ready = serving.ready();
    let mut stderr = BufReader::new(serving.child.stderr.take().unwrap());
    let mut read_to = |what: &str| loop {
        let mut line = String::new();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "never: {what}");
        if line.contains(what) {
            return line;
        }
    };
    // At once, whatever the broker writes there meanwhile.
    fs::rename(&dirs[0], root.path().join("gone a")).unwrap();
    let line = read_to("log dir goes offline");
    assert!(line.contains(&dirs[0].display().to_string()), "{line}");
    TcpStream::connect(value(&ready, "bootstrap.servers")).unwrap();

    fs::rename(&dirs[1], root.path().join("gone b")).unwrap();
    read_to("log dir goes offline");
    let line = read_to("ottla: ");
    assert!(line.starts_with("ottla: no directory of log.dirs is left: "), "{line}");
    for dir in &dirs {
        assert!(line.contains(&format!("{}/", dir.display())) && line.contains("No such file"), "{line}");
    }
    assert_eq!(serving.child.wait().unwrap().code(), Some(1));
    TcpStream::connect(value(&ready, "bootstrap.servers")).unwrap_err();
}

/// As Kafka's, which swallows what a stop meets: nothing that a supervisor would have to act upon.
#[test]
fn a_stop_that_cannot_leave_its_mark_says_so_and_is_a_stop_nevertheless() {
    let dir = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(&mut serve(dir.path()));
    serving.ready();
    let mark = dir.path().join(".kafka_cleanshutdown");
    fs::create_dir_all(mark.join("in the way")).unwrap();
    signal(&serving.child, "TERM");
    let (code, _, stderr) = serving.end();
    let line = stderr.lines().find(|line| line.contains("the logs were not closed cleanly")).expect(&stderr);
    assert!(line.contains("the next start will scan them"), "{line}");
    assert!(line.contains(&mark.display().to_string()), "{line}");
    assert_eq!(code, Some(0), "{stderr}");
}
