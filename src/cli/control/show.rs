//! What a test looks at, as JSON.

use ottla::{
    ConfigSource, Error, FieldValue, JournalEntry, TestBroker, TestConnection, TestRecord, TestTransaction,
};
use serde_json::{Map, Value, json};

/// Text as it is; other bytes as an object with their hexadecimal digits.
fn bytes(bytes: Option<&[u8]>) -> Value {
    let Some(bytes) = bytes else { return Value::Null };
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::from(text),
        Err(_) => json!({ "hex": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() }),
    }
}

pub(super) fn record(record: &TestRecord) -> Value {
    let headers = record.headers.iter();
    json!({
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        "key": bytes(record.key.as_deref()),
        "value": bytes(record.value.as_deref()),
        "headers": headers.map(|(key, value)| json!({ "key": key, "value": bytes(value.as_deref()) })).collect::<Vec<_>>(),
    })
}

fn field_value(value: &FieldValue) -> Value {
    match value {
        FieldValue::Boolean(boolean) => Value::from(*boolean),
        FieldValue::Number(number) => Value::from(*number),
        FieldValue::Text(text) => Value::from(text.as_str()),
        FieldValue::Bytes(content) => bytes(Some(content)),
        FieldValue::List(elements) => elements.iter().map(field_value).collect(),
        FieldValue::Struct(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), field_value(value)));
            Value::from(fields.collect::<Map<_, _>>())
        }
        _ => Value::Null,
    }
}

pub(super) fn journal_entry(entry: &JournalEntry) -> Value {
    let end = entry.end.as_ref().map(|end| {
        json!({
            "answered": end.is_answered,
            "body": field_value(&end.body),
            "errors": end.error_codes.iter().map(|code| code.name()).collect::<Vec<_>>(),
            "durationMs": end.duration.as_secs_f64() * 1_000.0,
            "refusal": end.refusal,
            "truncated": end.is_truncated,
        })
    });
    json!({
        "number": entry.number,
        "api": entry.api.name(),
        "version": entry.api_version,
        "correlationId": entry.correlation_id,
        "clientId": entry.client_id,
        "connection": entry.connection,
        "peer": entry.peer.to_string(),
        "timestampMs": entry.timestamp_ms,
        "topics": entry.topics().collect::<Vec<_>>(),
        "groups": entry.groups().collect::<Vec<_>>(),
        "request": entry.request,
        "body": field_value(&entry.body),
        "truncated": entry.is_truncated,
        "end": end,
    })
}

pub(super) fn topics(kafka: &TestBroker) -> Result<Value, Error> {
    let mut topics = Vec::new();
    for name in kafka.admin().list_topics() {
        topics.push(topic(kafka, &name)?);
    }
    Ok(Value::from(topics))
}

pub(super) fn topic(kafka: &TestBroker, name: &str) -> Result<Value, Error> {
    let described = kafka.admin().describe_topic(name)?;
    let configs = kafka.admin().describe_configs(&ottla::ConfigResource::topic(name))?;
    let own = configs.into_iter().filter(|entry| entry.source == ConfigSource::Topic);
    let configs: Map<String, Value> = own.map(|entry| (entry.name, Value::from(entry.value))).collect();
    let partitions = described.partitions.iter().map(|partition| {
        json!({
            "partition": partition.partition,
            "leader": partition.leader,
            "leaderEpoch": partition.leader_epoch,
            "replicas": partition.replicas,
            "earliestOffset": partition.earliest_offset,
            "latestOffset": partition.latest_offset,
        })
    });
    Ok(json!({
        "name": described.name,
        "id": described.id.to_string(),
        "partitions": partitions.collect::<Vec<_>>(),
        "configs": configs,
    }))
}

pub(super) fn transaction(transaction: &TestTransaction) -> Value {
    let partitions = transaction.partitions.iter();
    let partitions = partitions.map(|tp| json!({ "topic": tp.topic(), "partition": tp.partition() }));
    json!({
        "transactionalId": transaction.transactional_id,
        "state": transaction.state,
        "producerId": transaction.producer_id,
        "producerEpoch": transaction.producer_epoch,
        "timeoutMs": transaction.timeout_ms,
        "startedAtMs": transaction.started_at_ms,
        "partitions": partitions.collect::<Vec<_>>(),
    })
}

pub(super) fn connection(connection: &TestConnection) -> Value {
    json!({
        "connection": connection.number,
        "peer": connection.peer.to_string(),
        "local": connection.local.to_string(),
        "clientId": connection.client_id,
        "software": connection.software,
        "openedAtMs": connection.opened_at_ms,
        "requests": connection.requests,
    })
}
