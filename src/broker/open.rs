//! Opening a broker: from directories and settings to a [`BrokerCore`] at work.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use super::adoption::{adopt_cluster_metadata, adopt_node_id, adopt_topics, topic_settings};
use super::coordinator::History;
use super::coordinator::group::GroupCoordinator;
use super::coordinator::share::ShareCoordinator;
use super::coordinator::transaction::TransactionCoordinator;
use super::coordinator_topic::CoordinatorTopic;
use super::core::BrokerCore;
use super::io_threads::IoThreads;
use super::log_dir_failures::{self, LogDirFailureListener};
use super::metadata::{MetadataCache, MetadataImage, MetadataStore, ProducerIds};
use super::moves::Moves;
use super::purgatory::Timer;
use super::replica::FetchSessionCache;
use super::share::SharePartitionManager;
use super::share_groups::ShareSettings;
use super::share_state::BrokerPersister;
use super::transactions::Participants;
use crate::config::{BrokerConfig, DynamicBrokerConfig};
use crate::error::{Error, Result};
use crate::log::{LogManager, LogManagerConfig, RecoveryListener};
use crate::model::{CONSUMER_OFFSETS_TOPIC, ErrorCode, SHARE_GROUP_STATE_TOPIC, TRANSACTION_STATE_TOPIC};
use crate::sys::{Env, TemporaryPath};

/// Files that are due within this time are deleted together; each has its own `file.delete.delay.ms`.
const DELETE_LOGS_INTERVAL: Duration = Duration::from_secs(1);

/// How soon a rolled segment is flushed, so that a recovery need not read it.
const FLUSH_ROLLED_LOGS_INTERVAL: Duration = Duration::from_secs(1);

/// What a broker is opened from.
pub(super) struct OpenParams {
    pub(super) env: Env,
    pub(super) config: BrokerConfig,
    pub(super) temporary_dir: Option<TemporaryPath>,
    pub(super) on_recovery: Option<RecoveryListener>,
    pub(super) on_log_dir_failure: Option<LogDirFailureListener>,
}

pub(super) fn open(params: OpenParams) -> Result<Arc<BrokerCore>> {
    let OpenParams { env, mut config, temporary_dir, on_recovery, on_log_dir_failure } = params;
    let dirs: Vec<PathBuf> = config.effective_log_dirs().into_iter().map(PathBuf::from).collect();
    // Read before the directories are locked, since it says how each log is set. Should another broker be at
    // work there, opening the logs fails on their lock, and nothing was changed.
    adopt_node_id(&mut config, &*env.fs, &dirs);
    let mut image = MetadataImage::load(&*env.fs, &dirs)?;
    let is_changed = adopt_cluster_metadata(&mut image, &config, &*env.fs, &dirs)?;
    let (dynamic_config, problems) =
        DynamicBrokerConfig::restore(config, image.cluster_overrides.clone(), image.broker_overrides.clone());
    for problem in problems {
        tracing::error!(%problem, "a setting that was changed while the broker ran is not valid any more");
    }
    let config = Arc::clone(dynamic_config.effective());
    let log_dirs = dirs.len();
    let manager_config = LogManagerConfig { on_recovery, ..log_manager_config(&config, dirs, &image) };
    let log_manager = Arc::new(LogManager::open(manager_config, env.clone())?);
    log_manager.set_cordoned_log_dirs(config.effective_cordoned_log_dirs());
    let timer = Timer::new(Arc::clone(&env.clock));
    let offsets_log = Arc::new(CoordinatorTopic::new(CONSUMER_OFFSETS_TOPIC));
    let metadata = Arc::new(MetadataCache::default());
    let share_persister = Arc::new(BrokerPersister::default());
    let groups = GroupCoordinator::new(
        &env,
        (&*config).into(),
        Arc::clone(&timer),
        Arc::clone(&offsets_log) as _,
        Arc::clone(&metadata) as _,
        Arc::clone(&share_persister) as _,
    );
    let transaction_log = Arc::new(CoordinatorTopic::new(TRANSACTION_STATE_TOPIC));
    let participants = Arc::new(Participants::default());
    let transactions = TransactionCoordinator::new(
        &env,
        (&*config).into(),
        Arc::clone(&transaction_log) as _,
        Arc::clone(&participants) as _,
    );
    let share_state_log = Arc::new(CoordinatorTopic::new(SHARE_GROUP_STATE_TOPIC));
    let share_coordinator = ShareCoordinator::new(
        &env,
        (&*config).into(),
        Arc::clone(&share_state_log) as _,
        Arc::clone(&metadata) as _,
    );
    let share_settings = Arc::new(ShareSettings::new(Arc::clone(&config)));
    let share_groups = Arc::new(SharePartitionManager::new(
        Arc::clone(&share_persister) as _,
        Arc::clone(&timer),
        Arc::clone(&share_settings) as _,
        usize::try_from(config.group_share_max_share_sessions).unwrap_or(0),
    ));
    let core = Arc::new(BrokerCore {
        node_id: config.effective_node_id(),
        nodes: OnceLock::new(),
        cluster_id: log_manager.cluster_id().to_owned(),
        metadata,
        store: MetadataStore::new(MetadataImage::default()),
        log_manager: Arc::clone(&log_manager),
        moves: Moves::new(&config, log_dirs),
        timer: Arc::clone(&timer),
        io_threads: IoThreads::new(
            Arc::clone(&env.spawner),
            usize::try_from(config.num_io_threads).unwrap_or(1),
        ),
        groups,
        offsets_topic_is_ready: AtomicBool::new(false),
        transactions,
        transaction_topic_is_ready: AtomicBool::new(false),
        share_coordinator,
        share_groups,
        share_state_topic_is_ready: AtomicBool::new(false),
        offsets_log: Arc::clone(&offsets_log),
        transaction_log: Arc::clone(&transaction_log),
        share_state_log: Arc::clone(&share_state_log),
        producer_ids: ProducerIds::default(),
        producer_history: History::default(),
        fetch_sessions: FetchSessionCache::new(
            &env,
            usize::try_from(config.max_incremental_fetch_session_cache_slots).unwrap_or(0),
        ),
        config: RwLock::new(Arc::clone(&config)),
        dynamic_config: Mutex::new(dynamic_config),
        services: Mutex::default(),
        close_listeners: Mutex::default(),
        threads: Mutex::default(),
        closed: AtomicBool::new(false),
        skipping: Mutex::default(),
        skipped_by: Mutex::default(),
        handles: AtomicUsize::new(0),
        temporary_dir: Mutex::new(temporary_dir),
        env,
    });
    offsets_log.attach(&core);
    transaction_log.attach(&core);
    share_state_log.attach(&core);
    share_persister.attach(&core);
    share_settings.attach(&core);
    participants.attach(&core);
    for (group_id, overrides) in &image.group_overrides {
        core.apply_group_overrides(group_id, Some(overrides));
    }
    adopt_topics(&core, image, log_manager.logs(), is_changed)?;
    if core.metadata.topic(CONSUMER_OFFSETS_TOPIC).is_some() {
        core.load_groups();
    }
    if core.metadata.topic(SHARE_GROUP_STATE_TOPIC).is_some() {
        core.load_share_state();
    }
    // After the groups, whose offsets the transactions may be about to commit.
    if core.metadata.topic(TRANSACTION_STATE_TOPIC).is_some() {
        core.load_transactions();
    }
    start_timer(&core)?;
    schedule_tasks(&core);
    schedule_deletions(&core);
    core.log_manager.start_cleaner();
    core.resume_moves();
    core.groups.schedule_offset_expiry();
    if let Some(listener) = on_log_dir_failure {
        log_dir_failures::tell(&core, listener);
    }
    Ok(core)
}

fn log_manager_config(
    config: &Arc<BrokerConfig>,
    log_dirs: Vec<PathBuf>,
    image: &MetadataImage,
) -> LogManagerConfig {
    let (config, image) = (Arc::clone(config), image.clone());
    LogManagerConfig {
        log_dirs,
        node_id: config.effective_node_id(),
        cluster_id: None,
        recovery_threads_per_data_dir: usize::try_from(config.num_recovery_threads_per_data_dir).unwrap_or(1),
        on_recovery: None,
        producer_id_expiration_ms: i64::from(config.producer_id_expiration_ms),
        cleaner: (&*config).into(),
        topic_configs: Arc::new(move |topic| topic_settings(&config, &image, topic).config),
    }
}

fn start_timer(core: &Arc<BrokerCore>) -> Result<()> {
    let timer = Arc::clone(&core.timer);
    let thread = core
        .env
        .spawner
        .spawn("timer", Box::new(move || while timer.run_once() {}))
        .map_err(|error| Error::caused(ErrorCode::UnknownServerError, "cannot start a thread", error))?;
    core.threads.lock().push(thread);
    Ok(())
}

/// When it runs first, how often, and what it does.
type Task = (Duration, Duration, fn(&BrokerCore));

/// Kafka: `LogManager#startupWithConfigOverrides`, with the same periods.
fn schedule_tasks(core: &Arc<BrokerCore>) {
    let config = core.config();
    let ms = |ms: i64| Duration::from_millis(u64::try_from(ms).unwrap_or(0).max(1));
    let initial = ms(config.log_initial_task_delay_ms);
    let abort_interval = ms(i64::from(config.transaction_abort_timed_out_transaction_cleanup_interval_ms));
    let remove_interval = ms(i64::from(config.transaction_remove_expired_transaction_cleanup_interval_ms));
    let cold_interval = ms(i64::from(config.share_coordinator_cold_partition_snapshot_interval_ms));
    let prune_interval = ms(i64::from(config.share_coordinator_state_topic_prune_interval_ms));
    let tasks: [Task; 10] = [
        (initial, ms(config.log_retention_check_interval_ms), |core| {
            core.log_manager.cleanup_logs();
        }),
        (initial, ms(i64::from(config.log_flush_offset_checkpoint_interval_ms)), |core| {
            core.log_manager.checkpoint_recovery_offsets()
        }),
        (initial, ms(i64::from(config.log_flush_start_offset_checkpoint_interval_ms)), |core| {
            core.log_manager.checkpoint_log_start_offsets()
        }),
        (
            ms(config.replica_high_watermark_checkpoint_interval_ms),
            ms(config.replica_high_watermark_checkpoint_interval_ms),
            |core| core.log_manager.checkpoint_high_watermarks(),
        ),
        (FLUSH_ROLLED_LOGS_INTERVAL, FLUSH_ROLLED_LOGS_INTERVAL, |core| core.log_manager.flush_rolled_logs()),
        (initial, ms(i64::from(config.producer_id_expiration_check_interval_ms)), |core| {
            core.log_manager.remove_expired_producers()
        }),
        (abort_interval, abort_interval, |core| {
            core.transactions.abort_timed_out();
        }),
        (remove_interval, remove_interval, |core| {
            core.transactions.remove_expired();
        }),
        (cold_interval, cold_interval, |core| core.share_coordinator.snapshot_cold_partitions()),
        (prune_interval, prune_interval, |core| core.share_coordinator.prune()),
    ];
    for (delay, period, task) in tasks {
        core.schedule_periodically(delay, period, task);
    }
    if config.log_flush_scheduler_interval_ms < i64::MAX {
        let period = ms(config.log_flush_scheduler_interval_ms);
        core.schedule_periodically(initial, period, |core| core.log_manager.flush_dirty_logs());
    }
}

/// Removes files when they are due. While nothing waits to be deleted, nobody looks.
fn schedule_deletions(core: &Arc<BrokerCore>) {
    let (timer, io_threads) = (Arc::downgrade(&core.timer), Arc::downgrade(&core.io_threads));
    let log_manager = Arc::downgrade(&core.log_manager);
    core.log_manager.on_deletion(move |due| {
        let Some(timer) = timer.upgrade() else { return };
        let at = due.max(timer.clock().monotonic().saturating_add(DELETE_LOGS_INTERVAL));
        let (io_threads, log_manager) = (Weak::clone(&io_threads), Weak::clone(&log_manager));
        timer.schedule_at(at, move || {
            let (Some(io_threads), Some(log_manager)) = (io_threads.upgrade(), log_manager.upgrade()) else {
                return;
            };
            io_threads.run(move || {
                log_manager.delete_logs();
            });
        });
    });
}
