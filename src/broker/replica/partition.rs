use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};

use crate::broker::io_threads::IoThreads;
use crate::broker::purgatory::WatcherList;
use crate::config::LogConfig;
use crate::error::{Error, Result};
use crate::log::{AppendParams, Log, LogAppendInfo, LogManager};
use crate::model::{ErrorCode, LeaderEpoch, Offset, TopicPartition, Uuid};
use crate::record::{
    AppendOrigin, EndTransactionMarker, MarkerParams, RecordBatchBuilder, ValidatedRecords, validate,
    validate_built,
};

/// One partition of a topic, led by this broker (Kafka: `kafka.cluster.Partition`).
///
/// Appends to one partition are serialised by its log; reads never wait for them.
pub(crate) struct Partition {
    tp: TopicPartition,
    topic_id: Uuid,
    leader_epoch: AtomicI32,
    log_manager: Arc<LogManager>,
    config: Mutex<Arc<LogConfig>>,
    log: RwLock<Option<Arc<Log>>>,
    /// Held by all who append while they do, and alone by the one who puts another log in the place of this one
    /// (Kafka: `leaderIsrUpdateLock`). To be taken before all locks of logs.
    pub(super) appending: RwLock<()>,
    watchers: WatcherList,
    /// Set when the topic was deleted: whoever still holds the partition is told so.
    deleted: AtomicBool,
}

/// How to append.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AppendRecordsParams {
    pub(crate) origin: AppendOrigin,
    /// Whether only batches of magic 2 will do: Produce from version 3 on.
    pub(crate) requires_batch_format: bool,
}

impl Partition {
    /// The partition without a log: the log is made at its first use. For topics whose partitions are mostly
    /// unused, as those of `__consumer_offsets`, that saves thousands of file operations.
    pub(crate) fn new(
        tp: TopicPartition,
        topic_id: Uuid,
        config: Arc<LogConfig>,
        log_manager: Arc<LogManager>,
    ) -> Self {
        Partition {
            tp,
            topic_id,
            leader_epoch: AtomicI32::new(0),
            log_manager,
            config: Mutex::new(config),
            log: RwLock::new(None),
            appending: RwLock::new(()),
            watchers: WatcherList::default(),
            deleted: AtomicBool::new(false),
        }
    }

    /// Takes over a log that is there, and leads it in a new epoch (Kafka: `Partition#makeLeader`): an epoch
    /// per start lets a client notice that an unclean stop cut the log. With `keeps_epoch`, a clean stop ends none.
    pub(crate) fn make_leader(&self, log: Arc<Log>, keeps_epoch: bool) -> Result<()> {
        let epoch = match log.highest_epoch() {
            None => 0,
            Some(highest) if keeps_epoch && log.had_clean_shutdown() => highest,
            Some(highest) => highest.saturating_add(1),
        };
        log.assign_epoch_start_offset(epoch, log.log_end_offset());
        self.leader_epoch.store(epoch, Ordering::SeqCst);
        // A broker of one has no follower to wait for: what is in the log is committed.
        log.update_high_watermark(log.log_end_offset())?;
        self.set_log(log);
        Ok(())
    }

    pub(super) fn set_log(&self, log: Arc<Log>) {
        *self.log.write() = Some(log);
    }

    pub(super) fn log_manager(&self) -> &Arc<LogManager> {
        &self.log_manager
    }

    pub(crate) fn tp(&self) -> &TopicPartition {
        &self.tp
    }

    pub(crate) fn topic_id(&self) -> Uuid {
        self.topic_id
    }

    pub(crate) fn leader_epoch(&self) -> LeaderEpoch {
        self.leader_epoch.load(Ordering::SeqCst)
    }

    /// Begins a new epoch, after an election. Who waits for records is told: it may have another leader now.
    pub(crate) fn begin_leader_epoch(&self) {
        {
            let _appending = self.appending.write();
            let epoch = self.leader_epoch().saturating_add(1);
            self.leader_epoch.store(epoch, Ordering::SeqCst);
            if let Some(log) = self.existing_log() {
                log.assign_epoch_start_offset(epoch, log.log_end_offset());
            }
        }
        self.watchers.check();
    }

    /// The log, made if there is none yet; an error while its log dir is offline (Kafka: `HostedPartition.Offline`).
    pub(crate) fn log(&self) -> Result<Arc<Log>> {
        self.log_in(None)
    }

    /// The log, made in the log dir at `preferred` if there is none yet.
    pub(super) fn log_in(&self, preferred: Option<&Path>) -> Result<Arc<Log>> {
        if self.deleted.load(Ordering::SeqCst) {
            return Err(Error::from(ErrorCode::UnknownTopicOrPartition));
        }
        if let Some(log) = &*self.log.read() {
            log.check_online()?;
            return Ok(Arc::clone(log));
        }
        // Held while creating, so that two first users make one log.
        let config = self.config.lock();
        if self.deleted.load(Ordering::SeqCst) {
            return Err(Error::from(ErrorCode::UnknownTopicOrPartition));
        }
        if let Some(log) = &*self.log.read() {
            return Ok(Arc::clone(log));
        }
        let config = Arc::clone(&config);
        let log = self.log_manager.get_or_create_log_in(preferred, &self.tp, self.topic_id, config)?;
        log.assign_epoch_start_offset(self.leader_epoch(), log.log_end_offset());
        self.set_log(Arc::clone(&log));
        Ok(log)
    }

    /// The log, if it was made and the topic is not deleted.
    pub(crate) fn existing_log(&self) -> Option<Arc<Log>> {
        if self.deleted.load(Ordering::SeqCst) {
            return None;
        }
        self.log.read().clone()
    }

    /// The topic is gone: no call succeeds from now on. Answers whether there is a log, which is the caller's to
    /// delete; whoever holds the partition keeps no file of it open.
    pub(crate) fn mark_deleted(&self) -> bool {
        // Nobody makes a log meanwhile.
        let _config = self.config.lock();
        self.deleted.store(true, Ordering::SeqCst);
        self.log.write().take().is_some()
    }

    /// The topic is there after all, and this partition is empty.
    pub(crate) fn unmark_deleted(&self) {
        self.deleted.store(false, Ordering::SeqCst);
    }

    pub(crate) fn update_config(&self, config: &Arc<LogConfig>) {
        let mut current = self.config.lock();
        *current = Arc::clone(config);
        let present = self.log.read().clone();
        for log in present.into_iter().chain(self.log_manager.future_log(&self.tp)) {
            log.update_config(Arc::clone(config));
        }
    }

    pub(crate) fn config(&self) -> Arc<LogConfig> {
        Arc::clone(&self.config.lock())
    }

    /// Who waits for records of this partition.
    pub(crate) fn watchers(&self) -> &WatcherList {
        &self.watchers
    }

    /// Checks and appends records that came as bytes, and wakes those who wait for records (Kafka:
    /// `Partition#appendRecordsToLeader`).
    ///
    /// Where [`LogAppendInfo::needs_flush`] is set, the append must not be acknowledged before
    /// [`Partition::flush`]. No lock may be held by the caller: fetches that complete answer from within this
    /// call.
    pub(crate) fn append_records_to_leader(
        &self,
        records: &Bytes,
        params: AppendRecordsParams,
    ) -> Result<LogAppendInfo> {
        let info = self.append_without_waking(records, params)?;
        self.watchers.check();
        Ok(info)
    }

    /// The same, for a caller that holds a lock: it must call [`WatcherList::check`] once it holds none.
    pub(crate) fn append_without_waking(
        &self,
        records: &Bytes,
        params: AppendRecordsParams,
    ) -> Result<LogAppendInfo> {
        let log = self.log()?;
        let options = log.validation_options(params.origin, params.requires_batch_format);
        // Outside the log's lock: checksums and decompression are the dear part of an append.
        let validated = validate(records, &options)?;
        self.append(validated, params.origin)
    }

    /// Appends what a builder of this process holds, which needs no check record by record, and wakes those who wait
    /// for records. The builder is empty afterwards, and keeps its buffer. No lock may be held by the caller.
    pub(crate) fn append_built_to_leader(&self, builder: &mut RecordBatchBuilder) -> Result<LogAppendInfo> {
        let info = self.append_built_without_waking(builder)?;
        self.watchers.check();
        Ok(info)
    }

    /// Appends the end of a transaction, for a caller that holds a lock: it must call [`WatcherList::check`] once it
    /// holds none.
    pub(crate) fn append_marker_without_waking(&self, marker: MarkerParams) -> Result<LogAppendInfo> {
        // As it is: a topic's codec and timestamps are for data.
        let mut builder = EndTransactionMarker::builder(marker)?;
        let records = ValidatedRecords::of_builder(&mut builder)?;
        self.append(records, AppendOrigin::Coordinator)
    }

    /// As [`append_built_to_leader`](Self::append_built_to_leader), for a caller that holds a lock.
    pub(crate) fn append_built_without_waking(
        &self,
        builder: &mut RecordBatchBuilder,
    ) -> Result<LogAppendInfo> {
        let log = self.log()?;
        let options = log.validation_options(AppendOrigin::Client, true);
        let validated = validate_built(builder, &options)?;
        self.append(validated, AppendOrigin::Client)
    }

    fn append(&self, records: ValidatedRecords, origin: AppendOrigin) -> Result<LogAppendInfo> {
        let _appending = self.appending.read();
        // Only now: it may have moved while the records were checked.
        let log = self.log()?;
        let leader_epoch = self.leader_epoch();
        let info = log.append_as_leader(AppendParams { records, origin, leader_epoch })?;
        // Everything in the log is committed, since there is no other replica. `min.insync.replicas` above 1
        // does not hold it back: Kafka caps it by the number of replicas.
        log.maybe_update_high_watermark(log.log_end_offset())?;
        Ok(info)
    }

    /// Makes the log durable up to `offset`. Blocks for the disk; concurrent calls share one sync.
    pub(crate) fn flush(&self, offset: Offset) -> Result<()> {
        Ok(self.log()?.flush(offset)?)
    }

    /// Has `then` called once the log is durable up to `offset`, from an I/O thread unless it is so already. All who
    /// ask while the disk is busy share one sync and one thread.
    pub(crate) fn flush_then(
        &self,
        io_threads: &Arc<IoThreads>,
        offset: Offset,
        then: impl FnOnce(Result<()>) + Send + 'static,
    ) {
        match self.log() {
            Ok(log) => {
                if log.flush_then(offset, |flushed| then(flushed.map_err(Error::from))) {
                    flush_for_waiting(io_threads, log);
                }
            }
            Err(error) => then(Err(error)),
        }
    }

    /// Moves the start of the log (Kafka: `Partition#deleteRecordsOnLeader`); -1 is the high watermark.
    pub(crate) fn delete_records(&self, offset: Offset) -> Result<Offset> {
        let log = self.log()?;
        if !self.config.lock().cleanup_policy.delete {
            return Err(Error::new(
                ErrorCode::PolicyViolation,
                format!("records of {} cannot be deleted: its cleanup.policy does not have delete", self.tp),
            ));
        }
        let high_watermark = log.high_watermark();
        let target = if offset == -1 { high_watermark } else { offset };
        if target < 0 || target > high_watermark {
            return Err(Error::new(
                ErrorCode::OffsetOutOfRange,
                format!("offset {target} of {} is beyond its high watermark {high_watermark}", self.tp),
            ));
        }
        log.maybe_increment_log_start_offset(target)?;
        self.watchers.check();
        Ok(log.log_start_offset())
    }
}

/// Goes round by the pool's queue, so that a log that is written to all the time does not keep a thread for itself.
fn flush_for_waiting(io_threads: &Arc<IoThreads>, log: Arc<Log>) {
    let pool = Arc::clone(io_threads);
    io_threads.run(move || {
        if log.flush_for_waiting() {
            flush_for_waiting(&pool, log);
        }
    });
}

impl std::fmt::Debug for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Partition({}, leader epoch {})", self.tp, self.leader_epoch())
    }
}
