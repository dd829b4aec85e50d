//! Ten thousand groups that commit.

use std::net::SocketAddr;
use std::time::Instant;

use kafka_protocol_018::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol_018::messages::{GroupId, OffsetCommitRequest};

use super::client::Client;
use super::{await_coordinator, create_topic, eventually, is_loading, print, text, topic_name, unique};

const GROUPS: usize = 10_000;
/// How many commits a connection has under way.
const WINDOW: usize = 100;
const ROUNDS: i64 = 5;
const VERSION: i16 = 8;

pub(super) fn run(address: SocketAddr) {
    let mut client = Client::connect(address);
    let topic = unique("committed");
    create_topic(&mut client, &topic, 1);
    await_coordinator(&mut client, 0, "any");
    let prefix = unique("group");
    let groups: Vec<String> = (0..GROUPS).map(|number| format!("{prefix}-{number}")).collect();
    // The first round makes the groups, one by one where their coordinator has still to come.
    eventually("the groups are there", || commit_all(&mut client, &groups, &topic, 0).then_some(()));
    let start = Instant::now();
    for round in 1..=ROUNDS {
        assert!(commit_all(&mut client, &groups, &topic, round));
    }
    let taken = start.elapsed().as_secs_f64();
    print("10,000 groups: commits/s", (GROUPS as f64 * ROUNDS as f64) / taken);
}

/// Whether all could be committed.
fn commit_all(client: &mut Client, groups: &[String], topic: &str, offset: i64) -> bool {
    let mut is_done = true;
    for window in groups.chunks(WINDOW) {
        for group in window {
            let partition = OffsetCommitRequestPartition::default().with_committed_offset(offset);
            let topic = OffsetCommitRequestTopic::default()
                .with_name(topic_name(topic))
                .with_partitions(vec![partition]);
            let request =
                OffsetCommitRequest::default().with_group_id(GroupId(text(group))).with_topics(vec![topic]);
            client.send(VERSION, &request);
        }
        for _ in window {
            let response = client.receive::<OffsetCommitRequest>(VERSION).1;
            let error_code = response.topics[0].partitions[0].error_code;
            assert!(error_code == 0 || is_loading(error_code), "error {error_code}");
            is_done &= error_code == 0;
        }
    }
    is_done
}
