use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::model::{BrokerId, ErrorCode, Uuid};

/// Opens a session, or opens it anew.
pub(crate) const INITIAL_EPOCH: i32 = 0;
/// Ends it.
pub(crate) const FINAL_EPOCH: i32 = -1;

/// A partition of a topic, by the topic's id.
pub(super) type SessionPartition = (Uuid, i32);

/// What a member fetches (Kafka: `ShareSession`).
#[derive(Clone, Debug)]
struct ShareSession {
    /// That of the next request.
    epoch: i32,
    partitions: Vec<SessionPartition>,
    connection_id: Option<u64>,
}

/// Whose session it is: a member has one with each of the brokers that clients see.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ShareSessionKey {
    pub(crate) group_id: Arc<str>,
    pub(crate) member_id: Arc<str>,
    pub(crate) node_id: BrokerId,
}

/// What a request says about its session.
#[derive(Clone, Debug)]
pub(crate) struct ShareSessionRequest {
    pub(crate) key: ShareSessionKey,
    pub(crate) epoch: i32,
    pub(crate) partitions: Vec<(Uuid, i32)>,
    pub(crate) forgotten: Vec<(Uuid, i32)>,
    /// Whether records are acknowledged on the way, which the first request cannot.
    pub(crate) has_acknowledgements: bool,
    /// With which the session ends; a consumer in this process has none.
    pub(crate) connection_id: Option<u64>,
}

/// The sessions of all members of share groups (Kafka: `ShareSessionCache`).
#[derive(Debug, Default)]
pub(super) struct ShareSessions {
    by_member: HashMap<ShareSessionKey, ShareSession>,
}

/// A session that is over.
#[derive(Debug)]
pub(super) struct EndedSession {
    pub(super) group_id: Arc<str>,
    pub(super) member_id: Arc<str>,
    pub(super) partitions: Vec<SessionPartition>,
    /// Nobody of the group has a session any more.
    pub(super) is_last: bool,
}

impl ShareSessions {
    /// Takes a fetch in: answers what it is to fetch. One that ends the session fetches nothing.
    pub(super) fn open(
        &mut self,
        request: ShareSessionRequest,
        limit: usize,
    ) -> Result<Vec<SessionPartition>, ErrorCode> {
        let key = request.key;
        match request.epoch {
            FINAL_EPOCH if self.by_member.contains_key(&key) => Ok(Vec::new()),
            FINAL_EPOCH => Err(ErrorCode::ShareSessionNotFound),
            INITIAL_EPOCH => {
                if request.has_acknowledgements {
                    return Err(ErrorCode::InvalidRequest);
                }
                self.by_member.remove(&key);
                if self.by_member.len() >= limit {
                    return Err(ErrorCode::ShareSessionLimitReached);
                }
                let mut seen = HashSet::new();
                let mut partitions = request.partitions;
                partitions.retain(|partition| seen.insert(*partition));
                let session = ShareSession {
                    epoch: INITIAL_EPOCH + 1,
                    partitions: partitions.clone(),
                    connection_id: request.connection_id,
                };
                self.by_member.insert(key, session);
                Ok(partitions)
            }
            epoch => {
                let session = self.by_member.get_mut(&key).ok_or(ErrorCode::ShareSessionNotFound)?;
                if session.epoch != epoch {
                    return Err(ErrorCode::InvalidShareSessionEpoch);
                }
                for partition in request.partitions {
                    if !session.partitions.contains(&partition) {
                        session.partitions.push(partition);
                    }
                }
                session.partitions.retain(|partition| !request.forgotten.contains(partition));
                session.epoch = next_epoch(epoch);
                Ok(session.partitions.clone())
            }
        }
    }

    /// Takes an acknowledgement in.
    pub(super) fn acknowledge(&mut self, key: &ShareSessionKey, epoch: i32) -> Result<(), ErrorCode> {
        if epoch == INITIAL_EPOCH {
            return Err(ErrorCode::InvalidShareSessionEpoch);
        }
        let session = self.by_member.get_mut(key).ok_or(ErrorCode::ShareSessionNotFound)?;
        if epoch == FINAL_EPOCH {
            return Ok(());
        }
        if session.epoch != epoch {
            return Err(ErrorCode::InvalidShareSessionEpoch);
        }
        session.epoch = next_epoch(epoch);
        Ok(())
    }

    pub(super) fn remove(&mut self, key: &ShareSessionKey) -> Option<EndedSession> {
        let session = self.by_member.remove(key)?;
        let is_last = !self.by_member.keys().any(|other| other.group_id == key.group_id);
        let ShareSessionKey { group_id, member_id, .. } = key.clone();
        Some(EndedSession { group_id, member_id, partitions: session.partitions, is_last })
    }

    /// Removes those that go with a connection.
    pub(super) fn remove_connection(&mut self, connection_id: u64) -> Vec<EndedSession> {
        let of_connection = self.by_member.iter().filter(|(_, s)| s.connection_id == Some(connection_id));
        let keys: Vec<ShareSessionKey> = of_connection.map(|(key, _)| key.clone()).collect();
        keys.iter().filter_map(|key| self.remove(key)).collect()
    }

    /// What a member fetches, if it has a session.
    pub(super) fn partitions(&self, key: &ShareSessionKey) -> Vec<SessionPartition> {
        self.by_member.get(key).map(|session| session.partitions.clone()).unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.by_member.len()
    }
}

/// After the highest comes 1: 0 would open a session.
fn next_epoch(epoch: i32) -> i32 {
    epoch.checked_add(1).unwrap_or(1)
}
