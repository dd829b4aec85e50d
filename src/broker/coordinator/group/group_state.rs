use std::fmt;

/// Where a group stands between two rebalances (Kafka: `GroupState`, `ClassicGroupState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GroupState {
    /// No members; committed offsets, perhaps.
    Empty,
    /// Members were told to join again; joins are parked until all have, or time is up.
    PreparingRebalance,
    /// All have joined; the leader's assignment is awaited.
    CompletingRebalance,
    /// Every member may have its assignment.
    Stable,
    /// The broker has to share partitions out anew, in a group of the consumer protocol.
    Assigning,
    /// Members of the consumer protocol are on their way to what is meant for them.
    Reconciling,
    /// Removed or moved away; who still holds on to it looks the group up again.
    Dead,
}

impl GroupState {
    /// Kafka's name, as DescribeGroups and ListGroups give it.
    pub fn name(self) -> &'static str {
        match self {
            GroupState::Empty => "Empty",
            GroupState::PreparingRebalance => "PreparingRebalance",
            GroupState::CompletingRebalance => "CompletingRebalance",
            GroupState::Stable => "Stable",
            GroupState::Assigning => "Assigning",
            GroupState::Reconciling => "Reconciling",
            GroupState::Dead => "Dead",
        }
    }

    /// Whether a group may go from this state to `next`.
    pub(super) fn may_become(self, next: GroupState) -> bool {
        use GroupState::{
            Assigning, CompletingRebalance, Dead, Empty, PreparingRebalance, Reconciling, Stable,
        };
        match next {
            PreparingRebalance => matches!(self, Empty | CompletingRebalance | Stable),
            CompletingRebalance | Empty => self == PreparingRebalance,
            Stable => self == CompletingRebalance,
            // Of groups of the consumer protocol, whose state follows from their epochs.
            Assigning | Reconciling => false,
            Dead => true,
        }
    }
}

impl fmt::Display for GroupState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// By which protocol the members of a group find together (Kafka: `GroupType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GroupType {
    /// Members join and sync, and one of them assigns.
    Classic,
    /// Members report, and the broker assigns (KIP-848).
    Consumer,
    /// The same, and several members may have the same partition (KIP-932).
    Share,
}

impl GroupType {
    /// Kafka's name, as ListGroups gives it.
    pub fn name(self) -> &'static str {
        match self {
            GroupType::Classic => "classic",
            GroupType::Consumer => "consumer",
            GroupType::Share => "share",
        }
    }
}

impl fmt::Display for GroupType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
