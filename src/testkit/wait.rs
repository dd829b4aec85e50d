//! Waiting for the broker to be as a test wants it, instead of sleeping.

use std::borrow::Borrow;
use std::fmt;
use std::time::Duration;

use super::TestBroker;
use super::request_match::RequestMatch;
use crate::broker::GroupType;
use crate::broker::admin::ListGroupsOptions;
use crate::broker::topic::Partition;
use crate::error::{Error, Result};
use crate::model::{ErrorCode, IsolationLevel, TRANSACTION_STATE_TOPIC, TopicPartition};
use crate::sys::{Clock, SystemClock};

/// How soon a wait looks again when nothing has come over the wire: what a native producer or consumer does is not
/// heard of.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Up to how many offsets it is looked which of them are records, where they would not be enough even if all were.
const MAX_COUNTED_IN_VAIN: i64 = 10_000;

/// How large what one batch holds may be.
const MAX_DECOMPRESSED: usize = 1 << 30;

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

    /// A topic has at least `count` records for a consumer that reads all of it with
    /// [`ReadUncommitted`](IsolationLevel::ReadUncommitted), the default: those of open and of aborted transactions too.
    /// The markers at which transactions end do not count, though they take offsets, nor does what compaction or retention
    /// has removed.
    pub fn records(topic: impl Into<String>, count: i64) -> Self {
        let topic = topic.into();
        let what = format!("topic '{topic}' has {count} records");
        Until::new(what, move |kafka| has_records(kafka, &topic, count, IsolationLevel::ReadUncommitted))
    }

    /// The same with [`ReadCommitted`](IsolationLevel::ReadCommitted): neither what aborted transactions have written
    /// counts, nor what stands behind the begin of one that is open.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use ottla::{ProducerRecord, TestBroker, Until};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let kafka = TestBroker::start()?;
    /// let producer = kafka.producer_builder().transactional_id("till-4").build()?;
    /// let transaction = producer.begin_transaction()?;
    /// transaction.send(ProducerRecord::new("orders").value("one"))?.wait()?;
    /// kafka.wait_until(Until::records("orders", 1), Duration::from_secs(10))?;
    /// assert!(kafka.wait_until(Until::committed_records("orders", 1), Duration::ZERO).is_err());
    ///
    /// transaction.commit()?;
    /// kafka.wait_until(Until::committed_records("orders", 1), Duration::from_secs(10))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn committed_records(topic: impl Into<String>, count: i64) -> Self {
        let topic = topic.into();
        let what = format!("topic '{topic}' has {count} committed records");
        Until::new(what, move |kafka| has_records(kafka, &topic, count, IsolationLevel::ReadCommitted))
    }

    /// A group is stable, with so many members: each knows what it reads.
    pub fn group_is_stable(group: impl Into<String>, members: usize) -> Self {
        let group = group.into();
        Until::new(format!("group '{group}' is stable with {members} members"), move |kafka| {
            let found = kafka.admin().describe_group(&group).map_err(|error| no_group(kafka, &error))?;
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
            let found = kafka.admin().describe_group(&group).map_err(|error| no_group(kafka, &error))?;
            if found.members.is_empty() {
                return Ok(());
            }
            Err(format!("it is {} with {} members", found.state, found.members.len()))
        })
    }

    /// A group has committed something, and in every partition of the topics of which it has, it has committed the end.
    /// A share group, which commits nothing, has dealt with all records of the partitions that it reads.
    pub fn lag_is_zero(group: impl Into<String>) -> Self {
        let group = group.into();
        Until::new(format!("group '{group}' has no lag"), move |kafka| {
            // One that only commits has no description before it has done so.
            let is_share =
                kafka.admin().describe_group(&group).is_ok_and(|of| of.group_type == GroupType::Share);
            let lags = if is_share { lags_of_share_group(kafka, &group) } else { lags(kafka, &group) };
            match lags.map_err(|error| error.to_string())? {
                Some(lags) if lags.is_empty() => Ok(()),
                Some(lags) => Err(lags.join(", ")),
                None if is_share => Err("it reads nothing".to_owned()),
                None => Err("it has committed nothing".to_owned()),
            }
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

    /// A transactional id has no transaction that goes on: none was begun, even if nobody has ever used the id, or the last
    /// is committed or aborted, and all its partitions know.
    pub fn transaction_has_ended(transactional_id: impl Into<String>) -> Self {
        let id = transactional_id.into();
        Until::new(format!("the transaction of '{id}' has ended"), move |kafka| {
            use crate::broker::TransactionState::{CompleteAbort, CompleteCommit, Dead, Empty};
            let found = match kafka.core.transactions.describe(&id) {
                Ok(found) => found,
                Err(ErrorCode::TransactionalIdNotFound) => return Ok(()),
                // Where there is no place for transactions yet, nobody has begun any.
                Err(_) if kafka.core.metadata.topic(TRANSACTION_STATE_TOPIC).is_none() => return Ok(()),
                Err(code) => return Err(format!("its coordinator cannot tell: {code}")),
            };
            match found.state {
                Empty | CompleteCommit | CompleteAbort | Dead => Ok(()),
                going_on => Err(format!("it is {}, of {:?}", going_on.name(), found.partitions)),
            }
        })
    }

    /// The journal, which keeps the last 10,000 requests, has at least `count` of these, answered or not. A request that is not answered waits on
    /// the broker's clock by then, so that [`TestBroker::advance`] moves it on.
    pub fn requests(wanted: impl Into<RequestMatch>, count: usize) -> Self {
        let wanted = wanted.into();
        Until::new(format!("{count} requests have come ({wanted})"), move |kafka| {
            let journal = kafka.watch.journal();
            let found = journal.count(&wanted);
            if found >= count {
                Ok(())
            } else {
                Err(format!("{found} have come; {}", journal.last_in_words()))
            }
        })
    }

    /// The broker is done with at least `count` of these requests, of the last 10,000 that have come, whether they are answered
    /// or not: a rule for faults may hold an answer back, or drop it.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use ottla::{ApiKey, TestBroker, Until};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let kafka = TestBroker::start()?;
    /// let error = kafka.wait_until(Until::requests_have_ended(ApiKey::Produce, 1), Duration::ZERO).unwrap_err();
    /// assert!(error.to_string().contains("none of them has come; nobody has sent any request"), "{error}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn requests_have_ended(wanted: impl Into<RequestMatch>, count: usize) -> Self {
        let wanted = wanted.into();
        Until::new(format!("{count} requests are over ({wanted})"), move |kafka| {
            let come = kafka.journal(&wanted);
            let over = come.iter().filter(|entry| entry.end.is_some()).count();
            if over >= count {
                Ok(())
            } else if come.is_empty() {
                Err(format!("none of them has come; {}", kafka.watch.journal().last_in_words()))
            } else {
                Err(format!("{over} of {} are over", come.len()))
            }
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

/// Why a group cannot be told of, and which could.
fn no_group(kafka: &TestBroker, error: &Error) -> String {
    let groups = kafka.admin().list_groups(&ListGroupsOptions::new()).unwrap_or_default();
    match (error.code(), groups.is_empty()) {
        (ErrorCode::GroupIdNotFound, true) => format!("{error}; there is no group at all"),
        (ErrorCode::GroupIdNotFound, false) => {
            let ids: Vec<_> = groups.iter().map(|group| format!("'{}'", group.group_id)).collect();
            format!("{error}; there is {}", ids.join(", "))
        }
        _ => error.to_string(),
    }
}

fn has_records(kafka: &TestBroker, topic: &str, count: i64, isolation: IsolationLevel) -> Result<(), String> {
    let found = records_of(kafka, topic, count, isolation).map_err(|error| error.to_string())?;
    let sum: i64 = found.counts.iter().map(|(_, records)| records).sum();
    if found.is_exact && sum >= count {
        return Ok(());
    }
    let partitions: Vec<_> =
        found.counts.iter().map(|(number, n)| format!("{n} in partition {number}")).collect();
    let has = if found.is_exact { "has" } else { "has at most" };
    Err(format!("it {has} {sum}: {}", partitions.join(", ")))
}

/// The partitions whose end a group has not committed, in words; `None` if it has committed nothing.
fn lags(kafka: &TestBroker, group: &str) -> Result<Option<Vec<String>>> {
    let committed = kafka.admin().list_consumer_group_offsets(group)?;
    let mut topics: Vec<&str> = committed.keys().map(|tp| tp.topic()).collect();
    topics.sort_unstable();
    topics.dedup();
    let mut lags = Vec::new();
    for topic in topics {
        for partition in kafka.topic(topic)?.partitions() {
            let tp = partition.topic_partition();
            let end = partition.latest_offset()?;
            let at = committed.iter().find(|(found, _)| *found == tp).map(|(_, offset)| offset.offset);
            match at {
                Some(at) if at >= end => {}
                Some(at) => lags.push(format!("{tp} is at {at} of {end}")),
                None if end == partition.earliest_offset()? => {}
                None => lags.push(format!("{tp} is not committed, its end is {end}")),
            }
        }
    }
    Ok((!committed.is_empty()).then_some(lags))
}

/// The partitions of which a share group has something left, in words; `None` if it reads none.
fn lags_of_share_group(kafka: &TestBroker, group: &str) -> Result<Option<Vec<String>>> {
    let standing = kafka.admin().list_share_group_offsets(group)?;
    let mut lags = Vec::new();
    for (tp, at) in &standing {
        let partition = kafka.topic(tp.topic())?.partition(tp.partition())?;
        let (start, end) = (partition.earliest_offset()?, partition.latest_offset()?);
        match at.lag {
            Some(lag) if lag <= 0 => {}
            Some(lag) => lags.push(format!("{tp} has {lag} left before {end}")),
            None if start == end => {}
            // One that begins at the end has not said yet where that was.
            None => lags.push(format!("nothing of {tp} is dealt with, its end is {end}")),
        }
    }
    Ok((!standing.is_empty()).then_some(lags))
}

/// How many records partitions have, by their numbers.
struct Counted {
    counts: Vec<(i32, i64)>,
    is_exact: bool,
}

/// Counts those that a reader gets; only offsets, where they are many and not enough anyway.
fn records_of(kafka: &TestBroker, topic: &str, wanted: i64, isolation: IsolationLevel) -> Result<Counted> {
    let partitions = kafka.topic(topic)?.partitions();
    let number = |partition: &Partition| partition.topic_partition().partition();
    let mut counts = Vec::new();
    for partition in &partitions {
        counts.push((number(partition), partition.latest_offset()? - partition.earliest_offset()?));
    }
    let offsets: i64 = counts.iter().map(|(_, offsets)| offsets).sum();
    if offsets < wanted && offsets > MAX_COUNTED_IN_VAIN {
        return Ok(Counted { counts, is_exact: false });
    }
    for (partition, (_, count)) in partitions.iter().zip(&mut counts) {
        *count = count_records(partition, isolation)?;
    }
    Ok(Counted { counts, is_exact: true })
}

fn count_records(partition: &Partition, isolation: IsolationLevel) -> Result<i64> {
    let start = partition.earliest_offset()?;
    let mut reader = partition.read_from(start).isolation_level(isolation).check_crcs(false);
    let mut count = 0;
    while let Some(batch) = reader.next_batch()? {
        // The first may begin before the start of the log.
        let is_whole = batch.view().base_offset() >= start;
        count += match batch.view().records_count().filter(|_| is_whole) {
            Some(records) => i64::from(records),
            None => {
                let mut records = 0;
                for record in batch.records(MAX_DECOMPRESSED)? {
                    records += i64::from(record?.offset() >= start);
                }
                records
            }
        };
    }
    Ok(count)
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
