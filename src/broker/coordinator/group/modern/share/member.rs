use std::collections::BTreeSet;
use std::sync::Arc;

use crate::broker::coordinator::group::modern::assignment::Partitions;
use crate::broker::coordinator::group::modern::group::ModernGroupMember;
use crate::broker::coordinator::group::modern::member_state::MemberState;

/// A member of a share group (Kafka: `ShareGroupMember`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker::coordinator::group) struct ShareGroupMember {
    pub(super) id: Arc<str>,
    pub(super) epoch: i32,
    pub(super) previous_epoch: i32,
    pub(super) state: MemberState,
    pub(super) metadata: ShareMemberMetadata,
    pub(super) assigned: Partitions,
}

/// What a member says about itself (Kafka: `ShareGroupMemberMetadataValue`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::broker::coordinator::group) struct ShareMemberMetadata {
    pub(in crate::broker::coordinator::group) rack_id: Option<Arc<str>>,
    pub(in crate::broker::coordinator::group) client_id: Arc<str>,
    /// As `/1.2.3.4`.
    pub(in crate::broker::coordinator::group) client_host: Arc<str>,
    pub(in crate::broker::coordinator::group) subscribed_topic_names: BTreeSet<Arc<str>>,
}

impl ShareGroupMember {
    pub(super) fn new(id: Arc<str>) -> Self {
        ShareGroupMember {
            id,
            epoch: 0,
            previous_epoch: -1,
            state: MemberState::Stable,
            metadata: ShareMemberMetadata::default(),
            assigned: Partitions::new(),
        }
    }
}

impl ModernGroupMember for ShareGroupMember {
    fn epoch(&self) -> i32 {
        self.epoch
    }

    fn state(&self) -> MemberState {
        self.state
    }
}
