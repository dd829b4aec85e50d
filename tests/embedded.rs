//! The broker as a Rust program uses it: no socket, no other process.

#![expect(clippy::disallowed_methods, reason = "the threads and the patience of a test are its own")]

#[path = "embedded/admin.rs"]
mod admin;
#[path = "embedded/admin_groups.rs"]
mod admin_groups;
#[path = "embedded/consumer.rs"]
mod consumer;
#[path = "embedded/consumer_protocol.rs"]
mod consumer_protocol;
#[path = "embedded/group.rs"]
mod group;
#[path = "embedded/log_dirs.rs"]
mod log_dirs;
#[path = "embedded/producer.rs"]
mod producer;
#[path = "embedded/reader.rs"]
mod reader;
#[path = "embedded/share_consumer.rs"]
mod share_consumer;
#[path = "embedded/support.rs"]
mod support;
#[path = "embedded/transactions.rs"]
mod transactions;
