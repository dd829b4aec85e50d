//! What happened to groups and transactional ids, and why.

use serde_json::{Value, json};

use super::process::{TestProcess, text};

#[test]
fn what_happened_to_groups_and_ids_is_told_from_outside() {
    let kafka = TestProcess::start(&[]);
    assert_eq!(kafka.get("/v1/groups/billing/history"), json!([]));
    assert_eq!(kafka.ctl(&["group-history", "billing"]).unwrap(), json!([]));
    assert_eq!(kafka.ctl(&["transaction-history", "till-4"]).unwrap(), json!([]));
    assert_eq!(kafka.ctl(&["producer-history", "7"]).unwrap(), json!([]));
    let (status, answer) = kafka.call("GET", "/v1/producers/till-4/history", &Value::Null);
    assert_eq!((status, &answer["error"]["message"]), (400, &json!("'till-4' is no producer's number")));

    // A member joins, a transactional id gets a producer, and a batch comes in an epoch that is over.
    kafka.ask(68, 1, &consumer_group_heartbeat("billing", "first"));
    kafka.ask(10, 1, &[&text("till-4")[..], &[1]].concat());
    kafka.ask(22, 1, &[&text("till-4")[..], &60_000_i32.to_be_bytes()].concat());
    kafka.post("/v1/topics", json!({ "name": "orders" }));
    for epoch in [1, 0] {
        kafka.ask(0, 7, &produce("orders", &batch(7, epoch)));
    }
    let transactions = kafka.get("/v1/transactions");
    assert_eq!(kafka.ctl(&["transactions"]).unwrap(), transactions);
    let of = &transactions[0];
    assert_eq!((&of["transactionalId"], &of["state"]), (&json!("till-4"), &json!("Empty")));
    assert_eq!((&of["producerEpoch"], &of["partitions"]), (&json!(0), &json!([])));
    let tells = |path: &str, ctl: &[&str], words: &str| {
        let history = kafka.get(path);
        assert_eq!(kafka.ctl(ctl).unwrap(), history);
        let events = history.as_array().unwrap();
        let is_told = events.iter().any(|event| event["text"].as_str().unwrap().contains(words));
        assert!(
            is_told && events.iter().all(|event| event["timestampMs"].as_i64().unwrap() > 0),
            "{history:#}"
        );
    };
    tells("/v1/groups/billing/history", &["group-history", "billing"], "(reason: new member first)");
    let words = "has the id now: those with a lower epoch are fenced";
    tells("/v1/transactions/till-4/history", &["transaction-history", "till-4"], words);
    let words = "epoch 0 of producer 7 is older than 1";
    tells("/v1/producers/7/history", &["producer-history", "7"], words);
}

fn consumer_group_heartbeat(group: &str, member: &str) -> Vec<u8> {
    let compact = |text: &str| [&[u8::try_from(text.len() + 1).unwrap()], text.as_bytes()].concat();
    let mut body = [compact(group), compact(member)].concat();
    // Epoch 0; neither an instance nor a rack; a minute for a rebalance.
    body.extend([0, 0, 0, 0, 0, 0, 0, 0, 0xea, 0x60]);
    // One topic, no pattern, no assignor, no partitions, no tags.
    body.extend([&[2], &compact("orders")[..], &[0, 0, 1, 0]].concat());
    body
}

/// A batch of one record without key and value, of an idempotent producer.
fn batch(producer_id: i64, epoch: i16) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(0_i16.to_be_bytes());
    body.extend(0_i32.to_be_bytes());
    body.extend([0; 16]);
    body.extend(producer_id.to_be_bytes());
    body.extend(epoch.to_be_bytes());
    body.extend(0_i32.to_be_bytes());
    body.extend(1_i32.to_be_bytes());
    // Its length, attributes, two deltas, no key, no value, no headers, each as a zigzag number.
    body.extend([12, 0, 0, 0, 1, 1, 0]);
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &body);
    let mut batch = 0_i64.to_be_bytes().to_vec();
    batch.extend(i32::try_from(4 + 1 + 4 + body.len()).unwrap().to_be_bytes());
    batch.extend(0_i32.to_be_bytes());
    batch.push(2);
    batch.extend(u32::try_from(crc).unwrap().to_be_bytes());
    batch.extend(body);
    batch
}

fn produce(topic: &str, batch: &[u8]) -> Vec<u8> {
    // No transactional id, acks of all, ten seconds, one topic, one partition.
    let mut body = (-1_i16).to_be_bytes().to_vec();
    body.extend((-1_i16).to_be_bytes());
    body.extend(10_000_i32.to_be_bytes());
    body.extend(1_i32.to_be_bytes());
    body.extend(text(topic));
    body.extend(1_i32.to_be_bytes());
    body.extend(0_i32.to_be_bytes());
    body.extend(i32::try_from(batch.len()).unwrap().to_be_bytes());
    body.extend(batch);
    body
}
