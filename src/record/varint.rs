//! Zig-zag varints as records have them (Kafka: `ByteUtils#readVarint`). The unsigned ones of the wire protocol
//! are another matter and live there.

/// The most bytes of a 32-bit varint.
pub(crate) const MAX_VARINT_SIZE: usize = 5;
/// The most bytes of a 64-bit varint.
pub(crate) const MAX_VARLONG_SIZE: usize = 10;

/// Takes a 32-bit value off `bytes`; `None`, and `bytes` as they were, if it is cut or longer than five bytes.
#[inline(always)]
pub(crate) fn take_varint(bytes: &mut &[u8]) -> Option<i32> {
    let raw = match take_short(bytes) {
        Some(raw) => raw,
        None => take_long(bytes, MAX_VARINT_SIZE)? as u32,
    };
    Some((raw >> 1) as i32 ^ -((raw & 1) as i32))
}

/// Takes a 64-bit value off `bytes`; `None`, and `bytes` as they were, if it is cut or longer than ten bytes.
#[inline(always)]
pub(crate) fn take_varlong(bytes: &mut &[u8]) -> Option<i64> {
    let raw = match take_short(bytes) {
        Some(raw) => u64::from(raw),
        None => take_long(bytes, MAX_VARLONG_SIZE)?,
    };
    Some((raw >> 1) as i64 ^ -((raw & 1) as i64))
}

// Nearly all numbers of records have one byte or two.
#[inline(always)]
fn take_short(bytes: &mut &[u8]) -> Option<u32> {
    match *bytes {
        [a @ 0..0x80, rest @ ..] => {
            *bytes = rest;
            Some(u32::from(*a))
        }
        [a, b @ 0..0x80, rest @ ..] => {
            *bytes = rest;
            Some(u32::from(a & 0x7f) | u32::from(*b) << 7)
        }
        _ => None,
    }
}

// Bits beyond the value's width are dropped, as Kafka drops them.
fn take_long(bytes: &mut &[u8], max_size: usize) -> Option<u64> {
    let mut raw = 0u64;
    for (i, byte) in bytes.iter().take(max_size).enumerate() {
        raw |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            *bytes = bytes.get(i + 1..)?;
            return Some(raw);
        }
    }
    None
}

/// Folds the sign into the lowest bit, so that numbers near 0 are small.
#[inline(always)]
pub(crate) fn zig_zag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// What has one byte or two is less than this, folded.
pub(crate) const SHORT_LIMIT: u64 = 1 << 14;

/// A number ready to be written. A 32-bit value has the same bytes as the 64-bit value that equals it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Varint<T = u128> {
    /// The bytes, the first of them in the lowest bits.
    pub(crate) bits: T,
    /// How many there are, at most ten.
    pub(crate) len: usize,
}

impl Varint<u64> {
    /// Of a folded number below [`SHORT_LIMIT`], without a branch.
    #[inline(always)]
    pub(crate) fn of_short(raw: u64) -> Self {
        let has_second = u64::from(raw >= 1 << 7);
        Varint { bits: raw & 0x7f | has_second << 7 | (raw >> 7) << 8, len: 1 + has_second as usize }
    }
}

impl Varint {
    pub(crate) fn of(value: i64) -> Self {
        let mut raw = zig_zag(value);
        let mut bits = 0;
        let mut len = 0;
        while raw >= 0x80 {
            bits |= u128::from(raw & 0x7f | 0x80) << (8 * len);
            raw >>= 7;
            len += 1;
        }
        Varint { bits: bits | u128::from(raw) << (8 * len), len: len + 1 }
    }
}

/// The bytes that a 64-bit value takes.
#[inline]
pub(crate) fn varlong_size(value: i64) -> usize {
    let raw = zig_zag(value);
    // One byte for each seven bits, at least one.
    (70 - (raw | 1).leading_zeros() as usize) / 7
}

/// The bytes that a 32-bit value takes.
#[inline]
pub(crate) fn varint_size(value: i32) -> usize {
    varlong_size(i64::from(value))
}
