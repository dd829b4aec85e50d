//! `ottla verify`: whether the files of a broker are sound.

use std::io::{self, IsTerminal, Write};

use ottla::{VerifyLogDir, VerifyProgress};

use super::recovery::size;
use super::{CliError, VerifyArgs};

pub(super) fn run(args: &VerifyArgs) -> Result<(), CliError> {
    let mut problems = 0;
    for dir in &args.dirs {
        let mut progress = Progress::new(Work::Verify);
        let found = VerifyLogDir::verify(dir, |so_far| progress.tell(so_far))?;
        progress.end();
        problems += found.problems.len();
        say(&found.problems)?;
        say(&found.pending)?;
        say(&found.foreign)?;
        let pending = match found.pending.len() {
            0 => String::new(),
            count => format!(", {count} for the next start to mend"),
        };
        let foreign = match found.foreign.len() {
            0 => String::new(),
            count => format!(", {count} foreign"),
        };
        let summary = format!(
            "{}: {} partitions, {} segments, {} bytes of records, {} problems{pending}{foreign}",
            dir.display(),
            found.partitions,
            found.segments,
            found.bytes,
            found.problems.len()
        );
        say(&[summary])?;
    }
    match problems {
        0 => Ok(()),
        count => Err(CliError::Unsound { count }),
    }
}

pub(super) fn say(lines: &[String]) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    let written = lines.iter().try_for_each(|line| writeln!(out, "{line}")).and_then(|()| out.flush());
    match written {
        // The exit code still tells.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(CliError::Stdout),
    }
}

/// What whoever waits is told of.
#[derive(Clone, Copy)]
pub(super) enum Work {
    Verify,
    /// Finding out what is to be repaired.
    Plan,
    /// That, and doing it.
    Repair,
}

impl Work {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Work::Verify => ("verifying", "verified"),
            Work::Plan => ("checking", "checked"),
            Work::Repair => ("repairing", "checked"),
        }
    }
}

/// On a terminal one line that changes; elsewhere a line for each tenth of the bytes.
pub(super) struct Progress {
    work: Work,
    is_terminal: bool,
    told: u64,
}

impl Progress {
    pub(super) fn new(work: Work) -> Self {
        Progress { work, is_terminal: io::stderr().is_terminal(), told: 0 }
    }

    pub(super) fn tell(&mut self, so_far: &VerifyProgress) {
        if let Some(text) = self.text(so_far) {
            // Who does not hear of it waits all the same.
            let _ = write!(io::stderr(), "{text}");
        }
    }

    fn text(&mut self, so_far: &VerifyProgress) -> Option<String> {
        let (doing, done) = self.work.words();
        let VerifyProgress { partition, verified_partitions, partitions, verified_bytes, bytes, .. } = so_far;
        let percent = verified_bytes.saturating_mul(100).checked_div(*bytes).unwrap_or(0);
        let (read, all) = (size(*verified_bytes), size(*bytes));
        if self.is_terminal {
            return Some(format!(
                "\r\x1b[K{doing} {percent}% {verified_partitions}/{partitions} partitions, {read} of {all}, {partition}"
            ));
        }
        let is_news = percent / 10 > self.told;
        self.told = self.told.max(percent / 10);
        let text = || {
            format!("{done} {percent}%: {verified_partitions} of {partitions} partitions, {read} of {all}\n")
        };
        is_news.then(text)
    }

    pub(super) fn end(&self) {
        if self.is_terminal {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use ottla::RepairLogDir;

    use super::*;
    use crate::cli::recovery::tests::dir_of_four_partitions;

    /// What is told of a directory with four partitions of the same size.
    fn told(work: Work, is_terminal: bool) -> Vec<String> {
        let dir = dir_of_four_partitions();
        let (mut progress, mut told) = (Progress { work, is_terminal, told: 0 }, Vec::new());
        let tell = |so_far: &VerifyProgress| told.extend(progress.text(so_far));
        match work {
            Work::Verify => drop(VerifyLogDir::verify(dir.path(), tell).unwrap()),
            Work::Plan => drop(RepairLogDir::plan(dir.path(), tell).unwrap()),
            Work::Repair => drop(RepairLogDir::repair(dir.path(), tell).unwrap()),
        }
        told
    }

    #[test]
    fn on_a_terminal_a_line_says_what_is_done_and_to_which_partition() {
        for (work, doing) in
            [(Work::Verify, "verifying"), (Work::Plan, "checking"), (Work::Repair, "repairing")]
        {
            let told = told(work, true);
            let expected = format!("\r\x1b[K{doing} 50% 2/4 partitions, 2.1 kB of 4.2 kB, orders-2");
            assert_eq!((told.len(), &told[2]), (4, &expected));
        }
    }

    #[test]
    fn elsewhere_there_is_a_line_for_each_tenth() {
        for (work, done) in [(Work::Verify, "verified"), (Work::Plan, "checked"), (Work::Repair, "checked")] {
            let expected = [
                "25%: 1 of 4 partitions, 1.0 kB",
                "50%: 2 of 4 partitions, 2.1 kB",
                "75%: 3 of 4 partitions, 3.2 kB",
            ];
            assert_eq!(told(work, false), expected.map(|text| format!("{done} {text} of 4.2 kB\n")));
        }
    }
}
