//! The Kafka for tests, as a test of somebody else meets it: time, faults, waiting, looking, a fresh start.

#![expect(clippy::disallowed_methods, reason = "the files that a test looks at are its own")]

#[allow(dead_code, reason = "shared with the tests of the listener")]
#[path = "server/client.rs"]
mod client;
#[allow(dead_code, reason = "shared with the tests of the listener")]
#[path = "server/fetching.rs"]
mod fetching;
#[allow(dead_code, reason = "shared with the tests of the listener")]
#[path = "server/fixture.rs"]
mod fixture;
#[allow(dead_code, reason = "shared with the tests of the listener")]
#[path = "server/producing.rs"]
mod producing;
#[allow(dead_code, reason = "shared with the tests of the listener")]
#[path = "server/records.rs"]
mod records;

#[path = "fixture/compaction_and_transactions.rs"]
mod compaction_and_transactions;
#[path = "fixture/disk.rs"]
mod disk;
#[path = "fixture/exactly_once.rs"]
mod exactly_once;
#[path = "fixture/faults.rs"]
mod faults;
#[path = "fixture/lifecycle.rs"]
mod lifecycle;
#[path = "fixture/looking.rs"]
mod looking;
#[path = "fixture/member.rs"]
mod member;
#[path = "fixture/modern_member.rs"]
mod modern_member;
#[path = "fixture/namespaces.rs"]
mod namespaces;
#[path = "fixture/order.rs"]
mod order;
#[path = "fixture/partial.rs"]
mod partial;
#[path = "fixture/power.rs"]
mod power;
#[path = "fixture/shapes.rs"]
mod shapes;
#[path = "fixture/share.rs"]
mod share;
#[path = "fixture/share_member.rs"]
mod share_member;
#[path = "fixture/share_power.rs"]
mod share_power;
#[path = "fixture/snapshots.rs"]
mod snapshots;
#[path = "fixture/time.rs"]
mod time;
#[path = "fixture/versions.rs"]
mod versions;
#[path = "fixture/why.rs"]
mod why;
