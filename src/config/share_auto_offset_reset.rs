//! Where a share group begins that has not read a partition before (Kafka: `ShareGroupAutoOffsetResetStrategy`).

use super::key::ConfigType;
use super::valid::Valid;
use super::value::{Setting, Value};
use crate::model::IsolationLevel;

/// Where a share group begins that has not read a partition before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ShareAutoOffsetReset {
    /// After the last record.
    Latest,
    /// With the first record.
    Earliest,
    /// With the first record that is not older than this.
    ByDuration {
        /// As it was written.
        text: String,
        ms: i64,
    },
}

const BY_DURATION: &str = "by_duration:";

impl Setting for ShareAutoOffsetReset {
    fn config_type(&self) -> ConfigType {
        ConfigType::String
    }
    fn read(&mut self, text: &str, _valid: Valid) -> bool {
        let lower = text.to_lowercase();
        *self = match lower.as_str() {
            "latest" => ShareAutoOffsetReset::Latest,
            "earliest" => ShareAutoOffsetReset::Earliest,
            _ => {
                let duration = lower.strip_prefix(BY_DURATION).and_then(duration_ms);
                let Some(ms) = duration else { return false };
                ShareAutoOffsetReset::ByDuration { text: text.to_owned(), ms }
            }
        };
        true
    }
    fn value(&self) -> Value<'_> {
        Value::Text(match self {
            ShareAutoOffsetReset::Latest => "latest",
            ShareAutoOffsetReset::Earliest => "earliest",
            ShareAutoOffsetReset::ByDuration { text, .. } => text,
        })
    }
    fn choices(&self) -> &'static [&'static str] {
        &["latest", "earliest", "by_duration:PnDTnHnMn.nS"]
    }
}

impl Setting for IsolationLevel {
    fn config_type(&self) -> ConfigType {
        ConfigType::String
    }
    fn read(&mut self, text: &str, _valid: Valid) -> bool {
        *self = match text {
            "read_uncommitted" => IsolationLevel::ReadUncommitted,
            "read_committed" => IsolationLevel::ReadCommitted,
            _ => return false,
        };
        true
    }
    fn value(&self) -> Value<'_> {
        Value::Text(match self {
            IsolationLevel::ReadUncommitted => "read_uncommitted",
            IsolationLevel::ReadCommitted => "read_committed",
        })
    }
    fn choices(&self) -> &'static [&'static str] {
        &["read_committed", "read_uncommitted"]
    }
}

/// A duration that is not negative, in lower-case letters: days, then hours, minutes and seconds (Java:
/// `Duration#parse`).
fn duration_ms(text: &str) -> Option<i64> {
    let text = text.strip_prefix('p')?;
    let (days, time) = match text.split_once('t') {
        Some((_, "")) => return None,
        Some((days, time)) => (days, time),
        None => (text, ""),
    };
    if days.is_empty() && time.is_empty() {
        return None;
    }
    let mut total: i64 = 0;
    let mut rest = days;
    if !rest.is_empty() {
        total = rest.strip_suffix('d')?.parse::<u32>().ok().map(i64::from)?.checked_mul(86_400_000)?;
    }
    rest = time;
    for (unit, ms) in [('h', 3_600_000), ('m', 60_000)] {
        if let Some((count, after)) = rest.split_once(unit) {
            total = total.checked_add(count.parse::<u32>().ok().map(i64::from)?.checked_mul(ms)?)?;
            rest = after;
        }
    }
    if !rest.is_empty() {
        let seconds = rest.strip_suffix('s')?;
        let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
        let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || fraction.len() > 9 || !is_number(fraction) {
            return None;
        }
        let ms = format!("{fraction:0<3}").get(..3)?.parse::<i64>().ok()?;
        let seconds = i64::from(whole.parse::<u32>().ok()?).checked_mul(1000)?;
        total = total.checked_add(seconds)?.checked_add(ms)?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_group_begins_where_kafkas_words_say() {
        let mut reset = ShareAutoOffsetReset::Latest;
        for (text, expected) in [
            ("by_duration:PT1H", 3_600_000),
            ("by_duration:P2DT3H4M5.006S", 183_845_006),
            ("BY_DURATION:PT0.5S", 500),
            ("by_duration:P1D", 86_400_000),
        ] {
            assert!(reset.read(text, Valid::Any), "{text}");
            let expected = ShareAutoOffsetReset::ByDuration { text: text.to_owned(), ms: expected };
            assert_eq!(reset, expected);
        }
        for text in
            ["by_duration:", "by_duration:PT", "by_duration:P", "by_duration:-PT1H", "by_duration:PT1X"]
        {
            assert!(!reset.read(text, Valid::Any), "{text}");
        }
        assert!(reset.read("earliest", Valid::Any) && reset == ShareAutoOffsetReset::Earliest);
        assert!(!reset.read("nowhere", Valid::Any));
    }
}
