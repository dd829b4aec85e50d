/// Where a record is on its way through a share group (Kafka: `RecordState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum RecordState {
    /// To be given to a member.
    Available,
    /// Given to a member, which has not said yet what became of it. Never kept.
    Acquired,
    /// Dealt with by a member.
    Acknowledged,
    /// Given up: rejected, delivered too often, or no record at all.
    Archived,
}

impl RecordState {
    pub(crate) fn id(self) -> i8 {
        match self {
            RecordState::Available => 0,
            RecordState::Acquired => 1,
            RecordState::Acknowledged => 2,
            RecordState::Archived => 4,
        }
    }

    /// The state with this number, as far as it is one that is kept.
    pub(super) fn from_kept_id(id: i8) -> Option<Self> {
        match id {
            0 => Some(RecordState::Available),
            2 => Some(RecordState::Acknowledged),
            // Given up, and on its way to Kafka's queue of dead letters (`ARCHIVING`), which is not there here.
            3 | 4 => Some(RecordState::Archived),
            _ => None,
        }
    }

    /// Whether nobody gets the record any more.
    pub(crate) fn is_terminal(self) -> bool {
        matches!(self, RecordState::Acknowledged | RecordState::Archived)
    }
}
