//! What `ottla serve` shows while it recovers: a bar on a terminal, lines of the log elsewhere.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ottla::{Clock, RecoveryProgress};

/// How often the bar moves.
const BAR_INTERVAL: Duration = Duration::from_millis(100);
/// How often there is a line.
const LINE_INTERVAL: Duration = Duration::from_secs(5);
/// With all its figures, the bar must fit a line of 80 characters.
const BAR_WIDTH: u64 = 10;

/// A bar stands on the last line of the terminal.
static BAR_IS_SHOWN: AtomicBool = AtomicBool::new(false);

/// Where the log goes: what it says takes the place of the bar, which comes back below it.
pub(super) fn stderr() -> io::Stderr {
    wipe_bar();
    io::stderr()
}

fn wipe_bar() {
    if BAR_IS_SHOWN.swap(false, Ordering::Relaxed) {
        // A bar that cannot be wiped harms nobody.
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
}

/// Shows how far it is.
pub(super) struct RecoveryDisplay {
    clock: Arc<dyn Clock>,
    is_terminal: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    started: Option<Duration>,
    shown: Option<Duration>,
    dirs: BTreeMap<PathBuf, RecoveryProgress>,
}

/// What is to be shown, if anything.
#[derive(Debug, PartialEq, Eq)]
enum Shown {
    Nothing,
    Bar(String),
    /// Recovery is at its end, and the bar goes.
    NoBar,
    Line(String),
}

impl RecoveryDisplay {
    pub(super) fn new(clock: Arc<dyn Clock>, is_terminal: bool) -> Self {
        RecoveryDisplay { clock, is_terminal, state: Mutex::default() }
    }

    /// Takes news, from whichever thread.
    pub(super) fn show(&self, progress: &RecoveryProgress) {
        match self.next(progress) {
            Shown::Nothing => {}
            Shown::Bar(text) => {
                let _ = write!(io::stderr(), "\r\x1b[K{text}");
                BAR_IS_SHOWN.store(true, Ordering::Relaxed);
            }
            Shown::NoBar => wipe_bar(),
            Shown::Line(text) => tracing::info!("{text}"),
        }
    }

    fn next(&self, progress: &RecoveryProgress) -> Shown {
        let now = self.clock.monotonic();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.dirs.insert(progress.log_dir.clone(), progress.clone());
        let started = *state.started.get_or_insert(now);
        let is_done = state.dirs.values().all(RecoveryProgress::is_done);
        if is_done {
            // The log says that it is done.
            return if self.is_terminal { Shown::NoBar } else { Shown::Nothing };
        }
        let interval = if self.is_terminal { BAR_INTERVAL } else { LINE_INTERVAL };
        // A recovery that is over at once is not worth a word.
        let since = now.saturating_sub(state.shown.unwrap_or(started));
        if since < interval {
            return Shown::Nothing;
        }
        state.shown = Some(now);
        let sum = Sum::of(&state.dirs, now.saturating_sub(started));
        if self.is_terminal { Shown::Bar(sum.bar()) } else { Shown::Line(sum.line()) }
    }
}

/// All log dirs together.
struct Sum {
    logs: usize,
    recovered_logs: usize,
    bytes: u64,
    read_bytes: u64,
    elapsed: Duration,
}

impl Sum {
    fn of(dirs: &BTreeMap<PathBuf, RecoveryProgress>, elapsed: Duration) -> Self {
        let mut sum = Sum { logs: 0, recovered_logs: 0, bytes: 0, read_bytes: 0, elapsed };
        for dir in dirs.values() {
            sum.logs += dir.logs;
            sum.recovered_logs += dir.logs.saturating_sub(dir.remaining_logs);
            sum.bytes += dir.bytes;
            sum.read_bytes += dir.bytes.saturating_sub(dir.remaining_bytes);
        }
        sum
    }

    /// By bytes; where there are none, by logs.
    fn percent(&self) -> u64 {
        let part = |done: u64, all: u64| done.saturating_mul(100).checked_div(all);
        let logs = part(self.recovered_logs as u64, self.logs as u64).unwrap_or(0);
        part(self.read_bytes, self.bytes).unwrap_or(logs).min(100)
    }

    fn bar(&self) -> String {
        let percent = self.percent();
        let filled = usize::try_from(percent * BAR_WIDTH / 100).unwrap_or_default();
        let empty = usize::try_from(BAR_WIDTH).unwrap_or_default().saturating_sub(filled);
        let bar = "#".repeat(filled) + &"-".repeat(empty);
        format!("recovering [{bar}] {percent}% {}{}", self.figures(), self.time_left())
    }

    fn line(&self) -> String {
        let per_second = size(self.per_second());
        format!("recovering: {}% {}, {per_second}/s{}", self.percent(), self.figures(), self.time_left())
    }

    fn figures(&self) -> String {
        let Sum { logs, recovered_logs, .. } = self;
        let (read, all) = (size(self.read_bytes), size(self.bytes));
        format!("{recovered_logs}/{logs} logs, {read} of {all}")
    }

    fn per_second(&self) -> u64 {
        let millis = u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX);
        self.read_bytes.saturating_mul(1000).checked_div(millis).unwrap_or(0)
    }

    /// Empty before anything was read.
    fn time_left(&self) -> String {
        let left = self.bytes.saturating_sub(self.read_bytes).checked_div(self.per_second());
        left.map_or_else(String::new, |seconds| format!(", {seconds} s left"))
    }
}

pub(super) fn size(bytes: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    match units.into_iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use ottla::{Broker, ManualClock, NewTopic, ProducerRecord};

    use super::*;

    /// A log dir with four partitions of the same size, closed in order.
    pub(in crate::cli) fn dir_of_four_partitions() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let broker = Broker::open(dir.path()).unwrap();
        broker.admin().create_topic(NewTopic::new("orders", 4)).unwrap();
        for partition in 0..4 {
            let record = ProducerRecord::new("orders").partition(partition).value(&[0; 1_000]);
            broker.producer().send(record).unwrap().wait().unwrap();
        }
        broker.close();
        dir
    }

    /// What a broker tells that is opened after a crash.
    #[expect(clippy::disallowed_methods, reason = "a crash is what the test makes of the files")]
    fn told() -> Vec<RecoveryProgress> {
        let dir = dir_of_four_partitions();
        std::fs::remove_file(dir.path().join(".kafka_cleanshutdown")).unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&heard);
        let builder = Broker::builder().log_dir(dir.path()).set("num.recovery.threads.per.data.dir", "1");
        builder.on_recovery(move |progress| tell.lock().unwrap().push(progress.clone())).open().unwrap();
        heard.lock().unwrap().clone()
    }

    fn shown(is_terminal: bool, step: Duration) -> Vec<Shown> {
        let clock = Arc::new(ManualClock::new(0));
        let display = RecoveryDisplay::new(clock.clone(), is_terminal);
        let mut shown = Vec::new();
        for progress in told() {
            shown.push(display.next(&progress));
            clock.advance(step);
        }
        shown.retain(|shown| *shown != Shown::Nothing);
        shown
    }

    #[test]
    fn a_bar_moves_on_a_terminal_and_goes_at_the_end() {
        let shown = shown(true, Duration::from_secs(1));
        let Some((Shown::NoBar, bars)) = shown.split_last() else { panic!("{shown:?}") };
        assert!(bars.len() > 4, "{bars:?}");
        let half = "recovering [#####-----] 50% 2/4 logs, 2.1 kB of 4.2 kB, ";
        let is_half = |shown: &Shown| matches!(shown, Shown::Bar(text) if text.starts_with(half));
        assert!(bars.iter().any(is_half), "{bars:?}");
        assert!(bars.iter().all(|shown| matches!(shown, Shown::Bar(text) if text.len() < 80)), "{bars:?}");
    }

    #[test]
    fn elsewhere_lines_come_no_more_often_than_every_five_seconds() {
        let often = shown(false, Duration::from_secs(5));
        let seldom = shown(false, Duration::from_millis(1_700));
        assert!(often.iter().all(|shown| matches!(shown, Shown::Line(_))), "{often:?}");
        assert!(!seldom.is_empty() && seldom.len() <= often.len().div_ceil(3), "{seldom:?} of {often:?}");
    }

    #[test]
    fn what_takes_no_time_is_not_worth_a_word() {
        assert_eq!(shown(false, Duration::ZERO), []);
        assert_eq!(shown(true, Duration::ZERO), [Shown::NoBar]);
    }
}
