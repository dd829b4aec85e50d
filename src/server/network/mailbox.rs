//! What other threads leave for a network thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam::channel::{Receiver, Sender};
use crossbeam::queue::SegQueue;

use super::acceptor::{Accepted, Listener};
use super::send::SendFrame;
use crate::sys::poller::Alarm;

/// The end of an answer that was not given on the network thread.
#[derive(Debug)]
pub(super) enum Answer {
    /// These bytes.
    Send(SendFrame),
    /// These bytes, and then the connection is to end.
    SendThenClose(SendFrame),
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
    /// A connection that was held back goes on.
    Resume { token: usize, connection: u64 },
    /// A connection that this thread is to serve.
    Connection(Box<Accepted>),
    /// A listener whose connections this thread is to accept; it is registered already.
    Listen { token: usize, listener: Box<Listener> },
    /// A listener, and then its connections on all threads, are to be closed.
    CloseListener(Arc<str>, Sender<()>),
    /// The connections of a listener are to be closed. It stands behind the last of them.
    CloseConnections(Arc<str>),
    /// A listener that had to wait may try again.
    TryAccept,
    /// A bound on what is in work was reached and is not any more: connections go on.
    Proceed,
    /// The settings have changed.
    Reconfigure,
    /// Do what is due, then let go of the sender.
    Settle(Sender<()>),
    /// Let go of the sender, then do nothing until the other end of the receiver is dropped.
    Hold { began: Sender<()>, until: Receiver<()> },
    /// Send what is ready, and end.
    Stop,
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
        if !self.closed.load(Ordering::SeqCst) {
            self.messages.push(message);
            self.alarm.ring();
            // The thread may have ended between the look and the push; nobody else would take it then.
            if self.closed.load(Ordering::SeqCst) {
                self.clear();
            }
        }
    }

    pub(super) fn take(&self) -> Option<Message> {
        self.messages.pop()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Takes no messages any more, and drops those that are there.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.clear();
    }

    fn clear(&self) {
        while self.messages.pop().is_some() {}
    }
}
