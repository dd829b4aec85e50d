//! Decoded requests and answers, as a test looks at them.

use bytes::Bytes;

use crate::model::Uuid;
use crate::protocol::StrBytes;
use crate::protocol::walk::{Field, Walker};
use crate::record::{RecordBatch, Records};
use crate::server::intercept::Body;

/// How many values of one message are kept.
const MAX_VALUES: usize = 2_000;

/// How much of one text, or of one value of a record, is kept.
const MAX_TEXT: usize = 1024;

/// How many records of one partition are kept, and how many bytes of its batches are looked into for them.
const MAX_RECORDS: usize = 20;
const MAX_RECORD_BYTES: usize = 64 * 1024;

/// What a request or an answer says: a struct of fields with the names that Kafka's message definitions give them, as
/// far as its version has them.
///
/// Records are a struct of `sizeInBytes`, `count` (those of whole batches in the first 64 KiB) and `records`, the first
/// twenty of them. Texts and bytes are cut after 1 KiB, and a message after 2,000 values:
/// [`JournalEntry::is_truncated`](crate::JournalEntry::is_truncated) and its like say so.
///
/// # Examples
/// ```
/// use std::io::{Read, Write};
/// use ottla::{FieldValue, RequestMatch, TestBroker};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let kafka = TestBroker::start()?;
/// // A client asks for the versions (key 18, version 0, correlation id 7, no client id).
/// let mut client = std::net::TcpStream::connect(kafka.local_addr())?;
/// client.write_all(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 255, 255])?;
/// client.read_exact(&mut [0; 10])?;
///
/// let journal = kafka.journal(&RequestMatch::any());
/// let answer = &journal[0].end.as_ref().unwrap().body;
/// assert_eq!(answer.at("errorCode"), Some(&FieldValue::Number(0)));
/// assert_eq!(answer.at("apiKeys.0.apiKey"), Some(&FieldValue::Number(0)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldValue {
    /// Nothing.
    #[default]
    Null,
    /// True or false.
    Boolean(bool),
    /// A number.
    Number(i64),
    /// A text, or a UUID as Kafka prints it.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// An array.
    List(Vec<FieldValue>),
    /// Fields in the order of the wire.
    Struct(Vec<(String, FieldValue)>),
}

impl FieldValue {
    pub(super) fn of(body: &dyn Body, version: i16) -> Self {
        Self::with_mark(body, version).0
    }

    /// And whether there is more to it than is kept.
    pub(super) fn with_mark(body: &dyn Body, version: i16) -> (Self, bool) {
        let mut describer = Describer {
            version,
            open: Vec::new(),
            done: FieldValue::Null,
            left: MAX_VALUES,
            is_truncated: false,
        };
        body.walk(&mut describer);
        (describer.done, describer.is_truncated)
    }

    /// What is at a path: the names of fields and the numbers of elements, from 0 on, with dots between them.
    pub fn at(&self, path: &str) -> Option<&FieldValue> {
        path.split('.').try_fold(self, |value, step| match value {
            FieldValue::Struct(fields) => {
                fields.iter().find(|(name, _)| name == step).map(|(_, value)| value)
            }
            FieldValue::List(elements) => elements.get(step.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            FieldValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            FieldValue::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The elements, if it is an array.
    pub fn elements(&self) -> &[FieldValue] {
        match self {
            FieldValue::List(elements) => elements,
            _ => &[],
        }
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        FieldValue::Bytes(bytes.get(..MAX_TEXT).unwrap_or(bytes).to_vec())
    }
}

impl From<&str> for FieldValue {
    fn from(text: &str) -> Self {
        let end = (0..=MAX_TEXT.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        let mut kept = text.get(..end).unwrap_or_default().to_owned();
        if end < text.len() {
            kept.push('…');
        }
        FieldValue::Text(kept)
    }
}

/// `throttle_time_ms` as Kafka's definitions have it: `throttleTimeMs`.
fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    for (at, word) in name.split('_').enumerate() {
        let mut chars = word.chars();
        match chars.next() {
            Some(first) if at > 0 => camel.push(first.to_ascii_uppercase()),
            Some(first) => camel.push(first),
            None => {}
        }
        camel.push_str(chars.as_str());
    }
    camel
}

/// What is being put together.
enum Open {
    Struct(Vec<(String, FieldValue)>),
    Field(&'static str),
    List(Vec<FieldValue>),
}

struct Describer {
    version: i16,
    open: Vec<Open>,
    done: FieldValue,
    /// How many values may still be kept.
    left: usize,
    is_truncated: bool,
}

impl Describer {
    fn put(&mut self, value: FieldValue) {
        if self.left == 0 {
            self.is_truncated = true;
            return;
        }
        self.left -= 1;
        self.place(value);
    }

    fn place(&mut self, value: FieldValue) {
        match self.open.pop() {
            Some(Open::Field(name)) => {
                if let Some(Open::Struct(fields)) = self.open.last_mut() {
                    fields.push((camel_case(name), value));
                }
                self.open.push(Open::Field(name));
            }
            Some(Open::List(mut elements)) => {
                elements.push(value);
                self.open.push(Open::List(elements));
            }
            Some(other @ Open::Struct(_)) => self.open.push(other),
            None => self.done = value,
        }
    }
}

impl Walker for Describer {
    fn begin_struct(&mut self) {
        self.open.push(Open::Struct(Vec::new()));
    }

    fn end_struct(&mut self) {
        if let Some(Open::Struct(fields)) = self.open.pop()
            && (!fields.is_empty() || self.left > 0 || self.open.is_empty())
        {
            self.place(FieldValue::Struct(fields));
        }
    }

    fn begin_field(&mut self, field: Field) -> bool {
        let (from, to) = field.versions;
        let is_there = (from..=to).contains(&self.version);
        if is_there {
            self.open.push(Open::Field(field.name));
        }
        is_there
    }

    fn end_field(&mut self) {
        self.open.pop();
    }

    fn begin_list(&mut self) {
        self.open.push(Open::List(Vec::new()));
    }

    fn end_list(&mut self) {
        if let Some(Open::List(elements)) = self.open.pop() {
            self.place(FieldValue::List(elements));
        }
    }

    fn null(&mut self) {
        self.put(FieldValue::Null);
    }

    fn boolean(&mut self, boolean: bool) {
        self.put(FieldValue::Boolean(boolean));
    }

    fn number(&mut self, number: i64) {
        self.put(FieldValue::Number(number));
    }

    fn uuid(&mut self, uuid: Uuid) {
        self.put(FieldValue::Text(uuid.to_string()));
    }

    fn string(&mut self, string: &mut StrBytes) {
        self.is_truncated |= string.len() > MAX_TEXT;
        self.put(FieldValue::from(&**string));
    }

    fn bytes(&mut self, bytes: &mut Bytes) {
        self.is_truncated |= bytes.len() > MAX_TEXT;
        self.put(FieldValue::of_bytes(bytes));
    }

    fn records(&mut self, records: &Records) {
        let Looked { count, first, is_all } = look_into(records);
        self.is_truncated |= !is_all;
        let number = |number: usize| FieldValue::Number(i64::try_from(number).unwrap_or(i64::MAX));
        self.put(FieldValue::Struct(vec![
            ("sizeInBytes".to_owned(), number(records.len())),
            ("count".to_owned(), FieldValue::Number(count)),
            ("records".to_owned(), FieldValue::List(first)),
        ]));
    }
}

/// The beginning of the bytes, in memory or in a file; nothing if the disk refuses, which is another's to report.
fn beginning(records: &Records) -> Bytes {
    match records {
        Records::Bytes(bytes) => bytes.slice(..bytes.len().min(MAX_RECORD_BYTES)),
        Records::File(slice) => {
            let mut buffer = vec![0; slice.size().min(MAX_RECORD_BYTES)];
            match slice.read_at(&mut buffer, 0) {
                Ok(read) => Bytes::from(buffer).slice(..read),
                Err(_) => Bytes::new(),
            }
        }
        Records::Mixed(parts) => parts.first().map(beginning).unwrap_or_default(),
    }
}

/// What was found in the beginning of records.
struct Looked {
    count: i64,
    first: Vec<FieldValue>,
    /// Whether there are no others, and nothing of these is cut.
    is_all: bool,
}

/// How many records there are, and the first of them. What is no batch ends it: it may be what the test is about.
fn look_into(records: &Records) -> Looked {
    let mut rest = beginning(records);
    let mut is_all = rest.len() == records.len();
    let mut count = 0;
    let mut first = Vec::new();
    while let Ok(Some(batch)) = RecordBatch::split_from(&mut rest) {
        let Ok(found) = batch.records(MAX_RECORD_BYTES) else {
            count += i64::from(batch.view().header().records_count().unwrap_or(0));
            is_all = false;
            continue;
        };
        for record in found.map_while(Result::ok) {
            count += 1;
            let cut = |bytes: Option<&[u8]>| bytes.is_some_and(|bytes| bytes.len() > MAX_TEXT);
            is_all &= first.len() < MAX_RECORDS && !cut(record.key()) && !cut(record.value());
            if first.len() < MAX_RECORDS {
                let bytes = |bytes: Option<&[u8]>| bytes.map_or(FieldValue::Null, FieldValue::of_bytes);
                first.push(FieldValue::Struct(vec![
                    ("offset".to_owned(), FieldValue::Number(record.offset())),
                    ("timestamp".to_owned(), FieldValue::Number(record.timestamp())),
                    ("key".to_owned(), bytes(record.key())),
                    ("value".to_owned(), bytes(record.value())),
                ]));
            }
        }
    }
    Looked { count, first, is_all }
}
