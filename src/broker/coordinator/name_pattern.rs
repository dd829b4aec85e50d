//! Patterns for the names of topics and of transactional ids.

/// A pattern in the syntax of RE2, which matches whole names.
///
/// One for the names of a namespace, [`NamePattern::in_namespace`], is written so that it is a pattern, too, for who
/// reads it without knowing: an Apache Kafka, of what `__consumer_offsets` says. It is not left at that, as its `^`
/// would stand for the beginning of the whole name, where the namespace's is.
#[cfg(feature = "server")]
pub(crate) struct NamePattern {
    prefix: String,
    rest: regex::Regex,
}

/// What stands between the beginning of all names of a namespace and the pattern for the rest of them. Nobody names a
/// group of a pattern so by chance.
#[cfg(feature = "server")]
const NAMESPACE_GROUP: &str = r"\E(?P<ottla_namespace>";

#[cfg(feature = "server")]
impl NamePattern {
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        let (prefix, pattern) = Self::split_namespace(pattern).unwrap_or(("", pattern));
        let translated = from_re2(pattern);
        // By itself first, since a bracket too many could close the one around it.
        let rest = compile(&translated).and_then(|_| compile(&format!(r"\A(?:{translated})\z")));
        match rest {
            Ok(rest) => Ok(NamePattern { prefix: prefix.to_owned(), rest }),
            Err(error) => Err(format!("`{pattern}` is not a regular expression: {error}")),
        }
    }

    pub(crate) fn is_match(&self, name: &str) -> bool {
        name.strip_prefix(&self.prefix).is_some_and(|rest| self.rest.is_match(rest))
    }

    /// The pattern for names that begin with `prefix`, and have a rest that `pattern` is for.
    pub(crate) fn in_namespace(prefix: &str, pattern: &str) -> String {
        format!(r"\Q{prefix}{NAMESPACE_GROUP}{pattern})")
    }

    /// What [`in_namespace`](Self::in_namespace) has made a pattern of, if it has: the prefix, and the pattern.
    pub(crate) fn split_namespace(pattern: &str) -> Option<(&str, &str)> {
        let (prefix, rest) = pattern.strip_prefix(r"\Q")?.split_once(NAMESPACE_GROUP)?;
        Some((prefix, rest.strip_suffix(')')?))
    }
}

#[cfg(feature = "server")]
fn compile(pattern: &str) -> Result<regex::Regex, String> {
    let compiled = regex::RegexBuilder::new(pattern).octal(true).build();
    // The last line says what is wrong; those before show where.
    compiled.map_err(|error| error.to_string().lines().last().unwrap_or_default().trim().to_owned())
}

/// RE2 takes what stands between `\Q` and `\E` as it is, and may have a `^` in front of the name of a class.
#[cfg(feature = "server")]
fn from_re2(pattern: &str) -> String {
    let mut plain = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(at) = rest.find('\\') {
        let (before, escaped) = rest.split_at(at);
        plain.push_str(before);
        if let Some(quoted) = escaped.strip_prefix(r"\Q") {
            let (quoted, after) = quoted.split_once(r"\E").unwrap_or((quoted, ""));
            plain.push_str(&regex::escape(quoted));
            rest = after;
        } else if let Some(name) = escaped.strip_prefix(r"\p{^") {
            plain.push_str(r"\P{");
            rest = name;
        } else if let Some(name) = escaped.strip_prefix(r"\P{^") {
            plain.push_str(r"\p{");
            rest = name;
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
pub(crate) struct NamePattern;

#[cfg(not(feature = "server"))]
impl NamePattern {
    pub(crate) fn new(_: &str) -> Result<Self, String> {
        Err("this build of ottla has no regular expressions (feature \"server\")".to_owned())
    }

    pub(crate) fn is_match(&self, _: &str) -> bool {
        false
    }
}

#[cfg(all(test, feature = "server"))]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_names_only() {
        let pattern = NamePattern::new("orders|pay.*").unwrap();
        for (name, expected) in
            [("orders", true), ("orders2", false), ("my-orders", false), ("payments", true), ("pay", true)]
        {
            assert_eq!(pattern.is_match(name), expected, "{name}");
        }
    }

    #[test]
    fn quoted_text_is_taken_as_it_is() {
        let pattern = NamePattern::new(r"\Qa.b\E\d+").unwrap();
        assert!(pattern.is_match("a.b17") && !pattern.is_match("axb17"));
        assert!(NamePattern::new(r"\Q(").unwrap().is_match("("));
    }

    #[test]
    fn classes_of_characters_have_the_names_that_unicode_gives_them() {
        let cases = [
            (r"\pL+", "ab", "a1"),
            (r"\p{Lu}+", "AB", "Ab"),
            (r"\p{^Lu}+", "ab1", "aB"),
            (r"\P{^Lu}+", "AB", "ab"),
            (r"\PL+", "12", "a1"),
            (r"\p{Latin}+", "aB", "a1"),
            (r"\P{Greek}+", "aB", ""),
            (r"[\pN_]+", "1_", "1-"),
            (r"\101\x42", "AB", "ab"),
        ];
        for (text, matching, other) in cases {
            let pattern = NamePattern::new(text).unwrap();
            assert!(pattern.is_match(matching) && !pattern.is_match(other), "{text}");
        }
        assert!(!NamePattern::new(r"\p{Greek}+").unwrap().is_match("ab"));
    }

    #[test]
    fn a_bracket_too_many_and_a_class_that_nobody_knows_are_refused() {
        for pattern in ["(", "a)|(b", "[", "*", r"\", r"\p{Klingon}", r"\pX"] {
            assert!(NamePattern::new(pattern).is_err(), "{pattern}");
        }
    }

    /// Clients of librdkafka mark what is a pattern by a `^` at its beginning.
    #[test]
    fn in_a_namespace_a_pattern_is_for_what_comes_after_the_namespaces_name() {
        let cases = [
            ("^ord.*", "a.orders", "a.my-orders"),
            (".*s$", "a.orders", "a.order"),
            ("orders|^pay.*$", "a.payments", "a.my-pay"),
            ("(?i)ORDERS", "a.orders", "a.orders2"),
            (r"\Aorders\z", "a.orders", "b.orders"),
            ("(?:o)(r)ders", "a.orders", "orders"),
            ("", "a.", "a.orders"),
            (".*", "a.b", "ab"),
        ];
        for (text, matching, other) in cases {
            let pattern = NamePattern::in_namespace("a.", text);
            assert_eq!(NamePattern::split_namespace(&pattern), Some(("a.", text)));
            let pattern = NamePattern::new(&pattern).unwrap();
            assert!(pattern.is_match(matching) && !pattern.is_match(other), "{text}");
        }
        let refused = NamePattern::new(&NamePattern::in_namespace("a.", "x)|(b")).err().unwrap();
        assert!(refused.starts_with("`x)|(b` is not a regular expression: "), "{refused}");
    }
}
