//! `ottla serve`: a broker as a process.
//!
//! ```sh
//! ottla serve server.properties --override log.dirs=/var/lib/ottla
//! ottla serve --temporary            # a free port of 127.0.0.1, a directory that is removed at the end
//! ottla config retention             # what settings there are, with type, default and range
//! ```
//!
//! # Settings
//!
//! They have Kafka's names. Those of the file count least; over them count variables of the environment as Kafka's
//! container images have them (`KAFKA_LOG_DIRS` is `log.dirs`; see
//! [`settings_from_environment`](crate::settings_from_environment)), and over those `--override`. All that is wrong is
//! told at once, and nothing is started. A setting that ottla knows and that has no effect here says so once in the log,
//! unless it says what a single broker does anyway, such as one replica; `ottla config` marks it.
//!
//! Settings that Kafka changes while it runs can be changed here too, by `kafka-configs` or any client; they are kept in
//! the log directories and count over the file. Those of groups that have no effect say so in the log when they are set:
//! there is no queue of dead letters (`errors.deadletterqueue.topic.name` and what goes with it, KIP-1191), so that records
//! that a share group gives up stay where they are, and no more.
//!
//! One default differs from what Kafka does with it: where `socket.receive.buffer.bytes` is not set, connections get a
//! receive buffer of 1 MiB instead of 100 KiB, which saves a third of the CPU time of producing large batches.
//!
//! # Topics that nobody has made
//!
//! A client that asks for a topic that does not exist makes it, with the broker's defaults, if
//! `auto.create.topics.enable` and the client allow it; so does a native `send`. The answer has the topic already, where
//! Kafka has the client ask again. `__consumer_offsets` and `__transaction_state` are made with settings of their own
//! (`offsets.topic.*`, `transaction.state.log.*`), whoever asks first.
//!
//! # What it prints
//!
//! On stdout one line, once clients are accepted; whoever started the process can wait for it:
//!
//! ```text
//! ready bootstrap.servers=HOST:PORT log.dirs=DIR startup_ms=N
//! ```
//!
//! Everything else goes to stderr, as much of it as `--log-level` or `RUST_LOG` asks for.
//!
//! After a stop that was not a clean one, logs are recovered before that line comes, each log directory by
//! `num.recovery.threads.per.data.dir` threads. How many logs and bytes that are is logged at its beginning; while it lasts, a
//! terminal shows a bar, and elsewhere there is a line every five seconds. Where there is nothing to recover, nothing is
//! said. (From Rust: [`BrokerBuilder::on_recovery`](crate::BrokerBuilder::on_recovery).)
//!
//! # How it ends
//!
//! SIGTERM and SIGINT stop it cleanly with exit code 0, and on Linux so does SIGHUP, of a terminal that closes, except
//! under `nohup`; a second one ends it at once with 130, which is as a crash. A start that fails ends with a code other than 0 and a message that says what is wrong and what to do.
//!
//! It goes on while one of `log.dirs` can be used, and ends with exit code 1 once the last one has failed, as Apache Kafka
//! does: whoever watches the process can act then. (A broker that is embedded does not end the program around it, see
//! [`BrokerBuilder::on_log_dir_failure`](crate::BrokerBuilder::on_log_dir_failure).)
//!
//! # One process, one directory
//!
//! A log directory is locked while it is open. Copy it when the broker is stopped. A directory in use, one of another
//! cluster or node, and files of a newer format (their version, or the magic of record batches) are refused by name, and
//! left as they are: open such a directory with the version that wrote it. Files and directories that do not belong there
//! are named in the log and left alone.
//!
//! # A directory that Apache Kafka wrote
//!
//! Stop Kafka, take a copy, and name its directories in `log.dirs`, with the `server.properties` of that Kafka if there
//! is one. The broker's id is the directory's unless one is set. Records, producers, open transactions and committed
//! offsets are served as Kafka served them; what a Kafka that was killed has left is recovered.
//!
//! * **From Kafka 3.3 on, without ZooKeeper**, topics, their ids and settings, and settings that were changed while it ran
//!   are read from `__cluster_metadata-0` (in `metadata.log.dir`, if that is set). Settings that ottla does not have are
//!   named in the log and left out. Users, permissions and quotas are not taken over. Partitions of which the cluster
//!   kept its only replicas elsewhere are served empty.
//! * **With ZooKeeper**, the settings of topics are not on the disk. So that nothing is lost, the topics are opened with
//!   `cleanup.policy=delete`, `retention.ms=-1` and `retention.bytes=-1`, which the log says, and keep every record until
//!   they are set as they were, by `kafka-configs` or any client; before Kafka is stopped,
//!   `kafka-topics --describe --topics-with-overrides` tells how. `__consumer_offsets` and `__transaction_state` are set
//!   by `offsets.topic.*` and `transaction.state.log.*`.
//!
//! Kafka can be started on the directory again. It serves what was written meanwhile, offsets that were committed
//! included; its own `__cluster_metadata` has not been touched. Topics that were made meanwhile are strangers to it, and
//! it puts them aside (`-stray`); ones that were deleted are there again, empty. When ottla opens the directory after
//! that, what Kafka's metadata say counts over what ottla had remembered.
//!
//! # When a disk has damaged something
//!
//! ```sh
//! ottla verify /var/lib/ottla         # reads everything, writes nothing; exit code 1 if something is wrong
//! ottla repair /var/lib/ottla         # says what it would cut, and does nothing; the same exit codes
//! ottla repair --yes /var/lib/ottla   # does it; exit code 1 only if something cannot be repaired
//! ```
//!
//! What is no part of a broker's logs is named, too, and counts as no problem. Progress goes to stderr: a line that changes on a
//! terminal, elsewhere one for each tenth of the bytes.
//!
//! Both need a directory that no broker has open, and refuse one that is locked. An end of a log that a crash has torn, behind
//! what is known to be flushed, is no damage: `verify` tells it as something for the next start to mend.
//!
//! A repair cuts each bad batch out of its segment, while the good ones before and behind it stay at their offsets: consumers go
//! on behind the gap. Only what the next start recovers is cut from the first bad batch on, as that start would have it.
//! Indexes, producer snapshots and checkpoints that are not right are put aside, and made anew by the next start; so is
//! `meta.properties`, which then gets another cluster id unless another of the `log.dirs` tells it.
//!
//! Nothing is removed. What was cut is in a file beside, named after the bytes that it had there
//! (`00000000000000000042.log.8192-9100.cut`), what was put aside has `.cut` behind its name (`.1.cut` if that is taken).
//! Brokers and `verify` pass over such files; remove them when nobody needs them any more. A repair that was cut short can be
//! run again. From Rust: [`VerifyLogDir`](crate::VerifyLogDir), [`RepairLogDir`](crate::RepairLogDir).
