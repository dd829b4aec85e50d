//! Moves of partitions between log dirs, step by step on I/O threads.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use super::core::BrokerCore;
use super::replica::{MoveStep, Partition};
use crate::config::BrokerConfig;
use crate::error::{Error, Result};
use crate::log::Log;
use crate::model::{ErrorCode, TopicPartition};

/// When a move looks again whether there is room.
const RETRY: Duration = Duration::from_secs(1);

/// A partition, and the log that follows its own.
type Move = (Arc<Partition>, Arc<Log>);

/// Which moves are being made: at most `num.replica.alter.log.dirs.threads` at the same time, each to its end, or to where
/// the disk has no room, before another one begins (Kafka: the threads of `ReplicaAlterLogDirsManager`).
pub(super) struct Moves {
    most: usize,
    state: Mutex<MovesState>,
}

#[derive(Default)]
struct MovesState {
    running: Vec<Arc<Log>>,
    waiting: VecDeque<Move>,
    /// When the bytes that were copied are paid for, on the monotonic clock.
    paid_at: Duration,
}

impl Moves {
    pub(super) fn new(config: &BrokerConfig, log_dirs: usize) -> Self {
        let threads = config.num_replica_alter_log_dirs_threads;
        let threads = threads.map_or(log_dirs, |threads| usize::try_from(threads).unwrap_or_default());
        Moves { most: threads.max(1), state: Mutex::default() }
    }

    /// Lines a move up; answers those that are to go on now. One that was given up while it pauses holds nobody up.
    fn begin(&self, next: Move, is_wanted: impl Fn(&Arc<Log>) -> bool) -> Vec<Move> {
        let mut state = self.state.lock();
        state.waiting.push_back(next);
        state.running.retain(is_wanted);
        state.take_turns(self.most)
    }

    /// This one is over, or waits.
    fn end(&self, future: &Arc<Log>) -> Vec<Move> {
        let mut state = self.state.lock();
        state.running.retain(|running| !Arc::ptr_eq(running, future));
        state.take_turns(self.most)
    }

    /// How long all moves pause, `now`, for one to copy so much.
    fn pay(&self, now: Duration, price: Duration) -> Duration {
        let mut state = self.state.lock();
        state.paid_at = state.paid_at.max(now).saturating_add(price);
        state.paid_at.saturating_sub(now)
    }
}

impl MovesState {
    fn take_turns(&mut self, most: usize) -> Vec<Move> {
        let free = most.saturating_sub(self.running.len()).min(self.waiting.len());
        let next: Vec<Move> = self.waiting.drain(..free).collect();
        self.running.extend(next.iter().map(|(_, future)| Arc::clone(future)));
        next
    }
}

impl BrokerCore {
    /// Begins to move a partition, which must exist, to the log dir at `to`: see
    /// [`alter_log_dir`](Self::alter_log_dir).
    ///
    /// # Errors
    /// LOG_DIR_NOT_FOUND and INVALID_REPLICA_ASSIGNMENT, if it is cordoned, before it is looked whether there is such a
    /// partition, as Kafka does;
    /// UNKNOWN_TOPIC_OR_PARTITION.
    pub(crate) fn move_to_log_dir(self: &Arc<Self>, tp: &TopicPartition, to: &Path) -> Result<()> {
        self.ensure_open()?;
        self.log_manager.check_log_dir(to)?;
        if self.log_manager.is_cordoned(to) {
            let message = format!("The log directory {} is cordoned.", to.display());
            return Err(Error::new(ErrorCode::InvalidReplicaAssignment, message));
        }
        let partition = self.partition(tp.topic(), tp.partition())?;
        self.alter_log_dir(&partition, to)
    }

    /// Begins to move a partition to the log dir at `to`; where it is there already, or on its way there, nothing is
    /// done. A move to elsewhere ends.
    ///
    /// # Errors
    /// As [`Partition::alter_log_dir`].
    fn alter_log_dir(self: &Arc<Self>, partition: &Arc<Partition>, to: &Path) -> Result<()> {
        if let Some(future) = partition.alter_log_dir(to)? {
            self.begin_move((Arc::clone(partition), future));
        }
        Ok(())
    }

    /// Goes on with the moves that were under way when the broker ended.
    pub(super) fn resume_moves(self: &Arc<Self>) {
        for future in self.log_manager.future_logs() {
            let tp = future.topic_partition();
            if let Ok(partition) = self.partition(tp.topic(), tp.partition()) {
                self.begin_move((partition, future));
            }
        }
    }

    fn begin_move(self: &Arc<Self>, next: Move) {
        for next in self.moves.begin(next, |future| self.log_manager.is_moving_to(future)) {
            self.move_on(next);
        }
    }

    /// One step on an I/O thread, then the next: behind what else waits for a thread.
    fn move_on(self: &Arc<Self>, (partition, future): Move) {
        let core = Arc::downgrade(self);
        self.io_threads.run(move || {
            let step = partition.move_on(&future);
            let Some(strong) = Weak::upgrade(&core) else { return };
            let pause = match step {
                MoveStep::Copied(bytes) => strong.time_of_move(bytes),
                MoveStep::Wait => {
                    strong.end_move(&future);
                    return strong.later(RETRY, move |core| core.begin_move((partition, future)));
                }
                MoveStep::Over => return strong.end_move(&future),
            };
            if pause.is_zero() {
                return strong.move_on((partition, future));
            }
            strong.later(pause, move |core| core.move_on((partition, future)));
        });
    }

    fn end_move(self: &Arc<Self>, future: &Arc<Log>) {
        for next in self.moves.end(future) {
            self.move_on(next);
        }
    }

    fn later(self: &Arc<Self>, pause: Duration, task: impl FnOnce(&Arc<Self>) + Send + 'static) {
        let core = Arc::downgrade(self);
        self.timer.schedule(pause, move || {
            if let Some(core) = core.upgrade() {
                task(&core);
            }
        });
    }

    /// How long it takes at least, by `replica.alter.log.dirs.io.max.bytes.per.second`, until so many more bytes may be
    /// copied: that is for all moves together.
    fn time_of_move(&self, bytes: u64) -> Duration {
        let rate = self.config().replica_alter_log_dirs_io_max_bytes_per_second;
        let rate = u64::try_from(rate).unwrap_or(0).max(1);
        let price = Duration::from_millis(bytes.saturating_mul(1000) / rate);
        self.moves.pay(self.env.clock.monotonic(), price)
    }
}
