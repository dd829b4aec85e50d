//! Subscriptions by pattern (Kafka: `TopicRegexResolver`, `GroupMetadataManager#maybeUpdateRegularExpressions`).
//!
//! A pattern that is new is looked up at once, so that its first answer has partitions already; Kafka's has them from
//! the second on. Known ones are looked up again when there are new topics, but not more often than every ten seconds,
//! and now and then.

use std::sync::Arc;

use super::group::{ConsumerGroup, ResolvedRegularExpression};
use super::heartbeat::GroupError;
use super::member::ConsumerGroupMember;
use super::update::{Surroundings, Update, dropped_regex, regexes_after};
use crate::broker::coordinator::group::record::ConsumerGroupRecord;
use crate::model::ErrorCode;

/// Kafka: `REGEX_BATCH_REFRESH_MIN_INTERVAL_MS`.
const MIN_REFRESH_INTERVAL_MS: i64 = 10_000;

impl ConsumerGroup {
    /// Whether it is time to see again what the patterns match.
    pub(super) fn is_regex_refresh_due(&self, surroundings: &Surroundings<'_>) -> bool {
        if self.regexes.is_empty() {
            return false;
        }
        let Some(last) = self.resolved_regexes.values().next() else { return true };
        let age_ms = surroundings.now_ms.saturating_sub(last.timestamp);
        let has_new_topics = last.version < version_of(surroundings.image.last_version_with_new_topics());
        let is_unknown = |regex: &Arc<str>| !self.resolved_regexes.contains_key(regex);
        age_ms > MIN_REFRESH_INTERVAL_MS
            && (has_new_topics
                || self.regexes.keys().any(is_unknown)
                || age_ms > i64::from(surroundings.config.group_consumer_regex_refresh_interval_ms))
    }
}

fn version_of(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

impl Update {
    /// Looks up the member's pattern if it is new, and all of them if it is time to. Returns whether the group reads
    /// something else by it.
    ///
    /// # Errors
    /// INVALID_REGULAR_EXPRESSION.
    pub(super) fn resolve_regexes(
        &mut self,
        group: &ConsumerGroup,
        surroundings: &Surroundings<'_>,
        member: &ConsumerGroupMember,
        updated: &ConsumerGroupMember,
    ) -> Result<bool, GroupError> {
        let mut has_changed = false;
        if member.regex() != updated.regex() {
            has_changed = true;
            if let Some(dropped) = dropped_regex(group, member, updated) {
                self.records.push(ConsumerGroupRecord::Regex(Arc::clone(dropped), None));
            }
            if let Some(regex) = updated.regex()
                && !group.resolved_regexes.contains_key(regex)
            {
                let matcher = Matcher::new(regex).map_err(|error| {
                    let message = format!("`{regex}` is not a regular expression: {error}");
                    GroupError::new(ErrorCode::InvalidRegularExpression, message)
                })?;
                self.resolve(group, surroundings, regex, &matcher);
            }
        }
        if group.is_regex_refresh_due(surroundings) {
            for regex in regexes_after(group, member, updated).keys() {
                if self.resolved.contains_key(regex) {
                    continue;
                }
                // It was valid when it came; a newer broker may have known more.
                if let Ok(matcher) = Matcher::new(regex) {
                    has_changed |= self.resolve(group, surroundings, regex, &matcher);
                }
            }
        }
        Ok(has_changed)
    }

    /// Returns whether the pattern matches other topics than before.
    fn resolve(
        &mut self,
        group: &ConsumerGroup,
        surroundings: &Surroundings<'_>,
        regex: &Arc<str>,
        matcher: &Matcher,
    ) -> bool {
        let names = surroundings.image.topic_names();
        let resolved = ResolvedRegularExpression {
            topics: names.into_iter().filter(|name| matcher.is_match(name)).collect(),
            version: version_of(surroundings.image.version()),
            timestamp: surroundings.now_ms,
        };
        let before = group.resolved_regexes.get(regex);
        let has_changed = before.map(|before| &before.topics) != Some(&resolved.topics);
        self.records.push(ConsumerGroupRecord::Regex(Arc::clone(regex), Some(resolved.clone())));
        self.resolved.insert(Arc::clone(regex), resolved);
        has_changed
    }
}

/// A pattern in the syntax of RE2, which matches whole names.
#[cfg(feature = "server")]
struct Matcher(regex::Regex);

#[cfg(feature = "server")]
impl Matcher {
    fn new(pattern: &str) -> Result<Self, String> {
        // By itself first, since a bracket too many could close the one around it.
        regex::Regex::new(&without_quotes(pattern)).map_err(|error| describe(&error))?;
        let whole = format!(r"\A(?:{})\z", without_quotes(pattern));
        regex::Regex::new(&whole).map(Matcher).map_err(|error| describe(&error))
    }

    fn is_match(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

/// The last line says what is wrong; those before show where.
#[cfg(feature = "server")]
fn describe(error: &regex::Error) -> String {
    error.to_string().lines().last().unwrap_or_default().trim().to_owned()
}

/// RE2 takes what stands between `\Q` and `\E` as it is.
#[cfg(feature = "server")]
fn without_quotes(pattern: &str) -> String {
    let mut plain = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(at) = rest.find('\\') {
        let (before, escaped) = rest.split_at(at);
        plain.push_str(before);
        if let Some(quoted) = escaped.strip_prefix(r"\Q") {
            let (quoted, after) = quoted.split_once(r"\E").unwrap_or((quoted, ""));
            plain.push_str(&regex::escape(quoted));
            rest = after;
        } else {
            let len = 1 + escaped.chars().nth(1).map_or(0, char::len_utf8);
            let (escape, after) = escaped.split_at(len);
            plain.push_str(escape);
            rest = after;
        }
    }
    plain.push_str(rest);
    plain
}

/// Without a listener nobody can bring a pattern: the crate that knows how to match it is not built in.
#[cfg(not(feature = "server"))]
struct Matcher;

#[cfg(not(feature = "server"))]
impl Matcher {
    fn new(_: &str) -> Result<Self, String> {
        Err("this build of ottla has no regular expressions (feature \"server\")".to_owned())
    }

    fn is_match(&self, _: &str) -> bool {
        false
    }
}

#[cfg(all(test, feature = "server"))]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_names_only() {
        let matcher = Matcher::new("orders|pay.*").unwrap();
        for (name, expected) in
            [("orders", true), ("orders2", false), ("my-orders", false), ("payments", true), ("pay", true)]
        {
            assert_eq!(matcher.is_match(name), expected, "{name}");
        }
    }

    #[test]
    fn quoted_text_is_taken_as_it_is() {
        let matcher = Matcher::new(r"\Qa.b\E\d+").unwrap();
        assert!(matcher.is_match("a.b17") && !matcher.is_match("axb17"));
        assert!(Matcher::new(r"\Q(").unwrap().is_match("("));
    }

    #[test]
    fn a_bracket_too_many_is_refused() {
        for pattern in ["(", "a)|(b", "[", "*", r"\"] {
            assert!(Matcher::new(pattern).is_err(), "{pattern}");
        }
    }
}
