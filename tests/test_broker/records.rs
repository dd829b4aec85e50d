//! Records that a test puts into topics without a client of Kafka.

use kafka_protocol_018::messages::{
    EndTxnRequest, FindCoordinatorRequest, InitProducerIdRequest, ProducerId, TransactionalId,
};
use ottla::{BatchOptions, ErrorCode};
use serde_json::{Value, json};

use super::fetching;
use super::fixture::{code, text};
use super::process::TestProcess;
use super::producing;
use super::records::batch_with;

#[test]
fn records_are_put_into_a_topic_and_seen_there_and_by_clients() {
    let kafka = TestProcess::start(&["--clock", "manual"]);
    kafka.post("/v1/topics", json!({ "name": "orders", "partitions": 2 }));
    let now = kafka.get("/v1/status")["nowMs"].clone();
    let records = json!([
        { "value": "first", "partition": 0 },
        { "key": "customer-7", "value": "second", "partition": 0, "timestamp": 5,
          "headers": [{ "key": "source", "value": "till-4" }, { "key": "none" }] },
        { "key": { "hex": "ff00" }, "value": null, "partition": 1 },
        { "value": 7, "partition": 1 },
    ]);
    let told = kafka.post("/v1/topics/orders/records", json!({ "records": records }));
    let at = |partition: i32, offset: i64, timestamp: &Value| json!({ "partition": partition, "offset": offset, "timestamp": timestamp });
    assert_eq!(told, json!([at(0, 0, &now), at(0, 1, &json!(5)), at(1, 0, &now), at(1, 1, &now)]));
    let seen = kafka.get("/v1/topics/orders/records");
    assert_eq!(
        seen[1],
        json!({
            "partition": 0, "offset": 1, "timestamp": 5, "key": "customer-7", "value": "second",
            "headers": [{ "key": "source", "value": "till-4" }, { "key": "none", "value": null }],
        })
    );
    assert_eq!((&seen[2]["key"], &seen[2]["value"]), (&json!({ "hex": "ff00" }), &Value::Null));
    assert_eq!(seen[3]["value"], "7");
    let fetched = fetching::fetch_values(&mut kafka.connect(), "orders");
    assert_eq!(fetched, [(0, "first".to_owned()), (1, "second".to_owned())]);
    kafka.post("/v1/wait", json!({ "until": "records", "topic": "orders", "count": 4 }));
}

#[test]
fn a_topic_is_made_by_its_first_record_and_one_key_stays_in_one_partition() {
    let kafka = TestProcess::start(&["--override", "num.partitions=5"]);
    let records: Vec<_> = (0..20).map(|number| json!({ "key": "k", "value": number.to_string() })).collect();
    let told = kafka.post("/v1/topics/orders/records", json!({ "records": records }));
    let told = told.as_array().unwrap();
    assert!(told.iter().all(|at| at["partition"] == told[0]["partition"]), "{told:?}");
    assert_eq!(kafka.values("orders"), (0..20).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn records_that_are_not_understood_are_refused_and_none_is_written() {
    let kafka = TestProcess::start(&[]);
    kafka.post("/v1/topics", json!({ "name": "orders" }));
    for (body, words) in [
        (json!({}), "'records' is missing"),
        (json!({ "records": {} }), "'records' is to be a list"),
        (json!({ "records": [{ "value": "x" }, 5] }), "a record is to be an object, not 5"),
        (json!({ "records": [{ "value": "x" }, { "vlaue": "y" }] }), "'vlaue' is not known here"),
        (
            json!({ "records": [{ "value": { "hex": "abc" } }] }),
            "'value' is to be a text, or {\"hex\": digits}",
        ),
        (json!({ "records": [{ "value": "x", "headers": [{}] }] }), "'key' is missing"),
    ] {
        let (status, message) = kafka.refusal("/v1/topics/orders/records", body);
        assert!(status == 400 && message.contains(words), "{message}");
    }
    let elsewhere = json!({ "records": [{ "value": "x" }, { "partition": 9 }] });
    let (status, _) = kafka.refusal("/v1/topics/orders/records", elsewhere);
    assert_eq!(status, 404);
    kafka.post("/v1/topics", json!({ "name": "compacted", "configs": { "cleanup.policy": "compact" } }));
    let (status, message) =
        kafka.refusal("/v1/topics/compacted/records", json!({ "records": [{ "value": "x" }] }));
    assert!(status == 400 && message.contains("without key"), "{status} {message}");
    let (status, _) = kafka.refusal("/v1/topics/or!ders/records", json!({ "records": [{ "value": "x" }] }));
    assert_eq!(status, 400);
    assert_eq!(kafka.get("/v1/topics/orders/records"), json!([]));
}

#[test]
fn a_wait_for_committed_records_ends_with_the_transaction() {
    let kafka = TestProcess::start(&[]);
    kafka.post("/v1/topics", json!({ "name": "orders" }));
    let id = || TransactionalId(text("till-4"));
    let mut client = kafka.connect();
    let find = FindCoordinatorRequest::default().with_key(text("till-4")).with_key_type(1);
    assert_eq!(code(client.call(3, &find).error_code), ErrorCode::None);
    let init = InitProducerIdRequest::default().with_transactional_id(Some(id()));
    let producer = client.call(5, &init.with_transaction_timeout_ms(60_000));
    assert_eq!(code(producer.error_code), ErrorCode::None);
    let options = BatchOptions {
        producer_id: producer.producer_id.0,
        producer_epoch: producer.producer_epoch,
        base_sequence: 0,
        transactional: true,
        ..BatchOptions::default()
    };
    let batch = batch_with(options, &["one", "two"]);
    let request = producing::request("orders", 0, Some(batch)).with_transactional_id(Some(id()));
    let answer = client.call(12, &request);
    assert_eq!(code(answer.responses[0].partition_responses[0].error_code), ErrorCode::None);

    let wait = |until| {
        let fields = json!({ "until": until, "topic": "orders", "count": 2, "limitMs": 0 });
        let (status, answer) = kafka.call("POST", "/v1/wait", &fields);
        (status, answer["error"]["message"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(wait("records").0, 200);
    let (status, told) = wait("committedRecords");
    assert!(status == 408 && told.ends_with("has 2 committed records: it has 0: 0 in partition 0"), "{told}");
    let end = EndTxnRequest::default()
        .with_transactional_id(id())
        .with_producer_id(ProducerId(producer.producer_id.0))
        .with_producer_epoch(producer.producer_epoch)
        .with_committed(true);
    assert_eq!(code(client.call(5, &end).error_code), ErrorCode::None);
    kafka.ctl(&["wait", "until=committedRecords", "topic=orders", "count=2"]).unwrap();
}
