use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::join::{JoinCallback, JoinGroupProtocol};
use super::sync::SyncCallback;

/// One member of a group (Kafka: `MemberMetadata`).
pub(super) struct Member {
    pub(super) id: Arc<str>,
    pub(super) group_instance_id: Option<Arc<str>>,
    pub(super) client_id: Arc<str>,
    pub(super) client_host: Arc<str>,
    pub(super) session_timeout_ms: i32,
    pub(super) rebalance_timeout_ms: i32,
    /// In the member's order of preference, each name once.
    protocols: Vec<JoinGroupProtocol>,
    pub(super) assignment: Bytes,
    /// Joined for the first time, and not answered yet: it cannot send heartbeats, and the caller may have
    /// given up on it.
    pub(super) is_new: bool,
    /// When the member is taken for dead unless it is heard of.
    pub(super) session_deadline: Duration,
    pub(super) awaiting_join: Option<JoinCallback>,
    pub(super) awaiting_sync: Option<SyncCallback>,
}

/// What a member brings when it joins.
pub(super) struct NewMember {
    pub(super) id: Arc<str>,
    pub(super) group_instance_id: Option<Arc<str>>,
    pub(super) client_id: Arc<str>,
    pub(super) client_host: Arc<str>,
    pub(super) session_timeout_ms: i32,
    pub(super) rebalance_timeout_ms: i32,
    pub(super) protocols: Vec<JoinGroupProtocol>,
}

impl Member {
    pub(super) fn new(new: NewMember) -> Self {
        Member {
            id: new.id,
            group_instance_id: new.group_instance_id,
            client_id: new.client_id,
            client_host: new.client_host,
            session_timeout_ms: new.session_timeout_ms,
            rebalance_timeout_ms: new.rebalance_timeout_ms,
            protocols: new.protocols,
            assignment: Bytes::new(),
            is_new: false,
            session_deadline: Duration::MAX,
            awaiting_join: None,
            awaiting_sync: None,
        }
    }

    pub(super) fn protocols(&self) -> &[JoinGroupProtocol] {
        &self.protocols
    }

    pub(super) fn set_protocols(&mut self, protocols: Vec<JoinGroupProtocol>) -> Vec<JoinGroupProtocol> {
        std::mem::replace(&mut self.protocols, protocols)
    }

    pub(super) fn is_static(&self) -> bool {
        self.group_instance_id.is_some()
    }

    /// The metadata that goes with a protocol; empty if the member does not know it.
    pub(super) fn metadata(&self, protocol_name: &str) -> Bytes {
        let known = self.protocols.iter().find(|protocol| *protocol.name == *protocol_name);
        known.map(|protocol| protocol.metadata.clone()).unwrap_or_default()
    }

    /// Whether a join with these protocols tells nothing new.
    pub(super) fn matches(&self, protocols: &[JoinGroupProtocol]) -> bool {
        self.protocols == protocols
    }

    /// The first of the candidates in the member's own order.
    pub(super) fn vote(&self, candidates: &HashSet<Arc<str>>) -> Option<Arc<str>> {
        self.protocols.iter().map(|protocol| &protocol.name).find(|name| candidates.contains(*name)).cloned()
    }

    pub(super) fn session_timeout(&self) -> Duration {
        millis(self.session_timeout_ms)
    }

    pub(super) fn rebalance_timeout(&self) -> Duration {
        millis(self.rebalance_timeout_ms)
    }

    /// When the member expires; `None` while it waits for others, which counts as being alive. A new member's
    /// wait does not: its client may have gone away without anybody noticing.
    pub(super) fn expires_at(&self) -> Option<Duration> {
        let waits_for_others = self.awaiting_join.is_some() || self.awaiting_sync.is_some();
        (self.is_new || !waits_for_others).then_some(self.session_deadline)
    }
}

/// A timeout as clients send it; none of them can be below zero.
pub(super) fn millis(timeout_ms: i32) -> Duration {
    Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0))
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("id", &self.id)
            .field("group_instance_id", &self.group_instance_id)
            .field("awaiting_join", &self.awaiting_join.is_some())
            .field("awaiting_sync", &self.awaiting_sync.is_some())
            .finish_non_exhaustive()
    }
}
