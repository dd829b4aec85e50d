//! The bytes of a connection (Kafka: `TransportLayer`).

use std::io::{self, IoSlice};

use mio::Interest;
use mio::net::TcpStream;

use super::channel::End;
use crate::sys::FileSlice;
use crate::sys::poller::Poller;
use crate::sys::send_file::{self, SendFileError};
use crate::sys::socket;

/// How much of a file is read at once where the system cannot send it by itself.
const FILE_BUFFER_BYTES: usize = 64 * 1024;

/// How bytes reach the peer. None of the calls blocks.
#[derive(Debug)]
pub(super) enum Transport {
    /// As they are (Kafka: `PlaintextTransportLayer`).
    Plain(TcpStream),
}

impl Transport {
    /// Reports the socket's readiness under `token`: bytes to read, for now.
    pub(super) fn register(&mut self, poller: &Poller, token: usize) -> io::Result<()> {
        match self {
            Transport::Plain(stream) => poller.register(stream, token, Interest::READABLE),
        }
    }

    /// Reports room for writes from now on, too.
    pub(super) fn await_room(&mut self, poller: &Poller, token: usize) -> io::Result<()> {
        match self {
            Transport::Plain(stream) => {
                poller.reregister(stream, token, Interest::READABLE | Interest::WRITABLE)
            }
        }
    }

    /// Appends at most `limit` bytes to `buffer`, within its capacity; 0 at the end of the stream.
    pub(super) fn receive(&mut self, buffer: &mut Vec<u8>, limit: usize) -> io::Result<usize> {
        match self {
            Transport::Plain(stream) => socket::receive(stream, buffer, limit),
        }
    }

    /// Whether a read that brought less than there was room for means that there is nothing more to read for now.
    /// (Windows reports again only after a call that would block.)
    pub(super) fn is_drained_by_short_read(&self) -> bool {
        match self {
            Transport::Plain(_) => !cfg!(windows),
        }
    }

    /// Sends as much of `parts` as there is room for; with `more`, further bytes follow at once.
    pub(super) fn send(&mut self, parts: &[IoSlice<'_>], more: bool) -> io::Result<usize> {
        match self {
            Transport::Plain(stream) => socket::send(stream, parts, more),
        }
    }

    /// Sends at most `limit` bytes of `slice` from `start`, without reading them where that can be; else they pass
    /// through `buffer`.
    pub(super) fn send_file(
        &mut self,
        slice: &FileSlice,
        start: usize,
        limit: usize,
        buffer: &mut Vec<u8>,
    ) -> Result<usize, End> {
        match self {
            Transport::Plain(stream) => match send_file::send_file(stream, slice, start, limit) {
                Ok(Some(sent)) => return Ok(sent),
                Ok(None) => {}
                Err(SendFileError::File(error)) => return Err(End::File(error)),
                Err(SendFileError::Socket(error)) => return Err(End::Socket(error)),
            },
        }
        // What does not fit the socket is read again next time: it is in the page cache, and keeping it would cost
        // memory for each slow reader.
        buffer.resize(FILE_BUFFER_BYTES, 0);
        let read = slice.read_at(buffer, start).map_err(End::File)?;
        match buffer.get(..read) {
            Some(bytes) if read > 0 => {
                let more = start + read < slice.size();
                self.send(&[IoSlice::new(bytes)], more).map_err(End::Socket)
            }
            _ => Err(End::File(io::ErrorKind::UnexpectedEof.into())),
        }
    }
}
