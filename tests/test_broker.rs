//! `ottla test` and `ottla ctl` from outside: what a test in any language has of them.

#![cfg(feature = "cli")]
#![expect(
    clippy::disallowed_methods,
    reason = "what is left is looked for from outside, and threads of tests are theirs"
)]

#[allow(dead_code, reason = "shared with the tests of the listener")]
#[path = "server/client.rs"]
mod client;
#[allow(dead_code, reason = "shared with the tests of the listener")]
#[path = "server/fetching.rs"]
mod fetching;
#[allow(dead_code, reason = "shared with the tests of the listener")]
#[path = "server/fixture.rs"]
mod fixture;
#[allow(dead_code, reason = "shared with the tests from within the process")]
#[path = "fixture/member.rs"]
mod member;
#[allow(dead_code, reason = "shared with the tests of the listener")]
#[path = "server/producing.rs"]
mod producing;
#[allow(dead_code, reason = "shared with the tests of the listener")]
#[path = "server/records.rs"]
mod records;

#[path = "test_broker/ctl.rs"]
mod ctl;
#[path = "test_broker/description.rs"]
mod description;
#[path = "test_broker/disk.rs"]
mod disk;
#[path = "test_broker/endpoint.rs"]
mod endpoint;
#[path = "test_broker/faults.rs"]
mod faults;
#[path = "test_broker/groups.rs"]
mod groups;
#[path = "test_broker/lifetime.rs"]
mod lifetime;
#[path = "test_broker/process.rs"]
mod process;
#[path = "test_broker/records.rs"]
mod records_by_the_endpoint;
#[path = "test_broker/schema.rs"]
mod schema;
#[path = "test_broker/why.rs"]
mod why;
