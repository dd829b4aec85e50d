//! Opening: every partition in every log dir.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use super::dirs::{DirsOpening, OpenedDirs};
use super::jobs::run_jobs;
use super::moves::is_of_disk;
use super::{LogManager, LogManagerConfig};
use crate::log::cleaner::LogCleaner;
use crate::log::file_names::{self, DirName};
use crate::log::loader::{LoadParams, kind_of_dir, recovery_work};
use crate::log::log_dir::{LogDir, LogDirFailureChannel};
use crate::log::partition_dir::PartitionDir;
use crate::log::recovery_progress::{DirRecovery, LogRecovery};
use crate::log::{Log, LogError};
use crate::model::{Offset, TopicPartition};
use crate::sys::Env;

/// A partition that is to be loaded.
struct Job {
    params: LoadParams,
    high_watermark: Offset,
    /// It was moving here.
    is_future: bool,
}

impl LogManager {
    /// Takes the log dirs over and opens every log in them. After an unclean stop the ends of the logs are checked,
    /// on several threads for each log dir.
    ///
    /// # Errors
    /// Log dirs that another broker uses or that belong to another one; no log dir that works. One of several that
    /// does not work is left out, and reported by [`LogManager::offline_log_dirs`].
    pub(crate) fn open(config: LogManagerConfig, env: Env) -> Result<LogManager, LogError> {
        let failures = LogDirFailureChannel::new();
        let OpenedDirs { cluster_id, dirs, failed } = DirsOpening::new(&env, &config, &failures).open()?;
        for (path, _) in &failed {
            failures.send(path.clone());
        }
        let manager = LogManager {
            cluster_id,
            producer_id_expiration_ms: AtomicI64::new(config.producer_id_expiration_ms),
            recovery_threads_per_data_dir: config.recovery_threads_per_data_dir.max(1),
            dirs,
            failed_dirs: failed,
            failures,
            cordoned: RwLock::default(),
            logs: RwLock::default(),
            futures: RwLock::default(),
            missing: RwLock::default(),
            changing: Mutex::new(false),
            deletions: Arc::default(),
            cleaner: Arc::new(LogCleaner::new(&env, config.cleaner.clone())),
            open_files: Arc::default(),
            env,
        };
        let (mut groups, mut recoveries) = (Vec::new(), Vec::new());
        for open in &manager.dirs {
            let recovery = Arc::new(DirRecovery::new(open.dir.path().to_owned(), config.on_recovery.clone()));
            match open.dir.run(|| manager.jobs_of(&config, &open.dir, &recovery)) {
                Ok(jobs) => {
                    groups.push(jobs);
                    recoveries.push(recovery);
                }
                // A dir that cannot be listed is offline from here on.
                Err(_) if !open.dir.is_online() => {}
                Err(error) => return Err(error),
            }
        }
        leave_strays(&mut groups);
        let groups = groups.into_iter().map(|jobs| manager.plan(jobs)).collect();
        let started = manager.env.clock.monotonic();
        recoveries.retain(|recovery| announce(recovery));
        manager.load(groups)?;
        let took = manager.env.clock.monotonic().saturating_sub(started);
        let offline = manager.offline_log_dirs();
        for progress in recoveries.iter().map(|recovery| recovery.progress()) {
            if offline.contains(&progress.log_dir) {
                continue;
            }
            let (log_dir, bytes) = (progress.log_dir.display(), progress.bytes);
            tracing::info!(%log_dir, logs = progress.logs, bytes, ms = took.as_millis(), "recovered");
        }
        if manager.online_dirs().next().is_none() {
            return Err(manager.no_log_dir());
        }
        Ok(manager)
    }

    fn jobs_of(
        &self,
        config: &LogManagerConfig,
        dir: &Arc<LogDir>,
        recovery: &Arc<DirRecovery>,
    ) -> Result<Vec<Job>, LogError> {
        let had_clean_shutdown = dir.clean_shutdown.take()?;
        let entries = self.env.fs.read_dir(dir.path()).map_err(LogError::storage("list", dir.path()))?;
        let (names, files): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.is_dir);
        for file in files.iter().filter(|file| !file_names::is_file_of_log_dir(&file.name)) {
            let path = dir.path().join(&file.name);
            tracing::warn!(path = %path.display(), "a foreign file is left untouched: move it elsewhere");
        }
        let names: BTreeSet<String> = names.into_iter().map(|entry| entry.name).collect();
        let recovery_points = read_or_reset(dir.recovery_points.read())?;
        let log_start_offsets = read_or_reset(dir.log_start_offsets.read())?;
        let high_watermarks = read_or_reset(dir.high_watermarks.read())?;
        let first_dirty_offsets = read_or_reset(dir.cleaner_offsets.read())?;
        // Of a partition that was deleted just before a crash, they may still tell.
        let known = [&recovery_points, &log_start_offsets, &high_watermarks, &first_dirty_offsets];
        for partition in known.into_iter().flat_map(HashMap::keys) {
            if !names.contains(&partition.to_string()) {
                dir.deleted.lock().insert(partition.clone());
            }
        }
        let mut jobs = Vec::new();
        for name in names {
            let path = dir.path().join(&name);
            match kind_of_dir(&*self.env.fs, dir.path(), &name)? {
                kind @ (DirName::Partition(_) | DirName::Future(_)) => {
                    let is_future = matches!(kind, DirName::Future(_));
                    let (DirName::Partition(partition) | DirName::Future(partition)) = kind else { continue };
                    let of =
                        |offsets: &HashMap<_, Offset>| offsets.get(&partition).copied().unwrap_or(0).max(0);
                    let params = LoadParams {
                        recovery_point: of(&recovery_points),
                        log_start_offset: of(&log_start_offsets),
                        had_clean_shutdown,
                        is_checkpointed: recovery_points.contains_key(&partition),
                        unsynced_from: recovery_points
                            .get(&partition)
                            .copied()
                            .filter(|_| !had_clean_shutdown),
                        recovery: LogRecovery::new(Arc::clone(recovery)),
                        first_dirty_offset: first_dirty_offsets.get(&partition).copied(),
                        config: (config.topic_configs)(partition.topic()),
                        ..self.load_params_at(dir, partition.clone(), &name)
                    };
                    jobs.push(Job { params, high_watermark: of(&high_watermarks), is_future });
                }
                DirName::Deleted => {
                    let target = Arc::new(PartitionDir::new(
                        Arc::clone(&self.env.fs),
                        path,
                        Arc::clone(&self.open_files),
                    ));
                    // The delay is for readers, of which a new process has none.
                    self.deletions.push_dir(Duration::ZERO, Arc::clone(dir), target);
                }
                DirName::Exempt => {}
                DirName::Stray => {
                    tracing::warn!(
                        path = %path.display(),
                        "a partition that Kafka put aside is left untouched: remove it, or name it as a partition again"
                    );
                }
                DirName::Foreign => {
                    tracing::warn!(path = %path.display(), "a foreign directory is left untouched: move it elsewhere");
                }
            }
        }
        Ok(jobs)
    }

    pub(super) fn load_params(&self, dir: &Arc<LogDir>, partition: TopicPartition) -> LoadParams {
        let name = partition.to_string();
        self.load_params_at(dir, partition, &name)
    }

    /// Of a partition in the directory `name`.
    pub(super) fn load_params_at(
        &self,
        dir: &Arc<LogDir>,
        partition: TopicPartition,
        name: &str,
    ) -> LoadParams {
        let path = dir.path().join(name);
        LoadParams {
            dir: Arc::new(PartitionDir::new(Arc::clone(&self.env.fs), path, Arc::clone(&self.open_files))),
            env: self.env.clone(),
            log_dir: Arc::clone(dir),
            deletions: Arc::clone(&self.deletions),
            config: Arc::default(),
            producer_id_expiration_ms: self.producer_id_expiration_ms.load(Ordering::Relaxed),
            recovery_point: 0,
            log_start_offset: 0,
            had_clean_shutdown: false,
            is_checkpointed: false,
            unsynced_from: None,
            recovery: LogRecovery::default(),
            first_dirty_offset: None,
            cleaner_wakeup: Arc::clone(self.cleaner.wakeup()),
            partition,
        }
    }

    /// Finds out what is to be read of the logs of a dir, if it was not closed in order.
    fn plan(&self, jobs: Vec<Job>) -> Vec<Job> {
        if jobs.first().is_none_or(|job| job.params.had_clean_shutdown) {
            return jobs;
        }
        run_jobs(&self.env, self.recovery_threads_per_data_dir, vec![jobs], |job: Job| {
            let (dir, log_dir) = (&job.params.dir, &job.params.log_dir);
            let work = log_dir.contain(&dir.path(), || recovery_work(dir, job.params.recovery_point));
            // A directory that cannot be listed is for the one who opens it to report.
            job.params.recovery.plan(work.unwrap_or_default());
            job
        })
    }

    fn load(&self, groups: Vec<Vec<Job>>) -> Result<(), LogError> {
        let results = run_jobs(&self.env, self.recovery_threads_per_data_dir, groups, |job: Job| {
            let (partition, is_future) = (job.params.partition.clone(), job.is_future);
            (partition, is_future, load(job))
        });
        let mut futures = Vec::new();
        let mut logs = self.logs.write();
        for (partition, is_future, result) in results {
            match result {
                Ok(log) if is_future => futures.push(log),
                Ok(log) => {
                    let log = match logs.remove(&partition) {
                        Some(other) => self.keep_one(other, log)?,
                        None => Some(log),
                    };
                    logs.extend(log.map(|log| (partition, log)));
                }
                // The log dir is offline now, which all its other partitions notice too.
                Err(error) if error.is_storage() => {}
                Err(LogError::LogDirOffline { .. } | LogError::Panicked { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        logs.retain(|_, log| log.is_online());
        drop(logs);
        futures.retain(|log| log.is_online());
        self.adopt_futures(futures)
    }
}

impl LogManager {
    /// Of two logs of one partition, the one to go on with: if the disk of one breaks while they are compared, the other,
    /// as if it had broken before.
    fn keep_one(&self, a: Arc<Log>, b: Arc<Log>) -> Result<Option<Arc<Log>>, LogError> {
        match self.resolve_duplicate(Arc::clone(&a), Arc::clone(&b)) {
            Ok(kept) => Ok(Some(kept)),
            Err(error) if is_of_disk(&error) && !(a.is_online() && b.is_online()) => {
                Ok([a, b].into_iter().find(|log| log.is_online()))
            }
            Err(error) => Err(error),
        }
    }

    /// Of two logs of one partition, the one that has more, if that has all of the other: the end of a move was cut
    /// short, or its last step met a broken disk. An empty one is what a log dir has left that went offline while the
    /// log was made there, before it was made elsewhere.
    ///
    /// Where both end at the same offset, one may lack records that a power loss has taken from it: what was moved was
    /// flushed, and what it was moved from perhaps not.
    fn resolve_duplicate(&self, a: Arc<Log>, b: Arc<Log>) -> Result<Arc<Log>, LogError> {
        let is_empty = |log: &Log| log.log_end_offset() == 0 && log.size() == 0;
        let start = a.log_start_offset().max(b.log_start_offset());
        let extent = |log: &Log| -> Result<_, LogError> {
            let end = log.log_end_offset();
            Ok((end, log.size_from(start.min(end))?))
        };
        let (kept, dropped) = if extent(&b)? <= extent(&a)? { (a, b) } else { (b, a) };
        if !is_empty(&dropped) && !dropped.is_prefix_of(&kept)? {
            let dirs = [&kept, &dropped].map(|log| log.log_dir().display().to_string()).join(" and ");
            return Err(LogError::DuplicateLog { partition: kept.topic_partition().clone(), dirs });
        }
        let (kept_in, dropped_in) = (kept.log_dir().display(), dropped.log_dir().display());
        tracing::warn!(partition = %kept.topic_partition(), %kept_in, %dropped_in, "a second log with nothing of its own is removed");
        self.delete_log(&dropped)?;
        Ok(kept)
    }
}

/// A move whose partition is in none of the log dirs that work is left as it is.
fn leave_strays(groups: &mut [Vec<Job>]) {
    let present: HashSet<TopicPartition> = groups
        .iter()
        .flatten()
        .filter(|job| !job.is_future)
        .map(|job| job.params.partition.clone())
        .collect();
    for jobs in groups {
        jobs.retain(|job| {
            let is_kept = !job.is_future || present.contains(&job.params.partition);
            if !is_kept {
                let (path, partition) = (job.params.dir.path(), &job.params.partition);
                tracing::warn!(path = %path.display(), %partition, "an unfinished move is left untouched");
            }
            is_kept
        });
    }
}

/// Says what is to be recovered; whether there is anything.
fn announce(recovery: &DirRecovery) -> bool {
    let progress = recovery.progress();
    if progress.logs == 0 {
        return false;
    }
    tracing::info!(
        log_dir = %progress.log_dir.display(),
        logs = progress.logs,
        segments = progress.segments,
        bytes = progress.bytes,
        "the last stop was not a clean one: logs are recovered"
    );
    recovery.tell();
    true
}

fn load(job: Job) -> Result<Arc<Log>, LogError> {
    let (dir, path) = (Arc::clone(&job.params.log_dir), job.params.dir.path());
    dir.contain(&path, || {
        dir.run(|| {
            let log = Log::load(job.params)?;
            log.update_high_watermark(job.high_watermark)?;
            Ok(Arc::new(log))
        })
    })
}

/// A damaged checkpoint is one that knows nothing: recovery finds out the rest.
fn read_or_reset(
    read: Result<HashMap<TopicPartition, Offset>, LogError>,
) -> Result<HashMap<TopicPartition, Offset>, LogError> {
    match read {
        Err(LogError::Malformed { path, what }) => {
            tracing::warn!(path = %path.display(), what, "checkpoint is damaged and counts as empty");
            Ok(HashMap::new())
        }
        other => other,
    }
}
