//! Brokers for tests.
//!
//! [`TestBroker::start`](crate::TestBroker::start) gives a broker of its own to each test: a temporary directory, a free
//! port, nothing to wait for, nothing left behind: not even by a process that is killed, whose files go with the next start.
//! The test acts and looks from within, the program under test comes over TCP:
//!
//! ```
//! use std::time::Duration;
//! use ottla::{ProducerRecord, TestBroker, Until};
//! # fn main() -> Result<(), ottla::Error> {
//! let kafka = TestBroker::start()?;
//! let bootstrap_servers = kafka.bootstrap_servers(); // for the program under test
//! # let _ = bootstrap_servers;
//! kafka.producer().send(ProducerRecord::new("orders").value("one"))?;
//! kafka.wait_until(Until::records("orders", 1), Duration::from_secs(10))?;
//! assert_eq!(kafka.records("orders")?[0].value.as_deref(), Some(&b"one"[..]));
//! # Ok(())
//! # }
//! ```
//!
//! # Time
//!
//! Each broker has one clock. That of a test broker runs as the machine's does, and
//! [`TestBroker::advance`](crate::TestBroker::advance) lets a week pass in one call: sessions and rebalances time out,
//! long polls are answered, transactions are aborted, offsets expire, retention deletes, compaction compacts, idle
//! connections are closed, connections that came faster than `max.connection.creation.rate` are let in, each at its own
//! deadline, and all of it before the call returns. With a [`ManualClock`](crate::ManualClock) nothing happens by itself
//! at all; [`ScaledClock`](crate::ScaledClock) may also run faster than the machine's. Quotas of clients are not there
//! yet; `throttleMs` of a rule, below, tells a client what a quota would.
//!
//! Clients outside have clocks of their own. A consumer that has heard nothing of the week sends its next heartbeat as
//! always, and learns that it is out of its group.
//!
//! # Waiting
//!
//! [`TestBroker::wait_until`](crate::TestBroker::wait_until) waits for records, for a stable group, for committed
//! offsets, for a lag of zero, for the end of a transaction, for requests; see [`Until`](crate::Until). What did not happen in time is told with the
//! state that there was instead.
//!
//! # Looking
//!
//! [`TestBroker::journal`](crate::TestBroker::journal) has every request of every client, decoded, and the errors in its
//! answer (also of those that are refused for their version, or cannot be decoded), and both also as [values](crate::FieldValue) by Kafka's names of the fields; [`TestBroker::records`](crate::TestBroker::records) all records of a topic;
//! [`TestBroker::group_history`](crate::TestBroker::group_history) and
//! [`TestBroker::transaction_history`](crate::TestBroker::transaction_history) why a group rebalanced and why somebody was
//! fenced, in words ([`TestBroker::producer_history`](crate::TestBroker::producer_history) for producers without a
//! transactional id); [`Admin::describe_group`](crate::Admin::describe_group) the members of a group and what each reads;
//! [`TestBroker::transactions`](crate::TestBroker::transactions) and [`TestBroker::connections`](crate::TestBroker::connections)
//! what there is of those. So that every
//! Fetch says what it is about, a test broker grants no fetch sessions, unless
//! `max.incremental.fetch.session.cache.slots` is set.
//!
//! # Faults
//!
//! Rules for requests, from [`TestBroker::faults`](crate::TestBroker::faults): an answer with any error of Kafka; an
//! answer that comes late, is lost, or ends in its middle; a connection that breaks before or after the work; a batch
//! that is damaged on its way. For whom a rule is, [`RequestMatch`](crate::RequestMatch) says; how often,
//! [`FaultRule`](crate::FaultRule). A rule that names a topic is for each whole request that names it, with all else
//! that the request asks for; only [`FaultRule::answer_there`](crate::FaultRule::answer_there) takes a request
//! apart, wherever its answer has an error for each thing (DescribeLogDirs has one for each directory). [`FaultRule::refuse_connections`](crate::FaultRule::refuse_connections) is for those who come anew.
//!
//! [`TestBroker::disk`](crate::TestBroker::disk) fails as disks do, and takes its time by the broker's clock; [`stop`](crate::TestBroker::stop),
//! [`restart`](crate::TestBroker::restart) and [`pause`](crate::TestBroker::pause) are what operators and machines do to
//! brokers. The address stays through all of it.
//!
//! [`TestBroker::lose_power`](crate::TestBroker::lose_power) keeps only what was synced, or also what chance leaves of the
//! rest, torn writes among it, for a broker that was started with
//! [`TestBrokerBuilder::volatile_disk`](crate::TestBrokerBuilder::volatile_disk). Its forks have disks of their own, on
//! which all that they start with is synced.
//!
//! [`TestBroker::reset`](crate::TestBroker::reset) is for a broker that many tests share one after the other.
//!
//! # Apart from each other
//!
//! [`TestBroker::snapshot`](crate::TestBroker::snapshot) keeps a broker as it is, and
//! [`TestBroker::restore`](crate::TestBroker::restore) brings it back at the same address: what many tests need is
//! prepared once. [`TestBroker::fork`](crate::TestBroker::fork) starts a second broker from where the first is, for tests
//! side by side. Either costs links to files, not copies, however much is in the topics; groups keep their offsets and
//! lose their members, which are clients of the other broker.
//!
//! [`TestBroker::namespace`](crate::TestBroker::namespace) is for tests that run at once on one broker and use the same
//! names: clients that come by the namespace's address see its topics, groups and transactional ids, by the names that
//! they give them, and no others. To all others the names have the namespace in front: `orders` of the namespace `a` is
//! `a.orders` in the journal, in rules for faults, in what groups are assigned and in
//! [`TestBroker::records`](crate::TestBroker::records). The topics of the broker's own are the same for all, and a topic
//! that is asked for by its id is found from everywhere. Patterns, of subscriptions and in listings of transactions, are
//! for the names that clients of the namespace see.
//!
//! # Several brokers
//!
//! [`TestBrokerBuilder::nodes`](crate::TestBrokerBuilder::nodes) makes one broker several to its clients: each has an
//! address, leads some partitions, coordinates some groups, and sends clients that ask the wrong one away as Kafka does.
//! [`TestBroker::move_leader`](crate::TestBroker::move_leader),
//! [`move_group_coordinator`](crate::TestBroker::move_group_coordinator),
//! [`move_transaction_coordinator`](crate::TestBroker::move_transaction_coordinator) and
//! [`move_controller`](crate::TestBroker::move_controller) are elections;
//! [`node_down`](crate::TestBroker::node_down) and [`node_up`](crate::TestBroker::node_up) take a broker away and bring it
//! back. A coordinator is the leader of a partition of `__consumer_offsets` or `__transaction_state`, so that what is
//! kept in the same partition moves along. Where all replicas of a partition are down, it has no leader. What a share group
//! has acquired at the old leader is there to be acquired again at the new one.
//!
//! [`TestBrokerBuilder::api_versions`](crate::TestBrokerBuilder::api_versions) offers clients no more than an older Kafka
//! did ([`ApiVersionRanges::kafka_2_7`](crate::ApiVersionRanges::kafka_2_7)), or what the test says.
//!
//! # From other languages
//!
//! `ottla test` starts such a broker as a process, and says where it is:
//!
//! ```text
//! $ ottla test
//! ready bootstrap.servers=127.0.0.1:40123 control=http://127.0.0.1:40124 startup_ms=1
//! ```
//!
//! Its files go with it: a second process, which does nothing but wait, removes what is there when the first was killed.
//!
//! It ends when the process that has started it ends, however that happens (unless `--detach` is given; on Windows use
//! `--until-stdin-ends` and keep a pipe to it open, which is the sure way where a parent may end within the millisecond
//! that it takes to begin: on Linux that is seen by the session, if whoever adopts orphans is in another one).
//! `--clock manual` or `--clock 60` chooses the clock, `--volatile-disk`
//! lets the test cut the power, `--nodes 3` makes it several brokers, `--as-kafka 2.7` and `--api-versions Produce=0-8`
//! say which versions clients are offered, `--override KEY=VALUE` sets Kafka's settings.
//!
//! The control endpoint speaks JSON over HTTP. `ottla ctl` says the same things on the command line, with the endpoint
//! from `--control` or `OTTLA_CONTROL`.
//!
//! | request | body or query | what it does |
//! |---|---|---|
//! | `GET /v1` | | all of these, as `GET /v1/status` |
//! | `GET /v1/status` | | `bootstrapServers`, `clusterId`, `nowMs`, `faultSeed`, `state`: running, paused or stopped |
//! | `POST /v1/advance` | `ms` | lets time pass; answers when all that is due is done; 400 for more than the clock can show, 584 years in all |
//! | `POST /v1/wait` | `until` and what it needs (below), `limitMs` (10000) | answers when it is so; status 408 says how it is instead |
//! | `GET /v1/journal` | a match (below) | the requests that have come, with the fields of request (`body`) and answer (`end.body`), or why one was refused before it was looked into (`end.refusal`); `truncated` where a body says more (2,000 values, 1 KiB of a text, 20 records of a partition are kept) |
//! | `DELETE /v1/journal` | | forgets them |
//! | `GET /v1/topics`, `POST /v1/topics` | `name`, `partitions` (1), `configs` | shows the topics; makes one |
//! | `DELETE /v1/topics/NAME` | | deletes one |
//! | `GET /v1/topics/NAME/records` | | all its records; bytes that are no UTF-8 as `{"hex": …}` |
//! | `POST /v1/topics/NAME/records` | `records`: a list of `value`, `key`, `headers`, `partition`, `timestamp` | puts them there, as a producer would; `partition`, `offset` and `timestamp` of each |
//! | `GET /v1/groups` | | groups with type (`classic`, `consumer`, `share`), members, assignments, and per partition `offset`, `latestOffset`, `lag` |
//! | `GET /v1/transactions` | | transactional ids with producer, state and partitions |
//! | `GET /v1/connections` | | the connections that are open: peer, client, how many requests |
//! | `GET /v1/groups/ID/history`, `GET /v1/transactions/ID/history` | | what happened to a group or a transactional id, and why |
//! | `GET /v1/producers/ID/history` | | what was refused to a producer because its epoch is over |
//! | `POST /v1/faults` | a match, `skip`, `times`, `probability`, and one effect (below) | starts a rule; `id` |
//! | `GET /v1/faults` | | the rules: `id`, `hits`, and each as it was given |
//! | `DELETE /v1/faults`, `DELETE /v1/faults/ID` | | ends all rules; one |
//! | `POST /v1/disk` | `fail`: an operation (below); `with`: EIO or ENOSPC; `path`, `skip`, `times` | has the disk fail, with all that it was told before |
//! | `POST /v1/disk` | `delay`: an operation, `ms`; `path`, `skip`, `times` | has it take so much of the broker's time |
//! | `GET /v1/disk` | | the rules for the disk: `hits`, and each as it was given |
//! | `DELETE /v1/disk` | | has it work again |
//! | `POST /v1/power-loss` | `seed` | cuts the power and starts again, if it was started with `--volatile-disk`: with what was synced, and if there is a seed, with what chance leaves of the rest |
//! | `POST /v1/namespaces` | `name` | lets clients of one more address see a part of the broker; `bootstrapServers` |
//! | `GET /v1/namespaces` | | those that there are: `name`, `bootstrapServers` |
//! | `DELETE /v1/namespaces/NAME` | | ends it, with its topics, groups and transactional ids |
//! | `GET /v1/nodes` | | the brokers that it is: `id`, `address`, `up`, `controller` |
//! | `POST /v1/nodes/ID/down`, `POST /v1/nodes/ID/up` | | takes one of them away; brings it back |
//! | `POST /v1/move` | `what`: leader (`topic`, `partition`), coordinator (`group` or `transactionalId`) or controller; `to` | has another broker be it, the next one without `to` |
//! | `POST /v1/snapshots` | | keeps the broker as it is; `id` |
//! | `POST /v1/snapshots/ID/restore`, `DELETE /v1/snapshots/ID` | | brings it back; forgets it |
//! | `POST /v1/forks` | `snapshot` | starts a second broker from here, or from a snapshot; `id`, `bootstrapServers`, `control` |
//! | `DELETE /v1/forks/ID` | | ends it |
//! | `POST /v1/reset`, `/v1/stop`, `/v1/restart`, `/v1/pause`, `/v1/resume` | | as the methods of these names |
//!
//! `until` is one of `records` (`topic`, `count`), `committedRecords` (the same, without those of transactions that are open
//! or aborted), `groupStable` (`group`, `members`), `groupEmpty` (`group`), `lagZero` (`group`; of a share group: all that it
//! reads is dealt with), `committed` (`group`, `topic`, `partition`, `offset`), `transactionEnded` (`transactionalId`),
//! `requests` (a match, `count`: so many have come), `requestsEnded` (the same: the broker is done with so many, even if a
//! rule holds the answer back, or drops it). The journal knows of the last 10,000.
//!
//! A match is any of `api` (Kafka's name or number), `minVersion`, `maxVersion`, `topic`, `partition`, `group`,
//! `transactionalId`, `clientId`, `connection`. An effect is one of `answer` (Kafka's name or number of an error),
//! `answerThere` (the same, for the topic, the partition, the group or the transactional id of the rule alone), `delayMs`,
//! `throttleMs`, `cutAnswer` (bytes), `moveLeader`, `moveCoordinator`, `moveController` (a broker's number, or `true` for
//! the next one), or `swallow`, `dropAnswer`, `disconnect`, `disconnectAfter`, `corruptCrc` (of the batches in an
//! answer to Fetch), `refuseConnections` (all that are new, whatever the match) with `true`.
//!
//! An operation of the disk is `sync`, `write`, `read`, `open`, `rename`, `remove`, `createDir`, `readDir`, `metadata`, `lock`,
//! `setModified`, `setLen` or `allocate`. With `path`, it fails for files only that have this in their paths:
//! `orders-0` is a partition, `.index` the indexes by offset.
//!
//! Thus a test without any client of Kafka:
//!
//! ```text
//! $ export OTTLA_CONTROL=http://127.0.0.1:40124
//! $ ottla ctl produce orders "two pears" --key customer-7
//! [
//!   {
//!     "offset": 0,
//!     "partition": 0,
//!     "timestamp": 1764000000000
//!   }
//! ]
//! $ ottla ctl fault api=Fetch topic=orders times=1 answer=NOT_LEADER_OR_FOLLOWER
//! $ ottla ctl wait until=lagZero group=billing limitMs=30000
//! ```
//!
//! What was not done is answered with a status other than 200, and `{"error": {"code": …, "message": …}}`. Requests
//! with an `Origin`, which come from pages in browsers, are refused. The same in OpenAPI:
//! `examples/control.openapi.yaml`. Helpers with tests of their own are in `examples/pytest`, `examples/junit`,
//! `examples/node` and `examples/go`. `examples/pytest/wheel` makes a wheel: `pip install` of it brings the `ottla` binary
//! and the pytest fixtures, so that this is a whole test:
//!
//! ```text
//! def test_orders_are_billed(kafka):
//!     kafka.produce("orders", "two pears", key="customer-7")
//!     bill(kafka.bootstrap_servers)  # the program under test
//!     kafka.wait_until("lagZero", group="billing")
//!     assert kafka.values("bills") == ["two pears: 3.20"]
//! ```
