//! Calls on connected sockets that the standard library does not offer.

use std::io::{self, IoSlice};

use mio::net::TcpStream;
use socket2::SockRef;

#[cfg(target_os = "linux")]
const NO_SIGNAL: i32 = rustix::net::SendFlags::NOSIGNAL.bits().cast_signed();
#[cfg(target_os = "linux")]
const MORE: i32 = rustix::net::SendFlags::MORE.bits().cast_signed();
#[cfg(not(target_os = "linux"))]
const NO_SIGNAL: i32 = 0;
#[cfg(not(target_os = "linux"))]
const MORE: i32 = 0;

/// Appends at most `limit` received bytes to `buffer`, within its capacity, without clearing that room first; 0 at
/// the end of the stream, or if there is no room.
pub(crate) fn receive(stream: &TcpStream, buffer: &mut Vec<u8>, limit: usize) -> io::Result<usize> {
    let len = buffer.len();
    let spare = buffer.spare_capacity_mut();
    let limit = limit.min(spare.len());
    let Some(room) = spare.get_mut(..limit) else { return Ok(0) };
    let received = stream.try_io(|| SockRef::from(stream).recv(room))?;
    assert!(received <= limit, "the system received more than there was room for");
    // SAFETY: `recv` has initialised `received` bytes behind `len`, and they lie within the capacity.
    #[expect(unsafe_code, reason = "received bytes need no clearing before")]
    unsafe {
        buffer.set_len(len + received);
    }
    Ok(received)
}

/// Sends as much of `parts` as there is room for. `more` says that the next bytes follow at once, so that the last
/// ones here may wait for them and leave in the same segment.
pub(crate) fn send(stream: &TcpStream, parts: &[IoSlice<'_>], more: bool) -> io::Result<usize> {
    let flags = if more { NO_SIGNAL | MORE } else { NO_SIGNAL };
    stream.try_io(|| SockRef::from(stream).send_vectored_with_flags(parts, flags))
}
