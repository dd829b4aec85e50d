use std::fmt;
use std::io;

use bytes::{Bytes, BytesMut};

use crate::sys::FileSlice;

/// Records on their way through a message: bytes of the frame when they came in, a range of a segment file when
/// they go out, several of them when a message needs more than one piece (Kafka: `BaseRecords`).
///
/// Two are equal if they name the same bytes: file ranges are compared by file and range, never read.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Records {
    /// In memory.
    Bytes(Bytes),
    /// In a file that nobody has read yet, so that `sendfile` can take it.
    File(FileSlice),
    /// One after the other.
    Mixed(Vec<Records>),
}

/// Only how much it is: a message with records is printed in logs and journals.
impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Records({} bytes)", self.len())
    }
}

impl Default for Records {
    fn default() -> Self {
        Records::Bytes(Bytes::new())
    }
}

impl From<Bytes> for Records {
    fn from(bytes: Bytes) -> Self {
        Records::Bytes(bytes)
    }
}

impl From<FileSlice> for Records {
    fn from(slice: FileSlice) -> Self {
        Records::File(slice)
    }
}

impl Records {
    /// The size in bytes.
    pub(crate) fn len(&self) -> usize {
        match self {
            Records::Bytes(bytes) => bytes.len(),
            Records::File(slice) => slice.size(),
            Records::Mixed(parts) => parts.iter().map(Records::len).sum(),
        }
    }

    /// Whether there is not one byte.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All bytes in one piece: shared if they are in memory in one piece, read or joined otherwise.
    pub(crate) fn read(&self) -> io::Result<Bytes> {
        match self {
            Records::Bytes(bytes) => Ok(bytes.clone()),
            Records::File(slice) => slice.read(),
            Records::Mixed(parts) => match parts.as_slice() {
                [] => Ok(Bytes::new()),
                [one] => one.read(),
                several => {
                    let mut joined = BytesMut::with_capacity(self.len());
                    for part in several {
                        joined.extend_from_slice(&part.read()?);
                    }
                    Ok(joined.freeze())
                }
            },
        }
    }
}
