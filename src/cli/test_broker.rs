//! `ottla test`: a broker for tests in any language, with a control endpoint, which ends with the program that started
//! it.

use std::io::Read;
use std::sync::Arc;

use ottla::{ApiKey, ApiVersionRanges, Clock, ManualClock, ScaledClock, SystemClock, TestBroker};

use super::control::Control;
use super::parent::Parent;
use super::serve::announce;
use super::signals::{self, StopSignals};
use super::sweeper::Sweeper;
use super::{CliError, start_logging};

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
    /// How many brokers it is to its clients, each with an address of its own.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    nodes: u16,
    /// Offer the versions of APIs that a release of Kafka does: 2.7, 3.9 or 4.4.
    #[arg(long, value_name = "RELEASE", value_parser = parse_release)]
    as_kafka: Option<ApiVersionRanges>,
    /// Offer these versions of an API only, such as Produce=0-8, or no version, as in Produce=none. Can be given many
    /// times.
    #[arg(long = "api-versions", value_name = "API=MIN-MAX", value_parser = parse_versions)]
    api_versions: Vec<(ApiKey, Option<(i16, i16)>)>,
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

fn parse_release(name: &str) -> Result<ApiVersionRanges, String> {
    ApiVersionRanges::of_release(name).ok_or_else(|| "give 2.7, 3.9 or 4.4".to_owned())
}

fn parse_versions(text: &str) -> Result<(ApiKey, Option<(i16, i16)>), String> {
    let wanted = || "give API=MIN-MAX or API=none".to_owned();
    let (name, range) = text.split_once('=').ok_or_else(wanted)?;
    let same = |api: &&ApiKey| api.name().eq_ignore_ascii_case(name);
    let api = ApiKey::ALL.iter().find(same).ok_or_else(|| format!("there is no API {name}"))?;
    if range == "none" {
        return Ok((*api, None));
    }
    let (min, max) = range.split_once('-').ok_or_else(wanted)?;
    let number = |text: &str| text.parse().map_err(|_| wanted());
    let (min, max): (i16, i16) = (number(min)?, number(max)?);
    if min > max {
        return Err(format!(
            "there is no version from {min} to {max}; to offer none, give {}=none",
            api.name()
        ));
    }
    Ok((*api, Some((min, max))))
}

impl TestArgs {
    /// The versions that are offered, if not all are.
    fn versions(&self) -> Option<ApiVersionRanges> {
        if self.as_kafka.is_none() && self.api_versions.is_empty() {
            return None;
        }
        let mut ranges = self.as_kafka.clone().unwrap_or_else(ApiVersionRanges::all);
        for (api, range) in &self.api_versions {
            ranges = match range {
                Some((min, max)) => ranges.offer(*api, *min..=*max),
                None => ranges.without(*api),
            };
        }
        Some(ranges)
    }
}

/// How many times as fast as the system's a clock may run: a year takes half a minute then. Much faster, what is due is due
/// again before it is done.
const MAX_CLOCK_RATE: f64 = 1_000_000.0;

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
            Ok(rate) if rate > 0.0 && rate <= MAX_CLOCK_RATE => Ok(ClockChoice::Running(rate)),
            _ => Err(format!("give running, manual, or a positive number up to {MAX_CLOCK_RATE}")),
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

pub(super) fn run(args: &TestArgs, clock: &dyn Clock, parent: Parent) -> Result<(), CliError> {
    let started = clock.monotonic();
    let mut signals = StopSignals::take().map_err(CliError::Signals)?;
    let has_rust_log = std::env::var_os("RUST_LOG").is_some();
    start_logging(args.log_level.as_deref().or((!has_rust_log).then_some("warn")))?;
    if !args.detach && parent.has_ended() {
        tracing::warn!(
            "the process that has started this one has ended already; --detach goes on without it"
        );
        return Ok(());
    }
    let mut builder = TestBroker::builder().clock(args.clock.start());
    if args.nodes != 1 {
        builder = builder.nodes(args.nodes);
    }
    if let Some(versions) = args.versions() {
        builder = builder.api_versions(versions);
    }
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
    // This process may be killed as soon as it is ready.
    let sweeper = Sweeper::start(&kafka);
    let servers = kafka.bootstrap_servers();
    let control = Control::new(kafka);
    let address = control.serve(&args.control)?.address();
    if !args.detach {
        parent.end_with()?;
    }
    if args.until_stdin_ends {
        end_with_stdin()?;
    }
    let startup_ms = clock.monotonic().saturating_sub(started).as_millis();
    announce(&format!("ready bootstrap.servers={servers} control=http://{address} startup_ms={startup_ms}"));
    signals.wait();
    // The threads of the control endpoint hold it too, and would not see it dropped.
    control.close();
    drop(sweeper);
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
