use tracing::Level;

use super::join::{JoinCallback, JoinGroupResult};
use super::sync::{SyncCallback, SyncGroupResult};
use super::turn::Group;
use crate::broker::coordinator::CoordinatorLog;

/// What has to happen once the group's lock is released: answers first, then readers of the log, then notes
/// about what happened. Empty for most requests, and then it costs nothing.
#[derive(Default)]
pub(super) struct Outbox {
    answers: Vec<Answer>,
    notes: Vec<Note>,
    appended: bool,
    /// Notes are kept, whether they are logged or not.
    keeps_notes: bool,
}

/// What happened, in words.
struct Note {
    level: Level,
    is_kept: bool,
    text: String,
}

enum Answer {
    Join(JoinCallback, JoinGroupResult),
    Sync(SyncCallback, SyncGroupResult),
}

impl Outbox {
    pub(super) fn new(log: &dyn CoordinatorLog) -> Self {
        Outbox { keeps_notes: log.history().is_some(), ..Outbox::default() }
    }

    pub(super) fn join(&mut self, callback: JoinCallback, result: JoinGroupResult) {
        self.answers.push(Answer::Join(callback, result));
    }

    pub(super) fn sync(&mut self, callback: SyncCallback, result: SyncGroupResult) {
        self.answers.push(Answer::Sync(callback, result));
    }

    pub(super) fn appended(&mut self) {
        self.appended = true;
    }

    /// Whether somebody wants to know what happens.
    pub(super) fn is_heard(&self) -> bool {
        self.keeps_notes || tracing::enabled!(Level::INFO)
    }

    /// Whether somebody wants to know it of each member.
    pub(super) fn is_heard_in_detail(&self) -> bool {
        self.keeps_notes || tracing::enabled!(Level::DEBUG)
    }

    pub(super) fn debug(&mut self, text: impl FnOnce() -> String) {
        if tracing::enabled!(Level::DEBUG) {
            self.notes.push(Note { level: Level::DEBUG, is_kept: false, text: text() });
        }
    }

    /// For what a rebalance is to each of many members: a line for each in the broker's log would take longer than the
    /// rebalance.
    pub(super) fn detail(&mut self, text: impl FnOnce() -> String) {
        if self.is_heard_in_detail() {
            self.notes.push(Note { level: Level::DEBUG, is_kept: true, text: text() });
        }
    }

    pub(super) fn info(&mut self, text: impl FnOnce() -> String) {
        if self.is_heard() {
            self.notes.push(Note { level: Level::INFO, is_kept: true, text: text() });
        }
    }

    pub(super) fn warn(&mut self, text: impl FnOnce() -> String) {
        if self.keeps_notes || tracing::enabled!(Level::WARN) {
            self.notes.push(Note { level: Level::WARN, is_kept: true, text: text() });
        }
    }

    /// Sends everything out. To be called with no lock held.
    pub(super) fn send(self, log: &dyn CoordinatorLog, group: &Group) {
        // Before the answers: who has one may ask what has led to it.
        if let Some(history) = log.history() {
            let kept = self.notes.iter().filter(|note| note.is_kept);
            kept.for_each(|note| history.note(&group.id, note.text.clone()));
        }
        for answer in self.answers {
            match answer {
                Answer::Join(callback, result) => callback(result),
                Answer::Sync(callback, result) => callback(result),
            }
        }
        if self.appended {
            log.wake_readers(group.partition);
        }
        for Note { level, text, .. } in self.notes {
            if level == Level::WARN {
                tracing::warn!("{text}");
            } else if level == Level::INFO {
                tracing::info!("{text}");
            } else {
                tracing::debug!("{text}");
            }
        }
    }
}
