//! The last offset of each key (Kafka: `SkimpyOffsetMap`).

use super::key_hash::KeyHash;
use crate::model::Offset;

/// Bytes of one entry: the fingerprint of the key and the offset.
const ENTRY_BYTES: usize = 24;
/// The words of one entry.
const WORDS: usize = ENTRY_BYTES / 8;

/// A hash table of bounded size that knows keys by their fingerprints, so that an entry is small whatever the key is.
#[derive(Debug)]
pub(super) struct OffsetMap {
    hash: KeyHash,
    /// Entries of three words each: fingerprint, offset. A fingerprint of 0 is an empty entry.
    words: Vec<u64>,
    slots: usize,
    len: usize,
    max_len: usize,
    latest_offset: Offset,
}

/// How large a map may get.
#[derive(Clone, Copy, Debug)]
pub(super) struct OffsetMapParams {
    pub(super) max_bytes: usize,
    /// How full it may get.
    pub(super) load_factor: f64,
    /// No more keys than this will come; memory is taken for as many only.
    pub(super) expected_keys: u64,
    pub(super) seed: [u64; 2],
}

impl OffsetMap {
    pub(super) fn new(params: OffsetMapParams) -> Self {
        let max_slots = (params.max_bytes / ENTRY_BYTES).max(2);
        let load_factor = params.load_factor.clamp(0.0, 1.0);
        // One stays empty, where a search for a key that is not there ends.
        let max_len = ((max_slots as f64 * load_factor) as usize).clamp(1, max_slots - 1);
        let expected = usize::try_from(params.expected_keys).unwrap_or(usize::MAX).min(max_len);
        let slots = match expected == max_len {
            true => max_slots,
            // Not fuller than the full one would be, and never too full to search.
            false => {
                ((expected as f64 / load_factor.clamp(0.1, 0.9)) as usize + 2).clamp(expected + 1, max_slots)
            }
        };
        OffsetMap {
            hash: KeyHash::new(params.seed),
            words: vec![0; slots * WORDS],
            slots,
            len: 0,
            max_len,
            latest_offset: -1,
        }
    }

    /// Notes that the key was last seen at `offset`; answers whether there was room. A full map takes nothing, not
    /// even a key that it knows, as in Kafka.
    pub(super) fn put(&mut self, key: &[u8], offset: Offset) -> bool {
        if self.len >= self.max_len || self.len + 1 >= self.slots {
            return false;
        }
        let fingerprint = self.fingerprint(key);
        let mut slot = self.slot_of(fingerprint);
        while let Some([a, b, known]) = self.words.get_mut(slot * WORDS..).and_then(<[u64]>::first_chunk_mut)
        {
            if *a == 0 {
                self.len += 1;
                [*a, *b] = fingerprint;
            }
            if [*a, *b] == fingerprint {
                // Offsets are not negative.
                *known = offset as u64;
                break;
            }
            slot = (slot + 1) % self.slots;
        }
        self.latest_offset = offset;
        true
    }

    /// Where the key was last seen; `None` if it was not.
    pub(super) fn get(&self, key: &[u8]) -> Option<Offset> {
        let fingerprint = self.fingerprint(key);
        let mut slot = self.slot_of(fingerprint);
        loop {
            let [a, b, offset] = *self.words.get(slot * WORDS..)?.first_chunk()?;
            if [a, b] == fingerprint {
                return Some(offset as Offset);
            }
            if a == 0 {
                return None;
            }
            slot = (slot + 1) % self.slots;
        }
    }

    fn fingerprint(&self, key: &[u8]) -> [u64; 2] {
        let [a, b] = self.hash.of(key);
        [a | 1, b]
    }

    fn slot_of(&self, [_, b]: [u64; 2]) -> usize {
        ((u128::from(b) * self.slots as u128) >> 64) as usize
    }

    /// Everything up to this offset has been looked at; -1: nothing has.
    pub(super) fn latest_offset(&self) -> Offset {
        self.latest_offset
    }

    pub(super) fn update_latest_offset(&mut self, offset: Offset) {
        self.latest_offset = offset;
    }

    /// The number of keys.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The share of the entries that may be used that are.
    pub(super) fn utilization(&self) -> f64 {
        self.len as f64 / self.max_len as f64
    }

    /// The memory that it takes.
    #[cfg(test)]
    pub(super) fn size_in_bytes(&self) -> usize {
        self.words.len() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(max_bytes: usize, load_factor: f64, expected_keys: u64) -> OffsetMap {
        OffsetMap::new(OffsetMapParams { max_bytes, load_factor, expected_keys, seed: [1, 2] })
    }

    #[test]
    fn the_last_offset_of_each_key_is_known() {
        let mut map = map(24 * 1000, 0.9, 500);
        for offset in 0..1000i64 {
            assert!(map.put(&(offset % 500).to_be_bytes(), offset));
        }
        assert_eq!((map.len(), map.latest_offset()), (500, 999));
        for key in 0..500i64 {
            assert_eq!(map.get(&key.to_be_bytes()), Some(500 + key));
        }
        assert_eq!(map.get(b"other"), None);
    }

    #[test]
    fn memory_and_keys_are_bounded_by_the_settings() {
        for (max_bytes, load_factor, expected) in [
            (24 * 10, 0.9, u64::MAX),
            (24 * 10, 1.0, u64::MAX),
            (24 * 1000, 0.5, 3),
            (0, 0.9, 7),
            (240, 0.0, 9),
        ] {
            let mut map = map(max_bytes, load_factor, expected);
            assert!(map.size_in_bytes() <= max_bytes.max(48), "{max_bytes}");
            let mut put = 0u64;
            while put < expected && map.put(&put.to_be_bytes(), put as i64) {
                put += 1;
            }
            let max_len = (max_bytes as f64 / 24.0 * load_factor) as u64;
            assert!(put >= expected.min(max_len).clamp(1, 9), "{max_bytes} {load_factor} {put}");
            assert!(put <= max_len.max(1) && map.get(b"none").is_none());
        }
    }

    #[test]
    fn a_full_map_takes_nothing_more() {
        let mut map = map(24 * 10, 0.9, u64::MAX);
        let taken = (0..20i64).take_while(|key| map.put(&key.to_be_bytes(), *key)).count();
        assert_eq!((taken, map.len(), map.latest_offset()), (9, 9, 8));
        assert!(!map.put(&0i64.to_be_bytes(), 100));
        assert_eq!(map.get(&0i64.to_be_bytes()), Some(0));
    }
}
