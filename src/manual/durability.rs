//! What is promised when, and what a crash may take.
//!
//! | the record is | and survives |
//! |---|---|
//! | in the producer's buffer ([`Producer::send`](crate::Producer::send) has returned) | nothing; it may still be refused |
//! | acknowledged ([`SendHandle::wait`](crate::SendHandle::wait) has returned, or the answer came over TCP) | the end of the process in any way: it is in the page cache |
//! | flushed ([`Partition::flush`](crate::Partition::flush), `flush.messages`, `flush.ms`, a rolled segment, a clean stop) | the end of the machine |
//!
//! As with Apache Kafka, an acknowledged record is not on the disk yet unless the topic asks for it: `flush.messages=1`
//! makes every append wait for an fsync. Apache Kafka relies on replicas instead; a broker of one has none, so a program
//! that must not lose the last seconds at a power loss sets `flush.messages` or `flush.ms`, or calls `flush` where it
//! matters.
//!
//! Appends that come while the disk is busy share the next sync: with 64 producers at once, `flush.messages=1` costs a
//! small part of what a sync for each record would (see the figures in the README). Nobody but those who asked for it
//! waits: appends and reads go on meanwhile, and over TCP no thread waits with a request.
//!
//! ```
//! use ottla::{Broker, NewTopic, ProducerRecord};
//! # fn main() -> Result<(), ottla::Error> {
//! let broker = Broker::temporary()?;
//! broker.admin().create_topic(NewTopic::new("payments", 1).config("flush.messages", "1"))?;
//! let sent = broker.producer().send(ProducerRecord::new("payments").value("42"))?;
//! assert_eq!(sent.wait()?.offset, 0, "and it is on the disk by now");
//! # Ok(())
//! # }
//! ```
//!
//! # After a crash
//!
//! Opening reads each partition from its recovery point on, checks every batch, and cuts what is torn or wrong at the
//! end; indexes, producer state and leader epochs are made anew from what is left, and what was read is synced before it
//! is served: no later power loss takes back what this start has found. After a clean stop nothing is read.
//! Partitions are recovered at the same time, by `num.recovery.threads.per.data.dir` threads for each log directory, and
//! [`BrokerBuilder::on_recovery`](crate::BrokerBuilder::on_recovery) tells how far that is.
//!
//! Whoever wants to keep what such a start would cut runs `ottla repair --yes` before it: that cuts the same, and keeps it
//! beside the log ([operating](crate::manual::operating)).
//!
//! # A disk that fails
//!
//! A failed fsync is never tried again, since what it should have written may be gone from the cache: its log directory
//! goes offline, and its partitions answer `KAFKA_STORAGE_ERROR` until the broker is opened anew. Partitions in other
//! directories go on. [`BrokerBuilder::on_log_dir_failure`](crate::BrokerBuilder::on_log_dir_failure) tells of each; where
//! none is left, `ottla serve` ends with exit code 1, and an embedded broker goes on to answer with that error.
//!
//! So it is with reads and writes that fail, those of indexes included: they are read and written with calls, and not mapped
//! into memory, where a disk that fails is a signal to the process and no error.
//!
//! # A disk that is full
//!
//! It is not broken: writes that find no room answer `KAFKA_STORAGE_ERROR` and leave nothing behind, reads go on, and
//! writes succeed again as soon as there is room, without opening anew. (Apache Kafka takes the directory offline.)
//! What makes room is retention, [`Admin::delete_records`](crate::Admin::delete_records),
//! [`Admin::delete_topic`](crate::Admin::delete_topic), or whatever else is on the volume. Where there is no room to
//! write down that a topic is gone, its records go first, and at once; if that makes too little, the topic is still
//! there, empty.
//!
//! A transaction that cannot be ended then is not committed by halves: one whose end was decided gets its markers once
//! there is room, without anybody asking, and one whose end was not is aborted before the producer's next one begins.
//!
//! A stop cannot write down that it was a clean one then, which the log says: the next start recovers, as after a
//! crash. That needs no room, but where an index of an old segment is missing: then the start says so and ends, and
//! changes no record.
//!
//! # Several disks
//!
//! `log.dirs` names a directory on each. A new partition goes to the one with the fewest;
//! [`Admin::alter_replica_log_dirs`](crate::Admin::alter_replica_log_dirs) moves one elsewhere while it is written, at
//! most at `replica.alter.log.dirs.io.max.bytes.per.second`, and at most `num.replica.alter.log.dirs.threads` at the same
//! time. What was flushed before the move is flushed after it, and a crash at any moment leaves one log with all of it; the
//! move goes on with the next start, from where its copy was last known to be on the disk. While that disk is full, a move
//! waits; a copy that a crash has left in doubt, and that there is no room to cut at the next start, is given up with a
//! warning.
//!
//! # Deletion
//!
//! Whole segments go, by `retention.ms`, `retention.bytes` and
//! [`Admin::delete_records`](crate::Admin::delete_records), after `file.delete.delay.ms`. Records that a reader holds
//! stay readable until it lets them go.
