//! A test's broker stops, comes back, and starts from nothing.

use std::sync::Arc;
use std::time::Duration;

use super::{TestBroker, nodes};
use crate::broker::{Broker, BrokerBuilder};
use crate::error::{Error, Result};
use crate::model::ErrorCode;
use crate::sys::TemporaryRoot;

impl TestBroker {
    /// Lets `by` pass, and returns when all is done that is due by then, in the order in which it is due: sessions and
    /// rebalances time out, long polls are answered, offsets expire, retention deletes. What follows from an event is
    /// due in turn, and done too if its time comes before `by` is over. Timestamps of records follow. What was over before
    /// (retention, of records that bear old timestamps) is done when the broker looks for it next, as a Kafka does.
    ///
    /// While an operation of the disk is under way that was given time ([`Disk::delay`](super::Disk::delay)), what is due
    /// may wait for it. If it takes longer than `by`, this moves the clock, and returns without waiting for what is due.
    ///
    /// The clock can skip 584 years in all; of what is more than [`TestBroker::max_advance`], only that passes.
    ///
    /// The clients' own clocks do not: a remote consumer that has not sent a heartbeat for the time that has passed is
    /// out of its group, and hears of it with its next request.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use ottla::{NewTopic, ProducerRecord, TestBroker};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let kafka = TestBroker::start()?;
    /// let topic = NewTopic::new("orders", 1).config("retention.ms", "604800000").config("segment.ms", "3600000");
    /// kafka.admin().create_topic(topic)?;
    /// kafka.producer().send(ProducerRecord::new("orders").value("old"))?.wait()?;
    ///
    /// kafka.advance(Duration::from_secs(8 * 24 * 3600));
    /// assert_eq!(kafka.topic("orders")?.partition(0)?.earliest_offset()?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// If the broker was given a clock that cannot skip time ([`SystemClock`](crate::SystemClock)): by default it has a
    /// [`ScaledClock`](crate::ScaledClock), which can.
    pub fn advance(&self, by: Duration) {
        let clock = &self.core.env.clock;
        assert!(self.can_advance(), "the broker's clock cannot skip time: {clock:?}");
        let mut left = by;
        let _skipping = loop {
            match self.disk.begin_skipping() {
                Ok(skipping) => break skipping,
                Err(ends_at) => {
                    let rest = ends_at.saturating_sub(clock.monotonic());
                    clock.skip(rest.min(left));
                    self.disk.end_due(clock.monotonic());
                    if rest > left {
                        return;
                    }
                    left -= rest;
                }
            }
        };
        self.core.skip_time(left);
    }

    /// Whether [`TestBroker::advance`] can be used: whether the clock can skip time.
    pub fn can_advance(&self) -> bool {
        self.core.env.clock.skip(Duration::ZERO)
    }

    /// How much time [`TestBroker::advance`] can still let pass, with all its calls together.
    pub fn max_advance(&self) -> Duration {
        if self.can_advance() { self.core.env.clock.left() } else { Duration::ZERO }
    }

    /// The broker's time, in milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> i64 {
        self.core.env.clock.now_ms()
    }

    /// Stops the broker, all of them if it is several, as an operator would. Its address and its data are kept; clients are refused until
    /// [`TestBroker::restart`]. Native producers and consumers end. Stopping again does nothing.
    pub fn stop(&mut self) {
        self.disk.hurry();
        if let Some(dir) = self.core.take_temporary_dir() {
            self.stopped_in = Some(dir);
        }
        self.broker.close();
    }

    /// Whether it runs: neither [stopped](TestBroker::stop), nor left so by a [restart](TestBroker::restart) that has failed.
    ///
    /// # Examples
    /// ```
    /// use ottla::{DiskFault, FileOperation, TestBroker};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let mut kafka = TestBroker::start()?;
    /// kafka.disk().fail(FileOperation::Open, DiskFault::Io);
    /// assert!(kafka.restart().is_err());
    /// assert!(!kafka.is_running());
    ///
    /// kafka.disk().heal();
    /// kafka.restart()?;
    /// assert!(kafka.is_running());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_running(&self) -> bool {
        !self.core.is_closed()
    }

    /// Stops the broker, unless it is stopped already, and starts it at the same address with the same data. Where it
    /// is several brokers, all of them are up then.
    ///
    /// # Examples
    /// ```
    /// use ottla::{ProducerRecord, TestBroker};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let mut kafka = TestBroker::start()?;
    /// let address = kafka.local_addr();
    /// kafka.producer().send(ProducerRecord::new("orders").value("kept"))?.wait()?;
    ///
    /// kafka.restart()?;
    /// assert_eq!(kafka.local_addr(), address);
    /// assert_eq!(kafka.topic("orders")?.partition(0)?.latest_offset()?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`TestBroker::start`].
    pub fn restart(&mut self) -> Result<()> {
        self.stop();
        let builder = match &self.stopped_in {
            Some(dir) => self.builder.clone().temporary_in(dir.clone()),
            // An earlier restart has failed, and removed it.
            None => self.builder.clone(),
        };
        self.open_again(builder, |_| Ok(()))
    }

    /// Starts from nothing: no topics, groups, offsets, producers, rules for faults and for the disk, journal. The address stays, the
    /// clock goes on; connections end, and so do native producers and consumers.
    ///
    /// # Examples
    /// ```
    /// use ottla::{ProducerRecord, TestBroker};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let mut kafka = TestBroker::start()?;
    /// kafka.producer().send(ProducerRecord::new("orders").value("of another test"))?.wait()?;
    /// kafka.reset()?;
    /// assert!(kafka.admin().list_topics().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`TestBroker::start`].
    pub fn reset(&mut self) -> Result<()> {
        let _stays = self.temporary_root();
        self.clear();
        self.open_again(self.builder.clone(), |_| Ok(()))
    }

    /// Where its files are, for those of the next to be there as well.
    pub(super) fn temporary_root(&self) -> Option<TemporaryRoot> {
        self.stopped_in.as_ref().map(|dir| dir.root().clone()).or_else(|| self.core.temporary_root())
    }

    /// Ends the broker, with all that the test has to do with it.
    pub(super) fn clear(&mut self) {
        self.disk.heal();
        self.broker.close();
        self.remove_stopped();
        self.watch.clear_faults();
        self.watch.journal().clear();
        if let Some(nodes) = &self.nodes {
            nodes.reset();
        }
    }

    /// Opens the broker, does with it what clients are not to see, and listens.
    pub(super) fn open_again(
        &mut self,
        builder: BrokerBuilder,
        prepare: impl FnOnce(&Broker) -> Result<()>,
    ) -> Result<()> {
        let broker = builder.open()?;
        broker.core.keep_history();
        if let Some(nodes) = &self.nodes {
            nodes.bring_up();
        }
        nodes::attach(&broker, self.nodes.as_ref());
        self.disk.attach(&broker);
        prepare(&broker)?;
        self.watch.connections().clear();
        self.listener = self.doors.get_mut().open(&broker, Some(&(Arc::clone(&self.watch) as _)))?;
        for namespace in self.namespaces.get_mut() {
            namespace.doors.open(&broker, None)?;
        }
        self.broker = broker;
        self.stopped_in = None;
        Ok(())
    }

    /// Makes the broker hang, as if its process were stopped: connections stay and new ones are taken by the system,
    /// nobody answers. Its time goes on.
    pub fn pause(&self) {
        self.listener.pause();
    }

    /// Lets the broker work again after [`TestBroker::pause`].
    pub fn resume(&self) {
        self.listener.resume();
    }

    /// Removes what [`TestBroker::stop`] has kept.
    pub(super) fn remove_stopped(&mut self) {
        if let Some(dir) = self.stopped_in.take()
            && let Err(error) = self.core.env.fs.remove_dir_all(&dir)
        {
            tracing::warn!(dir = %dir.display(), %error, "cannot remove the stopped broker's directory");
        }
    }
}

/// No port is free.
pub(super) fn no_port(error: std::io::Error) -> Error {
    Error::caused(ErrorCode::InvalidConfig, "no port of 127.0.0.1 is free", error)
}
