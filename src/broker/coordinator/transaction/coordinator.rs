use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, RwLock};

use super::config::TransactionConfig;
use super::metadata::TransactionMetadata;
use super::participants::TransactionParticipants;
use super::state::TransactionState;
use super::turn::TransactionalId;
use crate::broker::coordinator::loading::OwnedPartitions;
use crate::broker::coordinator::{CoordinatorLog, partition_for};
use crate::model::{ErrorCode, Timestamp};
use crate::sys::{Clock, Env};

/// The coordinator of transactional producers, under the injected clock. See the [module](super) for how it is laid
/// out.
///
/// It has no thread and no timer: whoever owns it calls [`abort_timed_out`](Self::abort_timed_out) and
/// [`remove_expired`](Self::remove_expired) now and then. Until [`load_partition`](Self::load_partition) has read a
/// partition of `__transaction_state`, the ids of that partition are not coordinated here.
pub(crate) struct TransactionCoordinator {
    config: TransactionConfig,
    clock: Arc<dyn Clock>,
    log: Arc<dyn CoordinatorLog>,
    participants: Arc<dyn TransactionParticipants>,
    is_active: AtomicBool,
    ids: RwLock<HashMap<Arc<str>, Arc<TransactionalId>>>,
    pub(super) partitions: OwnedPartitions,
}

impl TransactionCoordinator {
    /// A coordinator that coordinates nothing yet.
    pub(crate) fn new(
        env: &Env,
        config: TransactionConfig,
        log: Arc<dyn CoordinatorLog>,
        participants: Arc<dyn TransactionParticipants>,
    ) -> Self {
        TransactionCoordinator {
            config,
            clock: Arc::clone(&env.clock),
            log,
            participants,
            is_active: AtomicBool::new(true),
            ids: RwLock::default(),
            partitions: OwnedPartitions::default(),
        }
    }

    pub(super) fn config(&self) -> &TransactionConfig {
        &self.config
    }

    pub(super) fn now_ms(&self) -> Timestamp {
        self.clock.now_ms()
    }

    pub(super) fn log(&self) -> &dyn CoordinatorLog {
        &*self.log
    }

    pub(super) fn participants(&self) -> &dyn TransactionParticipants {
        &*self.participants
    }

    /// Ends the coordinator: every request from now on is answered with COORDINATOR_NOT_AVAILABLE. What was decided is
    /// in the log.
    pub(crate) fn shutdown(&self) {
        self.is_active.store(false, Ordering::SeqCst);
    }

    pub(super) fn is_active(&self) -> bool {
        self.is_active.load(Ordering::SeqCst)
    }

    /// Which partition of `__transaction_state` holds an id; `None` as long as the topic does not exist.
    pub(crate) fn partition_for(&self, transactional_id: &str) -> Option<i32> {
        partition_for(transactional_id, self.log.partition_count())
    }

    /// The partition that holds the id, if its ids are coordinated here and now.
    fn own_partition_for(&self, transactional_id: &str) -> Result<i32, ErrorCode> {
        if !self.is_active() {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        let partition = self.partition_for(transactional_id).ok_or(ErrorCode::CoordinatorNotAvailable)?;
        self.partitions.validate(partition).map(|()| partition)
    }

    /// What is known of an id; `None` if nothing is.
    ///
    /// # Errors
    /// Why this coordinator cannot tell.
    pub(super) fn find(&self, transactional_id: &str) -> Result<Option<Arc<TransactionalId>>, ErrorCode> {
        self.own_partition_for(transactional_id)?;
        Ok(self.ids.read().get(transactional_id).cloned())
    }

    /// The id, made if need be.
    pub(super) fn find_or_create(
        &self,
        transactional_id: &str,
        timeout_ms: i32,
    ) -> Result<Arc<TransactionalId>, ErrorCode> {
        if let Some(found) = self.find(transactional_id)? {
            return Ok(found);
        }
        let producer_id = self.participants.generate_producer_id()?;
        let metadata = TransactionMetadata::new(producer_id, timeout_ms, self.now_ms());
        let mut ids = self.ids.write();
        // Once more, under the lock: who unloads a partition first says so and then takes its ids out.
        let partition = self.own_partition_for(transactional_id)?;
        let entry = ids.entry(Arc::from(transactional_id)).or_insert_with_key(|id| {
            Arc::new(TransactionalId { id: Arc::clone(id), partition, metadata: Mutex::new(metadata) })
        });
        Ok(Arc::clone(entry))
    }

    /// Puts an id in that the log has told of.
    pub(super) fn insert(&self, transactional_id: Arc<TransactionalId>) {
        self.ids.write().insert(Arc::clone(&transactional_id.id), transactional_id);
    }

    /// Takes an id out. To be called with its lock held, and the id dead, so that nobody who finds it can bring it
    /// back to life.
    pub(super) fn remove(&self, transactional_id: &Arc<TransactionalId>) {
        let mut ids = self.ids.write();
        if ids.get(&transactional_id.id).is_some_and(|known| Arc::ptr_eq(known, transactional_id)) {
            ids.remove(&transactional_id.id);
        }
    }

    /// All ids, sorted.
    pub(super) fn all(&self) -> Vec<Arc<TransactionalId>> {
        let mut all: Vec<_> = self.ids.read().values().cloned().collect();
        all.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        all
    }

    /// Forgets the ids of a partition that is not ours any more.
    pub(crate) fn unload_partition(&self, partition: i32) {
        self.partitions.release(partition);
        for transactional_id in self.all() {
            if transactional_id.partition == partition {
                let mut metadata = transactional_id.metadata.lock();
                metadata.state = TransactionState::Dead;
                self.remove(&transactional_id);
            }
        }
    }
}

impl fmt::Debug for TransactionCoordinator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransactionCoordinator")
            .field("transactional_ids", &self.ids.read().len())
            .field("is_active", &self.is_active())
            .finish_non_exhaustive()
    }
}
