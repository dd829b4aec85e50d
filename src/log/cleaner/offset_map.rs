//! The last offset of each key (Kafka: `SkimpyOffsetMap`).

use std::hint::black_box;

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

/// What the map knows of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint([u64; 2]);

/// How many keys may be looked up between one [`OffsetMap::warm_up`] and the next: what they touch stays in the first
/// cache of any processor.
pub(super) const KEYS_AT_ONCE: usize = 64;

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

    /// Reads where the keys will be searched. Entries lie anywhere in a memory that no cache holds: the processor
    /// fetches many at once when nothing that it does next depends on them, and one after the other when it must see
    /// whether the key is in the first before it knows what comes then.
    pub(super) fn warm_up(&self, fingerprints: impl Iterator<Item = Fingerprint>) {
        let word_of = |fingerprint| self.words.get(self.slot_of(fingerprint) * WORDS);
        black_box(fingerprints.filter_map(word_of).fold(0, |sum: u64, word| sum.wrapping_add(*word)));
    }

    /// Notes that the key was last seen at `offset`; answers whether there was room. A full map takes nothing, not
    /// even a key that it knows, as in Kafka.
    pub(super) fn put(&mut self, key: Fingerprint, offset: Offset) -> bool {
        if self.len >= self.max_len || self.len + 1 >= self.slots {
            return false;
        }
        let Fingerprint(fingerprint) = key;
        let mut slot = self.slot_of(key);
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
            slot = self.next_slot(slot);
        }
        self.latest_offset = offset;
        true
    }

    /// Where the key was last seen; `None` if it was not.
    pub(super) fn get(&self, key: Fingerprint) -> Option<Offset> {
        let mut slot = self.slot_of(key);
        loop {
            let [a, b, offset] = *self.words.get(slot * WORDS..)?.first_chunk()?;
            if [a, b] == key.0 {
                return Some(offset as Offset);
            }
            if a == 0 {
                return None;
            }
            slot = self.next_slot(slot);
        }
    }

    /// What stands for a key in this map.
    pub(super) fn fingerprint(&self, key: &[u8]) -> Fingerprint {
        let [a, b] = self.hash.of(key);
        Fingerprint([a | 1, b])
    }

    fn slot_of(&self, Fingerprint([_, b]): Fingerprint) -> usize {
        ((u128::from(b) * self.slots as u128) >> 64) as usize
    }

    fn next_slot(&self, slot: usize) -> usize {
        if slot + 1 == self.slots { 0 } else { slot + 1 }
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

    fn put(map: &mut OffsetMap, key: i64, offset: Offset) -> bool {
        map.put(map.fingerprint(&key.to_be_bytes()), offset)
    }

    fn get(map: &OffsetMap, key: i64) -> Option<Offset> {
        map.get(map.fingerprint(&key.to_be_bytes()))
    }

    #[test]
    fn the_last_offset_of_each_key_is_known() {
        let mut map = map(24 * 1000, 0.9, 500);
        for offset in 0..1000i64 {
            assert!(put(&mut map, offset % 500, offset));
        }
        assert_eq!((map.len(), map.latest_offset()), (500, 999));
        for key in 0..500i64 {
            assert_eq!(get(&map, key), Some(500 + key));
        }
        assert_eq!(map.get(map.fingerprint(b"other")), None);
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
            let mut count = 0u64;
            while count < expected && put(&mut map, count as i64, count as i64) {
                count += 1;
            }
            let max_len = (max_bytes as f64 / 24.0 * load_factor) as u64;
            assert!(count >= expected.min(max_len).clamp(1, 9), "{max_bytes} {load_factor} {count}");
            assert!(count <= max_len.max(1) && get(&map, -1).is_none());
        }
    }

    #[test]
    fn a_full_map_takes_nothing_more() {
        let mut map = map(24 * 10, 0.9, u64::MAX);
        let taken = (0..20i64).take_while(|key| put(&mut map, *key, *key)).count();
        assert_eq!((taken, map.len(), map.latest_offset()), (9, 9, 8));
        assert!(!put(&mut map, 0, 100));
        assert_eq!(get(&map, 0), Some(0));
    }
}
