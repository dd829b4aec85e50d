//! What other threads leave for a network thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam::queue::SegQueue;

use super::send::SendFrame;
use crate::sys::poller::Alarm;

/// The end of an answer that was not given on the network thread.
#[derive(Debug)]
pub(super) enum Answer {
    /// These bytes.
    Send(SendFrame),
    /// None is due (acks=0).
    Nothing,
    /// The connection is to end here.
    Close,
}

/// A message to a network thread.
#[derive(Debug)]
pub(super) enum Message {
    /// The answer to a request.
    Answer { token: usize, connection: u64, sequence: u64, answer: Answer },
}

/// The way to a network thread.
#[derive(Debug)]
pub(super) struct Mailbox {
    messages: SegQueue<Message>,
    closed: AtomicBool,
    alarm: Arc<Alarm>,
}

impl Mailbox {
    pub(super) fn new(alarm: Arc<Alarm>) -> Self {
        Mailbox { messages: SegQueue::new(), closed: AtomicBool::new(false), alarm }
    }

    /// Leaves a message. A thread that has ended drops it.
    pub(super) fn post(&self, message: Message) {
        if !self.closed.load(Ordering::Acquire) {
            self.messages.push(message);
            self.alarm.ring();
        }
    }

    pub(super) fn take(&self) -> Option<Message> {
        self.messages.pop()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}
