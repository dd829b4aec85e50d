//! A fingerprint of a key, so long and so secret that no two keys ever share one.

/// SipHash with 128 bits of output, keyed; `C` rounds for each word and `D` at the end. Nobody who does not know the
/// seed can find two keys of one fingerprint, and by chance it takes some 2^64 keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyHash<const C: usize = 1, const D: usize = 3> {
    seed: [u64; 2],
}

impl<const C: usize, const D: usize> KeyHash<C, D> {
    pub(super) fn new(seed: [u64; 2]) -> Self {
        KeyHash { seed }
    }

    pub(super) fn of(self, key: &[u8]) -> [u64; 2] {
        let [k0, k1] = self.seed;
        let mut state = State([
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ]);
        let (words, tail) = key.as_chunks::<8>();
        for word in words {
            state.absorb::<C>(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        for (slot, byte) in last.iter_mut().zip(tail) {
            *slot = *byte;
        }
        state.absorb::<C>(u64::from_le_bytes(last) | (key.len() as u64) << 56);
        state.0[2] ^= 0xee;
        let first = state.squeeze::<D>();
        state.0[1] ^= 0xdd;
        [first, state.squeeze::<D>()]
    }
}

struct State([u64; 4]);

impl State {
    #[inline(always)]
    fn absorb<const C: usize>(&mut self, word: u64) {
        self.0[3] ^= word;
        (0..C).for_each(|_| self.round());
        self.0[0] ^= word;
    }

    #[inline(always)]
    fn squeeze<const D: usize>(&mut self) -> u64 {
        (0..D).for_each(|_| self.round());
        self.0[0] ^ self.0[1] ^ self.0[2] ^ self.0[3]
    }

    #[inline(always)]
    fn round(&mut self) {
        let State([a, b, c, d]) = self;
        *a = a.wrapping_add(*b);
        *b = b.rotate_left(13) ^ *a;
        *a = a.rotate_left(32);
        *c = c.wrapping_add(*d);
        *d = d.rotate_left(16) ^ *c;
        *a = a.wrapping_add(*d);
        *d = d.rotate_left(21) ^ *a;
        *c = c.wrapping_add(*b);
        *b = b.rotate_left(17) ^ *c;
        *c = c.rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_what_the_designers_of_siphash_say() {
        let seed = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
        let expected: [u8; 16] =
            [0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93];
        let [a, b] = KeyHash::<2, 4>::new(seed).of(b"");
        assert_eq!([a.to_le_bytes(), b.to_le_bytes()].concat(), expected);
    }

    #[test]
    fn every_byte_and_the_length_of_a_key_count() {
        let hash: KeyHash = KeyHash::new([1, 2]);
        let mut seen = std::collections::HashSet::new();
        for len in 0..40 {
            assert!(seen.insert(hash.of(&vec![0; len])));
            for at in 0..len {
                let mut key = vec![0; len];
                key[at] = 1;
                assert!(seen.insert(hash.of(&key)));
            }
        }
        let other: KeyHash = KeyHash::new([1, 3]);
        assert_ne!(hash.of(b"key"), other.of(b"key"));
    }
}
