//! `ottla verify`: whether the files of a broker are sound.

use std::io::{self, IsTerminal, Write};

use ottla::VerifyLogDir;

use super::{CliError, VerifyArgs};

pub(super) fn run(args: &VerifyArgs) -> Result<(), CliError> {
    let mut problems = 0;
    for dir in &args.dirs {
        let mut progress = Progress::new();
        let found = VerifyLogDir::verify(dir, |name, done, all| progress.tell(name, done, all))?;
        progress.end();
        problems += found.problems.len();
        say(&found.problems)?;
        say(&found.pending)?;
        let pending = match found.pending.len() {
            0 => String::new(),
            count => format!(", {count} for the next start to mend"),
        };
        let summary = format!(
            "{}: {} partitions, {} segments, {} bytes of records, {} problems{pending}",
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

/// On a terminal one line that changes; elsewhere a line for each tenth.
pub(super) struct Progress {
    is_terminal: bool,
    told: usize,
}

impl Progress {
    pub(super) fn new() -> Self {
        Progress { is_terminal: io::stderr().is_terminal(), told: 0 }
    }

    pub(super) fn tell(&mut self, name: &str, done: usize, all: usize) {
        let tenth = done * 10 / all.max(1);
        if self.is_terminal {
            let _ = write!(io::stderr(), "\r\x1b[Kverifying {done}/{all} {name}");
        } else if tenth > self.told {
            self.told = tenth;
            let _ = writeln!(io::stderr(), "verified {done} of {all} partitions");
        }
    }

    pub(super) fn end(&self) {
        if self.is_terminal {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
