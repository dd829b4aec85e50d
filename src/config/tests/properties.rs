use proptest::prelude::*;

use crate::config::{BrokerConfig, ConfigProblem, ConfigWarning, LogConfig, Properties};

fn entries(properties: &Properties) -> Vec<(&str, &str)> {
    let mut entries: Vec<_> = properties.iter().collect();
    entries.sort_unstable();
    entries
}

/// What `java.util.Properties#load` of Java 17 makes of each text.
#[test]
fn texts_are_read_as_java_reads_them() {
    let golden: &[(&str, &[(&str, &str)])] = &[
        ("a=b", &[("a", "b")]),
        ("a = b ", &[("a", "b ")]),
        ("a:b", &[("a", "b")]),
        ("a b", &[("a", "b")]),
        ("a\tb", &[("a", "b")]),
        ("a\u{c} b", &[("a", "b")]),
        ("  a  =  b", &[("a", "b")]),
        ("a==b", &[("a", "=b")]),
        ("a:=b", &[("a", "=b")]),
        ("a = :b", &[("a", ":b")]),
        ("a  b=c", &[("a", "b=c")]),
        ("a", &[("a", "")]),
        ("a=", &[("a", "")]),
        ("=b", &[("", "b")]),
        (":", &[("", "")]),
        ("  ", &[]),
        ("", &[]),
        ("#a=b", &[]),
        ("  !a=b", &[]),
        ("a=#b", &[("a", "#b")]),
        ("a#=b", &[("a#", "b")]),
        ("a=b\nc=d", &[("a", "b"), ("c", "d")]),
        ("a=b\rc=d", &[("a", "b"), ("c", "d")]),
        ("a=b\r\nc=d", &[("a", "b"), ("c", "d")]),
        ("a=b\\\n  c", &[("a", "bc")]),
        ("a=b\\\n\nc=d", &[("a", "b"), ("c", "d")]),
        ("a=b\\\n   \nc=d", &[("a", "b"), ("c", "d")]),
        ("a=b\\\n#c", &[("a", "b#c")]),
        ("#a\\\nb=c", &[("b", "c")]),
        ("a=b\\\\\nc=d", &[("a", "b\\"), ("c", "d")]),
        ("a=b\\\\\\\nc=d", &[("a", "b\\c=d")]),
        ("a=b\\", &[("a", "b")]),
        ("\\", &[("", "")]),
        ("\\\n", &[("", "")]),
        ("\\\na=b", &[("a", "b")]),
        ("\\\n\na=b", &[("a", "b")]),
        ("\\\n#a=b", &[]),
        ("\\\n  \\\n a=b", &[("a", "b")]),
        ("a\\=b=c", &[("a=b", "c")]),
        ("a\\:b=c", &[("a:b", "c")]),
        ("a\\ b=c", &[("a b", "c")]),
        ("a\\\\=b", &[("a\\", "b")]),
        ("a=\\t\\n\\r\\f\\q\\\"", &[("a", "\t\n\r\u{c}q\"")]),
        ("a=\\u0041\\u00e9", &[("a", "Aé")]),
        ("\\u0061=b", &[("a", "b")]),
        ("a\\u003Db=c", &[("a=b", "c")]),
        ("a=\\uD83D\\uDE00", &[("a", "😀")]),
        ("a=1\na=2", &[("a", "2")]),
        ("a=b\\\r\n  c", &[("a", "bc")]),
        ("a=b\\\r\r\nc", &[("a", "b"), ("c", "")]),
        ("a\\\nb=c", &[("ab", "c")]),
        ("a\\\n=c", &[("a", "c")]),
        ("a \\\n = c", &[("a", "c")]),
        ("a=\\\n", &[("a", "")]),
        ("a=b\n\n\n#x\n!y\nc d", &[("a", "b"), ("c", "d")]),
        ("a=b\u{c}c", &[("a", "b\u{c}c")]),
        ("\u{c}a=b", &[("a", "b")]),
        ("a=b\0c", &[("a", "b\0c")]),
        ("a=\\ b", &[("a", " b")]),
        ("a=b \\ ", &[("a", "b  ")]),
        ("a=\\\\", &[("a", "\\")]),
        ("a\\\\b c", &[("a\\b", "c")]),
        ("#", &[]),
        ("a=b\n#c\\\nd=e", &[("a", "b"), ("d", "e")]),
        ("a=b\\\n#c\\\nd=e", &[("a", "b#cd=e")]),
    ];
    for (text, expected) in golden {
        let properties =
            Properties::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(entries(&properties), *expected, "{text:?}");
    }
}

#[test]
fn every_malformed_escape_is_reported_with_its_line() {
    let text = "a=\\u00zz\n# fine\nb=c\\\n  d\n\ne=\\u12\nf=\\u\ng=\\uD83D\nh\\uDE00=1\ni=\\uD83D\\u0041\n";
    let error = Properties::parse(text.as_bytes()).unwrap_err();
    let line_of = |problem: &ConfigProblem| match problem {
        ConfigProblem::MalformedLine { line, .. } => *line,
        other => panic!("{other}"),
    };
    let lines: Vec<_> = error.problems().iter().map(line_of).collect();
    assert_eq!(lines, [1, 6, 7, 8, 9, 10]);
    assert_eq!(error.problems()[0].to_string(), "line 1: \\u is not followed by four hexadecimal digits");
}

#[test]
fn a_key_that_comes_twice_is_reported_and_the_later_value_counts() {
    let properties = Properties::parse(b"a=1\nb=2\n\na=3\n").unwrap();
    assert_eq!(entries(&properties), [("a", "3"), ("b", "2")]);
    let warning = ConfigWarning::DuplicateKey { key: "a".to_owned(), line: 4 };
    assert_eq!(warning.to_string(), "a: given more than once, line 4 counts");
    assert_eq!(properties.warnings(), [warning]);
}

#[test]
fn text_that_is_not_utf_8_is_latin_1() {
    assert_eq!(Properties::parse("a=größe".as_bytes()).unwrap().get("a"), Some("größe"));
    assert_eq!(Properties::parse(b"a=gr\xf6\xdfe").unwrap().get("a"), Some("größe"));
}

/// A key of the table, or nearly one.
fn key() -> impl Strategy<Value = String> {
    let known = || proptest::sample::select(BrokerConfig::keys()).prop_map(|key| key.name.to_owned());
    let of_topic = proptest::sample::select(LogConfig::keys()).prop_map(|key| key.name.to_owned());
    prop_oneof![
        known(),
        known(),
        of_topic,
        known().prop_map(|key| format!("listener.name.a.{key}")),
        "[a-z.]{0,9}"
    ]
}

proptest! {
    #[test]
    fn whatever_bytes_come_each_key_is_there_once(text: Vec<u8>) {
        if let Ok(properties) = Properties::parse(&text) {
            let mut keys: Vec<_> = properties.iter().map(|(key, _)| key).collect();
            let count = keys.len();
            keys.sort_unstable();
            keys.dedup();
            prop_assert_eq!(keys.len(), count);
        }
    }

    #[test]
    fn what_is_escaped_is_read_back(key in "\\PC{1,20}", value in "\\PC{0,40}") {
        let escape = |text: &str| -> String {
            text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
        };
        let text = format!("{}={}", escape(&key), escape(&value));
        let properties = Properties::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(properties.get(&key), Some(value.as_str()));
    }
}

proptest! {
    // Each case looks at every key of the table.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_lines_come_what_is_accepted_is_what_it_must_be(
        lines in proptest::collection::vec((key(), "[ -~]{0,12}|-?[0-9]{1,20}|true|[A-Z]://[a-z]?:[0-9]{1,6}"), 0..6)
    ) {
        let text: String = lines.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
        crate::config::fuzzing::properties(text.as_bytes());
    }
}
