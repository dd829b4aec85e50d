//! The threads that compact, and one run of one of them.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::choose::Cleanable;
use super::clean::{CleanerStats, Cleaning};
use super::{CleanerConfig, CleaningError, LogCleaner};
use crate::log::{Log, LogError, LogManager};

impl LogManager {
    /// Starts the threads that compact logs with `cleanup.policy=compact`, unless `log.cleaner.enable` says no. They
    /// end with [`LogManager::shutdown`] or [`LogManager::abandon`].
    pub(crate) fn start_cleaner(self: &Arc<Self>) {
        let cleaner = self.cleaner();
        let config = cleaner.config();
        if config.enable {
            cleaner.started.store(true, Ordering::Release);
            let mut threads = cleaner.threads.lock();
            self.start_threads(&mut threads, config.threads);
        }
    }

    /// Takes settings that were changed while the threads run. A compaction that a thread has under way when its kind
    /// gets fewer is given up, and done again by another.
    pub(crate) fn reconfigure_cleaner(self: &Arc<Self>, config: CleanerConfig) {
        let cleaner = self.cleaner();
        let mut threads = cleaner.threads.lock();
        let config = CleanerConfig { enable: cleaner.config().enable, ..config };
        if *cleaner.config() == config || cleaner.is_stopped() {
            return;
        }
        let count = config.threads;
        let is_other_rate = config.io_max_bytes_per_second != cleaner.config().io_max_bytes_per_second;
        *cleaner.config.write() = Arc::new(config);
        if is_other_rate {
            cleaner.throttler.change_rate();
        }
        if !cleaner.started.load(Ordering::Acquire) {
            return;
        }
        cleaner.wakeup.notify();
        let kept = count.min(threads.len());
        for thread in threads.split_off(kept) {
            join(thread);
        }
        self.start_threads(&mut threads, count);
    }

    fn start_threads(self: &Arc<Self>, threads: &mut Vec<std::thread::JoinHandle<()>>, count: usize) {
        for i in threads.len()..count {
            let (manager, cleaner) = (Arc::downgrade(self), Arc::clone(self.cleaner()));
            let body = move || while run_once(&manager, &cleaner, i) {};
            let name = format!("log-cleaner-{}", i % 100);
            match self.cleaner().env.spawner.spawn(&name, Box::new(body)) {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    tracing::error!(%error, "a thread that compacts logs cannot be started");
                    return;
                }
            }
        }
    }

    /// Has the threads end, and does not wait for that; a compaction that is under way is given up.
    pub(crate) fn begin_stopping_cleaner(&self) {
        self.cleaner().stopped.store(true, Ordering::Release);
        self.cleaner().wakeup.notify();
    }

    /// Ends the threads; a compaction that is under way is given up.
    pub(in crate::log) fn stop_cleaner(&self) {
        self.begin_stopping_cleaner();
        let cleaner = self.cleaner();
        let threads = std::mem::take(&mut *cleaner.threads.lock());
        let own = std::thread::current().id();
        // The last handle on everything may be dropped by one of them.
        threads.into_iter().filter(|thread| thread.thread().id() != own).for_each(join);
    }

    /// Compacts the log with the largest share of bytes that were not compacted yet, if it is large enough or overdue, or
    /// the next one if its compaction does not come to its end; answers whether one was compacted.
    pub(crate) fn clean_filthiest_log(&self) -> bool {
        self.clean_filthiest(&|| self.cleaner().is_stopped())
    }

    fn clean_filthiest(&self, is_stopping: &dyn Fn() -> bool) -> bool {
        let now_ms = self.cleaner().env.clock.now_ms();
        let mut due: Vec<(f64, Arc<Log>)> = Vec::new();
        for log in self.logs().into_iter().filter(|log| log.is_online()) {
            if let Some(cleanable) = log.cleanable_or_marked(now_ms)
                && cleanable.is_due(log.config().min_cleanable_dirty_ratio)
            {
                due.push((cleanable.ratio(), log));
            }
        }
        due.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        for (_, log) in due {
            // Another thread may be at it, or have been since.
            let Some(_started) = log.cleaning.try_start() else { continue };
            let Some(cleanable) = log.cleanable_or_marked(now_ms) else { continue };
            // One that is put off, on a full disk, must not keep the others from their turn, nor the thread from its rest.
            if cleanable.is_due(log.config().min_cleanable_dirty_ratio)
                && self.clean(&log, &cleanable, is_stopping).is_some()
            {
                return true;
            }
            if is_stopping() {
                break;
            }
        }
        false
    }

    /// Compacts every log that is large enough or overdue, and returns when none is being compacted by a thread either.
    pub(crate) fn clean_all_due(&self) {
        if !self.cleaner().config().enable {
            return;
        }
        let logs = self.logs();
        for _ in &logs {
            if !self.clean_filthiest_log() {
                break;
            }
        }
        for log in logs {
            log.cleaning.settle();
        }
    }

    /// Compacts all of a log that may be compacted, however little that is; what was done, `None` if nothing could be.
    pub(crate) fn clean_now(&self, log: &Log) -> Option<CleanerStats> {
        let _started = log.cleaning.try_start()?;
        let cleanable = log.cleanable_or_marked(self.cleaner().env.clock.now_ms())?;
        self.clean(log, &cleanable, &|| self.cleaner().is_stopped())
    }

    /// The partitions that compaction leaves alone, since it met something in them that it cannot make sense of.
    pub(crate) fn uncleanable_partitions(&self) -> Vec<crate::model::TopicPartition> {
        let logs = self.logs().into_iter().filter(|log| log.cleaning.is_uncleanable());
        logs.map(|log| log.topic_partition().clone()).collect()
    }

    fn clean(
        &self,
        log: &Log,
        cleanable: &Cleanable,
        is_stopping: &dyn Fn() -> bool,
    ) -> Option<CleanerStats> {
        let cleaner = self.cleaner();
        let config = cleaner.config();
        let cleaned = Cleaning::new(log, cleaner, &config, is_stopping).run(cleanable, &config);
        let stats = match cleaned {
            Ok(stats) => stats,
            Err(CleaningError::Aborted) => return None,
            Err(CleaningError::Log(error)) => {
                log.on_cleaning_failed(error);
                return None;
            }
        };
        tracing::debug!(partition = %log.topic_partition(), ?stats, "compacted");
        if stats.records_without_key > 0 {
            let records = stats.records_without_key;
            tracing::warn!(partition = %log.topic_partition(), records, "records without a key were dropped");
        }
        log.cleaning.set_first_dirty_offset(stats.end_offset);
        // The failure is noted with the dir.
        let _ = log.log_dir.run_unless_full(|| self.checkpoint_cleaner_offsets_in(&log.log_dir));
        if let Err(error) = log.delete_unneeded_segments() {
            tracing::warn!(partition = %log.topic_partition(), %error, "old segments could not be removed");
        }
        Some(stats)
    }
}

impl Log {
    fn cleanable_or_marked(&self, now_ms: crate::model::Timestamp) -> Option<Cleanable> {
        match self.cleanable(now_ms).map_err(CleaningError::from) {
            Ok(cleanable) => cleanable,
            Err(CleaningError::Aborted) => None,
            Err(CleaningError::Log(error)) => {
                self.on_cleaning_failed(error);
                None
            }
        }
    }

    fn on_cleaning_failed(&self, error: LogError) {
        let partition = self.topic_partition();
        match error {
            error if error.is_storage() => self.log_dir.fail(&error),
            // The disk is not to blame, and it may pass.
            LogError::Storage { .. } => tracing::warn!(%partition, %error, "a compaction is put off"),
            error => {
                self.cleaning.mark_uncleanable();
                tracing::error!(%partition, %error, "the log cannot be compacted and is left alone from now on");
            }
        }
    }
}

/// Compacts one log, or waits; `false` once the thread is to end.
fn run_once(manager: &Weak<LogManager>, cleaner: &LogCleaner, i: usize) -> bool {
    let is_stopping = || cleaner.is_stopped() || i >= cleaner.config().threads;
    if is_stopping() {
        return false;
    }
    let Some(manager) = manager.upgrade() else { return false };
    let has_cleaned = manager.clean_filthiest(&is_stopping);
    drop(manager);
    if has_cleaned {
        return true;
    }
    let config = cleaner.config();
    let until = cleaner.env.clock.monotonic().saturating_add(Duration::from_millis(config.backoff_ms));
    loop {
        let seen = cleaner.wakeup.generation();
        // Others are woken by the same call; only new settings and the end are for this one.
        if is_stopping() || cleaner.config() != config || cleaner.env.clock.monotonic() >= until {
            return !is_stopping();
        }
        cleaner.wakeup.wait(seen, Some(until));
    }
}

fn join(thread: std::thread::JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("a thread that compacts logs panicked: this is a bug in ottla");
    }
}
