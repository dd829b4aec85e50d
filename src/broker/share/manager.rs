use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use super::acknowledge::AcknowledgementBatch;
use super::error::ShareError;
use super::session::{EndedSession, ShareSessionKey, ShareSessionRequest, ShareSessions};
use super::settings::{ShareGroupSettings, ShareGroupSettingsSource};
use super::share_partition::SharePartition;
use crate::broker::coordinator::share::{Persister, SharePartitionKey};
use crate::broker::purgatory::Timer;
use crate::broker::replica::{OffsetSpec, Partition, list_offset};
use crate::model::{ErrorCode, Offset, Uuid};

use super::settings::ShareAutoOffsetReset;

/// A partition that a member of a share group fetches.
#[derive(Clone, Debug)]
pub(crate) struct ShareTarget {
    pub(crate) topic_id: Uuid,
    pub(crate) index: i32,
    /// The partition, or why it cannot be read.
    pub(crate) partition: Result<Arc<Partition>, ErrorCode>,
}

/// All share partitions of the broker, and the sessions of those who fetch them (Kafka: `SharePartitionManager`).
pub(crate) struct SharePartitionManager {
    persister: Arc<dyn Persister>,
    pub(super) timer: Arc<Timer>,
    source: Arc<dyn ShareGroupSettingsSource>,
    max_sessions: usize,
    partitions: Mutex<HashMap<SharePartitionKey, Arc<SharePartition>>>,
    sessions: Mutex<ShareSessions>,
}

impl SharePartitionManager {
    pub(crate) fn new(
        persister: Arc<dyn Persister>,
        timer: Arc<Timer>,
        source: Arc<dyn ShareGroupSettingsSource>,
        max_sessions: usize,
    ) -> Self {
        SharePartitionManager {
            persister,
            timer,
            source,
            max_sessions,
            partitions: Mutex::default(),
            sessions: Mutex::default(),
        }
    }

    /// How the group is set.
    pub(crate) fn settings(&self, group_id: &str) -> ShareGroupSettings {
        self.source.settings(group_id)
    }

    /// Takes a fetch into its session: answers what it is to fetch.
    ///
    /// # Errors
    /// SHARE_SESSION_NOT_FOUND, INVALID_SHARE_SESSION_EPOCH, SHARE_SESSION_LIMIT_REACHED, or INVALID_REQUEST for
    /// acknowledgements in the first fetch.
    pub(crate) fn open_session(&self, request: ShareSessionRequest) -> Result<Vec<(Uuid, i32)>, ErrorCode> {
        self.sessions.lock().open(request, self.max_sessions)
    }

    /// Takes an acknowledgement into its session.
    ///
    /// # Errors
    /// SHARE_SESSION_NOT_FOUND or INVALID_SHARE_SESSION_EPOCH.
    pub(crate) fn acknowledge_session(&self, key: &ShareSessionKey, epoch: i32) -> Result<(), ErrorCode> {
        self.sessions.lock().acknowledge(key, epoch)
    }

    /// What a member fetches, if it has a session.
    pub(crate) fn session_partitions(&self, key: &ShareSessionKey) -> Vec<(Uuid, i32)> {
        self.sessions.lock().partitions(key)
    }

    /// How many sessions there are.
    pub(crate) fn session_count(&self) -> usize {
        self.sessions.lock().len()
    }

    /// Ends a member's session, if it has one: what it has acquired is available again.
    pub(crate) fn release_session(&self, key: &ShareSessionKey) {
        let ended = self.sessions.lock().remove(key);
        ended.iter().for_each(|session| self.on_session_ended(session));
    }

    /// A connection is gone, and with it the sessions of those who used it.
    pub(crate) fn on_disconnect(&self, connection_id: u64) {
        let ended = self.sessions.lock().remove_connection(connection_id);
        ended.iter().for_each(|session| self.on_session_ended(session));
    }

    /// What a group keeps in memory goes with the last of its sessions: who sets where it stands does so while nobody
    /// is there, and whoever comes next begins with what is kept.
    fn on_session_ended(&self, session: &EndedSession) {
        for (topic_id, partition) in &session.partitions {
            let key = SharePartitionKey::new(Arc::clone(&session.group_id), *topic_id, *partition);
            let Some(share_partition) = self.find(&key) else { continue };
            if let Err(error) = share_partition.release_acquired_records(&session.member_id) {
                tracing::debug!(%key, %error, "cannot give back what a member has acquired");
                self.on_error(&share_partition, &error);
            }
        }
        if session.is_last {
            self.on_group_empty(&session.group_id);
        }
    }

    /// Nobody of the group is left: what it has done is kept, and read again when somebody comes.
    pub(crate) fn on_group_empty(&self, group_id: &str) {
        self.forget_if(|key| &*key.group_id == group_id);
    }

    /// The topic is gone: its share partitions are fenced.
    pub(crate) fn on_topic_deleted(&self, topic_id: Uuid) {
        self.forget_if(|key| key.topic_id == topic_id);
    }

    /// Another of several brokers leads the partition: who waits at the old one is told, and what was acquired there is
    /// available again.
    pub(crate) fn on_leader_changed(&self, topic_id: Uuid, partition: i32) {
        self.forget_if(|key| key.topic_id == topic_id && key.partition == partition);
    }

    /// The broker is about to close: who waits is not answered any more.
    pub(crate) fn close(&self) {
        let partitions = std::mem::take(&mut *self.partitions.lock());
        for share_partition in partitions.values() {
            share_partition.watchers().forget_if(|_| true);
        }
    }

    pub(super) fn forget_if(&self, is_meant: impl Fn(&SharePartitionKey) -> bool) {
        let is_meant = |(key, of): (&SharePartitionKey, _)| is_meant(key).then(|| Arc::clone(of));
        let meant: Vec<_> = self.partitions.lock().iter().filter_map(is_meant).collect();
        meant.iter().for_each(|share_partition| self.let_go(share_partition));
    }

    /// It is fenced first, and then another may take its place: the other begins with what is kept, and whoever is at work
    /// on this one must not keep anything after that. To wait for those with the map locked would keep every group from
    /// its work.
    fn let_go(&self, share_partition: &Arc<SharePartition>) {
        share_partition.mark_fenced();
        let mut partitions = self.partitions.lock();
        let key = &share_partition.key;
        if partitions.get(key).is_some_and(|known| Arc::ptr_eq(known, share_partition)) {
            partitions.remove(key);
        }
    }

    pub(super) fn find(&self, key: &SharePartitionKey) -> Option<Arc<SharePartition>> {
        self.partitions.lock().get(key).cloned()
    }

    /// Lets go of a share partition that has failed in a way that only a new one can mend.
    pub(super) fn on_error(&self, share_partition: &Arc<SharePartition>, error: &ShareError) {
        if error.is_fencing() {
            tracing::debug!(key = %share_partition.key, %error, "a share partition is fenced");
            self.let_go(share_partition);
        }
    }

    /// What a member says of records of a partition. The errors are those of [`SharePartition::acknowledge`], and
    /// UNKNOWN_TOPIC_OR_PARTITION where nobody of the group has acquired any.
    pub(crate) fn acknowledge(
        &self,
        key: &SharePartitionKey,
        member_id: &str,
        batches: &[AcknowledgementBatch],
    ) -> Result<(), ShareError> {
        let share_partition = self.find(key).ok_or(ShareError {
            code: ErrorCode::UnknownTopicOrPartition,
            message: "This server does not host this topic-partition.".into(),
        })?;
        share_partition
            .acknowledge(member_id, batches)
            .inspect_err(|error| self.on_error(&share_partition, error))
    }

    /// The share partition, at work.
    pub(super) fn get_or_begin(
        &self,
        key: &SharePartitionKey,
        partition: &Arc<Partition>,
    ) -> Result<Arc<SharePartition>, ShareError> {
        let mut share_partition = self.get_or_insert(key, partition);
        // About to be let go of, by somebody who has not got so far.
        while share_partition.is_fenced() {
            self.let_go(&share_partition);
            share_partition = self.get_or_insert(key, partition);
        }
        match share_partition.maybe_initialize(|reset| self.start_offset(partition, reset)) {
            Ok(()) => Ok(share_partition),
            Err(error) => {
                self.let_go(&share_partition);
                Err(error)
            }
        }
    }

    fn get_or_insert(&self, key: &SharePartitionKey, partition: &Partition) -> Arc<SharePartition> {
        let mut partitions = self.partitions.lock();
        let entry = partitions.entry(key.clone()).or_insert_with(|| {
            SharePartition::new(
                key.clone(),
                partition.leader_epoch(),
                Arc::clone(&self.persister),
                Arc::clone(&self.timer),
                Arc::clone(&self.source),
            )
        });
        Arc::clone(entry)
    }

    fn start_offset(&self, partition: &Partition, reset: ShareAutoOffsetReset) -> Result<Offset, ErrorCode> {
        let spec = match reset {
            ShareAutoOffsetReset::Earliest => OffsetSpec::Earliest,
            ShareAutoOffsetReset::Latest => OffsetSpec::Latest,
            ShareAutoOffsetReset::ByDuration { ms } => {
                OffsetSpec::ForTimestamp(self.timer.clock().now_ms().saturating_sub(ms))
            }
        };
        let isolation = crate::log::FetchIsolation::HighWatermark;
        let listed = list_offset(partition, spec, isolation).map_err(|error| error.code())?;
        match listed {
            Some(found) => Ok(found.offset),
            // Every record is older.
            None => list_offset(partition, OffsetSpec::Latest, isolation)
                .map_err(|error| error.code())?
                .map(|found| found.offset)
                .ok_or(ErrorCode::UnknownServerError),
        }
    }
}

impl fmt::Debug for SharePartitionManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharePartitionManager")
            .field("partitions", &self.partitions.lock().len())
            .field("sessions", &self.session_count())
            .finish_non_exhaustive()
    }
}
