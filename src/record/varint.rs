//! Zig-zag varints as records have them (Kafka: `ByteUtils#readVarint`). The unsigned ones of the wire protocol
//! are another matter and live there.

/// The most bytes of a 32-bit varint.
pub(crate) const MAX_VARINT_SIZE: usize = 5;
/// The most bytes of a 64-bit varint.
pub(crate) const MAX_VARLONG_SIZE: usize = 10;

/// Reads a 32-bit value at `position` and moves on; `None` if it is cut or longer than five bytes.
#[inline]
pub(crate) fn read_varint(bytes: &[u8], position: &mut usize) -> Option<i32> {
    let first = *bytes.get(*position)?;
    if first < 0x80 {
        *position += 1;
        return Some(i32::from(first >> 1) ^ -i32::from(first & 1));
    }
    let raw = read_unsigned(bytes, position, MAX_VARINT_SIZE)? as u32;
    Some((raw >> 1) as i32 ^ -((raw & 1) as i32))
}

/// Reads a 64-bit value at `position` and moves on; `None` if it is cut or longer than ten bytes.
#[inline]
pub(crate) fn read_varlong(bytes: &[u8], position: &mut usize) -> Option<i64> {
    let first = *bytes.get(*position)?;
    if first < 0x80 {
        *position += 1;
        return Some(i64::from(first >> 1) ^ -i64::from(first & 1));
    }
    let raw = read_unsigned(bytes, position, MAX_VARLONG_SIZE)?;
    Some((raw >> 1) as i64 ^ -((raw & 1) as i64))
}

// Bits beyond the value's width are dropped, as Kafka drops them.
fn read_unsigned(bytes: &[u8], position: &mut usize, max_size: usize) -> Option<u64> {
    let mut raw = 0u64;
    for (i, byte) in bytes.get(*position..)?.iter().take(max_size).enumerate() {
        raw |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            *position += i + 1;
            return Some(raw);
        }
    }
    None
}

/// Writes a 32-bit value at `at` and returns the position after it.
#[inline]
pub(crate) fn put_varint<const N: usize>(out: &mut [u8; N], at: usize, value: i32) -> usize {
    put_varlong(out, at, i64::from(value))
}

/// Writes a 64-bit value at `at` and returns the position after it.
#[inline]
pub(crate) fn put_varlong<const N: usize>(out: &mut [u8; N], mut at: usize, value: i64) -> usize {
    // Zig-zag of a sign-extended 32-bit value equals the 32-bit zig-zag, so one writer serves both.
    let mut raw = ((value << 1) ^ (value >> 63)) as u64;
    while raw >= 0x80 {
        out[at] = raw as u8 | 0x80;
        raw >>= 7;
        at += 1;
    }
    out[at] = raw as u8;
    at + 1
}

/// The bytes that a 64-bit value takes.
#[inline]
pub(crate) fn varlong_size(value: i64) -> usize {
    let raw = ((value << 1) ^ (value >> 63)) as u64;
    // One byte for each seven bits, at least one.
    (70 - (raw | 1).leading_zeros() as usize) / 7
}

/// The bytes that a 32-bit value takes.
#[inline]
pub(crate) fn varint_size(value: i32) -> usize {
    varlong_size(i64::from(value))
}
