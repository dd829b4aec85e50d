//! The endpoint's description, and whether what is sent and answered is as it says.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde_json::{Map, Value};

/// `examples/control.openapi.yaml`.
pub(super) struct Description {
    root: Value,
}

/// The properties that a schema speaks of, or what is wrong.
type Spoken = Result<BTreeSet<String>, String>;

impl Description {
    pub(super) fn get() -> &'static Self {
        static DESCRIPTION: OnceLock<Description> = OnceLock::new();
        DESCRIPTION.get_or_init(|| {
            let text = include_str!("../../examples/control.openapi.yaml");
            Description { root: serde_norway::from_str(text).unwrap() }
        })
    }

    /// Methods, in lower case, and paths.
    pub(super) fn operations(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        let paths = self.root["paths"].as_object().unwrap();
        paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap();
            methods.iter().map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
        })
    }

    /// The one that is asked for, if there is one; what stands in the path literally goes first.
    fn operation(&self, method: &str, target: &str) -> Option<&Value> {
        let target = target.split('?').next().unwrap_or_default();
        let matches = |path: &str| {
            path.split('/').count() == target.split('/').count()
                && path
                    .split('/')
                    .zip(target.split('/'))
                    .all(|(part, found)| part == found || part.starts_with('{'))
        };
        let found =
            self.operations().filter(|(own, path, _)| own.eq_ignore_ascii_case(method) && matches(path));
        found.min_by_key(|(_, path, _)| path.matches('{').count()).map(|(.., operation)| operation)
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            None => value,
            Some(place) => self.root.pointer(place.strip_prefix('#').unwrap()).expect(place),
        }
    }

    pub(super) fn schema_of_answer<'a>(&'a self, operation: &'a Value, status: &str) -> Option<&'a Value> {
        let responses = &operation["responses"];
        let response = responses.get(status).or_else(|| responses.get("default"))?;
        self.resolve(response).pointer("/content/application~1json/schema")
    }

    /// Whether an answer is as described. Of what there is no operation, nothing is said.
    pub(super) fn check_answer(
        &self,
        method: &str,
        target: &str,
        status: u16,
        answer: &Value,
    ) -> Result<(), String> {
        let Some(operation) = self.operation(method, target) else { return Ok(()) };
        let schema = self.schema_of_answer(operation, &status.to_string()).expect(target);
        self.check(schema, answer, "the answer")
    }

    /// The same of a request that the endpoint has served.
    pub(super) fn check_request(&self, method: &str, target: &str, body: &Value) -> Result<(), String> {
        let Some(operation) = self.operation(method, target) else { return Ok(()) };
        match operation.pointer("/requestBody/content/application~1json/schema") {
            Some(schema) => self.check(schema, body, "the request"),
            None if body.as_object().is_some_and(Map::is_empty) => Ok(()),
            None => Err(format!("the request: nothing is said of {body}")),
        }
    }

    /// Whether a value is as a schema says, with nothing that it does not speak of.
    fn check(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let spoken = self.validate(schema, value, at)?;
        let unknown = value.as_object().and_then(|fields| fields.keys().find(|key| !spoken.contains(*key)));
        unknown.map_or(Ok(()), |key| Err(format!("{at}: nothing is said of '{key}'")))
    }

    fn validate(&self, schema: &Value, value: &Value, at: &str) -> Spoken {
        let schema = self.resolve(schema);
        let mut spoken = BTreeSet::new();
        for (keyword, wanted) in schema.as_object().unwrap() {
            let is_so = match keyword.as_str() {
                "description" | "default" => true,
                "type" => is_of_type(wanted, value, at)?,
                "enum" => wanted.as_array().unwrap().contains(value),
                "const" => wanted == value,
                "minimum" => value.as_f64().is_none_or(|number| number >= wanted.as_f64().unwrap()),
                "maximum" => value.as_f64().is_none_or(|number| number <= wanted.as_f64().unwrap()),
                // Of the only one there is, the name of a namespace.
                "pattern" => value.as_str().is_some_and(|text| !text.contains('.') && text.len() <= 60),
                "required" => has_all(wanted, value, at)?,
                "properties" | "additionalProperties" => {
                    spoken.append(&mut self.properties(schema, keyword, value, at)?);
                    true
                }
                "items" => {
                    for (index, element) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(wanted, element, &format!("{at}[{index}]"))?;
                    }
                    true
                }
                "allOf" => {
                    for part in wanted.as_array().unwrap() {
                        spoken.append(&mut self.validate(part, value, at)?);
                    }
                    true
                }
                "oneOf" => {
                    let parts = wanted.as_array().unwrap().iter();
                    let mut fitting: Vec<_> =
                        parts.filter_map(|part| self.validate(part, value, at).ok()).collect();
                    if fitting.len() != 1 {
                        return Err(format!("{at}: it is like {} of them", fitting.len()));
                    }
                    spoken.append(&mut fitting[0]);
                    true
                }
                other => panic!("{at}: '{other}' is not understood here"),
            };
            if !is_so {
                return Err(format!("{at}: {value} is not as {keyword} {wanted} says"));
            }
        }
        Ok(spoken)
    }

    fn properties(&self, schema: &Value, keyword: &str, value: &Value, at: &str) -> Spoken {
        let Some(fields) = value.as_object() else { return Ok(BTreeSet::new()) };
        let named = &schema["properties"];
        let mut spoken = BTreeSet::new();
        for (key, field) in fields {
            let of_field = match keyword {
                "properties" => named.get(key),
                _ if named.get(key).is_some() => None,
                _ => Some(&schema["additionalProperties"]),
            };
            match of_field {
                None => continue,
                Some(Value::Bool(may_be)) => assert!(may_be, "what is not named may not be anyway"),
                Some(of_field) => self.check(of_field, field, &format!("{at}.{key}"))?,
            }
            spoken.insert(key.clone());
        }
        Ok(spoken)
    }
}

fn is_of_type(wanted: &Value, value: &Value, at: &str) -> Result<bool, String> {
    let is = |name: &Value| match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{at}: '{other}' is no type"),
    };
    match wanted {
        Value::Array(types) => Ok(types.iter().any(is)),
        one if is(one) => Ok(true),
        one => Err(format!("{at}: {value} is no {}", one.as_str().unwrap())),
    }
}

fn has_all(wanted: &Value, value: &Value, at: &str) -> Result<bool, String> {
    let mut names = wanted.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    let missing = names.find(|name| value.as_object().is_some_and(|fields| !fields.contains_key(*name)));
    missing.map_or(Ok(true), |name| Err(format!("{at}: there is no '{name}'")))
}
