use std::fmt;

/// Where a group stands between two rebalances (Kafka: `GroupState`, `ClassicGroupState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum GroupState {
    /// No members; committed offsets, perhaps.
    Empty,
    /// Members were told to join again; joins are parked until all have, or time is up.
    PreparingRebalance,
    /// All have joined; the leader's assignment is awaited.
    CompletingRebalance,
    /// Every member may have its assignment.
    Stable,
    /// Removed or moved away; who still holds on to it looks the group up again.
    Dead,
}

impl GroupState {
    /// Kafka's name, as DescribeGroups and ListGroups give it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            GroupState::Empty => "Empty",
            GroupState::PreparingRebalance => "PreparingRebalance",
            GroupState::CompletingRebalance => "CompletingRebalance",
            GroupState::Stable => "Stable",
            GroupState::Dead => "Dead",
        }
    }

    /// Whether a group may go from this state to `next`.
    pub(super) fn may_become(self, next: GroupState) -> bool {
        use GroupState::{CompletingRebalance, Dead, Empty, PreparingRebalance, Stable};
        match next {
            PreparingRebalance => matches!(self, Empty | CompletingRebalance | Stable),
            CompletingRebalance | Empty => self == PreparingRebalance,
            Stable => self == CompletingRebalance,
            Dead => true,
        }
    }
}

impl fmt::Display for GroupState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
