//! What it says of a directory that was not closed in order, or has what it does not know.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ottla::{Broker, NewTopic, ProducerRecord};
use rustix::fs::{Mode, OFlags};
use rustix::pty;
use tempfile::TempDir;

use super::{Serving, run, serve, signal};

/// So many that their names fit into no pipe: where nobody reads them, recovery stands still.
const FOREIGN_FILES: usize = 1_500;

/// Lines come no more often.
const LINE_INTERVAL: Duration = Duration::from_secs(5);
/// Bars neither.
const BAR_INTERVAL: Duration = Duration::from_millis(100);

/// Four partitions of a broker that was killed, the first of which has foreign files in it.
fn after_a_crash() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::open(dir.path()).unwrap();
    broker.admin().create_topic(NewTopic::new("orders", 4)).unwrap();
    for partition in 0..4 {
        let record = ProducerRecord::new("orders").partition(partition).value(&[0; 1_000]);
        broker.producer().send(record).unwrap().wait().unwrap();
    }
    broker.close();
    fs::remove_file(dir.path().join(".kafka_cleanshutdown")).unwrap();
    for i in 0..FOREIGN_FILES {
        fs::write(dir.path().join("orders-0").join(format!("notes-{i:04}.txt")), "mine").unwrap();
    }
    dir
}

/// One that recovers the partitions in their order.
fn serve_in_order(dir: &Path) -> Command {
    let mut command = serve(dir);
    command.args(["--override", "num.recovery.threads.per.data.dir=1"]);
    command
}

/// Lets the time pass that has to lie between two things that are shown.
fn wait(interval: Duration) {
    let begun = Instant::now();
    while let Some(left) = interval.checked_sub(begun.elapsed()) {
        std::thread::park_timeout(left);
    }
}

#[test]
fn where_nobody_watches_a_recovery_says_how_far_it_is_in_lines_and_what_is_foreign_by_name() {
    let dir = after_a_crash();
    let stray = format!("orders-7.{}-stray", "a".repeat(32));
    for name in ["lost+found", &*stray] {
        fs::create_dir(dir.path().join(name)).unwrap();
    }
    fs::write(dir.path().join("todo.txt"), "mine").unwrap();
    let mut serving = Serving::start(&mut serve_in_order(dir.path()));
    let mut stderr = BufReader::new(serving.child.stderr.take().unwrap());
    let mut lines = Vec::new();
    let mut read_to = |what: &str| {
        while !lines.last().is_some_and(|line: &String| line.contains(what)) {
            let mut line = String::new();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "no {what} in {lines:?}");
            lines.push(line);
        }
    };
    // It has begun, and cannot go on before its words are read.
    read_to("notes-");
    wait(LINE_INTERVAL);
    read_to("recovering: ");
    read_to(": recovered ");
    let has = |path: PathBuf, what: &str| {
        let path = path.display().to_string();
        let is_it = |line: &String| line.contains(what) && line.trim_end().ends_with(&path);
        assert!(lines.iter().any(is_it), "{what} {path}: {lines:?}");
    };
    has(dir.path().join("todo.txt"), "a foreign file is left untouched");
    has(dir.path().join("lost+found"), "a foreign directory is left untouched");
    has(dir.path().join(&stray), "a partition that Kafka put aside is left untouched");
    has(dir.path().join("orders-0/notes-0000.txt"), "a foreign file is left untouched");
    let line = lines.iter().find(|line| line.contains("recovering: ")).unwrap();
    assert!(line.contains("/4 logs, ") && line.contains(" of 4.") && line.contains(" kB, "), "{line}");
    assert!(!lines.concat().contains('\x1b'), "there is no terminal");

    serving.child.stderr = Some(stderr.into_inner());
    serving.ready();
    signal(&serving.child, "TERM");
    assert_eq!(serving.end().0, Some(0));
    for path in
        [dir.path().join(stray), dir.path().join("todo.txt"), dir.path().join("orders-0/notes-0000.txt")]
    {
        assert!(path.exists(), "{path:?}");
    }
}

/// Both ends of a terminal.
fn terminal() -> (File, Stdio) {
    let ours = pty::openpt(pty::OpenptFlags::RDWR | pty::OpenptFlags::NOCTTY).unwrap();
    pty::grantpt(&ours).unwrap();
    pty::unlockpt(&ours).unwrap();
    let name = pty::ptsname(&ours, Vec::new()).unwrap();
    let theirs = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    (File::from(ours), Stdio::from(theirs))
}

#[test]
fn on_a_terminal_a_recovery_shows_a_bar_which_is_gone_when_it_is_over() {
    let dir = after_a_crash();
    let (mut screen, theirs) = terminal();
    let mut serving = Serving::start(serve_in_order(dir.path()).stderr(theirs));
    let (mut shown, mut chunk) = (Vec::new(), [0; 4_096]);
    let (mut has_waited, mut is_stopped) = (false, false);
    // The end of a terminal that nobody has open any more is an error.
    while let Ok(count @ 1..) = screen.read(&mut chunk) {
        shown.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&shown);
        if !has_waited && text.contains("notes-") {
            has_waited = true;
            wait(BAR_INTERVAL);
        }
        // That they are to be, and that they are.
        if !is_stopped && text.matches("recovered").count() == 2 {
            is_stopped = true;
            serving.ready();
            signal(&serving.child, "TERM");
        }
    }
    let text = String::from_utf8(shown).unwrap();
    assert_eq!(serving.child.wait().unwrap().code(), Some(0), "{text}");
    let (before, from_last_bar) = text.rsplit_once("\r\x1b[Krecovering [").expect("a bar");
    let bar: String = from_last_bar.chars().take_while(|c| *c != '\r').collect();
    let (boxes, figures) = bar.split_once("] ").unwrap();
    assert!(boxes.len() == 10 && boxes.trim_start_matches('#').trim_start_matches('-').is_empty(), "{bar}");
    assert!(figures.contains("% ") && figures.contains("/4 logs, "), "{bar}");
    // Wiped, before anything else is written.
    assert!(from_last_bar[bar.len()..].starts_with("\r\x1b[K"), "{from_last_bar}");
    assert!(from_last_bar.contains("recovered") && before.contains("logs are recovered"), "{text}");
    assert!(!text.contains("recovering: "), "{text}");
}

#[test]
fn files_of_a_newer_format_are_named_and_end_the_start() {
    let dir = after_a_crash();
    let path = dir.path().join("orders-2/leader-epoch-checkpoint");
    fs::write(&path, "1\n1\n0 0 x\n").unwrap();
    let (code, stdout, stderr) = run(&mut serve(dir.path()));
    assert_eq!((code, &*stdout), (Some(1), ""));
    let last = stderr.lines().last().unwrap();
    assert!(last.starts_with("ottla: "), "{last}");
    assert!(last.contains(&format!("{} is of a newer format: version 1 ", path.display())), "{last}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "1\n1\n0 0 x\n");
}
