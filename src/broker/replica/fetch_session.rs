//! Fetch sessions (KIP-227): a client names its partitions once, and from then on only what changed.
//!
//! Kafka: `FetchSession`, `FetchSessionCache`, `FetchContext`. Sessions are found by id under one lock that is held
//! for a look-up; each has a lock of its own. Where Kafka keeps three sorted maps to choose a victim, the cache is
//! scanned here, which happens only when it is full and somebody asks for another session.

mod partitions;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::fetch::FetchPartitionData;
use crate::model::{ErrorCode, LeaderEpoch, Offset, Uuid};
use crate::sys::{Clock, Env, Rng};
use partitions::{CachedPartition, SessionPartitions};

/// "No session".
pub(crate) const INVALID_SESSION_ID: i32 = 0;
/// Asks for a session.
const INITIAL_EPOCH: i32 = 0;
/// Wants no session, or the end of the one it names.
const FINAL_EPOCH: i32 = -1;
/// A session unused for so long may make room, and one this old may for a larger one (Kafka:
/// `ServerConfigs.MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS`).
const MIN_EVICTION: Duration = Duration::from_secs(120);

/// How a fetch names its topics: by id from version 13 on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FetchTopic {
    Name(Arc<str>),
    Id(Uuid),
}

/// What a fetch asks of one partition, whether it says so now or said so earlier in its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FetchTarget {
    pub(crate) topic: FetchTopic,
    pub(crate) partition: i32,
    pub(crate) fetch_offset: Offset,
    pub(crate) max_bytes: i32,
    pub(crate) current_leader_epoch: LeaderEpoch,
    pub(crate) last_fetched_epoch: LeaderEpoch,
}

/// The part of a fetch request that is about sessions.
#[derive(Clone, Debug)]
pub(crate) struct FetchSessionRequest {
    pub(crate) session_id: i32,
    pub(crate) session_epoch: i32,
    /// Whether a follower asks, whose session is worth more than a consumer's.
    pub(crate) is_follower: bool,
    pub(crate) uses_topic_ids: bool,
    pub(crate) targets: Vec<FetchTarget>,
    pub(crate) forgotten: Vec<(FetchTopic, i32)>,
}

/// What a fetch comes to: which partitions to read, and, once they are read, which to tell of.
#[derive(Debug)]
pub(crate) struct FetchContext {
    targets: Vec<FetchTarget>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Sessionless,
    /// Everything is told, and a session is made if there is room.
    Full {
        is_follower: bool,
        uses_topic_ids: bool,
    },
    /// What has changed is told. The epoch is the one that the next request must have.
    Incremental {
        session: Arc<FetchSession>,
        next_epoch: i32,
    },
}

/// How a fetch is answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FetchSessionAnswer {
    /// The error of the whole answer, which then tells of no partition.
    pub(crate) error: ErrorCode,
    pub(crate) session_id: i32,
    /// For each of the targets, whether the answer tells of it.
    pub(crate) included: Vec<bool>,
}

#[derive(Debug)]
struct FetchSession {
    id: i32,
    /// That of a follower.
    is_privileged: bool,
    uses_topic_ids: bool,
    created: Duration,
    last_used_ms: AtomicU64,
    /// The number of partitions as the last request left it: readable without the lock.
    size: AtomicUsize,
    state: Mutex<SessionState>,
}

#[derive(Debug)]
struct SessionState {
    /// What the next request must say.
    epoch: i32,
    partitions: SessionPartitions,
}

/// The sessions of all clients (Kafka: `max.incremental.fetch.session.cache.slots` bounds them).
#[derive(Debug)]
pub(crate) struct FetchSessionCache {
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    max_sessions: usize,
    sessions: Mutex<HashMap<i32, Arc<FetchSession>>>,
}

impl FetchSessionCache {
    pub(crate) fn new(env: &Env, max_sessions: usize) -> Self {
        FetchSessionCache {
            clock: Arc::clone(&env.clock),
            rng: Arc::clone(&env.rng),
            max_sessions,
            sessions: Mutex::default(),
        }
    }

    /// How many sessions there are.
    pub(crate) fn len(&self) -> usize {
        self.sessions.lock().len()
    }

    /// Finds out what a request asks for, by itself or with what its session remembers (Kafka:
    /// `FetchManager#newContext`).
    ///
    /// # Errors
    /// FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH, FETCH_SESSION_TOPIC_ID_ERROR: the client starts
    /// over with a full fetch.
    pub(crate) fn open(&self, request: FetchSessionRequest) -> Result<FetchContext, ErrorCode> {
        let FetchSessionRequest {
            session_id,
            session_epoch,
            is_follower,
            uses_topic_ids,
            targets,
            forgotten,
        } = request;
        if session_epoch == INITIAL_EPOCH || session_epoch == FINAL_EPOCH {
            if session_id != INVALID_SESSION_ID {
                self.sessions.lock().remove(&session_id);
            }
            let targets = without_duplicates(targets);
            let kind = match session_epoch {
                INITIAL_EPOCH => Kind::Full { is_follower, uses_topic_ids },
                _ => Kind::Sessionless,
            };
            return Ok(FetchContext { targets, kind });
        }
        let session =
            self.sessions.lock().get(&session_id).cloned().ok_or(ErrorCode::FetchSessionIdNotFound)?;
        let mut state = session.state.lock();
        if state.epoch != session_epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        if session.uses_topic_ids != uses_topic_ids {
            return Err(ErrorCode::FetchSessionTopicIdError);
        }
        for target in targets {
            state.partitions.update(target);
        }
        for (topic, partition) in forgotten {
            state.partitions.remove(&topic, partition);
        }
        let targets: Vec<FetchTarget> = state.partitions.targets().cloned().collect();
        if targets.is_empty() {
            drop(state);
            self.sessions.lock().remove(&session_id);
            return Ok(FetchContext { targets, kind: Kind::Sessionless });
        }
        state.epoch = next_epoch(state.epoch);
        let next_epoch = state.epoch;
        drop(state);
        session.touch(self.clock.monotonic(), targets.len());
        Ok(FetchContext { targets, kind: Kind::Incremental { session, next_epoch } })
    }

    /// Decides what is told of what was read, one entry of `data` for each target.
    pub(crate) fn complete(&self, context: &FetchContext, data: &[FetchPartitionData]) -> FetchSessionAnswer {
        let all = |session_id| FetchSessionAnswer {
            error: ErrorCode::None,
            session_id,
            included: vec![true; data.len()],
        };
        match &context.kind {
            Kind::Sessionless => all(INVALID_SESSION_ID),
            Kind::Full { is_follower, uses_topic_ids } => {
                let answered = context.targets.iter().zip(data);
                all(self.maybe_create(*is_follower, *uses_topic_ids, answered))
            }
            Kind::Incremental { session, next_epoch } => {
                let mut state = session.state.lock();
                if state.epoch != *next_epoch {
                    // Another request of the session was taken up meanwhile.
                    return FetchSessionAnswer {
                        error: ErrorCode::InvalidFetchSessionEpoch,
                        session_id: INVALID_SESSION_ID,
                        included: vec![false; data.len()],
                    };
                }
                let told = context.targets.iter().zip(data);
                let included =
                    told.map(|(target, data)| state.partitions.note_answer(target, data)).collect();
                FetchSessionAnswer { error: ErrorCode::None, session_id: session.id, included }
            }
        }
    }

    /// The id of a new session, or [`INVALID_SESSION_ID`] if there is no room for it (Kafka:
    /// `FetchSessionCache#maybeCreateSession`).
    fn maybe_create<'a>(
        &self,
        is_follower: bool,
        uses_topic_ids: bool,
        answered: impl ExactSizeIterator<Item = (&'a FetchTarget, &'a FetchPartitionData)>,
    ) -> i32 {
        let now = self.clock.monotonic();
        let size = answered.len();
        let mut sessions = self.sessions.lock();
        if sessions.len() >= self.max_sessions {
            let Some(victim) = find_victim(&sessions, is_follower, size, now) else {
                return INVALID_SESSION_ID;
            };
            sessions.remove(&victim);
        }
        let id = loop {
            let id = (self.rng.next_u64() & i32::MAX as u64) as i32;
            if id != INVALID_SESSION_ID && !sessions.contains_key(&id) {
                break id;
            }
        };
        let session = FetchSession {
            id,
            is_privileged: is_follower,
            uses_topic_ids,
            created: now,
            last_used_ms: AtomicU64::new(0),
            size: AtomicUsize::new(size),
            state: Mutex::new(SessionState {
                epoch: next_epoch(INITIAL_EPOCH),
                partitions: answered
                    .map(|(target, data)| CachedPartition::answered(target.clone(), data))
                    .collect(),
            }),
        };
        session.touch(now, size);
        sessions.insert(id, Arc::new(session));
        id
    }
}

/// Which session makes room for one of `size` partitions: one that nobody used for two minutes, or else the least
/// valuable one that is worth less than the new one (Kafka: `FetchSessionCache#tryEvict`).
fn find_victim(
    sessions: &HashMap<i32, Arc<FetchSession>>,
    is_privileged: bool,
    size: usize,
    now: Duration,
) -> Option<i32> {
    let oldest = sessions.values().min_by_key(|session| session.last_used())?;
    if now.saturating_sub(oldest.last_used()) > MIN_EVICTION {
        return Some(oldest.id);
    }
    let is_old = |session: &FetchSession| now.saturating_sub(session.created) > MIN_EVICTION;
    let evictable =
        sessions.values().filter(|session| is_old(session) || (is_privileged && !session.is_privileged));
    let least = evictable.min_by_key(|session| session.worth())?;
    // At equal worth the one that is there stays: its id is above the 0 that stands for the new one.
    (least.worth() < (is_privileged, size, INVALID_SESSION_ID)).then_some(least.id)
}

impl FetchSession {
    /// (Kafka: `EvictableKey`.)
    fn worth(&self) -> (bool, usize, i32) {
        (self.is_privileged, self.size.load(Ordering::Relaxed), self.id)
    }

    fn touch(&self, now: Duration, size: usize) {
        self.size.store(size, Ordering::Relaxed);
        self.last_used_ms.store(u64::try_from(now.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn last_used(&self) -> Duration {
        Duration::from_millis(self.last_used_ms.load(Ordering::Relaxed))
    }
}

impl FetchContext {
    /// The partitions to read, in this order.
    pub(crate) fn targets(&self) -> &[FetchTarget] {
        &self.targets
    }
}

/// Wraps to 1, since 0 asks for a new session (Kafka: `FetchMetadata#nextEpoch`).
fn next_epoch(epoch: i32) -> i32 {
    epoch.checked_add(1).filter(|next| *next > 0).unwrap_or(1)
}

/// A partition that is named twice is fetched once, in its first place and as it was named last.
fn without_duplicates(targets: Vec<FetchTarget>) -> Vec<FetchTarget> {
    let mut seen = HashSet::with_capacity(targets.len());
    if targets.iter().all(|target| seen.insert((&target.topic, target.partition))) {
        return targets;
    }
    let mut partitions = SessionPartitions::default();
    for target in targets {
        partitions.update(target);
    }
    partitions.targets().cloned().collect()
}
