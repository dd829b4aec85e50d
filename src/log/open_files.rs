//! Which files of sealed segments are kept open.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::sys::File;

/// How many: enough that readers of old records find their files open, and few beside the 1,024 descriptors that a
/// process has where nobody raised the limit.
const CAPACITY: usize = 128;

/// The files of sealed segments that were opened last. Active segments, and ranges that readers hold, keep their
/// files open themselves; all others are opened again when they are read.
#[derive(Debug, Default)]
pub(crate) struct OpenFiles {
    recent: Mutex<VecDeque<Arc<dyn File>>>,
}

impl OpenFiles {
    /// Keeps `file` open until many others were opened after it.
    pub(crate) fn keep(&self, file: Arc<dyn File>) {
        let mut recent = self.recent.lock();
        let oldest = if recent.len() >= CAPACITY { recent.pop_front() } else { None };
        recent.push_back(file);
        // Closing takes a call to the system: not under the lock.
        drop(recent);
        drop(oldest);
    }

    /// Lets go of `file`: the room of a deleted one is not free before it is closed.
    pub(crate) fn forget(&self, file: &Arc<dyn File>) {
        self.recent.lock().retain(|kept| !Arc::ptr_eq(kept, file));
    }
}
