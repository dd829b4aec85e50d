//! Whose turn it is to ask the disk: one thread's at a time, and whoever has it works for all that wait.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::Thread;

use parking_lot::Mutex;

use crate::model::Offset;

/// A queue for one thing to do. Only those are woken who have something to do, each once: with a condition variable,
/// all would wake up, and most of them to wait again.
#[derive(Debug, Default)]
pub(super) struct FlushTurns {
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    is_taken: bool,
    /// How far each wants the log flushed.
    waiting: VecDeque<(Offset, Arc<Place>)>,
    /// How many will wait soon, if those who were served last come again.
    expected: usize,
}

/// How often at most others are let go first before the disk is asked.
const MAX_YIELDS: usize = 256;

#[derive(Debug)]
struct Place {
    thread: Thread,
    call: AtomicU8,
}

/// Nothing yet.
const WAIT: u8 = 0;
/// What the thread waits for has happened, or will not.
const LOOK: u8 = 1;
/// It is the thread's turn.
const TURN: u8 = 2;

impl Place {
    fn call(&self, call: u8) {
        self.call.store(call, Ordering::Release);
        self.thread.unpark();
    }

    fn wait(&self) -> u8 {
        loop {
            match self.call.load(Ordering::Acquire) {
                WAIT => std::thread::park(),
                call => return call,
            }
        }
    }
}

/// The turn, until it is dropped.
#[derive(Debug)]
pub(super) struct FlushTurn<'a> {
    turns: &'a FlushTurns,
    reached: Offset,
}

impl FlushTurns {
    /// Takes the turn, or waits for it. `None` once somebody else's turn has ended that may have done what is wanted: the
    /// log is flushed up to `up_to`, or cannot be. `is_done` is asked before the wait begins.
    pub(super) fn take(&self, up_to: Offset, is_done: impl Fn() -> bool) -> Option<FlushTurn<'_>> {
        let place = {
            let mut queue = self.queue.lock();
            if is_done() {
                return None;
            }
            if !queue.is_taken {
                queue.is_taken = true;
                return Some(FlushTurn { turns: self, reached: Offset::MAX });
            }
            let place = Arc::new(Place { thread: std::thread::current(), call: AtomicU8::new(WAIT) });
            queue.waiting.push_back((up_to, Arc::clone(&place)));
            place
        };
        // A turn that is made gives itself back: none must be made for those who only look.
        (place.wait() == TURN).then(|| FlushTurn { turns: self, reached: Offset::MAX })
    }
}

impl FlushTurn<'_> {
    /// Lets those go first who were served last, and may be about to append again: a disk that is faster than threads
    /// wake up would be asked for each few of them, and the first to come back would be served alone while all others
    /// wait for the next turn. Who was alone the last time does not wait, and nobody is waited for twice who does not
    /// come.
    pub(super) fn gather(&self) {
        for _ in 0..MAX_YIELDS {
            let queue = self.turns.queue.lock();
            if queue.waiting.len() >= queue.expected {
                return;
            }
            drop(queue);
            std::thread::yield_now();
        }
    }

    /// Those who want more than this keep waiting, and the first of them gets the turn. Otherwise, all look for
    /// themselves what has become of it.
    pub(super) fn reached(&mut self, offset: Offset) {
        self.reached = offset;
    }
}

impl Drop for FlushTurn<'_> {
    fn drop(&mut self) {
        let mut served = Vec::new();
        let next = {
            let mut queue = self.turns.queue.lock();
            let mut left = VecDeque::with_capacity(queue.waiting.len());
            for (up_to, place) in queue.waiting.drain(..) {
                if up_to <= self.reached {
                    served.push(place);
                } else {
                    left.push_back((up_to, place));
                }
            }
            let next = left.pop_front();
            queue.is_taken = next.is_some();
            queue.expected = left.len() + served.len();
            queue.waiting = left;
            next
        };
        for place in served {
            place.call(LOOK);
        }
        if let Some((_, next)) = next {
            next.call(TURN);
        }
    }
}

#[cfg(test)]
mod tests {
    use crossbeam::channel::bounded;

    use super::*;

    /// Whoever was told to look once made a turn, threw it away, and so gave back the one that another thread had: several
    /// asked the disk at once, and a flush could run in the middle of a truncation.
    #[test]
    fn those_who_only_look_leave_the_turn_to_the_one_who_has_it() {
        let turns = FlushTurns::default();
        let mut first = turns.take(0, || false).expect("nobody else has it");
        let (release, released) = bounded::<()>(0);
        std::thread::scope(|scope| {
            let served = scope.spawn(|| turns.take(5, || false).is_none());
            let next = scope.spawn(|| {
                let turn = turns.take(10, || false).expect("the one before did not come this far");
                released.recv().expect("the test ends the turn");
                drop(turn);
            });
            while turns.queue.lock().waiting.len() < 2 {
                std::thread::yield_now();
            }
            first.reached(5);
            drop(first);
            assert!(served.join().expect("no panic"));
            assert!(turns.queue.lock().is_taken);
            release.send(()).expect("the turn is held");
            next.join().expect("no panic");
        });
        assert!(!turns.queue.lock().is_taken);
    }
}
