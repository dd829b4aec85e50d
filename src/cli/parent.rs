//! The process that has started this one, with which it is to end.

use std::time::Duration;

use super::{CliError, signals};

/// How often it is looked whether the parent is still there.
const LOOK_FOR_PARENT: Duration = Duration::from_millis(100);

/// The parent as it was when this was made, which is to be as early as can be: who has ended by then is not seen to end.
#[derive(Clone, Copy)]
pub(super) struct Parent(Option<u32>);

impl Parent {
    pub(super) fn now() -> Self {
        #[cfg(unix)]
        return Parent(Some(std::os::unix::process::parent_id()));
        #[cfg(not(unix))]
        return Parent(None);
    }

    /// Whether the process that has started this one is known to have ended.
    ///
    /// A process whose parent has ended gets another one, mostly process 1, which in a container may as well be the one
    /// that has started it. What tells them apart is the session: this one's is that in which it was started, unless it
    /// leads one of its own.
    pub(super) fn has_ended(self) -> bool {
        if Self::now().0 != self.0 {
            return true;
        }
        let own = std::process::id();
        match (self.0.and_then(session_of), session_of(own)) {
            (Some(parents), Some(session)) => session != own && session != parents,
            _ => false,
        }
    }

    /// Ends this process as a signal would, once the parent has ended.
    pub(super) fn end_with(self) -> Result<(), CliError> {
        let watch = move || {
            while Self::now().0 == self.0 {
                std::thread::park_timeout(LOOK_FOR_PARENT);
            }
            signals::stop_this_process();
        };
        if self.0.is_some() {
            std::thread::Builder::new().name("parent".to_owned()).spawn(watch).map_err(CliError::Signals)?;
        }
        Ok(())
    }
}

/// The number of the session that a process is in; 0 for one that begins outside of the container.
#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_methods, reason = "no file of a broker: the system tells of processes so")]
fn session_of(process: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in parentheses, may have anything in it. Behind it: state, parent, group, session.
    stat.rsplit(')').next()?.split_whitespace().nth(3)?.parse().ok()
}

/// Nobody is asked where there is no /proc.
#[cfg(not(target_os = "linux"))]
fn session_of(_: u32) -> Option<u32> {
    None
}
