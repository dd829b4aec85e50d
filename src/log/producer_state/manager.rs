use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::append_info::ProducerAppendInfo;
use super::entry::ProducerStateEntry;
use super::snapshot;
use crate::log::checkpoint::{ContentError, MAX_FILE_BYTES};
use crate::log::error::LogError;
use crate::log::file_names::{self, DELETED, PRODUCER_SNAPSHOT};
use crate::log::index::AbortedTxn;
use crate::log::offset_metadata::LogOffsetMetadata;
use crate::log::partition_dir::PartitionDir;
use crate::model::{Offset, ProducerId, Timestamp};
use crate::record::AppendOrigin;
use crate::sys::OpenOptions;

/// A transaction whose marker is being appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CompletedTxn {
    pub(crate) producer_id: ProducerId,
    pub(crate) first_offset: Offset,
    /// The offset of the marker.
    pub(crate) last_offset: Offset,
    pub(crate) is_aborted: bool,
}

#[derive(Debug)]
struct TxnMetadata {
    producer_id: ProducerId,
    first_offset: LogOffsetMetadata,
    /// The offset of its marker, once it is there.
    last_offset: Option<Offset>,
}

/// All producers of a partition, up to [`ProducerStateManager::map_end_offset`]; all changes come under the lock of
/// the log's writer.
///
/// Transactions are kept by their first offset. One that has its marker stays until the high watermark has passed
/// the marker: before that, another leader may not have it.
#[derive(Debug)]
pub(crate) struct ProducerStateManager {
    dir: Arc<PartitionDir>,
    producer_id_expiration_ms: i64,
    producers: HashMap<ProducerId, ProducerStateEntry>,
    ongoing_txns: BTreeMap<Offset, TxnMetadata>,
    unreplicated_txns: BTreeMap<Offset, TxnMetadata>,
    last_map_offset: Offset,
    last_snap_offset: Offset,
    /// The offsets of the snapshot files, and whether each is known to be on the disk.
    snapshots: BTreeMap<Offset, bool>,
}

impl ProducerStateManager {
    /// Nothing known, up to offset 0; `snapshots` are the offsets of the files that are there.
    pub(crate) fn new(
        dir: Arc<PartitionDir>,
        producer_id_expiration_ms: i64,
        snapshots: impl IntoIterator<Item = Offset>,
    ) -> Self {
        ProducerStateManager {
            dir,
            producer_id_expiration_ms,
            producers: HashMap::new(),
            ongoing_txns: BTreeMap::new(),
            unreplicated_txns: BTreeMap::new(),
            last_map_offset: 0,
            last_snap_offset: 0,
            snapshots: snapshots.into_iter().map(|offset| (offset, true)).collect(),
        }
    }

    /// The state holds everything below this offset.
    pub(crate) fn map_end_offset(&self) -> Offset {
        self.last_map_offset
    }

    pub(crate) fn update_map_end_offset(&mut self, offset: Offset) {
        self.last_map_offset = offset;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.producers.is_empty() && self.unreplicated_txns.is_empty()
    }

    pub(crate) fn last_entry(&self, producer_id: ProducerId) -> Option<&ProducerStateEntry> {
        self.producers.get(&producer_id)
    }

    /// Every producer that is known.
    pub(crate) fn active_producers(&self) -> impl Iterator<Item = &ProducerStateEntry> {
        self.producers.values()
    }

    /// Starts checking records of a producer that are to be appended.
    pub(crate) fn prepare_update(&self, producer_id: ProducerId, origin: AppendOrigin) -> ProducerAppendInfo {
        let current = self.producers.get(&producer_id).copied();
        ProducerAppendInfo::new(current.unwrap_or_else(|| ProducerStateEntry::empty(producer_id)), origin)
    }

    /// Takes over what was checked, now that it is in the file.
    pub(crate) fn update(&mut self, info: ProducerAppendInfo) {
        let producer_id = info.producer_id();
        self.producers.insert(producer_id, info.updated);
        for first_offset in info.started_txns {
            let txn = TxnMetadata { producer_id, first_offset, last_offset: None };
            self.ongoing_txns.insert(first_offset.offset, txn);
        }
    }

    /// What readers are to be told of the transactions that an append aborts: those of `completed`, in the order of their
    /// markers. `updated` is what is not taken over yet of the append.
    pub(crate) fn aborted_txns(
        &self,
        updated: &[ProducerAppendInfo],
        completed: &[CompletedTxn],
    ) -> Vec<AbortedTxn> {
        let mut aborted = Vec::new();
        for (i, txn) in completed.iter().enumerate().filter(|(_, txn)| txn.is_aborted) {
            aborted.push(AbortedTxn {
                producer_id: txn.producer_id,
                first_offset: txn.first_offset,
                last_offset: txn.last_offset,
                last_stable_offset: self.last_stable_offset(
                    updated,
                    completed.get(..i).unwrap_or_default(),
                    txn,
                ),
            });
        }
        aborted
    }

    /// Where records stop being stable once `completed` is counted as complete, and those `before` it
    /// (Kafka: `ProducerStateManager#lastStableOffset`). That is not beyond its end: of batches that are appended at once,
    /// a later one may begin a transaction there, and were the log cut between the two, readers would be told too little.
    fn last_stable_offset(
        &self,
        updated: &[ProducerAppendInfo],
        before: &[CompletedTxn],
        completed: &CompletedTxn,
    ) -> Offset {
        let is_other = |producer_id: ProducerId, first_offset: &Offset| {
            producer_id != completed.producer_id
                && !before.iter().any(|done| done.first_offset == *first_offset)
        };
        let mut known = self.ongoing_txns.values().map(|txn| (txn.producer_id, txn.first_offset.offset));
        let known = known.find_map(|(id, first)| is_other(id, &first).then_some(first));
        let begun = updated.iter().flat_map(|info| {
            let first_offsets = info.started_txns.iter().map(|first| first.offset);
            first_offsets.filter(|first| is_other(info.producer_id(), first))
        });
        let end = completed.last_offset.saturating_add(1);
        begun.chain(known).fold(end, Offset::min)
    }

    /// The transaction has its marker; it still waits for the high watermark.
    pub(crate) fn complete_txn(&mut self, completed: &CompletedTxn) {
        if let Some(mut txn) = self.ongoing_txns.remove(&completed.first_offset) {
            txn.last_offset = Some(completed.last_offset);
            self.unreplicated_txns.insert(completed.first_offset, txn);
        }
    }

    /// Where the oldest transaction starts that is open, or whose marker lies above the high watermark.
    pub(crate) fn first_unstable_offset(&self) -> Option<LogOffsetMetadata> {
        let first = |txns: &BTreeMap<Offset, TxnMetadata>| txns.values().next().map(|txn| txn.first_offset);
        match (first(&self.unreplicated_txns), first(&self.ongoing_txns)) {
            (Some(a), Some(b)) => Some(if b.offset < a.offset { b } else { a }),
            (a, b) => a.or(b),
        }
    }

    /// Where the oldest transaction starts that is open.
    pub(crate) fn first_undecided_offset(&self) -> Option<Offset> {
        self.ongoing_txns.keys().next().copied()
    }

    pub(crate) fn on_high_watermark_updated(&mut self, high_watermark: Offset) {
        self.unreplicated_txns.retain(|_, txn| txn.last_offset.is_none_or(|last| last >= high_watermark));
    }

    pub(crate) fn on_log_start_offset_incremented(&mut self, log_start_offset: Offset) {
        self.on_high_watermark_updated(log_start_offset);
        self.last_map_offset = self.last_map_offset.max(log_start_offset);
        self.last_snap_offset = self.latest_snapshot_offset().unwrap_or(log_start_offset);
    }

    /// Takes another `producer.id.expiration.ms`.
    pub(crate) fn set_producer_id_expiration_ms(&mut self, producer_id_expiration_ms: i64) {
        self.producer_id_expiration_ms = producer_id_expiration_ms;
    }

    /// Forgets producers that have not written for `producer.id.expiration.ms` and have no transaction open.
    pub(crate) fn remove_expired_producers(&mut self, now_ms: Timestamp) {
        let limit = self.producer_id_expiration_ms;
        self.producers.retain(|_, entry| !is_expired(entry, now_ms, limit));
    }

    /// The first time after `after` at which [`remove_expired_producers`](Self::remove_expired_producers) has something to
    /// do.
    pub(crate) fn next_expiry_ms(&self, after: Timestamp) -> Option<Timestamp> {
        let limit = self.producer_id_expiration_ms;
        self.producers.values().filter_map(|entry| expires_at(entry, limit)).filter(|at| *at > after).min()
    }

    /// Forgets everything, and the files too (Kafka: `truncateFullyAndStartAt`).
    pub(crate) fn truncate_fully_and_start_at(&mut self, offset: Offset) -> Result<(), LogError> {
        self.forget();
        for offset in std::mem::take(&mut self.snapshots).into_keys() {
            self.dir.remove(&file_names::of_offset(offset, PRODUCER_SNAPSHOT))?;
        }
        self.last_snap_offset = 0;
        self.last_map_offset = offset;
        Ok(())
    }

    fn forget(&mut self) {
        self.producers.clear();
        self.ongoing_txns.clear();
        self.unreplicated_txns.clear();
    }

    /// Brings the state to the newest snapshot that is no later than `log_end_offset`; what follows it up to there
    /// is to be read from the log (Kafka: `ProducerStateManager#truncateAndReload`).
    pub(crate) fn truncate_and_reload(
        &mut self,
        log_start_offset: Offset,
        log_end_offset: Offset,
        now_ms: Timestamp,
    ) -> Result<(), LogError> {
        let outside = |offset: &Offset| *offset > log_end_offset || *offset <= log_start_offset;
        let stale: Vec<Offset> = self.snapshots.keys().copied().filter(outside).collect();
        for offset in stale {
            self.remove_snapshot(offset)?;
        }
        if log_end_offset == self.last_map_offset {
            self.on_log_start_offset_incremented(log_start_offset);
            return Ok(());
        }
        self.forget();
        while let Some(offset) = self.latest_snapshot_offset() {
            match self.read_snapshot(offset)? {
                Some(entries) => {
                    self.load(entries, now_ms);
                    self.last_snap_offset = offset;
                    self.last_map_offset = offset;
                    return Ok(());
                }
                None => self.remove_snapshot(offset)?,
            }
        }
        self.last_snap_offset = log_start_offset;
        self.last_map_offset = log_start_offset;
        Ok(())
    }

    /// A state of its own, from the newest snapshot that is no later than `offset`; files stay as they are.
    pub(crate) fn at_snapshot_before(&self, offset: Offset, now_ms: Timestamp) -> Result<Self, LogError> {
        let mut state = Self::new(Arc::clone(&self.dir), self.producer_id_expiration_ms, []);
        for &snapshot in self.snapshots.keys().rev().filter(|snapshot| **snapshot <= offset) {
            if let Some(entries) = self.read_snapshot(snapshot)? {
                state.load(entries, now_ms);
                state.last_map_offset = snapshot;
                break;
            }
        }
        Ok(state)
    }

    fn read_snapshot(&self, offset: Offset) -> Result<Option<Vec<ProducerStateEntry>>, LogError> {
        let name = file_names::of_offset(offset, PRODUCER_SNAPSHOT);
        let content = match self.dir.read(&name, MAX_FILE_BYTES) {
            Ok(Some(content)) => content,
            Ok(None) => return Ok(None),
            Err(LogError::Malformed { path, what }) => {
                tracing::warn!(path = %path.display(), what, "producer snapshot is damaged and left out");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        match snapshot::parse(&content) {
            Ok(entries) => Ok(Some(entries)),
            Err(error @ ContentError::Newer { .. }) => Err(error.at(&self.dir.path().join(name))),
            Err(ContentError::Malformed(what)) => {
                let path = self.dir.path().join(name);
                tracing::warn!(path = %path.display(), what, "producer snapshot is damaged and left out");
                Ok(None)
            }
        }
    }

    fn load(&mut self, entries: Vec<ProducerStateEntry>, now_ms: Timestamp) {
        for entry in entries {
            if is_expired(&entry, now_ms, self.producer_id_expiration_ms) {
                continue;
            }
            if let Some(offset) = entry.current_txn_first_offset {
                let first_offset = LogOffsetMetadata::of_offset(offset);
                let txn = TxnMetadata { producer_id: entry.producer_id, first_offset, last_offset: None };
                self.ongoing_txns.insert(offset, txn);
            }
            self.producers.insert(entry.producer_id, entry);
        }
    }

    /// Writes the state to a file, unless there is nothing new since the last one. The file is synced by
    /// [`ProducerStateManager::flush_snapshots`]; a torn one does not pass its checksum.
    pub(crate) fn take_snapshot(&mut self) -> Result<(), LogError> {
        if self.last_map_offset <= self.last_snap_offset {
            return Ok(());
        }
        let name = file_names::of_offset(self.last_map_offset, PRODUCER_SNAPSHOT);
        let content = snapshot::format(self.producers.values());
        // One that is there keeps its room, which there may be no other for.
        let file = self.dir.open(&name, OpenOptions::CREATE)?;
        let written = file.write_all_at(&content, 0).and_then(|()| file.set_len(content.len() as u64));
        if let Err(source) = written {
            let error = LogError::Storage { action: "write", path: self.dir.path().join(&name), source };
            if error.is_disk_full() {
                self.remove_snapshot(self.last_map_offset)?;
            }
            return Err(error);
        }
        self.snapshots.insert(self.last_map_offset, false);
        self.last_snap_offset = self.last_map_offset;
        Ok(())
    }

    /// The names of snapshots that are not known to survive a power loss. Whoever takes them must sync them.
    pub(crate) fn take_unsynced_snapshots(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        for (offset, synced) in &mut self.snapshots {
            if !std::mem::replace(synced, true) {
                names.push(file_names::of_offset(*offset, PRODUCER_SNAPSHOT));
            }
        }
        names
    }

    pub(crate) fn latest_snapshot_offset(&self) -> Option<Offset> {
        self.snapshots.keys().next_back().copied()
    }

    pub(crate) fn snapshot_offsets(&self) -> impl Iterator<Item = Offset> {
        self.snapshots.keys().copied()
    }

    /// Removes the snapshots that belong to no segment, but for the newest one
    /// (Kafka: `ProducerStateManager#removeStraySnapshots`).
    pub(crate) fn remove_stray_snapshots(&mut self, segment_base_offsets: &[Offset]) -> Result<(), LogError> {
        let newest = self.latest_snapshot_offset();
        let newest_segment = segment_base_offsets.last().copied();
        let is_stray = |offset: &Offset| {
            let kept_as_newest = Some(*offset) == newest && newest >= newest_segment;
            !kept_as_newest && segment_base_offsets.binary_search(offset).is_err()
        };
        let stray: Vec<Offset> = self.snapshots.keys().copied().filter(is_stray).collect();
        stray.into_iter().try_for_each(|offset| self.remove_snapshot(offset))
    }

    fn remove_snapshot(&mut self, offset: Offset) -> Result<(), LogError> {
        self.snapshots.remove(&offset);
        self.dir.remove(&file_names::of_offset(offset, PRODUCER_SNAPSHOT))
    }

    /// Renames the snapshot of a segment that is deleted, or removes it where there is no room for a name; its new name,
    /// if there is one (Kafka: `ProducerStateManager#removeAndMarkSnapshotForDeletion`).
    pub(crate) fn mark_snapshot_for_deletion(&mut self, offset: Offset) -> Result<Option<String>, LogError> {
        if self.snapshots.remove(&offset).is_none() {
            return Ok(None);
        }
        let name = file_names::of_offset(offset, PRODUCER_SNAPSHOT);
        let deleted = format!("{name}{DELETED}");
        match self.dir.rename(&name, &deleted) {
            Err(error) if error.is_disk_full() => self.dir.remove(&name).map(|()| None),
            renamed => renamed.map(|()| Some(deleted)),
        }
    }
}

fn is_expired(entry: &ProducerStateEntry, now_ms: Timestamp, limit_ms: i64) -> bool {
    expires_at(entry, limit_ms).is_some_and(|at| now_ms >= at)
}

/// A producer with an open transaction stays.
fn expires_at(entry: &ProducerStateEntry, limit_ms: i64) -> Option<Timestamp> {
    entry.current_txn_first_offset.is_none().then(|| entry.last_timestamp.saturating_add(limit_ms))
}
