//! Reads a properties file as Java does (`java.util.Properties#load`), since that is what Kafka's are written for.

use super::error::{ConfigError, ConfigProblem, ConfigWarning};

/// The settings of a properties file, in its order.
///
/// # Examples
/// ```
/// use ottla::Properties;
/// let text = b"# data\nlog.dirs = /var/lib/a,\\\n           /var/lib/b\nnode.id: 7\n";
/// let properties = Properties::parse(text)?;
/// assert_eq!(properties.get("log.dirs"), Some("/var/lib/a,/var/lib/b"));
/// assert_eq!(properties.get("node.id"), Some("7"));
/// # Ok::<(), ottla::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    entries: Vec<(String, String)>,
    warnings: Vec<ConfigWarning>,
}

impl Properties {
    /// Reads the text of a file: comments after `#` or `!`, a key and a value with `=`, `:` or blanks between them, a
    /// backslash to escape a character or to go on in the next line.
    ///
    /// Text that is not UTF-8 is taken for Latin-1, which Java takes all of it for. Where a key comes twice the later
    /// value counts.
    ///
    /// # Errors
    /// Lists every line with a `\u` that four hexadecimal digits do not follow, or that spells half a character.
    pub fn parse(text: &[u8]) -> Result<Properties, ConfigError> {
        let chars: Vec<char> = match std::str::from_utf8(text) {
            Ok(text) => text.chars().collect(),
            Err(_) => text.iter().map(|&byte| char::from(byte)).collect(),
        };
        let mut properties = Properties::default();
        let mut problems = Vec::new();
        for line in LogicalLines::new(&chars) {
            let (key, value) = split_key(&line.text);
            match (unescape(key), unescape(value)) {
                (Ok(key), Ok(value)) => properties.put(key, value, line.number),
                (Err(reason), _) | (_, Err(reason)) => {
                    problems.push(ConfigProblem::MalformedLine { line: line.number, reason });
                }
            }
        }
        if problems.is_empty() { Ok(properties) } else { Err(ConfigError::new(problems)) }
    }

    fn put(&mut self, key: String, value: String, line: usize) {
        match self.entries.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known_value)) => {
                *known_value = value;
                self.warnings.push(ConfigWarning::DuplicateKey { key, line });
            }
            None => self.entries.push((key, value)),
        }
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entries.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Keys and values, each key once.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Keys that came more than once.
    pub fn warnings(&self) -> &[ConfigWarning] {
        &self.warnings
    }
}

/// A line with its continuations joined, escapes still in it.
struct LogicalLine {
    text: Vec<char>,
    number: usize,
}

struct LogicalLines<'a> {
    rest: &'a [char],
    number: usize,
}

impl<'a> LogicalLines<'a> {
    fn new(text: &'a [char]) -> Self {
        LogicalLines { rest: text, number: 0 }
    }

    /// The next line without its end; `\r\n` is one end, not two.
    fn natural_line(&mut self) -> Option<&'a [char]> {
        if self.rest.is_empty() {
            return None;
        }
        self.number += 1;
        let end = self.rest.iter().position(|c| matches!(c, '\n' | '\r')).unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at(end);
        self.rest = match rest {
            ['\r', '\n', rest @ ..] | [_, rest @ ..] => rest,
            [] => rest,
        };
        Some(trim_start(line))
    }
}

impl Iterator for LogicalLines<'_> {
    type Item = LogicalLine;

    fn next(&mut self) -> Option<LogicalLine> {
        let mut text = Vec::new();
        let mut number = 0;
        let mut goes_on = false;
        loop {
            let Some(line) = self.natural_line() else {
                return goes_on.then_some(LogicalLine { text, number });
            };
            // A comment does not go on, and what goes on is not a comment, unless nothing came before.
            if text.is_empty() && matches!(line, [] | ['#' | '!', ..]) {
                goes_on = false;
                continue;
            }
            if !goes_on {
                number = self.number;
            }
            goes_on = ends_in_backslash(line);
            match line.split_last() {
                Some((_, kept)) if goes_on => text.extend_from_slice(kept),
                _ => {
                    text.extend_from_slice(line);
                    return Some(LogicalLine { text, number });
                }
            }
        }
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{c}')
}

fn trim_start(text: &[char]) -> &[char] {
    let start = text.iter().position(|&c| !is_blank(c)).unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

/// Whether the last backslash stands for itself, which it does after an even number of others.
fn ends_in_backslash(line: &[char]) -> bool {
    line.iter().rev().take_while(|&&c| c == '\\').count() % 2 == 1
}

/// Splits at the first `=`, `:` or blank that is not escaped; blanks around `=` or `:` belong to neither part.
fn split_key(line: &[char]) -> (&[char], &[char]) {
    let mut is_escaped = false;
    let end = line.iter().position(|&c| {
        let found = !is_escaped && (matches!(c, '=' | ':') || is_blank(c));
        is_escaped = c == '\\' && !is_escaped;
        found
    });
    let (key, rest) = line.split_at(end.unwrap_or(line.len()));
    let rest = match trim_start(rest) {
        ['=' | ':', value @ ..] => trim_start(value),
        value => value,
    };
    (key, rest)
}

fn unescape(text: &[char]) -> Result<String, &'static str> {
    let mut plain = String::with_capacity(text.len());
    let mut units = Vec::new();
    let mut chars = text.iter().copied();
    while let Some(c) = chars.next() {
        let escaped = if c == '\\' { chars.next() } else { None };
        if escaped == Some('u') {
            units.push(code_unit(&mut chars)?);
            continue;
        }
        push_units(&mut plain, &mut units)?;
        match (c, escaped) {
            ('\\', Some('t')) => plain.push('\t'),
            ('\\', Some('n')) => plain.push('\n'),
            ('\\', Some('r')) => plain.push('\r'),
            ('\\', Some('f')) => plain.push('\u{c}'),
            ('\\', Some(other)) => plain.push(other),
            // Only the very end of a file can leave a backslash without a character.
            ('\\', None) => {}
            (c, _) => plain.push(c),
        }
    }
    push_units(&mut plain, &mut units)?;
    Ok(plain)
}

/// The four hexadecimal digits after `\u`.
fn code_unit(chars: &mut impl Iterator<Item = char>) -> Result<u16, &'static str> {
    const REASON: &str = "\\u is not followed by four hexadecimal digits";
    (0..4).try_fold(0u16, |unit, _| {
        let digit = chars.next().and_then(|c| c.to_digit(16)).ok_or(REASON)?;
        Ok(unit << 4 | u16::try_from(digit).map_err(|_| REASON)?)
    })
}

/// Appends the characters that a run of `\u` escapes spells; those beyond the first 65,536 take two escapes each.
fn push_units(plain: &mut String, units: &mut Vec<u16>) -> Result<(), &'static str> {
    for c in char::decode_utf16(units.drain(..)) {
        plain.push(c.map_err(|_| "\\u spells half of a surrogate pair")?);
    }
    Ok(())
}
