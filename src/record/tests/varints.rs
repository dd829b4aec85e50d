use proptest::prelude::*;

use crate::record::varint::{
    MAX_VARLONG_SIZE, SHORT_LIMIT, Varint, take_varint, take_varlong, varint_size, varlong_size, zig_zag,
};

fn bytes_of(value: i64) -> Vec<u8> {
    let varint = Varint::of(value);
    if zig_zag(value) < SHORT_LIMIT {
        let short = Varint::of_short(zig_zag(value));
        assert_eq!((u128::from(short.bits), short.len), (varint.bits, varint.len));
    }
    varint.bits.to_le_bytes()[..varint.len].to_vec()
}

#[test]
fn varints_are_zig_zag_and_little_endian() {
    for (value, bytes) in [
        (0, &[0x00][..]),
        (-1, &[0x01]),
        (1, &[0x02]),
        (63, &[0x7e]),
        (-64, &[0x7f]),
        (64, &[0x80, 0x01]),
        (8191, &[0xfe, 0x7f]),
        (i32::MAX, &[0xfe, 0xff, 0xff, 0xff, 0x0f]),
        (i32::MIN, &[0xff, 0xff, 0xff, 0xff, 0x0f]),
    ] {
        assert_eq!(bytes_of(i64::from(value)), bytes, "{value}");
        assert_eq!(varint_size(value), bytes.len(), "{value}");
        let mut rest = bytes;
        assert_eq!(take_varint(&mut rest), Some(value));
        assert!(rest.is_empty());
    }
}

#[test]
fn a_cut_or_endless_varint_is_no_number() {
    for bytes in [&[][..], &[0x80], &[0xff, 0xff], &[0x80; 5], &[0xff; 100]] {
        let mut rest = bytes;
        assert_eq!(take_varint(&mut rest), None);
        assert_eq!(rest, bytes);
    }
    for bytes in [&[][..], &[0x80; 9], &[0x80; 10], &[0xff; 100]] {
        let mut rest = bytes;
        assert_eq!(take_varlong(&mut rest), None);
        assert_eq!(rest, bytes);
    }
}

proptest! {
    #[test]
    fn every_number_reads_back(value: i64, shift in 0u32..64) {
        let value = value >> shift;
        let out = bytes_of(value);
        let len = out.len();
        prop_assert!(len <= MAX_VARLONG_SIZE);
        prop_assert_eq!(len, varlong_size(value));
        let mut rest = &out[..];
        prop_assert_eq!(take_varlong(&mut rest), Some(value));
        prop_assert!(rest.is_empty());
    }
}
