//! Which values a setting admits.

use super::value::Value;

/// A bound on the values of a setting, beyond what its type says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Valid {
    /// Whatever the type holds.
    Any,
    /// Numbers from here on.
    AtLeast(i64),
    /// Numbers from the first to the second, both included.
    Between(i64, i64),
    /// Fractional numbers from the first to the second, both included.
    Fraction(f64, f64),
    /// The levels of gzip: 1 to 9, and -1 for the codec's own choice.
    GzipLevel,
    /// A list of nothing but these.
    Items(&'static [&'static str]),
    /// Replicas under throttle: nothing, `*`, or `partition:broker` pairs (Kafka: `ThrottledReplicaListValidator`).
    ThrottledReplicas,
}

impl Valid {
    pub(crate) fn admits(self, value: Value<'_>) -> bool {
        match (self, value) {
            (_, Value::Null) | (Valid::Any, _) => true,
            (Valid::AtLeast(low), Value::Integer(n)) => n >= low,
            (Valid::Between(low, high), Value::Integer(n)) => (low..=high).contains(&n),
            (Valid::Fraction(low, high), Value::Double(n)) => (low..=high).contains(&n),
            (Valid::GzipLevel, Value::Integer(n)) => n == -1 || (1..=9).contains(&n),
            (Valid::Items(known), Value::List(items)) => {
                items.iter().all(|item| known.contains(&item.as_str()))
            }
            (Valid::ThrottledReplicas, Value::List(items)) => are_throttled_replicas(items),
            _ => false,
        }
    }

    /// The bound in words, to follow the name of the type.
    pub(crate) fn describe(self) -> String {
        match self {
            Valid::Any => String::new(),
            Valid::AtLeast(low) => format!("at least {low}"),
            Valid::Between(low, high) => format!("from {low} to {high}"),
            Valid::Fraction(low, high) => format!("from {low} to {high}"),
            Valid::GzipLevel => "from 1 to 9, or -1".to_owned(),
            Valid::Items(known) => format!("of {}", known.join(", ")),
            Valid::ThrottledReplicas => "of partition:broker pairs, or *".to_owned(),
        }
    }
}

fn are_throttled_replicas(items: &[String]) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_pair = |item: &String| {
        item.split_once(':').is_some_and(|(partition, broker)| is_number(partition) && is_number(broker))
    };
    matches!(items, [all] if all == "*") || items.iter().all(is_pair)
}
