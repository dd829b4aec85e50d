use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::sys::{Clock, WaitOutcome, Waiter};

/// The bytes that a producer may hold in batches which are not appended yet (Kafka: `BufferPool`).
#[derive(Debug)]
pub(super) struct BufferMemory {
    total: usize,
    state: Mutex<State>,
    released: Arc<Waiter>,
}

#[derive(Debug)]
struct State {
    free: usize,
    waiting: usize,
}

impl BufferMemory {
    pub(super) fn new(total: usize, clock: Arc<dyn Clock>) -> Self {
        let state = Mutex::new(State { free: total, waiting: 0 });
        BufferMemory { total, state, released: Waiter::new(clock) }
    }

    pub(super) fn total(&self) -> usize {
        self.total
    }

    /// Takes `size` bytes if they are free.
    pub(super) fn try_reserve(&self, size: usize) -> bool {
        let mut state = self.state.lock();
        match state.free.checked_sub(size) {
            Some(rest) => {
                state.free = rest;
                true
            }
            None => false,
        }
    }

    /// Waits until `size` bytes are free and takes them; `false` if that does not happen by `deadline`.
    pub(super) fn reserve_by(&self, size: usize, deadline: Duration) -> bool {
        self.state.lock().waiting += 1;
        let reserved = loop {
            let seen = self.released.generation();
            if self.try_reserve(size) {
                break true;
            }
            if self.released.wait(seen, Some(deadline)) == WaitOutcome::TimedOut {
                break self.try_reserve(size);
            }
        };
        self.state.lock().waiting -= 1;
        reserved
    }

    pub(super) fn release(&self, size: usize) {
        let somebody_waits = {
            let mut state = self.state.lock();
            state.free += size;
            state.waiting > 0
        };
        if somebody_waits {
            self.released.notify();
        }
    }
}
