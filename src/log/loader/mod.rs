//! Opening a partition's directory, whatever state a crash left it in (Kafka: `LogLoader`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parking_lot::{Mutex, RwLock};

use super::append::end_of;
use super::bounds::Bounds;
use super::checkpoint::{
    self, ContentError, format_partition_metadata, parse_leader_epochs, parse_partition_metadata,
};
use super::cleaning::Cleaning;
use super::epoch_cache::LeaderEpochFileCache;
use super::file_names::{LEADER_EPOCH_CHECKPOINT, PARTITION_METADATA};
use super::flush::Flusher;
use super::log_dir::LogDir;
use super::manager::DeletionQueue;
use super::partition_dir::PartitionDir;
use super::producer_state::ProducerStateManager;
use super::recover::{ProducersRebuild, rebuild_producers};
use super::recovery_progress::LogRecovery;
use super::roll::jitter_ms;
use super::segment::{ExistingFiles, LogSegment, SegmentParams};
use super::segments::Segments;
use super::{Log, LogError, Writer};
use crate::config::LogConfig;
use crate::model::{Offset, TopicPartition, Uuid};
use crate::sys::{Env, Waiter};

mod files;
mod recovery;
mod terms;

#[cfg(feature = "cli")]
pub(super) use files::is_file_of_partition;
pub(super) use files::kind_of_dir;
pub(super) use files::recovery_work;
#[cfg(feature = "cli")]
pub(super) use recovery::first_to_recover;

/// What is known of a log before its directory is looked at.
#[derive(Debug)]
pub(super) struct LoadParams {
    pub(super) partition: TopicPartition,
    pub(super) env: Env,
    pub(super) log_dir: Arc<LogDir>,
    pub(super) dir: Arc<PartitionDir>,
    pub(super) deletions: Arc<DeletionQueue>,
    pub(super) config: Arc<LogConfig>,
    pub(super) producer_id_expiration_ms: i64,
    /// From the checkpoints; 0 if they do not know the partition.
    pub(super) recovery_point: Offset,
    pub(super) log_start_offset: Offset,
    pub(super) had_clean_shutdown: bool,
    /// The checkpoint of recovery points knows the partition.
    pub(super) is_checkpointed: bool,
    /// From where on a power loss may have taken records, if that is known.
    pub(super) unsynced_from: Option<Offset>,
    /// Told of what is read again.
    pub(super) recovery: LogRecovery,
    /// Up to where the log was compacted, if the checkpoint tells.
    pub(super) first_dirty_offset: Option<Offset>,
    /// Wakes those who compact, so that they look whether they are to stop.
    pub(super) cleaner_wakeup: Arc<Waiter>,
}

/// What loading has come to know.
struct Loaded {
    segments: Segments,
    log_start_offset: Offset,
    log_end_offset: Offset,
    recovery_point: Offset,
    producers: ProducerStateManager,
    epochs: LeaderEpochFileCache,
    topic_id: Uuid,
}

impl Log {
    /// Makes the directory of a new partition.
    pub(super) fn create(params: LoadParams, topic_id: Uuid) -> Result<Log, LogError> {
        params.dir.create()?;
        let active = LogSegment::create(&segment_params(&params, 0), &params.config)?;
        // The first segment is there to stay before there is a second one: a log that a power loss lets begin with that
        // looks like one whose start retention has removed. What replaces a file syncs the directory.
        match topic_id.is_zero() {
            true => params.dir.sync()?,
            false => params.dir.replace(PARTITION_METADATA, &format_partition_metadata(topic_id))?,
        }
        let producers =
            ProducerStateManager::new(Arc::clone(&params.dir), params.producer_id_expiration_ms, []);
        let loaded = Loaded {
            segments: Segments::new(Vec::new(), Arc::new(active)),
            log_start_offset: 0,
            log_end_offset: 0,
            recovery_point: 0,
            producers,
            epochs: LeaderEpochFileCache::default(),
            topic_id,
        };
        Log::new(params, loaded)
    }

    /// Opens the directory of a partition that is there.
    pub(super) fn load(mut params: LoadParams) -> Result<Log, LogError> {
        let topic_id = read_topic_id(&params.dir)?;
        let mut epochs = match read_epochs(&params.dir)? {
            Some(epochs) => epochs,
            None => {
                // They are read again from the batches, so all of them must be read.
                params.recovery_point = 0;
                params.had_clean_shutdown = false;
                LeaderEpochFileCache::default()
            }
        };
        if !params.had_clean_shutdown {
            // Before anything here goes by a name: what a process that was killed had removed or renamed must not be undone
            // by a power loss once this one has gone on without it.
            params.dir.sync_as_found()?;
        }
        let listing = files::tidy(&params.dir)?;
        let mut producers = ProducerStateManager::new(
            Arc::clone(&params.dir),
            params.producer_id_expiration_ms,
            listing.snapshots.iter().copied(),
        );
        let mut segments = open_segments(&params, &listing.segments);
        let recovery = recovery::Recovery {
            params: &params,
            segments: &mut segments,
            producers: &mut producers,
            epochs: &mut epochs,
            has_gap: false,
        };
        let end = recovery.run()?;
        let (log_end_offset, recovery_point) =
            recovery::start_over_if_behind(&params, &mut segments, &mut producers, end)?;
        let active = match segments.pop_last() {
            Some((_, active)) => Arc::new(active),
            None => {
                let base = segment_params(&params, log_end_offset);
                let first = LogSegment::create(&base, &params.config)?;
                // As with a new log.
                params.dir.sync()?;
                Arc::new(first)
            }
        };
        let segments = Segments::new(segments.into_values().map(Arc::new).collect(), active);
        for (segment, next) in segments.sealed().iter().zip(segments.iter().skip(1)) {
            if params.had_clean_shutdown || next.base_offset() < recovery_point {
                segment.assume_flushed();
            }
        }
        let log_start_offset = match params.log_start_offset {
            damaged if damaged > log_end_offset => {
                tracing::warn!(
                    partition = %params.partition,
                    log_end_offset,
                    log_start_offset = damaged,
                    "the log starts with its first segment, since it was closed in order and ends before the start \
                     that the checkpoint has"
                );
                segments.first().base_offset()
            }
            known => known.max(segments.first().base_offset()),
        };
        epochs.truncate_from_end(log_end_offset);
        epochs.truncate_from_start(log_start_offset);
        if !params.had_clean_shutdown {
            terms::learn_first_terms(&mut epochs, &segments, log_start_offset)?;
        }
        let bases: Vec<Offset> = segments.iter().map(|segment| segment.base_offset()).collect();
        producers.remove_stray_snapshots(&bases)?;
        let rebuild = ProducersRebuild {
            log_start_offset,
            log_end_offset,
            after_clean_shutdown: params.had_clean_shutdown,
            now_ms: params.env.clock.now_ms(),
        };
        let all: Vec<&LogSegment> = segments.iter().map(AsRef::as_ref).collect();
        rebuild_producers(&mut producers, &all, &rebuild)?;
        let loaded = Loaded {
            segments,
            log_start_offset,
            log_end_offset,
            recovery_point,
            producers,
            epochs,
            topic_id,
        };
        let had_clean_shutdown = params.had_clean_shutdown;
        let log = Log::new(params, loaded)?;
        if end.is_synced && !had_clean_shutdown {
            // As with a flush: no record below the recovery point is of a term that the file does not know.
            log.write_epochs()?;
        }
        Ok(log)
    }

    fn new(params: LoadParams, loaded: Loaded) -> Result<Log, LogError> {
        let end = end_of(loaded.segments.active(), loaded.log_end_offset);
        let start = loaded.log_start_offset;
        let high_watermark = super::LogOffsetMetadata::of_offset(start.min(end.offset));
        let now_ms = params.env.clock.now_ms();
        let log = Log {
            partition: params.partition,
            log_dir: params.log_dir,
            dir: params.dir,
            deletions: params.deletions,
            topic_id: RwLock::new(loaded.topic_id),
            config: RwLock::new(params.config),
            writer: Mutex::new(Writer { producers: loaded.producers }),
            segments: RwLock::new(Arc::new(loaded.segments)),
            epochs: RwLock::new(loaded.epochs),
            epoch_file: Mutex::new(()),
            bounds: Mutex::new(Bounds { log_start_offset: start, end, high_watermark, first_unstable: None }),
            flusher: Flusher::new(loaded.recovery_point, params.is_checkpointed, now_ms),
            cleaning: Cleaning::new(params.cleaner_wakeup, params.first_dirty_offset),
            closed: AtomicBool::new(false),
            had_clean_shutdown: params.had_clean_shutdown,
            env: params.env,
        };
        log.publish_first_unstable(&log.writer.lock().producers)?;
        Ok(log)
    }
}

fn read_topic_id(dir: &PartitionDir) -> Result<Uuid, LogError> {
    let content = match dir.read(PARTITION_METADATA, checkpoint::MAX_FILE_BYTES) {
        Ok(Some(content)) => content,
        Ok(None) => return Ok(Uuid::ZERO),
        Err(LogError::Malformed { path, what }) => {
            tracing::warn!(path = %path.display(), what, "partition metadata is damaged: the topic id is not known");
            return Ok(Uuid::ZERO);
        }
        Err(error) => return Err(error),
    };
    match parse_partition_metadata(&content) {
        Ok(id) => Ok(id),
        Err(error @ ContentError::Newer { .. }) => Err(error.at(&dir.path().join(PARTITION_METADATA))),
        Err(ContentError::Malformed(what)) => {
            let path = dir.path().join(PARTITION_METADATA);
            tracing::warn!(path = %path.display(), what, "partition metadata is damaged: the topic id is not known");
            Ok(Uuid::ZERO)
        }
    }
}

/// `None` if the file is damaged.
fn read_epochs(dir: &PartitionDir) -> Result<Option<LeaderEpochFileCache>, LogError> {
    let parsed = match dir.read(LEADER_EPOCH_CHECKPOINT, checkpoint::MAX_FILE_BYTES) {
        Ok(Some(content)) => parse_leader_epochs(&content),
        Ok(None) => Ok(Vec::new()),
        Err(LogError::Malformed { what, .. }) => Err(what.into()),
        Err(error) => return Err(error),
    };
    let path = || dir.path().join(LEADER_EPOCH_CHECKPOINT);
    match parsed {
        Ok(entries) => Ok(Some(LeaderEpochFileCache::new(entries))),
        Err(error @ ContentError::Newer { .. }) => Err(error.at(&path())),
        Err(ContentError::Malformed(what)) => {
            tracing::warn!(path = %path().display(), what, "leader epochs are damaged and read from the log again");
            Ok(None)
        }
    }
}

fn segment_params(params: &LoadParams, base_offset: Offset) -> SegmentParams {
    SegmentParams {
        dir: Arc::clone(&params.dir),
        base_offset,
        suffix: "",
        now_ms: params.env.clock.now_ms(),
        jitter_ms: jitter_ms(&params.config, &*params.env.rng),
    }
}

fn open_segments(
    params: &LoadParams,
    found: &BTreeMap<Offset, ExistingFiles>,
) -> BTreeMap<Offset, LogSegment> {
    let open = |(&base, &files): (&Offset, &ExistingFiles)| {
        (base, LogSegment::existing(&segment_params(params, base), &params.config, files))
    };
    found.iter().map(open).collect()
}
