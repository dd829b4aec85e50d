//! Records of a topic, as a test looks at them, and as it puts them there without a client of Kafka.

use ottla::{Producer, ProducerRecord, SendHandle};
use serde_json::{Value, json};

use super::fields::Fields;
use super::{Control, Failure, show};

/// `GET` and `POST /v1/topics/{name}/records`.
pub(super) fn answer(
    control: &Control,
    method: &str,
    topic: &str,
    mut fields: Fields,
) -> Result<Value, Failure> {
    if method == "GET" {
        fields.end()?;
        return Ok(control.kafka.read().records(topic)?.iter().map(show::record).collect());
    }
    let records = fields.list("records")?.ok_or_else(|| Failure::bad_request("'records' is missing"))?;
    fields.end()?;
    let records = records.into_iter().map(NewRecord::read).collect::<Result<Vec<_>, _>>()?;
    // None is sent before all are understood. Nobody else is held up by a disk that takes its time.
    let producer = {
        let kafka = control.kafka.read();
        if let Ok(known) = kafka.topic(topic) {
            records
                .iter()
                .filter_map(|record| record.partition)
                .try_for_each(|id| known.partition(id).map(drop))?;
        }
        kafka.producer()
    };
    let sent = records.iter().map(|record| record.send(&producer, topic)).collect::<Result<Vec<_>, _>>()?;
    producer.flush()?;
    let mut told = Vec::new();
    for handle in &sent {
        let at = handle.wait()?;
        told.push(json!({ "partition": at.partition(), "offset": at.offset, "timestamp": at.timestamp }));
    }
    Ok(Value::from(told))
}

/// A record that is to be written.
struct NewRecord {
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
    partition: Option<i32>,
    timestamp: Option<i64>,
}

impl NewRecord {
    fn read(record: Value) -> Result<Self, Failure> {
        let mut fields = Fields::of_thing(record, "a record")?;
        let mut headers = Vec::new();
        for header in fields.list("headers")?.unwrap_or_default() {
            let mut header = Fields::of_thing(header, "a header")?;
            headers.push((header.required_text("key")?, header.bytes("value")?));
            header.end()?;
        }
        let record = NewRecord {
            key: fields.bytes("key")?,
            value: fields.bytes("value")?,
            headers,
            partition: fields.number("partition")?,
            timestamp: fields.number("timestamp")?,
        };
        fields.end()?;
        Ok(record)
    }

    fn send(&self, producer: &Producer, topic: &str) -> Result<SendHandle, ottla::Error> {
        let mut record = ProducerRecord::new(topic);
        if let Some(key) = &self.key {
            record = record.key(key);
        }
        if let Some(value) = &self.value {
            record = record.value(value);
        }
        for (name, value) in &self.headers {
            record = match value {
                Some(value) => record.header(name, value),
                None => record.null_header(name),
            };
        }
        if let Some(partition) = self.partition {
            record = record.partition(partition);
        }
        if let Some(timestamp) = self.timestamp {
            record = record.timestamp(timestamp);
        }
        producer.send(record)
    }
}
