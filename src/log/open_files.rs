//! What is kept at hand of segments that are read now and then.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::sys::File;

/// How many files: enough that readers of old records find theirs open, and few beside the 1,024 descriptors that a
/// process has where nobody raised the limit.
const FILES: usize = 128;

/// How many pages of indexes, of 4 KiB each.
const PAGES: usize = 1024;

/// The files of sealed segments, and of indexes, that were opened last, and the pages of indexes that were read last. Active
/// segments, and ranges that readers hold, keep their files open themselves; all others are opened again when they are
/// read.
#[derive(Debug)]
pub(crate) struct OpenFiles {
    files: Recent<dyn File>,
    pages: Recent<dyn Kept>,
}

/// Anything that is only to be kept.
pub(crate) trait Kept: Debug + Send + Sync {}

impl<T: Debug + Send + Sync> Kept for T {}

impl Default for OpenFiles {
    fn default() -> Self {
        OpenFiles { files: Recent::new(FILES), pages: Recent::new(PAGES) }
    }
}

impl OpenFiles {
    /// Keeps `file` open until many others were opened after it.
    pub(crate) fn keep(&self, file: Arc<dyn File>) {
        self.files.keep(file);
    }

    /// Lets go of `file`: the room of a deleted one is not free before it is closed.
    pub(crate) fn forget(&self, file: &Arc<dyn File>) {
        self.files.forget(file);
    }

    /// Keeps the page of an index in memory until many others were read after it.
    pub(crate) fn keep_page(&self, page: Arc<dyn Kept>) {
        self.pages.keep(page);
    }
}

/// The last few of something that can be had again.
#[derive(Debug)]
struct Recent<T: ?Sized> {
    capacity: usize,
    kept: Mutex<VecDeque<Arc<T>>>,
}

impl<T: ?Sized> Recent<T> {
    fn new(capacity: usize) -> Self {
        Recent { capacity, kept: Mutex::default() }
    }

    fn keep(&self, item: Arc<T>) {
        let mut kept = self.kept.lock();
        let oldest = if kept.len() >= self.capacity { kept.pop_front() } else { None };
        kept.push_back(item);
        // To let a file go takes a call to the system: not under the lock.
        drop(kept);
        drop(oldest);
    }

    fn forget(&self, item: &Arc<T>) {
        self.kept.lock().retain(|kept| !Arc::ptr_eq(kept, item));
    }
}
