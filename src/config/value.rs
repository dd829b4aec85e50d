//! How one setting is read from text and printed again, for every type that a setting can have.

use std::fmt;
use std::ops::Deref;

use super::key::ConfigType;
use super::valid::Valid;

/// A setting's value, seen without its Rust type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    Double(f64),
    Text(&'a str),
    List(&'a [String]),
    Secret(&'a str),
}

/// What each field of the tables can do: this is how the one table drives parser, printer and checks.
pub(crate) trait Setting {
    fn config_type(&self) -> ConfigType;
    /// Takes the value that `text` spells. On `false` nothing has changed.
    fn read(&mut self, text: &str, valid: Valid) -> bool;
    fn value(&self) -> Value<'_>;
    /// The words that a closed choice consists of.
    fn choices(&self) -> &'static [&'static str] {
        &[]
    }
}

/// The text of a value as Kafka prints it (Kafka: `ConfigDef.convertToString`); secrets are printed too.
pub(crate) fn print(setting: &dyn Setting) -> Option<String> {
    Some(match setting.value() {
        Value::Null => return None,
        Value::Boolean(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Double(value) => print_double(value),
        Value::Text(value) | Value::Secret(value) => value.to_owned(),
        Value::List(items) => items.join(","),
    })
}

/// The admitted values of a setting in words: `an int at least 1`, `one of CreateTime, LogAppendTime`.
pub(crate) fn describe_allowed(setting: &dyn Setting, valid: Valid) -> String {
    let choices = setting.choices();
    let bound = valid.describe();
    match setting.config_type() {
        ConfigType::Boolean => "true or false".to_owned(),
        ConfigType::List if !choices.is_empty() => format!("a list of {}", choices.join(", ")),
        _ if !choices.is_empty() => format!("one of {}", choices.join(", ")),
        ConfigType::Int if bound.is_empty() => "an int".to_owned(),
        ConfigType::Int => format!("an int {bound}"),
        ConfigType::Class => "the name of a class".to_owned(),
        type_ if bound.is_empty() => format!("a {type_}"),
        type_ => format!("a {type_} {bound}"),
    }
}

/// Java's `Double.toString`: plain between a thousandth and ten million, else with an exponent.
fn print_double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let size = value.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{value:?}");
    }
    let text = format!("{value:E}");
    match text.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => text,
    }
}

/// Splits at commas and drops the blanks around them (Kafka: `ConfigDef.parseType` for LIST).
pub(crate) fn split_list(text: &str) -> Vec<String> {
    let text = text.trim();
    if text.is_empty() {
        return Vec::new();
    }
    text.split(',').map(|item| item.trim().to_owned()).collect()
}

macro_rules! integer_setting {
    ($($type:ty => $config_type:ident),*) => { $(
        impl Setting for $type {
            fn config_type(&self) -> ConfigType {
                ConfigType::$config_type
            }
            fn read(&mut self, text: &str, valid: Valid) -> bool {
                let Ok(number) = text.trim().parse::<$type>() else { return false };
                if !valid.admits(Value::Integer(number.into())) {
                    return false;
                }
                *self = number;
                true
            }
            fn value(&self) -> Value<'_> {
                Value::Integer((*self).into())
            }
        }
    )* };
}

integer_setting!(i16 => Short, i32 => Int, i64 => Long);

impl Setting for bool {
    fn config_type(&self) -> ConfigType {
        ConfigType::Boolean
    }
    fn read(&mut self, text: &str, _valid: Valid) -> bool {
        let text = text.trim();
        let is_true = text.eq_ignore_ascii_case("true");
        if !is_true && !text.eq_ignore_ascii_case("false") {
            return false;
        }
        *self = is_true;
        true
    }
    fn value(&self) -> Value<'_> {
        Value::Boolean(*self)
    }
}

impl Setting for f64 {
    fn config_type(&self) -> ConfigType {
        ConfigType::Double
    }
    fn read(&mut self, text: &str, valid: Valid) -> bool {
        let Ok(number) = text.trim().parse::<f64>() else { return false };
        if !valid.admits(Value::Double(number)) {
            return false;
        }
        *self = number;
        true
    }
    fn value(&self) -> Value<'_> {
        Value::Double(*self)
    }
}

impl Setting for String {
    fn config_type(&self) -> ConfigType {
        ConfigType::String
    }
    fn read(&mut self, text: &str, valid: Valid) -> bool {
        if !valid.admits(Value::Text(text)) {
            return false;
        }
        text.clone_into(self);
        true
    }
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Setting for Vec<String> {
    fn config_type(&self) -> ConfigType {
        ConfigType::List
    }
    fn read(&mut self, text: &str, valid: Valid) -> bool {
        let items = split_list(text);
        if !valid.admits(Value::List(&items)) {
            return false;
        }
        *self = items;
        true
    }
    fn value(&self) -> Value<'_> {
        Value::List(self)
    }
}

/// A setting that can be absent: Kafka's `null`. No text spells the absence; a value once given can only be replaced.
impl<T: Setting + Blank> Setting for Option<T> {
    fn config_type(&self) -> ConfigType {
        T::TYPE
    }
    fn read(&mut self, text: &str, valid: Valid) -> bool {
        let mut value = T::blank();
        let taken = value.read(text, valid);
        if taken {
            *self = Some(value);
        }
        taken
    }
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, Setting::value)
    }
}

/// The types that have a nullable form, with a value to read into.
pub(crate) trait Blank {
    const TYPE: ConfigType;
    fn blank() -> Self;
}

macro_rules! blank {
    ($($type:ty => $config_type:ident $value:expr),*) => { $(
        impl Blank for $type {
            const TYPE: ConfigType = ConfigType::$config_type;
            fn blank() -> Self {
                $value
            }
        }
    )* };
}

blank!(
    i32 => Int 0, i64 => Long 0, String => String String::new(), Vec<String> => List Vec::new(),
    ClassName => Class ClassName::default(), Password => Password Password::default()
);

/// The name of a plug-in class. ottla loads none; it recognises the names of those whose work it does itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassName(String);

impl ClassName {
    /// The class of this name.
    pub fn new(name: impl Into<String>) -> Self {
        ClassName(name.into())
    }
}

impl Deref for ClassName {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Setting for ClassName {
    fn config_type(&self) -> ConfigType {
        ConfigType::Class
    }
    fn read(&mut self, text: &str, _valid: Valid) -> bool {
        self.0 = text.trim().to_owned();
        true
    }
    fn value(&self) -> Value<'_> {
        Value::Text(&self.0)
    }
}

/// A secret among the settings. It is never printed: `Debug` and `Display` show `[hidden]`, as Kafka does.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The secret `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Password(text.into())
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl fmt::Display for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl Setting for Password {
    fn config_type(&self) -> ConfigType {
        ConfigType::Password
    }
    fn read(&mut self, text: &str, _valid: Valid) -> bool {
        text.clone_into(&mut self.0);
        true
    }
    fn value(&self) -> Value<'_> {
        Value::Secret(&self.0)
    }
}
