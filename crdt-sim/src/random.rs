//! The one source of chance: a seed, and what follows from it.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of numbers that a seed and a purpose name.
///
/// ChaCha with 8 rounds: the stream is specified, and the same on every platform and in every
/// build. How numbers become choices is written here and nowhere else, so that no release of
/// another crate changes what a seed means.
#[derive(Clone, Debug)]
pub struct Random(ChaCha8Rng);

impl Random {
    /// The stream of `seed` for `purpose`; streams of different purposes share nothing.
    #[must_use]
    pub fn new(seed: u64, purpose: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&purpose.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, which is not 0. The bias of the multiplication is below 2⁻³² for
    /// bounds below 2³², which are all that are used.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.number()) * u128::from(bound)) >> 64) as u64
    }

    /// A number in `first..=last`.
    pub fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last - first + 1)
    }

    /// True in so many of a thousand cases.
    pub fn permille(&mut self, chance: u64) -> bool {
        self.below(1000) < chance
    }

    /// One of some.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }
}

/// A number that follows from others: for what has to stay as it is when something else is left
/// out of a plan, as the fate of a packet. The finaliser of SplitMix64 (Steele, Lea, Flood 2014)
/// over each part in turn.
#[must_use]
pub fn mixed(parts: &[u64]) -> u64 {
    parts.iter().fold(0x243f_6a88_85a3_08d3, |state, part| {
        let mut z = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_what_it_was() {
        // A seed that someone has noted must mean the same for ever.
        let mut random = Random::new(7, 1);
        let first = [random.number(), random.number(), random.below(1000)];
        assert_eq!(first, [16_046_041_343_225_761_205, 995_032_270_771_533_213, 1]);
        assert_eq!(mixed(&[1, 2, 3]), 14_811_618_279_488_048_801);
    }

    #[test]
    fn choices_stay_within_their_bounds_and_reach_them() {
        let mut random = Random::new(1, 2);
        let drawn: Vec<u64> = (0..200).map(|_| random.between(3, 6)).collect();
        for value in 3..=6 {
            assert!(drawn.contains(&value));
        }
        assert!(drawn.iter().all(|value| (3..=6).contains(value)));
        assert!((0..100).all(|_| !random.permille(0) && random.permille(1000)));
    }
}
