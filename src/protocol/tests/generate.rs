//! Random messages: each field that the version has gets a random value, each other its default.

use bytes::Bytes;

use crate::model::Uuid;
use crate::protocol::StrBytes;
use crate::record::Records;

/// Where random values come from, and for which version.
pub(crate) struct Generator {
    state: u64,
    version: i16,
    depth: u32,
    is_full: bool,
}

/// A type of which random values can be made.
pub(crate) trait Generate: Sized {
    fn generate(generator: &mut Generator) -> Self;
}

impl Generator {
    pub(crate) fn new(seed: u64, version: i16) -> Self {
        Generator { state: seed, version, depth: 0, is_full: false }
    }

    /// Leaves nothing out: one of everything that there may be none of, or many.
    pub(crate) fn full(seed: u64, version: i16) -> Self {
        Generator { is_full: true, ..Self::new(seed, version) }
    }

    pub(crate) fn speaks(&self, (from, to): (i16, i16)) -> bool {
        from <= self.version && self.version <= to
    }

    /// The value, made again without null if the version has no null here.
    pub(crate) fn without_null<T: Generate>(
        &mut self,
        value: Option<T>,
        null_versions: (i16, i16),
    ) -> Option<T> {
        match value {
            None if !self.speaks(null_versions) => Some(T::generate(self)),
            value => value,
        }
    }

    /// SplitMix64.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn bytes(&mut self) -> Bytes {
        // Some are past the size from which they are shared instead of copied, and past one byte of compact length.
        let len = match self.below(16) {
            0 => 0,
            1 => 1024 + self.below(2048),
            2 => 126 + self.below(4),
            _ => self.below(24),
        };
        (0..len).map(|_| self.next() as u8).collect()
    }
}

macro_rules! integers {
    ($($type:ty)*) => {$(
        impl Generate for $type {
            fn generate(generator: &mut Generator) -> Self {
                match generator.below(8) {
                    0 => 0,
                    1 => -1,
                    2 => <$type>::MAX,
                    3 => <$type>::MIN,
                    _ => generator.next() as $type,
                }
            }
        }
    )*};
}

integers! { i8 i16 i32 i64 }

impl Generate for bool {
    fn generate(generator: &mut Generator) -> Self {
        generator.below(2) == 1
    }
}

impl Generate for Uuid {
    fn generate(generator: &mut Generator) -> Self {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&generator.next().to_be_bytes());
        bytes[8..].copy_from_slice(&generator.next().to_be_bytes());
        Uuid::from_bytes(bytes)
    }
}

impl Generate for StrBytes {
    fn generate(generator: &mut Generator) -> Self {
        const LETTERS: &[char] = &['a', 'Z', '0', '-', '.', '_', 'ß', '語', '🦀'];
        let len = if generator.below(16) == 0 { 60 } else { generator.below(12) };
        let text: String =
            (0..len).map(|_| LETTERS[generator.below(LETTERS.len() as u64) as usize]).collect();
        StrBytes::from(text)
    }
}

impl Generate for Bytes {
    fn generate(generator: &mut Generator) -> Self {
        generator.bytes()
    }
}

impl Generate for Records {
    fn generate(generator: &mut Generator) -> Self {
        Records::Bytes(generator.bytes())
    }
}

impl<T: Generate> Generate for Option<T> {
    fn generate(generator: &mut Generator) -> Self {
        if !generator.is_full && generator.below(4) == 0 { None } else { Some(T::generate(generator)) }
    }
}

impl<T: Generate> Generate for Vec<T> {
    fn generate(generator: &mut Generator) -> Self {
        generator.depth += 1;
        let most = if generator.depth > 2 { 2 } else { 4 };
        let len = if generator.is_full { 1 } else { generator.below(most) };
        let elements = (0..len).map(|_| T::generate(generator)).collect();
        generator.depth -= 1;
        elements
    }
}
