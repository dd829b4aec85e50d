//! Bytes as Java's `new String(bytes, UTF_8)` shows them.

/// What Java puts for bytes that are not UTF-8.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// The text that Java makes of `bytes`. It replaces what is no UTF-8 as [`String::from_utf8_lossy`] does, but for
/// the three bytes that would encode half of a surrogate pair: Java puts one replacement for all of them, Rust one
/// for each (`String.decodeUTF8_UTF16`, `malformed3`).
pub(super) fn java_string(mut bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    while let Some(chunk) = bytes.utf8_chunks().next() {
        text.push_str(chunk.valid());
        let rest = &bytes[chunk.valid().len()..];
        if rest.is_empty() {
            break;
        }
        text.push(REPLACEMENT);
        bytes = &rest[surrogate_len(rest).unwrap_or(chunk.invalid().len())..];
    }
    text
}

/// How many of the first bytes are a surrogate's, whole or cut short.
fn surrogate_len(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => Some(3),
        [0xed, 0xa0..=0xbf, ..] => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::java_string;

    /// Printed by Java 17: the characters of `new String(bytes, UTF_8)`.
    const BY_JAVA: &[(&[u8], &[u32])] = &[
        (&[0xed], &[0xfffd]),
        (&[0xed, 0xa0], &[0xfffd]),
        (&[0xed, 0xa0, 0x80], &[0xfffd]),
        (&[0xed, 0xa0, 0x41], &[0xfffd, 0x41]),
        (&[0xed, 0xbf, 0xbf], &[0xfffd]),
        (&[0xed, 0xbf, 0xc0], &[0xfffd, 0xfffd]),
        (&[0xed, 0xa0, 0xed, 0xa0], &[0xfffd, 0xfffd]),
        (&[0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80], &[0xfffd, 0xfffd]),
        (&[0xed, 0x80], &[0xfffd]),
        (&[0xed, 0x9f, 0xbf], &[0xd7ff]),
        (&[0x41, 0xed], &[0x41, 0xfffd]),
        (&[0x41, 0xed, 0xa0, 0x41], &[0x41, 0xfffd, 0x41]),
        (&[0xff, 0x80], &[0xfffd, 0xfffd]),
        (&[0xc0, 0xaf], &[0xfffd, 0xfffd]),
        (&[0xc2, 0x41], &[0xfffd, 0x41]),
        (&[0xe0, 0x80, 0xaf], &[0xfffd, 0xfffd, 0xfffd]),
        (&[0xe2, 0x82, 0x41], &[0xfffd, 0x41]),
        (&[0xe2, 0x82], &[0xfffd]),
        (&[0xf0, 0x80, 0x80], &[0xfffd, 0xfffd, 0xfffd]),
        (&[0xf0, 0x9f, 0x98], &[0xfffd]),
        (&[0xf0, 0x9f, 0x41], &[0xfffd, 0x41]),
        (&[0xf0], &[0xfffd]),
        (&[0xf4, 0x90, 0x80, 0x80], &[0xfffd, 0xfffd, 0xfffd, 0xfffd]),
        (&[0xf8, 0x88, 0x80, 0x80], &[0xfffd, 0xfffd, 0xfffd, 0xfffd]),
        (&[0xed, 0xa0, 0xf0, 0x9f, 0xa6, 0xa6], &[0xfffd, 0x1f9a6]),
        (&[0xed, 0xb0], &[0xfffd]),
        (&[0x62, 0xed, 0xb0], &[0x62, 0xfffd]),
        (&[0xed, 0xb0, 0x41, 0xa0], &[0xfffd, 0x41, 0xfffd]),
    ];

    #[test]
    fn bytes_that_are_no_text_are_shown_as_java_shows_them() {
        for (bytes, characters) in BY_JAVA {
            let text: Vec<u32> = java_string(bytes).chars().map(u32::from).collect();
            assert_eq!(text, *characters, "{bytes:02x?}");
        }
    }

    #[test]
    fn text_stays_what_it_is() {
        for text in ["", "key", "\0", "grüße", "€", "日本語", "🦦", "a\u{fffd}b"] {
            assert_eq!(java_string(text.as_bytes()), text);
        }
    }
}
