//! A Kafka for tests.

mod faulty_fs;

pub(crate) use faulty_fs::{FaultyFileSystem, FileOperation};

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;

use crate::broker::{Broker, BrokerBuilder};
use crate::error::Result;
use crate::server::Listener;
use crate::sys::Clock;

/// A broker for one test: temporary, on a port of its own, ready when [`TestBroker::start`] returns, and gone
/// when it is dropped. Groups start without delay, topics are made when they are first asked for, and nothing
/// is synced to disk.
///
/// It derefs to its [`Broker`], so that the test may look and act from within while the program under test
/// comes over the wire. Any number of them may run in one process.
///
/// # Examples
/// ```
/// use ottla::{ProducerRecord, TestBroker};
/// # fn main() -> Result<(), ottla::Error> {
/// let kafka = TestBroker::start()?;
/// // Hand this to the program under test:
/// let bootstrap_servers = kafka.bootstrap_servers();
/// # let _ = bootstrap_servers;
///
/// kafka.producer().send(ProducerRecord::new("orders").value("from the test"))?.wait()?;
/// assert_eq!(kafka.admin().list_topics(), ["orders"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TestBroker {
    broker: Broker,
    listener: Listener,
}

impl TestBroker {
    /// Starts a broker on a free port of the loopback interface.
    ///
    /// # Errors
    /// As [`BrokerBuilder::open`] and [`Broker::listen`]: the temporary directory cannot be written, or no port
    /// is free.
    pub fn start() -> Result<Self> {
        Self::builder().start()
    }

    /// Starts a broker whose time is `clock`: with a [`ManualClock`](crate::ManualClock), a week of retention
    /// passes in one call.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use ottla::{ManualClock, ProducerRecord, TestBroker};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let clock = Arc::new(ManualClock::new(1_000));
    /// let kafka = TestBroker::with_clock(clock.clone())?;
    /// clock.advance(Duration::from_secs(7));
    /// let sent = kafka.producer().send(ProducerRecord::new("orders").value("late"))?.wait()?;
    /// assert_eq!(sent.timestamp, 8_000);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`TestBroker::start`].
    pub fn with_clock(clock: Arc<dyn Clock>) -> Result<Self> {
        Self::builder().clock(clock).start()
    }

    /// A broker for tests with other settings.
    pub fn builder() -> TestBrokerBuilder {
        TestBrokerBuilder { broker: Broker::builder().temporary() }
    }

    /// What a client takes as `bootstrap.servers`.
    pub fn bootstrap_servers(&self) -> String {
        self.listener.bootstrap_servers()
    }

    /// The address of the listener.
    pub fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr()
    }

    /// The broker itself.
    pub fn broker(&self) -> &Broker {
        &self.broker
    }
}

impl Deref for TestBroker {
    type Target = Broker;

    fn deref(&self) -> &Broker {
        &self.broker
    }
}

impl Drop for TestBroker {
    fn drop(&mut self) {
        // Clones of the broker may live on in the test; its port and directory must not.
        self.broker.close();
    }
}

/// How to start a [`TestBroker`].
///
/// # Examples
/// ```
/// use ottla::TestBroker;
/// # fn main() -> Result<(), ottla::Error> {
/// let kafka = TestBroker::builder().set("auto.create.topics.enable", "false").start()?;
/// assert!(kafka.admin().list_topics().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is started"]
pub struct TestBrokerBuilder {
    broker: BrokerBuilder,
}

impl TestBrokerBuilder {
    /// Sets one setting, by Kafka's key.
    pub fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.broker = self.broker.set(key, value);
        self
    }

    /// Takes time from `clock`.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.broker = self.broker.clock(clock);
        self
    }

    /// Starts the broker.
    ///
    /// # Errors
    /// As [`TestBroker::start`], and [`InvalidConfig`](crate::ErrorCode::InvalidConfig) for wrong settings.
    pub fn start(self) -> Result<TestBroker> {
        let broker = self.broker.open()?;
        let listener = broker.listen("127.0.0.1:0")?;
        Ok(TestBroker { broker, listener })
    }
}
