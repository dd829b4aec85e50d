//! Brokers for tests.
//!
//! [`TestBroker::start`](crate::TestBroker::start) gives a broker of its own to each test: a temporary directory, a free
//! port, nothing to wait for, nothing left behind. The test acts and looks from within, the program under test comes
//! over TCP:
//!
//! ```
//! use ottla::{ProducerRecord, TestBroker};
//! # fn main() -> Result<(), ottla::Error> {
//! let kafka = TestBroker::start()?;
//! let bootstrap_servers = kafka.bootstrap_servers(); // for the program under test
//! # let _ = bootstrap_servers;
//! kafka.producer().send(ProducerRecord::new("orders").value("one"))?.wait()?;
//! assert_eq!(kafka.topic("orders")?.partition(0)?.latest_offset()?, 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Time
//!
//! With a [`ManualClock`](crate::ManualClock), no timer of the broker runs by itself: sessions, rebalances, long polls,
//! retention and the expiry of offsets wait until the test moves the clock, see
//! [`TestBroker::with_clock`](crate::TestBroker::with_clock). Nothing has to be slept for.
//!
//! # From other languages
//!
//! `ottla serve --temporary` prints its address when it is ready and removes its directory when it is stopped.
//! Topics are made when they are first asked for; `--override group.initial.rebalance.delay.ms=0` lets groups start at
//! once.
