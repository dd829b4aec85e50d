//! The `ottla` binary from outside: settings from everywhere, what it says, and how it ends.

#![expect(clippy::disallowed_methods, reason = "the files and processes around a broker are the test's own")]
#![cfg(feature = "cli")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

#[cfg(unix)]
#[path = "settings/log_dirs.rs"]
mod log_dirs;
#[cfg(unix)]
#[path = "settings/recovery.rs"]
mod recovery;

/// The binary, with nothing of the tests' own environment in its settings.
fn ottla() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ottla"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("KAFKA_") || name.ends_with("_COMMAND") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A broker that is on its way or ready; killed if a test fails before it stopped.
struct Serving {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Serving {
    fn start(command: &mut Command) -> Serving {
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Serving { child, stdout }
    }

    /// Waits for the ready line; answers its `key=value` parts in order.
    fn ready(&mut self) -> Vec<(String, String)> {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        let Some(parts) = line.strip_prefix("ready ") else {
            self.child.kill().unwrap();
            panic!("not ready: {line:?}\n{}", self.stderr());
        };
        let pair = |part: &str| part.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())).unwrap();
        parts.trim_end().split(' ').map(pair).collect()
    }

    fn stderr(&mut self) -> String {
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }

    /// Waits for the end: exit code, and what is left of stdout and stderr.
    fn end(mut self) -> (Option<i32>, String, String) {
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).unwrap();
        let stderr = self.stderr();
        (self.child.wait().unwrap().code(), stdout, stderr)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Fails only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn value<'a>(ready: &'a [(String, String)], key: &str) -> &'a str {
    &ready.iter().find(|(known, _)| known == key).unwrap().1
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// `serve` in a directory of its own, at a free port.
fn serve(dir: &Path) -> Command {
    let mut command = ottla();
    command.arg("serve").arg("--override").arg(format!("log.dirs={}", dir.display()));
    command.args(["--override", "listeners=PLAINTEXT://127.0.0.1:0"]);
    command
}

/// Runs a command that ends by itself: exit code, stdout, stderr.
fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn file(dir: &TempDir, text: &str) -> std::path::PathBuf {
    let path = dir.path().join("server.properties");
    fs::write(&path, text).unwrap();
    path
}

#[test]
#[cfg(unix)]
fn it_says_when_it_is_ready_and_ends_cleanly_on_sigterm() {
    let dir = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(&mut serve(dir.path()));
    let ready = serving.ready();
    let keys: Vec<_> = ready.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["bootstrap.servers", "log.dirs", "startup_ms"]);
    TcpStream::connect(value(&ready, "bootstrap.servers")).unwrap();
    assert_eq!(value(&ready, "log.dirs"), dir.path().to_string_lossy());
    assert!(value(&ready, "startup_ms").parse::<u32>().is_ok());
    signal(&serving.child, "TERM");
    let (code, stdout, stderr) = serving.end();
    assert_eq!((code, stdout.as_str()), (Some(0), ""), "{stderr}");
    assert!(dir.path().join(".kafka_cleanshutdown").exists(), "{stderr}");
}

#[test]
#[cfg(unix)]
fn sigint_and_the_end_of_the_terminal_end_it_cleanly_too() {
    // What is started where SIGHUP is ignored ignores it, too: also where these tests are.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("1");
    let hangs_up = u64::from_str_radix(ignored.trim(), 16).unwrap() & 1 == 0;
    for name in if hangs_up { &["INT", "HUP"][..] } else { &["INT"] } {
        let dir = tempfile::tempdir().unwrap();
        let mut serving = Serving::start(&mut serve(dir.path()));
        serving.ready();
        signal(&serving.child, name);
        assert_eq!(serving.end().0, Some(0), "{name}");
        assert!(dir.path().join(".kafka_cleanshutdown").exists(), "{name}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn it_outlives_its_terminal_under_nohup() {
    let dir = tempfile::tempdir().unwrap();
    let line = format!(
        "exec nohup '{}' serve --override log.dirs='{}' --override listeners=PLAINTEXT://127.0.0.1:0",
        env!("CARGO_BIN_EXE_ottla"),
        dir.path().display()
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &line]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut serving = Serving::start(&mut shell);
    serving.ready();
    signal(&serving.child, "HUP");
    // A second signal to stop would end it at once, with another code.
    signal(&serving.child, "TERM");
    assert_eq!(serving.end().0, Some(0));
}

#[test]
fn every_wrong_setting_is_reported_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir, "num.partitions=0\nlog.cleanup.policy=keep\nnum.network.threads=2\n");
    let mut command = serve(dir.path());
    command
        .arg(path)
        .args(["--override", "auto.create.topics.enable=yes"])
        .env("KAFKA_MESSAGE_MAX_BYTES", "-1");
    let (code, stdout, stderr) = run(&mut command);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert_eq!(
        stderr,
        "ottla: 4 settings are wrong, correct them:\n\
         num.partitions=0: not an int at least 1\n\
         log.cleanup.policy=keep: not a list of delete, compact\n\
         message.max.bytes=-1: not an int at least 0\n\
         auto.create.topics.enable=yes: not true or false\n"
    );
}

#[test]
fn what_is_recovered_after_a_crash_is_told_and_nothing_of_it_after_a_clean_stop() {
    let dir = tempfile::tempdir().unwrap();
    let broker = ottla::Broker::open(dir.path()).unwrap();
    broker.admin().create_topic(ottla::NewTopic::new("orders", 3)).unwrap();
    broker.close();
    let mut clean = Serving::start(&mut serve(dir.path()));
    clean.ready();
    // As a crash.
    clean.child.kill().unwrap();
    let (_, _, stderr) = clean.end();
    assert!(!stderr.contains("recover"), "{stderr}");
    let mut serving = Serving::start(&mut serve(dir.path()));
    serving.ready();
    serving.child.kill().unwrap();
    let (_, _, stderr) = serving.end();
    let lines: Vec<_> = stderr.lines().filter(|line| line.contains("recovered")).collect();
    let [begins, ends] = lines.as_slice() else { panic!("{stderr}") };
    assert!(begins.contains("the last stop was not a clean one: logs are recovered"), "{begins}");
    assert!(begins.contains(" logs=3 segments=3 bytes=0") && ends.contains(" logs=3 "), "{stderr}");
}

#[test]
fn unknown_keys_and_keys_without_effect_are_logged_and_do_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir, "num.partition=7\nssl.provider=x\nnum.partition=8\n");
    let mut command = serve(&dir.path().join("data"));
    let mut serving = Serving::start(command.arg(path).env("KAFKA_CLEANUP_POLICY", "compact"));
    serving.ready();
    serving.child.kill().unwrap();
    let (_, _, stderr) = serving.end();
    for expected in [
        "num.partition: no such setting, ignored; did you mean num.partitions?",
        "num.partition: given more than once, line 3 counts",
        "ssl.provider: accepted without effect",
        "cleanup.policy: is a setting of topics, ignored; the broker's default for them is log.cleanup.policy",
    ] {
        assert_eq!(stderr.matches(expected).count(), 1, "{expected}\n{stderr}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing.properties");
    let (code, stdout, stderr) = run(serve(dir.path()).arg(&missing));
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.starts_with(&format!("ottla: cannot read {}: ", missing.display())), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

/// Runs `serve`, which must fail; answers the last line of stderr, which says why.
fn refused(command: &mut Command) -> String {
    let (code, stdout, stderr) = run(command);
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    let last = stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("ottla: "), "{stderr}");
    last.to_owned()
}

#[test]
fn a_log_dir_that_cannot_be_one_is_named_with_the_reason_and_the_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    for wrong in [file.clone(), file.join("below")] {
        let message = refused(&mut serve(&wrong));
        let expected = format!("ottla: none of the log dirs can be used: cannot make {}: ", wrong.display());
        assert!(message.starts_with(&expected), "{message}");
        assert!(
            message.ends_with("have this user make and write to them, or name others in log.dirs"),
            "{message}"
        );
    }
    assert!(refused(&mut serve(&file)).contains(": there is a file, and no directory; "));
    // One that works is enough, and the others are named in the log.
    let works = dir.path().join("works");
    let both = format!("log.dirs={},{}", file.display(), works.display());
    let mut serving = Serving::start(serve(&works).args(["--override", &both]));
    assert_eq!(value(&serving.ready(), "log.dirs"), works.to_string_lossy());
    serving.child.kill().unwrap();
    let (_, _, stderr) = serving.end();
    let is_named = |line: &str| line.contains("ERROR") && line.contains(&*file.to_string_lossy());
    assert!(stderr.lines().any(is_named), "{stderr}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_log_dir_that_may_not_be_written_is_named_with_the_reason_and_the_remedy() {
    // Where not even root may write.
    let message = refused(&mut serve(Path::new("/proc/ottla")));
    assert!(message.contains("cannot make /proc/ottla: "), "{message}");
    assert!(message.contains("or name others in log.dirs"), "{message}");
}

#[test]
fn a_log_dir_of_another_broker_or_cluster_is_named_with_the_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let with = |name: &str, properties: &str| {
        let path = dir.path().join(name);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("meta.properties"), properties).unwrap();
        path
    };
    let seven = with("seven", "version=1\ncluster.id=abc\nnode.id=7\n");
    let message = refused(serve(&seven).args(["--override", "node.id=1"]));
    let expected = format!(
        "ottla: {} says node.id=7, but 1 is expected: set it so, or name another directory in log.dirs",
        seven.join("meta.properties").display()
    );
    assert_eq!(message, expected);

    let other = with("other", "version=1\ncluster.id=def\nnode.id=7\n");
    let both = format!("log.dirs={},{}", seven.display(), other.display());
    let message = refused(serve(&seven).args(["--override", "node.id=7", "--override", &both]));
    assert!(message.contains("other/meta.properties says cluster.id=def, but abc is expected"), "{message}");
    assert!(message.ends_with("name only directories of one cluster in log.dirs"), "{message}");

    let garbage = with("garbage", "hello");
    let message = refused(&mut serve(&garbage));
    assert!(message.contains("garbage/meta.properties is malformed: 'hello' has no '='"), "{message}");
    assert!(message.ends_with("restore it, or name another directory in log.dirs"), "{message}");
}

#[test]
fn an_address_to_listen_on_that_cannot_be_one_is_named_with_the_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |address: &str| {
        let listeners = format!("listeners=PLAINTEXT://{address}");
        refused(serve(dir.path()).args(["--override", &listeners]))
    };
    let message = refused("no.such.host.invalid:0");
    assert!(message.contains("cannot resolve host 'no.such.host.invalid'"), "{message}");
    assert!(message.ends_with("choose an address of this machine, or a name that leads to one"), "{message}");
    // An address that is kept for documentation.
    let message = refused("192.0.2.1:9092");
    assert!(message.contains("cannot listen on 192.0.2.1:9092"), "{message}");
    assert!(message.contains("choose an address of this machine"), "{message}");
}

#[test]
fn a_file_of_no_text_is_no_properties_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir, "node.id=1\n\u{7f}ELF\0\0");
    let message = refused(serve(dir.path()).arg(&path));
    assert_eq!(message, format!("ottla: {} is not a properties file: line 2 is no text", path.display()));
}

#[test]
fn a_setting_without_its_option_is_recognised() {
    let dir = tempfile::tempdir().unwrap();
    let message = refused(serve(dir.path()).arg("node.id=3"));
    assert!(message.starts_with("ottla: cannot read node.id=3: "), "{message}");
    assert!(message.ends_with("a setting is given as --override node.id=3"), "{message}");
}

#[test]
fn a_file_that_is_no_properties_file_is_answered_with_its_lines() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir, "# fine\nbroker.rack=\\u00\n");
    let (code, _, stderr) = run(serve(dir.path()).arg(&path));
    assert_eq!(code, Some(1));
    assert_eq!(
        stderr,
        format!(
            "ottla: {} is not a properties file:\nline 2: \\u is not followed by four hexadecimal digits\n",
            path.display()
        )
    );
}

#[test]
fn wrong_arguments_are_a_matter_of_usage() {
    for arguments in [
        &["serve", "--override", "num.partitions"][..],
        &["serve", "--override", "=1"],
        &["serve", "--unknown"],
        &["serve", "a", "b"],
        &["sreve"],
        &["test", "--nodes", "0"],
        &["test", "--clock", "0"],
        &["test", "--clock", "1e9"],
        &["test", "--api-versions", "Produce=9-2"],
        &[],
    ] {
        let (code, stdout, stderr) = run(ottla().args(arguments));
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(stderr.contains("--help"), "{arguments:?}: {stderr}");
    }
    let (code, _, stderr) = run(ottla().args(["serve", "--log-level", "=loud="]));
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with("ottla: cannot log at =loud=: "), "{stderr}");
}

#[test]
fn it_tells_its_version() {
    let (code, stdout, _) = run(ottla().arg("--version"));
    assert_eq!((code, stdout), (Some(0), format!("ottla {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn it_lists_its_settings() {
    let (code, stdout, _) = run(ottla().args(["config", "log.retention.m"]));
    assert_eq!(code, Some(0));
    let names: Vec<_> = stdout.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(names, ["log.retention.ms=", "log.retention.minutes="]);
    assert!(stdout.contains("default of the topic's retention.ms"), "{stdout}");
    let none = run(ottla().args(["config", "retention_ms"]));
    let expected = "ottla: no setting has \"retention_ms\" in its name: `ottla config` lists all of them\n";
    assert_eq!(none, (Some(1), String::new(), expected.to_owned()));
    let (_, all, _) = run(ottla().arg("config"));
    assert!(all.lines().any(|line| line == "socket.request.max.bytes=104857600"));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let mut child = ottla().arg("config").spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn a_directory_in_use_is_named_with_the_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(&mut serve(dir.path()));
    let ready = serving.ready();
    let (code, stdout, stderr) = run(&mut serve(dir.path()));
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    let message = stderr.lines().find(|line| line.starts_with("ottla: ")).unwrap_or_default();
    assert!(message.contains(&*dir.path().to_string_lossy()), "{stderr}");
    assert!(message.contains("in use") && message.contains("choose another directory"), "{stderr}");
    TcpStream::connect(value(&ready, "bootstrap.servers")).unwrap();
}

#[test]
fn a_taken_port_is_named_and_leaves_the_directory_free() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = serve(dir.path());
    let (code, stdout, stderr) =
        run(command.arg("--override").arg(format!("listeners=PLAINTEXT://{address}")));
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    let message = stderr.lines().find(|line| line.starts_with("ottla: ")).unwrap_or_default();
    assert!(message.contains(&address), "{stderr}");
    Serving::start(&mut serve(dir.path())).ready();
}

#[test]
#[cfg(target_os = "linux")]
fn a_port_that_needs_a_right_is_named_with_the_remedy() {
    let first: u32 =
        fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap().trim().parse().unwrap();
    let can_drop_rights = Command::new("setpriv").arg("--version").output().is_ok();
    if first == 0 || !can_drop_rights {
        eprintln!("every port may be taken here, or rights cannot be dropped: nothing to see");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service", "--"]);
    command.arg(env!("CARGO_BIN_EXE_ottla")).arg("serve");
    command.arg("--override").arg(format!("log.dirs={}", dir.path().display()));
    command.args(["--override", "listeners=PLAINTEXT://127.0.0.1:1"]);
    let (code, stdout, stderr) = run(&mut command);
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    assert!(stderr.contains("cannot listen on 127.0.0.1:1"), "{stderr}");
    assert!(stderr.contains("choose a port from 1024 on"), "{stderr}");
}

#[test]
#[cfg(unix)]
fn the_environment_is_mapped_over_the_file_and_under_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir, "log.dirs=/nowhere/of/the/file\nadvertised.listeners=PLAINTEXT://of.the.file:1\n");
    let of_override = dir.path().join("of-override");
    let mut command = ottla();
    command
        .arg("serve")
        .arg(path)
        .env("KAFKA_LOG_DIRS", "/nowhere/of/the/environment")
        .env("KAFKA_LISTENERS", "PLAINTEXT://127.0.0.1:0")
        .env("KAFKA_ADVERTISED_LISTENERS", "PLAINTEXT://_{HOSTNAME_COMMAND}.example:9")
        .env("HOSTNAME_COMMAND", "printf 'shop-%d\\n' $((2 + 3))")
        .env("BROKER_ID_COMMAND", "echo 41")
        .env("KAFKA_HEAP_OPTS", "-Xmx1g")
        .arg("--override")
        .arg(format!("log.dirs={}", of_override.display()));
    let mut serving = Serving::start(&mut command);
    let ready = serving.ready();
    assert_eq!(value(&ready, "bootstrap.servers"), "shop-5.example:9");
    assert_eq!(value(&ready, "log.dirs"), of_override.to_string_lossy());
    let identity = fs::read_to_string(of_override.join("meta.properties")).unwrap();
    assert!(identity.lines().any(|line| line == "broker.id=41" || line == "node.id=41"), "{identity}");
}

#[test]
#[cfg(unix)]
fn a_command_that_fails_is_named() {
    let (code, _, stderr) = run(ottla().arg("serve").env("BROKER_ID_COMMAND", "exit 3"));
    assert_eq!(code, Some(1));
    assert_eq!(
        stderr,
        "ottla: the shell cannot run \"exit 3\": exit status: 3; correct BROKER_ID_COMMAND or HOSTNAME_COMMAND\n"
    );
}

#[test]
#[cfg(unix)]
fn a_temporary_broker_takes_a_free_port_and_leaves_nothing_behind() {
    let temp = tempfile::tempdir().unwrap();
    let start = || Serving::start(ottla().args(["serve", "--temporary"]).env("TMPDIR", temp.path()));
    let (mut one, mut other) = (start(), start());
    let (of_one, of_other) = (one.ready(), other.ready());
    for key in ["bootstrap.servers", "log.dirs"] {
        assert_ne!(value(&of_one, key), value(&of_other, key));
    }
    let dir = Path::new(value(&of_one, "log.dirs"));
    assert!(dir.starts_with(temp.path()) && dir.is_dir());
    for serving in [one, other] {
        signal(&serving.child, "TERM");
        assert_eq!(serving.end().0, Some(0));
    }
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0);
}

#[test]
#[cfg(unix)]
fn it_serves_on_where_nobody_reads_its_stdout() {
    let dir = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = serve(dir.path());
    command.arg("--override").arg(format!("listeners=PLAINTEXT://{free}"));
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    // Its log tells, since its stdout cannot.
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = log.find(|line| line.as_ref().unwrap().contains("ready bootstrap.servers=")).unwrap().unwrap();
    assert!(line.contains("cannot write to stdout"), "{line}");
    TcpStream::connect(free).unwrap();
    signal(&child, "TERM");
    drop(log);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
