use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

use parking_lot::Mutex;

/// Something that waits until a condition holds (Kafka: `DelayedOperation`).
pub(crate) trait DelayedOperation: Send + Sync {
    /// Ends the wait if its condition holds now. Returns whether the wait is over, by this call or an earlier
    /// one. Called from any thread, without locks held; must be cheap when the condition does not hold.
    fn try_complete(&self) -> bool;
}

/// The operations that wait for one thing.
///
/// The side that makes conditions true (an append) pays one fence and one load while nobody waits.
#[derive(Default)]
pub(crate) struct WatcherList {
    count: AtomicUsize,
    operations: Mutex<Vec<Arc<dyn DelayedOperation>>>,
}

impl WatcherList {
    /// Adds an operation. The caller must then look at the condition once more: it may have become true just
    /// before the operation was added.
    pub(crate) fn watch(&self, operation: Arc<dyn DelayedOperation>) {
        let mut operations = self.operations.lock();
        operations.push(operation);
        self.count.store(operations.len(), Ordering::SeqCst);
        drop(operations);
        fence(Ordering::SeqCst);
    }

    /// Tries every operation, and forgets those whose wait is over. To be called after the condition was made
    /// true, with no lock held.
    pub(crate) fn check(&self) {
        fence(Ordering::SeqCst);
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        let waiting: Vec<_> = self.operations.lock().clone();
        let completed: Vec<_> = waiting.into_iter().filter(|operation| operation.try_complete()).collect();
        if completed.is_empty() {
            return;
        }
        let mut operations = self.operations.lock();
        operations.retain(|operation| !completed.iter().any(|done| Arc::ptr_eq(done, operation)));
        self.count.store(operations.len(), Ordering::SeqCst);
    }

    /// Forgets the operations that `is_over` names, whether their wait is over or not.
    pub(crate) fn forget_if(&self, is_over: impl Fn(*const ()) -> bool) {
        let mut operations = self.operations.lock();
        operations.retain(|operation| !is_over(Arc::as_ptr(operation).cast()));
        self.count.store(operations.len(), Ordering::SeqCst);
    }

    /// How many operations wait.
    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for WatcherList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatcherList").field("len", &self.len()).finish_non_exhaustive()
    }
}
