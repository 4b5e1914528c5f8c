//! Which symbols an entry is part of.

/// The numbers of the symbols that hold an entry, in ascending order, from 0 on: symbol `i` holds
/// an entry with probability 1 / (1 + i / 2), decided by the digest of the entry alone.
///
/// The paper (section 4) draws from an approximation with floating point numbers; these are drawn
/// exactly, in integers, so that every machine draws the same.
#[derive(Clone, Debug)]
pub(super) struct Indices {
    next: u64,
    random: u64,
}

/// A multiplier with good spectral properties (Steele and Vigna, 2021).
const MULTIPLIER: u64 = 0xda94_2042_e4dd_58b5;

impl Indices {
    pub(super) const fn of(digest: u64) -> Self {
        // An even state would lose its bits to the left.
        Self { next: 0, random: digest | 1 }
    }
}

impl Iterator for Indices {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let index = self.next;
        if index >= END {
            return None;
        }
        self.random = self.random.wrapping_mul(MULTIPLIER);
        // The next number is above j with probability (i + 1) (i + 2) / (j + 1) (j + 2), the
        // product of k / (k + 2) for the k in between; so it is the least j for which that is no
        // more than a random number in (0, 1].
        let random = (self.random >> 32) + 1;
        let least = (((index + 1) * (index + 2)) << 32).div_ceil(random);
        // (j + 1) (j + 2) is (j + 1.5)² - 0.25, so that j is the root or one less.
        let root = least.isqrt();
        let below = root.saturating_sub(1);
        let enough = (below + 1) * (below + 2) >= least;
        self.next = if enough { below } else { root }.max(index + 1);
        Some(index)
    }
}

/// Beyond every symbol. The squares of what is below fit 32 bits.
const END: u64 = (1 << 16) - 1;

/// No sketch is of any more use with more symbols than this.
pub(super) const SYMBOLS_MAX: usize = END as usize;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_hold_entries_as_often_as_the_paper_says() {
        let mut held = [0u32; 64];
        let count = 20_000u64;
        for number in 0..count {
            let digest = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (number << 17);
            for index in Indices::of(digest).take_while(|&index| index < 64) {
                held[index as usize] += 1;
            }
        }
        assert_eq!(u64::from(held[0]), count, "the first symbol holds everything");
        for (index, &held) in held.iter().enumerate() {
            let expected = count as f64 / (1.0 + index as f64 / 2.0);
            let deviation = (f64::from(held) - expected).abs();
            assert!(deviation < 6.0 * expected.sqrt() + 1.0, "symbol {index}: {held}");
        }
    }

    #[test]
    fn numbers_ascend_and_end() {
        for digest in [0, 1, u64::MAX, 1 << 63, 0x0123_4567_89ab_cdef] {
            let indices: Vec<u64> = Indices::of(digest).collect();
            assert!(indices.is_sorted_by(|a, b| a < b) && indices.len() < 1_000);
        }
    }

    extern crate std;
    use std::vec::Vec;
}
