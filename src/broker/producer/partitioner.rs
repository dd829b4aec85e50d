//! Which partition a record goes to when it does not say (Kafka: `BuiltInPartitioner`, `Utils#murmur2`).

const SEED: u32 = 0x9747_b28c;
const M: u32 = 0x5bd1_e995;
const R: u32 = 24;

/// MurmurHash2 of 32 bits with Kafka's seed, bit for bit what its clients compute.
pub(crate) fn murmur2(data: &[u8]) -> i32 {
    let mut h = SEED ^ data.len() as u32;
    let mut chunks = data.chunks_exact(4);
    for chunk in &mut chunks {
        let mut k = chunk.iter().rev().fold(0, |k, byte| (k << 8) | u32::from(*byte));
        k = k.wrapping_mul(M);
        k ^= k >> R;
        k = k.wrapping_mul(M);
        h = h.wrapping_mul(M) ^ k;
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        h ^= rest.iter().rev().fold(0, |k, byte| (k << 8) | u32::from(*byte));
        h = h.wrapping_mul(M);
    }
    h ^= h >> 13;
    h = h.wrapping_mul(M);
    h ^= h >> 15;
    h as i32
}

/// The partition of a key (Kafka: `BuiltInPartitioner#partitionForKey`). The hash's sign bit is dropped, not
/// negated, as `Utils#toPositive` does.
///
/// `num_partitions` is at least 1.
pub(crate) fn partition_for_key(key: &[u8], num_partitions: i32) -> i32 {
    (murmur2(key) & i32::MAX) % num_partitions
}

/// Another partition than `current`, if there is one, by a random number.
pub(crate) fn next_sticky_partition(current: Option<i32>, num_partitions: i32, random: u64) -> i32 {
    let partitions = num_partitions.max(1) as u64;
    match current {
        Some(current) if partitions > 1 && (0..num_partitions).contains(&current) => {
            // One of the others: the numbers from `current` on stand for the ones after it.
            let other = (random % (partitions - 1)) as i32;
            if other >= current { other + 1 } else { other }
        }
        _ => (random % partitions) as i32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (Kafka: `UtilsTest#testMurmur2`.)
    #[test]
    fn hashes_are_those_of_apache_kafka() {
        let cases: [(&[u8], i32); 8] = [
            (b"21", -973_932_308),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            (b"abc", 479_470_107),
            (b"", 275_646_681),
            (b"1", -1_993_445_489),
        ];
        for (key, expected) in cases {
            assert_eq!(murmur2(key), expected, "{}", String::from_utf8_lossy(key));
        }
    }

    #[test]
    fn a_negative_hash_loses_its_sign_bit_instead_of_being_negated() {
        assert!(murmur2(b"21") < 0);
        assert_eq!(partition_for_key(b"21", 1000), (-973_932_308_i32 & i32::MAX) % 1000);
        assert_ne!(partition_for_key(b"21", 1000), 973_932_308 % 1000);
    }

    #[test]
    fn the_next_sticky_partition_is_each_of_the_others() {
        for current in 0..5 {
            let mut seen: Vec<i32> =
                (0..4).map(|random| next_sticky_partition(Some(current), 5, random)).collect();
            seen.sort_unstable();
            let others: Vec<i32> = (0..5).filter(|p| *p != current).collect();
            assert_eq!(seen, others);
        }
        assert_eq!(next_sticky_partition(Some(0), 1, 7), 0);
        // The topic may have been made again with fewer partitions.
        assert_eq!(next_sticky_partition(Some(9), 3, 7), 1);
    }
}
