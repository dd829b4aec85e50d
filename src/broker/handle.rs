//! Who keeps a broker open.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::core::BrokerCore;

/// The hold of a program on its broker, in everything that the program has of it: the broker is closed where the last
/// one is dropped.
///
/// The broker's own threads share the core without such a hold. So a request that is being served, or a task of the
/// timer, neither keeps the broker open nor closes it: whoever drops the last handle knows that the directories are
/// free when that returns.
pub(crate) struct Handle {
    core: Arc<BrokerCore>,
}

impl Handle {
    /// The first one, of a broker that was just opened; the others are its clones.
    pub(super) fn new(core: Arc<BrokerCore>) -> Self {
        core.handles.fetch_add(1, Ordering::Relaxed);
        Handle { core }
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        Handle::new(Arc::clone(&self.core))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // What others did with their handles is done before the broker is closed.
        if self.core.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.core.close();
        }
    }
}

impl Deref for Handle {
    type Target = Arc<BrokerCore>;

    fn deref(&self) -> &Arc<BrokerCore> {
        &self.core
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.fmt(f)
    }
}
