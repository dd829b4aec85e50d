use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, RwLock};

use super::config::GroupConfig;
use super::group_metadata::GroupMetadata;
use super::group_settings::GroupConfigManager;
use super::modern::CoordinatorMetadataImage;
use super::turn::Group;
use crate::broker::coordinator::loading::OwnedPartitions;
use crate::broker::coordinator::share::Persister;
use crate::broker::coordinator::{CoordinatorLog, partition_for};
use crate::broker::purgatory::{Timer, WatcherList};
use crate::model::{ErrorCode, ProducerId, Uuid};
use crate::sys::{Clock, Env, Rng};

/// The coordinator of groups: membership, assignment and committed offsets, under the
/// injected clock. See the [module](super) for how it is laid out.
///
/// Nothing here blocks a thread; time passes only through the [`Timer`] that it is given. Until
/// [`load_partition`](Self::load_partition) has read a partition of `__consumer_offsets`, the groups of that
/// partition are not coordinated here.
pub(crate) struct GroupCoordinator {
    config: GroupConfig,
    rng: Arc<dyn Rng>,
    timer: Arc<Timer>,
    log: Arc<dyn CoordinatorLog>,
    image: Arc<dyn CoordinatorMetadataImage>,
    persister: Arc<dyn Persister>,
    pub(super) group_configs: GroupConfigManager,
    is_active: AtomicBool,
    groups: RwLock<HashMap<Arc<str>, Arc<Group>>>,
    pub(super) partitions: OwnedPartitions,
    pub(super) open_transactions: Mutex<OpenTransactions>,
    /// Partitions share them: an end is short, and seldom.
    pub(super) transaction_ends: [RwLock<()>; 16],
    pub(super) expiry: Mutex<Option<crate::broker::purgatory::TimerHandle>>,
    weak: Weak<GroupCoordinator>,
}

/// Which groups have offsets in an open transaction: by the partition of `__consumer_offsets` and the producer, since
/// that is what the end of a transaction tells.
type OpenTransactions = HashMap<(i32, ProducerId), BTreeSet<Arc<str>>>;

/// What kind of request asks: some of them are allowed for the group without a name, which old clients use to
/// commit offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api {
    /// Join, sync, heartbeat, leave, and deleting offsets.
    Membership,
    /// Committing and fetching offsets, describing and deleting groups.
    AnyGroup,
}

impl GroupCoordinator {
    /// A coordinator that coordinates nothing yet. `timer` must run on the clock of `env`.
    pub(crate) fn new(
        env: &Env,
        config: GroupConfig,
        timer: Arc<Timer>,
        log: Arc<dyn CoordinatorLog>,
        image: Arc<dyn CoordinatorMetadataImage>,
        persister: Arc<dyn Persister>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|weak| GroupCoordinator {
            group_configs: GroupConfigManager::from(&config),
            config,
            rng: Arc::clone(&env.rng),
            timer,
            log,
            image,
            persister,
            is_active: AtomicBool::new(true),
            groups: RwLock::default(),
            partitions: OwnedPartitions::default(),
            open_transactions: Mutex::default(),
            transaction_ends: Default::default(),
            expiry: Mutex::default(),
            weak: Weak::clone(weak),
        })
    }

    pub(super) fn config(&self) -> &GroupConfig {
        &self.config
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        self.timer.clock()
    }

    pub(super) fn timer(&self) -> &Arc<Timer> {
        &self.timer
    }

    pub(super) fn log(&self) -> &dyn CoordinatorLog {
        &*self.log
    }

    /// The topics that there are.
    pub(super) fn image(&self) -> &dyn CoordinatorMetadataImage {
        &*self.image
    }

    /// Where the state of share groups is kept. To be asked with no group's lock held.
    pub(super) fn persister(&self) -> &dyn Persister {
        &*self.persister
    }

    pub(super) fn weak(&self) -> Weak<GroupCoordinator> {
        Weak::clone(&self.weak)
    }

    /// Which partition of `__consumer_offsets` holds a group; `None` as long as the topic does not exist.
    pub(crate) fn partition_for(&self, group_id: &str) -> Option<i32> {
        partition_for(group_id, self.log.partition_count())
    }

    /// Ends the coordinator: whatever waits is answered with COORDINATOR_NOT_AVAILABLE, as is every request
    /// from now on. What members were told before is in the log.
    pub(crate) fn shutdown(&self) {
        self.is_active.store(false, Ordering::SeqCst);
        if let Some(handle) = self.expiry.lock().take() {
            self.timer.cancel(handle);
        }
        for group in self.all_groups() {
            self.forget_group(&group, ErrorCode::CoordinatorNotAvailable);
        }
    }

    pub(super) fn is_active(&self) -> bool {
        self.is_active.load(Ordering::SeqCst)
    }

    /// Whether requests about the group can be answered here and now.
    pub(super) fn validate_group_status(&self, group_id: &str, api: Api) -> Result<(), ErrorCode> {
        if (group_id.is_empty() && api == Api::Membership) || group_id.len() > i16::MAX as usize {
            return Err(ErrorCode::InvalidGroupId);
        }
        if !self.is_active() {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        let partition = self.partition_for(group_id).ok_or(ErrorCode::CoordinatorNotAvailable)?;
        self.partitions.validate(partition)
    }

    pub(crate) fn has_group(&self, group_id: &str) -> bool {
        self.groups.read().contains_key(group_id)
    }

    pub(super) fn group(&self, group_id: &str) -> Option<Arc<Group>> {
        self.groups.read().get(group_id).cloned()
    }

    /// The group, made if need be.
    ///
    /// # Errors
    /// The group has moved away meanwhile, or the coordinator has ended.
    pub(super) fn get_or_create_group(&self, group_id: &str) -> Result<Arc<Group>, ErrorCode> {
        if let Some(group) = self.group(group_id) {
            return Ok(group);
        }
        let partition = self.partition_for(group_id).ok_or(ErrorCode::CoordinatorNotAvailable)?;
        let mut groups = self.groups.write();
        // Once more, under the lock: who unloads a partition first says so and then looks for its groups, so
        // that none can come into being behind its back.
        self.validate_group_status(group_id, Api::AnyGroup)?;
        let group = groups.entry(Arc::from(group_id)).or_insert_with_key(|id| {
            let state = Mutex::new(GroupMetadata::new(self.clock().now_ms()));
            Arc::new(Group { id: Arc::clone(id), partition, state, watchers: WatcherList::default() })
        });
        Ok(Arc::clone(group))
    }

    /// Puts a group in that the log has told of.
    pub(super) fn insert_group(&self, group: Arc<Group>) {
        self.groups.write().insert(Arc::clone(&group.id), group);
    }

    /// Takes a group out. To be called with the group's lock held, and the group dead, so that nobody who
    /// finds it can bring it back to life.
    pub(super) fn remove_group(&self, group: &Arc<Group>) {
        let mut groups = self.groups.write();
        if groups.get(&group.id).is_some_and(|known| Arc::ptr_eq(known, group)) {
            groups.remove(&group.id);
        }
    }

    /// All groups, sorted by id.
    pub(super) fn all_groups(&self) -> Vec<Arc<Group>> {
        let mut groups: Vec<_> = self.groups.read().values().cloned().collect();
        groups.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        groups
    }

    /// Drops a group from memory; what waits in it is answered with `error`.
    pub(super) fn forget_group(&self, group: &Arc<Group>, error: ErrorCode) {
        self.with_group(group, |turn| {
            turn.answer_all(error);
            turn.die();
        });
    }

    /// An id as Kafka writes it.
    pub(crate) fn new_uuid(&self) -> Uuid {
        loop {
            let mut bytes = [0; 16];
            self.rng.fill(&mut bytes);
            if let Some(id) = Uuid::from_random(bytes) {
                return id;
            }
        }
    }

    /// An id for a new member: what the client calls itself, and a random UUID as Java writes it.
    pub(super) fn new_member_id(&self, prefix: &str) -> Arc<str> {
        let mut bytes = [0; 16];
        self.rng.fill(&mut bytes);
        // Version 4, variant 2, as java.util.UUID#randomUUID.
        let bits = (u128::from_be_bytes(bytes) & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
        let hex = format!("{bits:032x}");
        let (a, b, c, d, e) = (&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
        Arc::from(format!("{prefix}-{a}-{b}-{c}-{d}-{e}"))
    }
}

impl fmt::Debug for GroupCoordinator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupCoordinator")
            .field("groups", &self.groups.read().len())
            .field("is_active", &self.is_active())
            .finish_non_exhaustive()
    }
}
