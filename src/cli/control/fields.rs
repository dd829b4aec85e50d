//! What stands in a request's body or query, taken out by name.

use std::time::Duration;

use ottla::{ApiKey, ErrorCode, RequestMatch};
use serde_json::{Map, Value};

use super::Failure;
use super::http::Request;

/// The fields of a request, of which none may be left over.
pub(super) struct Fields {
    fields: Map<String, Value>,
}

impl Fields {
    /// Those of the body, a JSON object (or nothing), and of the query.
    pub(super) fn of(request: &Request) -> Result<Self, Failure> {
        let mut fields = Map::new();
        if !request.body.is_empty() {
            match serde_json::from_slice(&request.body) {
                Ok(Value::Object(object)) => fields = object,
                Ok(_) => return Err(Failure::bad_request("the body is to be a JSON object")),
                Err(error) => return Err(Failure::bad_request(format!("the body is no JSON: {error}"))),
            }
        }
        for (key, value) in &request.query {
            // `007` is a name.
            let number = value.parse::<i64>().ok().filter(|number| number.to_string() == *value);
            fields.insert(key.clone(), number.map_or_else(|| Value::from(value.as_str()), Value::from));
        }
        Ok(Fields { fields })
    }

    /// All of them as they were given, to be shown again.
    pub(super) fn told(&self) -> Value {
        Value::from(self.fields.clone())
    }

    fn take<T>(
        &mut self,
        name: &str,
        what: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        match self.fields.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match read(&value) {
                Some(read) => Ok(Some(read)),
                None => Err(Failure::bad_request(format!("'{name}' is to be {what}, not {value}"))),
            },
        }
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Failure> {
        self.take(name, "a text", |value| match value {
            Value::String(text) => Some(text.clone()),
            // Names may be these, too.
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(boolean) => Some(boolean.to_string()),
            _ => None,
        })
    }

    pub(super) fn required_text(&mut self, name: &str) -> Result<String, Failure> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    pub(super) fn number<T: TryFrom<i64>>(&mut self, name: &str) -> Result<Option<T>, Failure> {
        let what = if T::try_from(-1).is_ok() { "a whole number" } else { "a whole number from 0 on" };
        self.take(name, what, |value| T::try_from(value.as_i64()?).ok())
    }

    pub(super) fn required_number<T: TryFrom<i64>>(&mut self, name: &str) -> Result<T, Failure> {
        self.number(name)?.ok_or_else(|| missing(name))
    }

    pub(super) fn fraction(&mut self, name: &str) -> Result<Option<f64>, Failure> {
        let read = |value: &Value| match value {
            Value::String(text) => text.parse().ok(),
            other => other.as_f64(),
        };
        self.take(name, "a number from 0 to 1", |value| {
            read(value).filter(|number| (0.0..=1.0).contains(number))
        })
    }

    pub(super) fn milliseconds(&mut self, name: &str) -> Result<Option<Duration>, Failure> {
        Ok(self.number::<u64>(name)?.map(Duration::from_millis))
    }

    /// A broker's number, or true for the next one.
    pub(super) fn node_or_next(&mut self, name: &str) -> Result<Option<Option<i32>>, Failure> {
        self.take(name, "the number of a broker, or true for the next one", |value| match value {
            Value::Bool(true) => Some(None),
            Value::String(text) if text == "true" => Some(None),
            other => Some(Some(i32::try_from(other.as_i64()?).ok()?)),
        })
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<bool, Failure> {
        let read = |value: &Value| match value {
            Value::String(text) => text.parse().ok(),
            other => other.as_bool(),
        };
        Ok(self.take(name, "true or false", read)?.unwrap_or(false))
    }

    /// Things in a list.
    pub(super) fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, Failure> {
        self.take(name, "a list", |value| value.as_array().cloned())
    }

    /// The fields of one thing of a list.
    pub(super) fn of_thing(thing: Value, what: &str) -> Result<Self, Failure> {
        match thing {
            Value::Object(fields) => Ok(Fields { fields }),
            other => Err(Failure::bad_request(format!("{what} is to be an object, not {other}"))),
        }
    }

    /// Bytes, as records are shown with them: a text, or `{"hex": …}`; `None` for null and for what is not there.
    pub(super) fn bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.take(name, "a text, or {\"hex\": digits}, or null", |value| match value {
            Value::String(text) => Some(text.clone().into_bytes()),
            Value::Number(number) => Some(number.to_string().into_bytes()),
            Value::Object(fields) if fields.len() == 1 => unhex(fields.get("hex")?.as_str()?),
            _ => None,
        })
    }

    /// The settings of a topic.
    pub(super) fn settings(&mut self, name: &str) -> Result<Vec<(String, String)>, Failure> {
        let read = |value: &Value| {
            let pairs = value.as_object()?.iter().map(|(key, value)| {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                (key.clone(), text)
            });
            Some(pairs.collect())
        };
        Ok(self.take(name, "an object", read)?.unwrap_or_default())
    }

    /// An error by its number, or by Kafka's name of it.
    pub(super) fn error_code(&mut self, name: &str) -> Result<Option<ErrorCode>, Failure> {
        self.take(name, "the name or the number of an error of Kafka", |value| {
            let same = |code: &&ErrorCode| match value {
                Value::String(text) => code.name().eq_ignore_ascii_case(text),
                other => other.as_i64() == Some(i64::from(code.code())),
            };
            ErrorCode::ALL.iter().find(same).copied()
        })
    }

    /// Which requests are meant.
    pub(super) fn requests(&mut self) -> Result<RequestMatch, Failure> {
        let api = self.take("api", "the name or the number of an API of Kafka", |value| {
            let same = |api: &&ApiKey| match value {
                Value::String(text) => api.name().eq_ignore_ascii_case(text),
                other => other.as_i64() == Some(i64::from(api.code())),
            };
            ApiKey::ALL.iter().find(same).copied()
        })?;
        let mut requests = api.map_or_else(RequestMatch::any, RequestMatch::of);
        let min = self.number::<i16>("minVersion")?;
        let max = self.number::<i16>("maxVersion")?;
        if min.is_some() || max.is_some() {
            requests = requests.versions(min.unwrap_or(0)..=max.unwrap_or(i16::MAX));
        }
        if let Some(topic) = self.text("topic")? {
            requests = requests.topic(topic);
        }
        if let Some(partition) = self.number("partition")? {
            requests = requests.partition(partition);
        }
        if let Some(group) = self.text("group")? {
            requests = requests.group(group);
        }
        if let Some(id) = self.text("transactionalId")? {
            requests = requests.transactional_id(id);
        }
        if let Some(id) = self.text("clientId")? {
            requests = requests.client_id(id);
        }
        if let Some(connection) = self.number("connection")? {
            requests = requests.connection(connection);
        }
        Ok(requests)
    }

    /// Refuses what nobody has asked for: it is misspelt.
    pub(super) fn end(self) -> Result<(), Failure> {
        match self.fields.keys().next() {
            None => Ok(()),
            Some(name) => Err(Failure::bad_request(format!("'{name}' is not known here"))),
        }
    }
}

/// The bytes of two hexadecimal digits each.
fn unhex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|p| p.len() == 2)?, 16).ok())
        .collect()
}

fn missing(name: &str) -> Failure {
    Failure::bad_request(format!("'{name}' is missing"))
}
