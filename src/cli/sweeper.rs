//! Leaving nothing behind, even when killed: another process waits for this one's end, and then removes what there is of
//! it, as the next start of a temporary broker would.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ottla::TestBroker;

use super::CliError;

/// The system lets go of the files of a process that ends one by one, and stdin may be before others.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
const MAX_LOOKS: u32 = 2_000;

#[derive(clap::Args)]
pub(super) struct SweepArgs {
    dir: PathBuf,
}

/// The process that waits for the end of this one. It ends when this is dropped, or goes without that.
pub(super) struct Sweeper {
    _child: Option<Child>,
}

impl Sweeper {
    /// Has the files of `kafka` removed when this process has ended without that. It costs a few milliseconds.
    pub(super) fn start(kafka: &TestBroker) -> Self {
        // Together with it, it has its snapshots and forks.
        let dirs = kafka.log_dirs();
        let Some(dir) = dirs.first().and_then(|dir| dir.parent()).filter(|dir| dir.exists()) else {
            return Sweeper { _child: None };
        };
        let child = start_process(dir);
        if let Err(error) = &child {
            let dir = dir.display();
            tracing::warn!(%error, "if this process is killed, {dir} stays until another broker for tests starts");
        }
        Sweeper { _child: child.ok() }
    }
}

fn start_process(dir: &Path) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("sweep").arg(dir).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // Whoever kills a group of processes is not to kill this one, too.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn()
}

/// Waits for the end of stdin, and removes the directory.
pub(super) fn run(args: &SweepArgs) -> Result<(), CliError> {
    let mut stdin = std::io::stdin().lock();
    let mut bytes = [0; 64];
    // An error is an end, too: nobody can say anything any more.
    while matches!(stdin.read(&mut bytes), Ok(1..)) {}
    for _ in 0..MAX_LOOKS {
        TestBroker::remove_abandoned();
        if !args.dir.exists() {
            break;
        }
        std::thread::park_timeout(LOOK_AGAIN);
    }
    Ok(())
}
