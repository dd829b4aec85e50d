//! The command line.

mod keys;
mod serve;
mod settings;
mod signals;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ottla::SystemClock;
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
    /// What to log: error, warn, info, debug, trace, or as RUST_LOG has it.
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

#[derive(clap::Args)]
struct ConfigArgs {
    /// Only settings whose name has this in it.
    filter: Option<String>,
}

pub(crate) fn main() -> ExitCode {
    let clock = SystemClock::new();
    let done = match Cli::parse().command {
        Command::Serve(args) => serve::run(&args, &clock),
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
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
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
    #[error("{0}")]
    Broker(#[from] ottla::Error),
    #[error("cannot write to stdout: {0}")]
    Stdout(std::io::Error),
}

/// For who has forgotten the option.
fn hint(file: &std::path::Path) -> String {
    let text = file.display().to_string();
    if text.contains('=') { format!("; a setting is given as --override {text}") } else { String::new() }
}

fn count(error: &ottla::ConfigError) -> String {
    match error.problems().len() {
        1 => "a setting is".to_owned(),
        many => format!("{many} settings are"),
    }
}
