use std::fmt;
use std::str::FromStr;

/// 128 bits that name a topic, a directory or a cluster, written as Kafka writes them: 22 characters of
/// URL-safe base64 without padding (Kafka: `org.apache.kafka.common.Uuid`).
///
/// # Examples
/// ```
/// use ottla::Uuid;
/// let id = Uuid::from_bytes([7; 16]);
/// assert_eq!(id.to_string(), "BwcHBwcHBwcHBwcHBwcHBw");
/// assert_eq!("BwcHBwcHBwcHBwcHBwcHBw".parse::<Uuid>().unwrap(), id);
/// assert!(Uuid::ZERO.is_zero());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Uuid([u8; 16]);

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Uuid {
    /// "No id".
    pub const ZERO: Uuid = Uuid([0; 16]);

    /// The id with these bytes, most significant first.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Uuid(bytes)
    }

    /// The bytes, most significant first.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Whether this is [`Uuid::ZERO`].
    pub fn is_zero(&self) -> bool {
        self.0 == [0; 16]
    }

    /// Makes a version 4 id of 16 random bytes; `None` for the few that Kafka does not hand out, since they
    /// are reserved or would start with a dash.
    pub(crate) fn from_random(mut bytes: [u8; 16]) -> Option<Self> {
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let id = Uuid(bytes);
        if id.to_string().starts_with('-') { None } else { Some(id) }
    }

    /// 32 hexadecimal digits, as in the names of directories that wait for deletion.
    pub(crate) fn to_hex(self) -> String {
        self.0.iter().map(|b| format!("{b:02x}")).collect()
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = u128::from_be_bytes(self.0);
        let mut text = [0u8; 22];
        for (i, slot) in text.iter_mut().enumerate() {
            let value = if i < 21 { bits >> (122 - 6 * i) } else { bits << 4 };
            *slot = ALPHABET[(value & 63) as usize];
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 22 characters of URL-safe base64.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an id: 22 characters of URL-safe base64 are expected")]
pub struct ParseUuidError(String);

impl FromStr for Uuid {
    type Err = ParseUuidError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || ParseUuidError(text.to_owned());
        let text_bytes = text.trim_end_matches('=').as_bytes();
        if text_bytes.len() != 22 {
            return Err(malformed());
        }
        let mut bits: u128 = 0;
        for (i, byte) in text_bytes.iter().enumerate() {
            let value = ALPHABET.iter().position(|c| c == byte).ok_or_else(malformed)? as u128;
            bits = if i < 21 { (bits << 6) | value } else { (bits << 2) | (value >> 4) };
        }
        Ok(Uuid(bits.to_be_bytes()))
    }
}
