//! Waiting for the broker to be as a test wants it, instead of sleeping.

use std::borrow::Borrow;
use std::fmt;
use std::time::Duration;

use super::TestBroker;
use super::request_match::RequestMatch;
use crate::error::{Error, Result};
use crate::model::{ErrorCode, TopicPartition};
use crate::sys::{Clock, SystemClock};

/// How soon a wait looks again when nothing has come over the wire: what a native producer or consumer does is not
/// heard of.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

type Check = Box<dyn Fn(&TestBroker) -> Result<(), String> + Send + Sync>;

/// What a test waits for: [`TestBroker::wait_until`].
pub struct Until {
    what: String,
    check: Check,
}

impl Until {
    /// Whether the broker is as wanted now.
    ///
    /// # Errors
    /// How it is instead, in words.
    pub fn check(&self, kafka: &TestBroker) -> Result<(), String> {
        (self.check)(kafka)
    }

    /// Whatever the closure says: `Ok` if the broker is as wanted, else how it is.
    pub fn new(
        what: impl Into<String>,
        check: impl Fn(&TestBroker) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Until { what: what.into(), check: Box::new(check) }
    }

    /// A topic has at least `count` records: the offsets from its partitions' starts to their ends, which the ends of
    /// transactions take as well.
    pub fn records(topic: impl Into<String>, count: i64) -> Self {
        let topic = topic.into();
        Until::new(format!("topic '{topic}' has {count} records"), move |kafka| {
            let found = records_of(kafka, &topic).map_err(|error| error.to_string())?;
            let sum: i64 = found.iter().map(|(_, records)| records).sum();
            if sum >= count {
                return Ok(());
            }
            let partitions: Vec<_> =
                found.iter().map(|(number, n)| format!("{n} in partition {number}")).collect();
            Err(format!("it has {sum}: {}", partitions.join(", ")))
        })
    }

    /// A group is stable, with so many members: each knows what it reads.
    pub fn group_is_stable(group: impl Into<String>, members: usize) -> Self {
        let group = group.into();
        Until::new(format!("group '{group}' is stable with {members} members"), move |kafka| {
            let found = kafka.admin().describe_group(&group).map_err(|error| error.to_string())?;
            let is_stable = matches!(found.state, crate::broker::GroupState::Stable);
            if is_stable && found.members.len() == members {
                return Ok(());
            }
            let names: Vec<_> = found
                .members
                .iter()
                .map(|member| format!("{} at {}", member.member_id, member.client_host))
                .collect();
            Err(format!("it is {} with {} members: [{}]", found.state, names.len(), names.join(", ")))
        })
    }

    /// A group exists and has no members.
    pub fn group_is_empty(group: impl Into<String>) -> Self {
        let group = group.into();
        Until::new(format!("group '{group}' is empty"), move |kafka| {
            let found = kafka.admin().describe_group(&group).map_err(|error| error.to_string())?;
            if found.members.is_empty() {
                return Ok(());
            }
            Err(format!("it is {} with {} members", found.state, found.members.len()))
        })
    }

    /// A group has committed something, and in every partition of the topics of which it has, it has committed the end.
    pub fn lag_is_zero(group: impl Into<String>) -> Self {
        let group = group.into();
        Until::new(format!("group '{group}' has no lag"), move |kafka| {
            let text = |error: Error| error.to_string();
            let committed = kafka.admin().list_consumer_group_offsets(&group).map_err(text)?;
            if committed.is_empty() {
                return Err("it has committed nothing".to_owned());
            }
            let mut topics: Vec<&str> = committed.keys().map(|tp| tp.topic()).collect();
            topics.sort_unstable();
            topics.dedup();
            let mut lags = Vec::new();
            for topic in topics {
                for partition in kafka.topic(topic).map_err(text)?.partitions() {
                    let tp = partition.topic_partition();
                    let end = partition.latest_offset().map_err(text)?;
                    let at =
                        committed.iter().find(|(found, _)| *found == tp).map(|(_, offset)| offset.offset);
                    match at {
                        Some(at) if at >= end => {}
                        Some(at) => lags.push(format!("{tp} is at {at} of {end}")),
                        None if end == partition.earliest_offset().map_err(text)? => {}
                        None => lags.push(format!("{tp} is not committed, its end is {end}")),
                    }
                }
            }
            if lags.is_empty() { Ok(()) } else { Err(lags.join(", ")) }
        })
    }

    /// A group has committed at least this offset.
    pub fn committed(group: impl Into<String>, partition: TopicPartition, offset: i64) -> Self {
        let group = group.into();
        Until::new(format!("group '{group}' has committed {offset} of {partition}"), move |kafka| {
            let committed =
                kafka.admin().list_consumer_group_offsets(&group).map_err(|error| error.to_string())?;
            match committed.iter().find(|(tp, _)| **tp == partition) {
                Some((_, found)) if found.offset >= offset => Ok(()),
                Some((_, found)) => Err(format!("it has committed {}", found.offset)),
                None => Err("it has committed nothing of it".to_owned()),
            }
        })
    }

    /// A transactional id has no transaction that goes on: none was begun, or the last is committed or aborted, and all
    /// its partitions know.
    pub fn transaction_has_ended(transactional_id: impl Into<String>) -> Self {
        let id = transactional_id.into();
        Until::new(format!("the transaction of '{id}' has ended"), move |kafka| {
            use crate::broker::TransactionState::{CompleteAbort, CompleteCommit, Dead, Empty};
            let found = kafka.core.transactions.describe(&id).map_err(|code| code.to_string())?;
            match found.state {
                Empty | CompleteCommit | CompleteAbort | Dead => Ok(()),
                going_on => Err(format!("it is {}, of {:?}", going_on.name(), found.partitions)),
            }
        })
    }

    /// The journal has at least `count` of these requests, answered or not. A request that is not answered waits on
    /// the broker's clock by then, so that [`TestBroker::advance`] moves it on.
    pub fn requests(wanted: impl Into<RequestMatch>, count: usize) -> Self {
        let wanted = wanted.into();
        Until::new(format!("{count} requests have come that are {wanted:?}"), move |kafka| {
            let found = kafka.watch.journal().count(&wanted);
            if found >= count { Ok(()) } else { Err(format!("{found} have come")) }
        })
    }
}

/// What is waited for, in words.
impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl fmt::Debug for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Until({})", self.what)
    }
}

fn records_of(kafka: &TestBroker, topic: &str) -> Result<Vec<(i32, i64)>> {
    let partitions = kafka.topic(topic)?.partitions();
    let count = |partition: &crate::broker::topic::Partition| {
        Ok((
            partition.topic_partition().partition(),
            partition.latest_offset()? - partition.earliest_offset()?,
        ))
    };
    partitions.iter().map(count).collect()
}

impl TestBroker {
    /// Waits until the broker is as wanted, for at most `limit` of real time, however the broker's own time passes.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use ottla::{ProducerRecord, TestBroker, Until};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let kafka = TestBroker::start()?;
    /// kafka.producer().send(ProducerRecord::new("orders").value("one"))?;
    /// kafka.wait_until(Until::records("orders", 1), Duration::from_secs(10))?;
    ///
    /// let error = kafka.wait_until(Until::records("orders", 2), Duration::ZERO).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "waited 0ns in vain until topic 'orders' has 2 records: it has 1: 1 in partition 0"
    /// );
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`RequestTimedOut`](ErrorCode::RequestTimedOut): it was not, and how it was instead.
    pub fn wait_until(&self, until: impl Borrow<Until>, limit: Duration) -> Result<()> {
        let until = until.borrow();
        let clock = SystemClock::new();
        loop {
            let seen = self.watch.events();
            let Err(state) = until.check(self) else { return Ok(()) };
            let left = limit.saturating_sub(clock.monotonic());
            if left == Duration::ZERO {
                let message = format!("waited {limit:?} in vain until {until}: {state}");
                return Err(Error::new(ErrorCode::RequestTimedOut, message));
            }
            self.watch.wait(seen, left.min(LOOK_AGAIN));
        }
    }
}
