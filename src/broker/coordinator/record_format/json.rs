//! Records in words, as Apache Kafka's tools write them: JSON with the names of the fields in its schemas.

use std::fmt::Write;

/// A string of JSON.
pub(in super::super) fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            // Writing to a String cannot fail.
            c if c < ' ' => _ = write!(json, "\\u{:04x}", u32::from(c)),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

/// The same, or `null`.
pub(in super::super) fn nullable(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), quoted)
}

/// Bytes, which JSON has as a string in base 64.
pub(in super::super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut json = String::from('"');
    for chunk in bytes.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4 {
            let digit = DIGITS.get((bits >> (18 - 6 * i)) as usize & 63).copied().unwrap_or(b'=');
            json.push(if i <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    json.push('"');
    json
}

/// A key with the number of its kind.
pub(in super::super) fn key(kind: i16, data: &str) -> String {
    format!("{{\"type\":\"{kind}\",\"data\":{{{data}}}}}")
}

/// A value with its version.
pub(in super::super) fn value(version: i16, data: &str) -> String {
    format!("{{\"version\":\"{version}\",\"data\":{{{data}}}}}")
}

/// The number that stands in front of each key and each value.
pub(in super::super) fn leading_number(bytes: &[u8]) -> i16 {
    bytes.first_chunk().map_or(-1, |number| i16::from_be_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_bytes_are_written_as_json_has_them() {
        assert_eq!(quoted("a\"b\\c\nd"), r#""a\"b\\c\u000ad""#);
        assert_eq!(nullable(None), "null");
        for (bytes, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(bytes.as_bytes()), format!("\"{expected}\""));
        }
    }
}
