//! The command line.

mod control;
mod ctl;
mod dump_log;
mod keys;
mod parent;
mod recovery;
mod repair;
mod serve;
mod settings;
mod signals;
mod sweeper;
mod test_broker;
mod verify;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use ottla::{Clock, SystemClock};
use tracing_subscriber::EnvFilter;

/// An event log that speaks Kafka's protocol: one broker in one process.
#[derive(Parser)]
#[command(name = "ottla", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a broker until SIGTERM or SIGINT.
    ///
    /// Settings have Kafka's names. They come from the file, then from variables of the environment (KAFKA_LOG_DIRS is
    /// log.dirs), then from --override; the last counts. Once the broker accepts connections it prints one line to
    /// stdout: ready bootstrap.servers=HOST:PORT log.dirs=DIR startup_ms=N. Logs go to stderr.
    Serve(ServeArgs),
    /// Tell what is in the files of a log, as kafka-dump-log does: batches, records, indexes, producer snapshots.
    ///
    /// Options and output are those of Kafka's tool. Files are only read.
    DumpLog(DumpLogArgs),
    /// Check everything in data directories that no broker has open, without a write.
    ///
    /// What is wrong goes to stdout, a line each, progress to stderr. The exit code is 0 if all is well.
    Verify(VerifyArgs),
    /// Cut what is damaged out of data directories that no broker has open, and keep it beside.
    ///
    /// Without --yes, nothing is done: what would be is said, a line each, and the exit code is that of verify. What is cut
    /// stays beside its file, under its name with .cut behind it. A bad batch goes alone; of a log that was not closed in
    /// order, everything behind the first bad batch beyond the recovery point goes, as the next start would have it.
    Repair(RepairArgs),
    /// Run a broker for tests until the program that has started it ends.
    ///
    /// It is temporary, on a free port of 127.0.0.1; groups start at once, topics are made when they are first asked
    /// for. Once it accepts connections it prints one line to stdout:
    /// ready bootstrap.servers=HOST:PORT control=URL startup_ms=N. The control endpoint lets time pass, waits, shows
    /// what came, has requests and the disk fail, and starts anew: see `ottla ctl`, and the handbook's page on testing.
    Test(test_broker::TestArgs),
    /// Remove a directory that nobody has once stdin ends: what `ottla test` starts, to leave nothing behind even when it is killed.
    #[command(hide = true)]
    Sweep(sweeper::SweepArgs),
    /// Steer a broker that was started by `ottla test`.
    Ctl(ctl::CtlArgs),
    /// List the settings, with type, default, and what each is for.
    Config(ConfigArgs),
}

#[derive(clap::Args)]
struct ServeArgs {
    /// A properties file, such as Kafka's server.properties.
    file: Option<PathBuf>,
    /// One setting, over those of the file and of the environment. Can be given many times.
    #[arg(long = "override", value_name = "KEY=VALUE", value_parser = settings::parse_override)]
    overrides: Vec<(String, String)>,
    /// Keep the data in a new directory and remove it at the end; unless listeners are set, take a free port of
    /// 127.0.0.1.
    #[arg(long)]
    temporary: bool,
    /// What to log: error, warn, info, debug, trace, or as RUST_LOG has it; without either, info.
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).multiple(true).args(["paths", "files"])))]
struct DumpLogArgs {
    /// Files to tell of: .log, .index, .timeindex, .txnindex, .snapshot.
    #[arg(value_name = "FILE")]
    paths: Vec<PathBuf>,
    /// The same, separated by commas, as Kafka's tool has them.
    #[arg(long, value_name = "FILES", value_delimiter = ',')]
    files: Vec<PathBuf>,
    /// Tell of each record, with its key and value.
    #[arg(long)]
    print_data_log: bool,
    /// Tell of each record, not only of each batch.
    #[arg(long)]
    deep_iteration: bool,
    /// Of each record, tell nothing but key and value.
    #[arg(long)]
    skip_record_metadata: bool,
    /// Of indexes, tell only what is wrong with them.
    #[arg(long)]
    verify_index_only: bool,
    /// Of indexes, tell only whether a broker would take them for sound, or build them again.
    #[arg(long)]
    index_sanity_check: bool,
    /// Of offset indexes, take what points at a larger batch for wrong; without it, none is too large.
    #[arg(long, value_name = "BYTES")]
    max_message_size: Option<u64>,
    /// Tell of no more bytes of each .log file than these, in whole batches.
    #[arg(long, value_name = "BYTES")]
    max_bytes: Option<u64>,
    /// Take keys and values for those of __consumer_offsets.
    #[arg(long, conflicts_with_all = ["transaction_log_decoder", "share_group_state_decoder"])]
    offsets_decoder: bool,
    /// Take keys and values for those of __transaction_state.
    #[arg(long, conflicts_with = "share_group_state_decoder")]
    transaction_log_decoder: bool,
    /// Take keys and values for those of __share_group_state.
    #[arg(long)]
    share_group_state_decoder: bool,
    /// What decodes keys: text, as org.apache.kafka.tools.api.StringDecoder; other classes of Java cannot be had.
    #[arg(long, value_name = "CLASS", num_args = 0..=1, default_missing_value = dump_log::STRING_DECODER,
          value_parser = dump_log::parse_decoder_class)]
    key_decoder_class: Option<String>,
    /// What decodes values: the same.
    #[arg(long, value_name = "CLASS", num_args = 0..=1, default_missing_value = dump_log::STRING_DECODER,
          value_parser = dump_log::parse_decoder_class)]
    value_decoder_class: Option<String>,
    #[arg(long, hide = true)]
    cluster_metadata_decoder: bool,
    #[arg(long, hide = true)]
    remote_log_metadata_decoder: bool,
}

#[derive(clap::Args)]
struct VerifyArgs {
    /// The log.dirs to check.
    #[arg(value_name = "DIR", required = true)]
    dirs: Vec<PathBuf>,
}

#[derive(clap::Args)]
struct RepairArgs {
    /// The log.dirs to repair.
    #[arg(value_name = "DIR", required = true)]
    dirs: Vec<PathBuf>,
    /// Do it.
    #[arg(long)]
    yes: bool,
}

#[derive(clap::Args)]
struct ConfigArgs {
    /// Only settings whose name has this in it.
    filter: Option<String>,
}

pub(crate) fn main() -> ExitCode {
    let parent = parent::Parent::now();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let done = match Cli::parse().command {
        Command::Serve(args) => serve::run(&args, &clock),
        Command::DumpLog(args) => dump_log::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Repair(args) => repair::run(&args),
        Command::Test(args) => test_broker::run(&args, &*clock, parent),
        Command::Sweep(args) => sweeper::run(&args),
        Command::Ctl(args) => ctl::run(&args),
        Command::Config(args) => keys::print(args.filter.as_deref().unwrap_or_default()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where not even stderr is open, the exit code is left to tell.
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "ottla: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Logs to stderr: what `--log-level` says, else `RUST_LOG`, else everything from info on.
fn start_logging(log_level: Option<&str>) -> Result<(), CliError> {
    let directives = log_level.map(str::to_owned).or_else(|| std::env::var(EnvFilter::DEFAULT_ENV).ok());
    let directives = directives.filter(|text| !text.is_empty()).unwrap_or_else(|| "info".to_owned());
    let filter = EnvFilter::try_new(&directives)
        .map_err(|source| CliError::LogLevel { directives: directives.clone(), source })?;
    let is_terminal = std::io::stderr().is_terminal();
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(recovery::stderr);
    // A log that nobody can read any more is no reason to end, which complaining about it on stderr would be.
    subscriber.with_ansi(is_terminal).log_internal_errors(false).init();
    Ok(())
}

/// What ends the program: which thing is wrong, and what to do about it.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error("cannot log at {directives}: {source}; give error, warn, info, debug or trace")]
    LogLevel { directives: String, source: tracing_subscriber::filter::ParseError },
    #[error("cannot read {}: {source}; name a properties file that this user may read{}", file.display(), hint(file))]
    UnreadableFile { file: PathBuf, source: std::io::Error },
    #[error("{} is not a properties file:\n{source}", file.display())]
    MalformedFile { file: PathBuf, source: ottla::ConfigError },
    #[error("{} is not a properties file: line {line} is no text", file.display())]
    NoText { file: PathBuf, line: usize },
    #[error("the shell cannot run {command:?}: {reason}; correct BROKER_ID_COMMAND or HOSTNAME_COMMAND")]
    Command { command: String, reason: String },
    #[error("{} wrong, correct {}:\n{source}", count(source), if source.problems().len() == 1 { "it" } else { "them" })]
    WrongSettings { source: ottla::ConfigError },
    #[error("cannot take signals: {0}")]
    Signals(std::io::Error),
    #[error("the control endpoint at {address}: {source}; give the address of a running ottla test")]
    Control { address: String, source: std::io::Error },
    #[error("{code}: {message}")]
    Refused { code: String, message: String },
    #[error("{0}")]
    Broker(#[from] ottla::Error),
    #[error(
        "{count} problems, listed above: `ottla repair` tells what would have to be cut, and does it if asked to"
    )]
    Unsound { count: usize },
    #[error("{count} problems are as they were: --yes has them repaired as listed above")]
    NotRepaired { count: usize },
    #[error("{count} problems, listed above, cannot be repaired")]
    BeyondRepair { count: usize },
    #[error(
        "--{option}: ottla has no such topic, and nothing that decodes it: kafka-dump-log of Apache Kafka does; without \
         the option, batches are told of, and with --deep-iteration records"
    )]
    NoDecoder { option: &'static str },
    #[error("no directory of log.dirs is left: {reasons}; see to the disks, and start again")]
    NoLogDirLeft { reasons: String },
    #[error("no setting has {filter:?} in its name: `ottla config` lists all of them")]
    NoSuchSetting { filter: String },
    #[error("cannot write to stdout: {0}")]
    Stdout(std::io::Error),
}

/// For who has forgotten the option.
fn hint(file: &std::path::Path) -> String {
    let text = file.display().to_string();
    if text.contains('=') { format!("; a setting is given as --override {text}") } else { String::new() }
}

/// Prints what was asked for.
fn print(text: &str) -> Result<(), CliError> {
    use std::io::Write as _;
    match writeln!(std::io::stdout().lock(), "{text}") {
        // The reader has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(CliError::Stdout),
    }
}

fn count(error: &ottla::ConfigError) -> String {
    match error.problems().len() {
        1 => "a setting is".to_owned(),
        many => format!("{many} settings are"),
    }
}
