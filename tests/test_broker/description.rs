//! What the handbook and the description in OpenAPI say of the endpoint, beside what it does.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::process::TestProcess;
use super::schema::Description;

/// `DELETE /v1/faults/{id}`, and in the handbook's table `DELETE /v1/faults/ID`: names are not compared.
fn without_names(operation: &str) -> String {
    let is_name = |part: &str| {
        part.starts_with('{') || (!part.is_empty() && part.chars().all(|c| c.is_ascii_uppercase()))
    };
    let (method, path) = operation.split_once(' ').unwrap();
    let parts = path.split('/').map(|part| if is_name(part) { "*" } else { part });
    format!("{method} {}", parts.collect::<Vec<_>>().join("/"))
}

fn operations_of_the_description() -> BTreeSet<String> {
    let found = Description::get().operations();
    found.map(|(method, path, _)| without_names(&format!("{} {path}", method.to_uppercase()))).collect()
}

/// The first column of the table: operations between backticks, of which the later ones may leave out the method.
fn operations_of_the_handbook() -> BTreeSet<String> {
    let handbook = include_str!("../../src/manual/testing.rs");
    let mut found = BTreeSet::new();
    for row in handbook.lines().filter_map(|line| line.strip_prefix("//! | `")) {
        let (column, _) = row.split_once(" | ").unwrap();
        let mut method = "";
        for operation in column.split('`').filter(|part| part.contains('/')) {
            let (own, path) = operation.split_once(' ').unwrap_or((method, operation));
            method = own;
            found.insert(without_names(&format!("{method} {path}")));
        }
    }
    found
}

#[test]
fn the_handbook_and_the_description_name_every_operation_and_each_is_answered() {
    let kafka = TestProcess::start(&[]);
    let listed = kafka.get("/v1");
    let listed = listed.as_array().unwrap().iter().map(|operation| operation.as_str().unwrap());
    let offered: BTreeSet<String> = listed.clone().map(without_names).collect();
    assert_eq!(offered, operations_of_the_description());
    assert_eq!(offered, operations_of_the_handbook());
    for operation in listed {
        let (method, path) = operation.split_once(' ').unwrap();
        let (status, answer) = kafka.call(method, &path.replace(['{', '}'], ""), &Value::Null);
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(
            !message.starts_with("there is no GET") && !message.starts_with("there is no POST"),
            "{message}"
        );
        assert!(
            !message.starts_with("there is no DELETE") && status < 500,
            "{operation}: {status} {message}"
        );
    }
    let (status, answer) = kafka.call("PUT", "/v1/topics", &Value::Null);
    assert_eq!(
        (status, &answer["error"]["message"]),
        (404, &json!("there is no PUT /v1/topics: GET /v1 lists what there is"))
    );
}

#[test]
fn every_operation_has_its_answers_described() {
    let description = Description::get();
    for (method, path, operation) in description.operations() {
        for status in ["200", "default"] {
            let schema = description.schema_of_answer(operation, status);
            assert!(schema.is_some(), "{method} {path} has no schema for {status}");
        }
    }
}

#[test]
fn an_answer_that_is_not_as_described_is_found_out() {
    let description = Description::get();
    let wrong = |answer: Value| description.check_answer("GET", "/v1/topics", 200, &answer).unwrap_err();
    let topic = json!({ "name": "t", "id": "x", "partitions": [], "configs": { "retention.ms": "5" } });
    description.check_answer("GET", "/v1/topics", 200, &json!([topic])).unwrap();
    let but = |key: &str, value: Value| {
        let mut other = topic.clone();
        other[key] = value;
        json!([other])
    };
    assert_eq!(wrong(json!({})), "the answer: {} is no array");
    assert_eq!(wrong(json!([{}])), "the answer[0]: there is no 'name'");
    assert_eq!(wrong(but("name", json!(5))), "the answer[0].name: 5 is no string");
    assert_eq!(wrong(but("more", json!(5))), "the answer[0]: nothing is said of 'more'");
    assert_eq!(wrong(but("configs", json!({ "a": 5 }))), "the answer[0].configs.a: 5 is no string");
    let two = description.check_request("POST", "/v1/faults", &json!({ "swallow": true, "delayMs": 1 }));
    assert_eq!(two.unwrap_err(), "the request: it is like 2 of them");
    description.check_request("POST", "/v1/faults", &json!({ "swallow": true, "api": 3 })).unwrap();
    let failure = description.check_answer("GET", "/v1/topics", 500, &json!({ "error": {} }));
    assert_eq!(failure.unwrap_err(), "the answer.error: there is no 'code'");
}
