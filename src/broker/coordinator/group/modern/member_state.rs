/// How far a member is on its way to what is meant for it (Kafka: `MemberState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum MemberState {
    /// It has what was meant for it in its epoch.
    Stable,
    /// It still has partitions that are meant for others, and has been asked to give them back.
    UnrevokedPartitions,
    /// Partitions that are meant for it are still with others.
    UnreleasedPartitions,
    /// Written by a newer broker.
    Unknown,
}

impl MemberState {
    pub(in super::super) fn number(self) -> i8 {
        match self {
            MemberState::Stable => 0,
            MemberState::UnrevokedPartitions => 1,
            MemberState::UnreleasedPartitions => 2,
            MemberState::Unknown => 127,
        }
    }

    pub(in super::super) fn of_number(number: i8) -> Self {
        match number {
            0 => MemberState::Stable,
            1 => MemberState::UnrevokedPartitions,
            2 => MemberState::UnreleasedPartitions,
            _ => MemberState::Unknown,
        }
    }
}
