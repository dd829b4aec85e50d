use std::time::Duration;

/// Until when something is awaited of a member.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::broker::coordinator::group) struct MemberTimers {
    /// To hear of it at all.
    pub(super) session: Option<Duration>,
    /// To give back what it is asked for: only as long as it is in this epoch.
    pub(super) rebalance: Option<(Duration, i32)>,
    /// To join again, of a classic member that was told to.
    pub(super) join: Option<Duration>,
    /// To ask for its assignment, of a classic member that has joined.
    pub(super) sync: Option<Duration>,
}

impl MemberTimers {
    pub(super) fn next(&self) -> Option<Duration> {
        let rebalance = self.rebalance.map(|(at, _)| at);
        [self.session, rebalance, self.join, self.sync].into_iter().flatten().min()
    }
}
