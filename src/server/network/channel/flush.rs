//! Answers leave, in the order of their requests.

use std::collections::VecDeque;
use std::io;

use super::{Channel, End, Input, Reply, SEND_BYTES_PER_TURN, Workbench};
use crate::server::network::send::{Behind, Parts};
use crate::sys::poller::Poller;

impl<S> Channel<S> {
    /// Sends what is ready and whose turn it is.
    pub(super) fn flush<H>(
        &mut self,
        bench: &mut Workbench<H>,
        poller: &Poller,
        budget: &mut usize,
    ) -> Result<(), End> {
        while *budget > 0 {
            match self.replies.front_mut() {
                Some(Reply::Nothing) => self.pop(),
                Some(Reply::Close(end)) => return Err(std::mem::replace(end, End::Stopped)),
                Some(Reply::Waiting { .. }) | None if self.input == Input::Ended => {
                    return Err(End::PeerClosed);
                }
                Some(Reply::Waiting { .. }) | None => break,
                Some(Reply::Send(_)) if self.blocked && self.broken => return Err(End::PeerClosed),
                Some(Reply::Send(_)) if self.blocked => break,
                Some(Reply::Send(_)) => match self.send(bench) {
                    Ok(sent) => {
                        *budget = budget.saturating_sub(sent);
                        self.on_sent(sent, bench);
                    }
                    Err(End::Socket(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                        self.blocked = true;
                        self.await_room(poller)?;
                    }
                    Err(End::Socket(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(end) => return Err(end),
                },
            }
        }
        self.count_memory(bench);
        Ok(())
    }

    fn await_room(&mut self, poller: &Poller) -> Result<(), End> {
        if !self.awaits_room {
            self.transport.await_room(poller, self.token).map_err(End::Socket)?;
            self.awaits_room = true;
        }
        Ok(())
    }

    /// One call to the system: the file slice at the front, or all bytes up to the next one.
    fn send<H>(&mut self, bench: &mut Workbench<H>) -> Result<usize, End> {
        let Channel { transport, replies, .. } = self;
        if let Some(Reply::Send(sending)) = replies.front()
            && let Some((slice, start)) = sending.file()
        {
            return transport.send_file(slice, start, SEND_BYTES_PER_TURN, &mut bench.file_bytes);
        }
        let mut parts = Parts::new();
        let mut more = false;
        for reply in replies.iter() {
            match reply {
                Reply::Nothing => {}
                Reply::Send(sending) if sending.gather(&mut parts) == Behind::Nothing => {}
                Reply::Send(_) => {
                    more = true;
                    break;
                }
                Reply::Waiting { .. } | Reply::Close(_) => break,
            }
        }
        transport.send(parts.slices(), more).map_err(End::Socket)
    }

    fn on_sent<H>(&mut self, mut sent: usize, bench: &Workbench<H>) {
        self.last_active = bench.now;
        bench.metrics.bytes_out.add(sent);
        loop {
            match self.replies.front_mut() {
                Some(Reply::Nothing) => self.pop(),
                Some(Reply::Send(sending)) => {
                    sent = sending.advance(sent);
                    if !sending.is_complete() {
                        return;
                    }
                    self.pop();
                }
                Some(Reply::Waiting { .. } | Reply::Close(_)) | None => return,
            }
        }
    }

    fn pop(&mut self) {
        if let Some(Reply::Send(sending)) = self.replies.pop_front() {
            self.unsent_bytes -= sending.memory_bytes();
        }
        self.first += 1;
        // A burst does not leave its list behind.
        if self.replies.is_empty() && self.replies.capacity() > 64 {
            self.replies = VecDeque::new();
        }
    }
}
