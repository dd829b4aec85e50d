//! From a file to a socket without passing through this process.

use std::io;

use mio::net::TcpStream;

use super::FileSlice;

/// Which end failed.
#[derive(Debug)]
pub(crate) enum SendFileError {
    /// The file cannot be read, or is shorter than the slice.
    File(io::Error),
    /// The socket is broken, or would block.
    Socket(io::Error),
}

/// Sends at most `limit` bytes of `slice`, from `start` within it, straight from the file; `None` where that is not
/// possible, and the bytes must be read and sent.
#[cfg(target_os = "linux")]
pub(crate) fn send_file(
    stream: &TcpStream,
    slice: &FileSlice,
    start: usize,
    limit: usize,
) -> Result<Option<usize>, SendFileError> {
    use rustix::io::Errno;

    let Some(file) = slice.file().as_fd() else { return Ok(None) };
    let rest = slice.advanced(start);
    let mut position = rest.position();
    let wanted = rest.size().min(limit);
    let sent = stream.try_io(|| Ok(rustix::fs::sendfile(stream, file, Some(&mut position), wanted)?));
    match sent {
        // A log never gets shorter than what was handed out of it, so this file is damaged.
        Ok(0) if wanted > 0 => Err(SendFileError::File(io::ErrorKind::UnexpectedEof.into())),
        Ok(sent) => Ok(Some(sent)),
        Err(error) => match Errno::from_io_error(&error) {
            Some(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(None),
            Some(Errno::IO | Errno::BADF | Errno::OVERFLOW | Errno::NOMEM | Errno::STALE) => {
                Err(SendFileError::File(error))
            }
            _ => Err(SendFileError::Socket(error)),
        },
    }
}

/// Sends nothing: here the bytes must be read and sent.
#[cfg(not(target_os = "linux"))]
pub(crate) fn send_file(
    _stream: &TcpStream,
    _slice: &FileSlice,
    _start: usize,
    _limit: usize,
) -> Result<Option<usize>, SendFileError> {
    Ok(None)
}
