//! What a coordinator did to a group or a transactional id, and why, in words.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::sys::Clock;

/// How much is kept of each group or id; the oldest is forgotten first.
const MAX_EVENTS: usize = 200;

/// Of how many groups or ids something is kept. Those beyond are told of in the log only.
const MAX_SUBJECTS: usize = 10_000;

/// Something that happened to a group or a transactional id, and why:
/// [`TestBroker::group_history`](crate::TestBroker::group_history).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryEvent {
    /// When, in milliseconds since the Unix epoch, on the broker's clock.
    pub timestamp_ms: i64,
    /// What, in words as Kafka's broker has them in its log; they may change.
    pub text: String,
}

/// The words alone.
impl fmt::Display for HistoryEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What happened lately, by group or transactional id. Nothing is kept unless somebody has asked for it.
#[derive(Debug, Default)]
pub(crate) struct History {
    keeper: AtomicBool,
    clock: Mutex<Option<Arc<dyn Clock>>>,
    subjects: Mutex<HashMap<Arc<str>, VecDeque<HistoryEvent>>>,
}

impl History {
    /// Keeps what happens from now on.
    pub(crate) fn keep(&self, clock: &Arc<dyn Clock>) {
        *self.clock.lock() = Some(Arc::clone(clock));
        self.keeper.store(true, Ordering::Release);
    }

    /// Whether somebody wants to know.
    pub(crate) fn is_kept(&self) -> bool {
        self.keeper.load(Ordering::Acquire)
    }

    /// Takes note, if somebody wants to know.
    pub(crate) fn note(&self, subject: &Arc<str>, text: String) {
        let Some(timestamp_ms) = self.clock.lock().as_ref().map(|clock| clock.now_ms()) else { return };
        let mut subjects = self.subjects.lock();
        if subjects.len() >= MAX_SUBJECTS && !subjects.contains_key(subject) {
            return;
        }
        let events = subjects.entry(Arc::clone(subject)).or_default();
        if events.len() == MAX_EVENTS {
            events.pop_front();
        }
        events.push_back(HistoryEvent { timestamp_ms, text });
    }

    /// Nothing is known any more of what happened to some.
    #[cfg(feature = "testkit")]
    pub(crate) fn forget(&self, is_forgotten: impl Fn(&str) -> bool) {
        self.subjects.lock().retain(|subject, _| !is_forgotten(subject));
    }

    /// What happened to one group or id, oldest first.
    pub(crate) fn of(&self, subject: &str) -> Vec<HistoryEvent> {
        self.subjects.lock().get(subject).into_iter().flatten().cloned().collect()
    }
}
