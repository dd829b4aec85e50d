//! A condition variable that follows the injected clock.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::clock::{Clock, Wake};

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitOutcome {
    /// Somebody called [`Waiter::notify`] since the generation that the caller had seen.
    Notified,
    /// The deadline has come.
    TimedOut,
}

/// Lets threads wait for an event or a deadline, without ever missing an event: take the
/// [`Waiter::generation`], look at the state, and wait only if the state is not as wished.
pub(crate) struct Waiter {
    clock: Arc<dyn Clock>,
    generation: Mutex<u64>,
    changed: Condvar,
}

impl Waiter {
    /// A waiter on `clock`.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let waiter = Arc::new(Waiter {
            clock: Arc::clone(&clock),
            generation: Mutex::new(0),
            changed: Condvar::new(),
        });
        let weak: Weak<Waiter> = Arc::downgrade(&waiter);
        clock.register(weak);
        waiter
    }

    /// The number of notifications so far; pass it to [`Waiter::wait`].
    pub(crate) fn generation(&self) -> u64 {
        *self.generation.lock()
    }

    /// Wakes every thread that waits.
    pub(crate) fn notify(&self) {
        *self.generation.lock() += 1;
        self.changed.notify_all();
    }

    /// Blocks until a notification after `seen`, or until `deadline` on the clock's monotonic time (`None`:
    /// for ever).
    pub(crate) fn wait(&self, seen: u64, deadline: Option<Duration>) -> WaitOutcome {
        let mut generation = self.generation.lock();
        loop {
            if *generation != seen {
                return WaitOutcome::Notified;
            }
            match deadline {
                None => self.changed.wait(&mut generation),
                Some(deadline) => {
                    if self.clock.monotonic() >= deadline {
                        return WaitOutcome::TimedOut;
                    }
                    match self.clock.real_timeout(deadline) {
                        Some(timeout) => {
                            self.changed.wait_for(&mut generation, timeout);
                        }
                        None => self.changed.wait(&mut generation),
                    }
                }
            }
        }
    }
}

impl Wake for Waiter {
    fn wake(&self) {
        // Taking the lock orders this after a waiter's look at the clock: it is either before that look, or
        // already blocked and thus woken.
        drop(self.generation.lock());
        self.changed.notify_all();
    }
}

impl std::fmt::Debug for Waiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiter").field("generation", &*self.generation.lock()).finish_non_exhaustive()
    }
}
