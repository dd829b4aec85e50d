//! Chance.

use std::fmt;

use parking_lot::Mutex;

/// Where random bytes come from.
pub(crate) trait Rng: Send + Sync + fmt::Debug {
    /// Fills `bytes` with random ones.
    fn fill(&self, bytes: &mut [u8]);

    /// A random number.
    fn next_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// The operating system's random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SystemRng;

impl Rng for SystemRng {
    /// # Panics
    /// If the operating system has no random numbers, which no supported system does after boot.
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random numbers");
    }
}

/// The same numbers for the same seed (SplitMix64), so that a failing test can be run again.
#[derive(Debug)]
pub(crate) struct SeededRng {
    state: Mutex<u64>,
}

impl SeededRng {
    /// The sequence of `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        SeededRng { state: Mutex::new(seed) }
    }
}

impl Rng for SeededRng {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.state.lock();
        for chunk in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            for (slot, byte) in chunk.iter_mut().zip(z.to_le_bytes()) {
                *slot = byte;
            }
        }
    }
}
