use proptest::prelude::*;

use crate::record::varint::{
    MAX_VARINT_SIZE, MAX_VARLONG_SIZE, put_varint, put_varlong, read_varint, read_varlong, varint_size,
    varlong_size,
};

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
        let mut out = [0; MAX_VARINT_SIZE];
        let len = put_varint(&mut out, 0, value);
        assert_eq!(&out[..len], bytes, "{value}");
        assert_eq!(varint_size(value), bytes.len(), "{value}");
        let mut position = 0;
        assert_eq!(read_varint(bytes, &mut position), Some(value));
        assert_eq!(position, bytes.len());
    }
}

#[test]
fn a_cut_or_endless_varint_is_no_number() {
    for bytes in [&[][..], &[0x80], &[0xff, 0xff], &[0x80; 5], &[0xff; 100]] {
        let mut position = 0;
        assert_eq!(read_varint(bytes, &mut position), None);
        assert_eq!(position, 0);
    }
    for bytes in [&[][..], &[0x80; 9], &[0x80; 10], &[0xff; 100]] {
        assert_eq!(read_varlong(bytes, &mut 0), None);
    }
}

proptest! {
    #[test]
    fn every_number_reads_back(value: i64, shift in 0u32..64) {
        let value = value >> shift;
        let mut out = [0; MAX_VARLONG_SIZE];
        let len = put_varlong(&mut out, 0, value);
        prop_assert_eq!(len, varlong_size(value));
        let mut position = 0;
        prop_assert_eq!(read_varlong(&out, &mut position), Some(value));
        prop_assert_eq!(position, len);
    }
}
