//! Subscriptions by pattern (Kafka: `TopicRegexResolver`, `GroupMetadataManager#maybeUpdateRegularExpressions`).
//!
//! A pattern that is new is looked up at once, so that its first answer has partitions already; Kafka's has them from
//! the second on. Known ones are looked up again when there are new topics, but not more often than every ten seconds,
//! and now and then.

use std::sync::Arc;

use super::group::{ConsumerGroup, ResolvedRegularExpression};
use super::heartbeat::GroupError;
use super::member::ConsumerGroupMember;
use super::news::Cause;
use super::update::{Surroundings, Update, dropped_regex, regexes_after};
use crate::broker::coordinator::NamePattern;
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
        // All of them are looked up together, but one that is new also by itself: the others are older than that.
        let resolved = || self.resolved_regexes.values();
        let Some(timestamp) = resolved().map(|resolved| resolved.timestamp).min() else { return true };
        let version = resolved().map(|resolved| resolved.version).min().unwrap_or_default();
        let age_ms = surroundings.now_ms.saturating_sub(timestamp);
        let has_new_topics = version < version_of(surroundings.image.last_version_with_new_topics());
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
                let pattern = NamePattern::new(regex)
                    .map_err(|error| GroupError::new(ErrorCode::InvalidRegularExpression, error))?;
                self.resolve(group, surroundings, regex, &pattern);
            }
        }
        if group.is_regex_refresh_due(surroundings) {
            for regex in regexes_after(group, member, updated).keys() {
                if self.resolved.contains_key(regex) {
                    continue;
                }
                // It was valid when it came; a newer broker may have known more.
                if let Ok(pattern) = NamePattern::new(regex) {
                    has_changed |= self.resolve(group, surroundings, regex, &pattern);
                }
            }
        }
        if has_changed {
            self.causes.push(Cause::Pattern);
        }
        Ok(has_changed)
    }

    /// Returns whether the pattern matches other topics than before.
    fn resolve(
        &mut self,
        group: &ConsumerGroup,
        surroundings: &Surroundings<'_>,
        regex: &Arc<str>,
        pattern: &NamePattern,
    ) -> bool {
        let names = surroundings.image.topic_names();
        let resolved = ResolvedRegularExpression {
            topics: names.into_iter().filter(|name| pattern.is_match(name)).collect(),
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
