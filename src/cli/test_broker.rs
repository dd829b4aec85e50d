//! `ottla test`: a broker for tests in any language, with a control endpoint, which ends with the program that started
//! it.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use ottla::{Clock, ManualClock, ScaledClock, SystemClock, TestBroker};

use super::control::Control;
use super::serve::announce;
use super::signals::{self, StopSignals};
use super::{CliError, start_logging};

/// How often it is looked whether the parent is still there.
const LOOK_FOR_PARENT: Duration = Duration::from_millis(100);

#[derive(clap::Args)]
pub(super) struct TestArgs {
    /// One setting. Can be given many times.
    #[arg(long = "override", value_name = "KEY=VALUE", value_parser = super::settings::parse_override)]
    overrides: Vec<(String, String)>,
    /// The broker's time: running (as the system's, and the test may skip some), manual (it stands still), or how many
    /// times as fast it runs.
    #[arg(long, default_value = "running", value_parser = parse_clock)]
    clock: ClockChoice,
    /// Where the control endpoint is; port 0 is any that is free.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    control: String,
    /// What faults that come by chance are drawn from.
    #[arg(long, value_name = "NUMBER")]
    fault_seed: Option<u64>,
    /// Keep all files in memory, on a disk that knows what was synced, so that the test may cut the power.
    #[arg(long)]
    volatile_disk: bool,
    /// Go on when the program that has started this one has ended.
    #[arg(long)]
    detach: bool,
    /// End when stdin is closed, too.
    #[arg(long)]
    until_stdin_ends: bool,
    /// What to log: error, warn, info, debug, trace, or as RUST_LOG has it; without either, warnings.
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

#[derive(Clone, Copy, Debug)]
enum ClockChoice {
    Running(f64),
    Manual,
}

fn parse_clock(text: &str) -> Result<ClockChoice, String> {
    match text {
        "running" => Ok(ClockChoice::Running(1.0)),
        "manual" => Ok(ClockChoice::Manual),
        rate => match rate.parse() {
            Ok(rate) if f64::is_finite(rate) && rate > 0.0 => Ok(ClockChoice::Running(rate)),
            _ => Err("give running, manual, or a positive number".to_owned()),
        },
    }
}

impl ClockChoice {
    fn start(self) -> Arc<dyn Clock> {
        match self {
            ClockChoice::Running(rate) => Arc::new(ScaledClock::new(rate)),
            ClockChoice::Manual => Arc::new(ManualClock::new(SystemClock::new().now_ms())),
        }
    }
}

pub(super) fn run(args: &TestArgs, clock: &dyn Clock) -> Result<(), CliError> {
    let started = clock.monotonic();
    let parent = parent();
    let mut signals = StopSignals::take().map_err(CliError::Signals)?;
    let has_rust_log = std::env::var_os("RUST_LOG").is_some();
    start_logging(args.log_level.as_deref().or((!has_rust_log).then_some("warn")))?;
    let mut builder = TestBroker::builder().clock(args.clock.start());
    for (key, value) in &args.overrides {
        builder = builder.set(key, value);
    }
    if let Some(seed) = args.fault_seed {
        builder = builder.fault_seed(seed);
    }
    if args.volatile_disk {
        builder = builder.volatile_disk();
    }
    let kafka = builder.start()?;
    let servers = kafka.bootstrap_servers();
    let control = Control::new(kafka);
    let address = control.serve(&args.control)?.address();
    if !args.detach {
        end_with(parent)?;
    }
    if args.until_stdin_ends {
        end_with_stdin()?;
    }
    let startup_ms = clock.monotonic().saturating_sub(started).as_millis();
    announce(&format!("ready bootstrap.servers={servers} control=http://{address} startup_ms={startup_ms}"));
    signals.wait();
    // The threads of the control endpoint hold it too, and would not see it dropped.
    control.close();
    Ok(())
}

/// The process that has started this one.
fn parent() -> Option<u32> {
    #[cfg(unix)]
    return Some(std::os::unix::process::parent_id());
    #[cfg(not(unix))]
    return None;
}

/// Ends this process as a signal would, once its parent is another one than it was: the first has ended.
fn end_with(parent: Option<u32>) -> Result<(), CliError> {
    let watch = move || {
        while self::parent() == parent {
            std::thread::park_timeout(LOOK_FOR_PARENT);
        }
        signals::stop_this_process();
    };
    if parent.is_some() {
        std::thread::Builder::new().name("parent".to_owned()).spawn(watch).map_err(CliError::Signals)?;
    }
    Ok(())
}

fn end_with_stdin() -> Result<(), CliError> {
    let watch = || {
        let mut stdin = std::io::stdin().lock();
        let mut bytes = [0; 512];
        // An error is an end, too: nobody can say anything any more.
        while matches!(stdin.read(&mut bytes), Ok(1..)) {}
        signals::stop_this_process();
    };
    std::thread::Builder::new().name("stdin".to_owned()).spawn(watch).map_err(CliError::Signals)?;
    Ok(())
}
