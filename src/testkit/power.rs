//! A test's broker loses its power.

use std::sync::Arc;

use super::crash_disk::Loss;
use super::crash_fs::CrashFileSystem;
use super::{TestBroker, TestBrokerBuilder};
use crate::broker::BrokerBuilder;
use crate::error::{Error, Result};
use crate::model::ErrorCode;

/// What is left of that which was not synced when the power is gone: [`TestBroker::lose_power`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PowerLoss {
    /// Nothing: no bytes, no sizes, no names of files.
    Everything,
    /// What chance decides, by this seed: of a file's bytes nothing, everything, the first few writes with the last of
    /// them torn, or some sectors; and names only as file systems with a journal leave them.
    Torn(u64),
}

impl From<PowerLoss> for Loss {
    fn from(loss: PowerLoss) -> Self {
        match loss {
            PowerLoss::Everything => Loss::Everything,
            PowerLoss::Torn(seed) => Loss::Chance(seed),
        }
    }
}

impl TestBrokerBuilder {
    /// Keeps all files in memory, on a disk that knows what has been synced, so that the test may cut the power:
    /// [`TestBroker::lose_power`]. What is synced, and when, is as on any other disk. All that a fork starts with, or a
    /// broker that is restored, is synced there, as after a clean stop.
    pub fn volatile_disk(mut self) -> Self {
        self.is_volatile = true;
        self
    }

    /// The disk, if it is to be one that knows what was synced.
    pub(super) fn with_disk(&self) -> (BrokerBuilder, Option<CrashFileSystem>) {
        let builder = self.broker.clone();
        if !self.is_volatile {
            return (builder, None);
        }
        let disk = CrashFileSystem::new(Arc::clone(builder.own_clock()));
        let own = disk.clone();
        (builder.wrap_file_system(|_| Arc::new(own)), Some(disk))
    }
}

impl TestBroker {
    /// Cuts the power, and starts the broker again at the same address, with what was on the disk. What a producer was
    /// told is flushed (`flush.messages=1`) is there. Native producers and consumers end.
    ///
    /// # Examples
    /// ```
    /// use ottla::{NewTopic, PowerLoss, ProducerRecord, TestBroker};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let mut kafka = TestBroker::builder().volatile_disk().start()?;
    /// kafka.admin().create_topic(NewTopic::new("orders", 1).config("flush.messages", "1"))?;
    /// kafka.admin().create_topic(NewTopic::new("views", 1))?;
    /// for topic in ["orders", "views"] {
    ///     kafka.producer().send(ProducerRecord::new(topic).value("one"))?.wait()?;
    /// }
    /// kafka.lose_power(PowerLoss::Everything)?;
    /// assert_eq!(kafka.records("orders")?.len(), 1);
    /// assert_eq!(kafka.records("views")?.len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`TestBroker::start`]; [`InvalidConfig`](ErrorCode::InvalidConfig) if the broker was started without
    /// [`TestBrokerBuilder::volatile_disk`].
    pub fn lose_power(&mut self, loss: PowerLoss) -> Result<()> {
        let Some(disk) = self.volatile_disk.clone() else {
            let message = "the disk does not know what was synced: start the broker with volatile_disk(), or \
                           `ottla test` with --volatile-disk";
            return Err(Error::new(ErrorCode::InvalidConfig, message));
        };
        if let Some(dir) = self.core.take_temporary_dir() {
            self.stopped_in = Some(dir);
        }
        self.disk.heal();
        // Nobody is told anything any more, and nothing is written.
        self.listener.pause();
        self.core.log_manager.abandon();
        self.broker.close();
        disk.crash(loss.into());
        self.restart()
    }

    /// Whether the test can cut the power.
    pub fn can_lose_power(&self) -> bool {
        self.volatile_disk.is_some()
    }
}
