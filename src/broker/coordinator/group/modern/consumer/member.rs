use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;

use crate::broker::coordinator::group::JoinGroupProtocol;
use crate::broker::coordinator::group::modern::assignment::PartitionsWithEpochs;
use crate::broker::coordinator::group::modern::group::ModernGroupMember;
use crate::broker::coordinator::group::modern::member_state::MemberState;

/// "Not said", of the time that a rebalance may take.
pub(in crate::broker::coordinator::group) const NOT_SAID: i32 = -1;

/// A member of a consumer group (Kafka: `ConsumerGroupMember`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker::coordinator::group) struct ConsumerGroupMember {
    pub(in crate::broker::coordinator::group) id: Arc<str>,
    pub(in crate::broker::coordinator::group) epoch: i32,
    /// The one before, which the member may still believe in if an answer was lost.
    pub(in crate::broker::coordinator::group) previous_epoch: i32,
    pub(in crate::broker::coordinator::group) state: MemberState,
    pub(in crate::broker::coordinator::group) metadata: MemberMetadata,
    pub(in crate::broker::coordinator::group) assigned: PartitionsWithEpochs,
    /// What it has been asked to give back.
    pub(in crate::broker::coordinator::group) pending_revocation: PartitionsWithEpochs,
}

/// What a member says about itself (Kafka: `ConsumerGroupMemberMetadataValue`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker::coordinator::group) struct MemberMetadata {
    pub(in crate::broker::coordinator::group) instance_id: Option<Arc<str>>,
    pub(in crate::broker::coordinator::group) rack_id: Option<Arc<str>>,
    pub(in crate::broker::coordinator::group) client_id: Arc<str>,
    pub(in crate::broker::coordinator::group) client_host: Arc<str>,
    pub(in crate::broker::coordinator::group) subscribed_topic_names: BTreeSet<Arc<str>>,
    /// Empty, or `None`, if there is none.
    pub(in crate::broker::coordinator::group) subscribed_topic_regex: Option<Arc<str>>,
    pub(in crate::broker::coordinator::group) rebalance_timeout_ms: i32,
    pub(in crate::broker::coordinator::group) server_assignor: Option<Arc<str>>,
    /// Of a member that joins and syncs.
    pub(in crate::broker::coordinator::group) classic: Option<ClassicMemberMetadata>,
}

/// What there is beside that of a member that uses the classic protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker::coordinator::group) struct ClassicMemberMetadata {
    pub(in crate::broker::coordinator::group) session_timeout_ms: i32,
    /// In the member's order of preference.
    pub(in crate::broker::coordinator::group) protocols: Vec<JoinGroupProtocol>,
}

impl ConsumerGroupMember {
    pub(in crate::broker::coordinator::group) fn new(id: Arc<str>) -> Self {
        ConsumerGroupMember {
            id,
            epoch: 0,
            previous_epoch: -1,
            state: MemberState::Stable,
            metadata: MemberMetadata {
                instance_id: None,
                rack_id: None,
                client_id: Arc::default(),
                client_host: Arc::default(),
                subscribed_topic_names: BTreeSet::new(),
                subscribed_topic_regex: Some(Arc::default()),
                rebalance_timeout_ms: NOT_SAID,
                server_assignor: None,
                classic: None,
            },
            assigned: PartitionsWithEpochs::new(),
            pending_revocation: PartitionsWithEpochs::new(),
        }
    }

    pub(in crate::broker::coordinator::group) fn instance_id(&self) -> Option<&Arc<str>> {
        self.metadata.instance_id.as_ref()
    }

    /// The pattern that it subscribes to, if it does.
    pub(in crate::broker::coordinator::group) fn regex(&self) -> Option<&Arc<str>> {
        self.metadata.subscribed_topic_regex.as_ref().filter(|regex| !regex.is_empty())
    }

    pub(in crate::broker::coordinator::group) fn uses_classic_protocol(&self) -> bool {
        self.metadata.classic.is_some()
    }

    /// The protocols that it knows, of a classic member.
    pub(in crate::broker::coordinator::group) fn classic_protocols(&self) -> &[JoinGroupProtocol] {
        self.metadata.classic.as_ref().map_or(&[], |classic| &classic.protocols)
    }

    /// The name and the metadata of the protocol that it prefers, of a classic member.
    pub(in crate::broker::coordinator::group) fn preferred_protocol(&self) -> Option<(&Arc<str>, &Bytes)> {
        self.classic_protocols().first().map(|protocol| (&protocol.name, &protocol.metadata))
    }

    /// Enters an epoch, and remembers the one before.
    pub(in crate::broker::coordinator::group) fn enter(&mut self, epoch: i32) {
        self.previous_epoch = std::mem::replace(&mut self.epoch, epoch);
    }
}

impl ModernGroupMember for ConsumerGroupMember {
    fn epoch(&self) -> i32 {
        self.epoch
    }

    fn state(&self) -> MemberState {
        self.state
    }
}
