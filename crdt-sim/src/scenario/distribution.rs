//! Numbers, and what most of them are below.

use std::fmt;

/// Measured numbers, all of them: percentiles are exact.
#[derive(Clone, Debug, Default)]
pub struct Distribution(Vec<u64>);

impl Distribution {
    /// One more.
    pub fn add(&mut self, value: u64) {
        self.0.push(value);
    }

    /// Those of another one.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The smallest number that so many of a thousand do not exceed (the nearest rank); 0 if there are
    /// none. O(n).
    #[must_use]
    pub fn permille(&self, share: usize) -> u64 {
        if self.0.is_empty() {
            return 0;
        }
        let rank = (self.0.len() * share).div_ceil(1_000).max(1) - 1;
        let mut values = self.0.clone();
        *values.select_nth_unstable(rank).1
    }

    /// How many of a thousand do not exceed a number; 1,000 if there are none.
    #[must_use]
    pub fn within_permille(&self, value: u64) -> u64 {
        let within = self.0.iter().filter(|held| **held <= value).count() as u64;
        (within * 1_000).checked_div(self.0.len() as u64).unwrap_or(1_000)
    }

    /// The mean, rounded down; 0 if there are none.
    #[must_use]
    pub fn mean(&self) -> u64 {
        self.0.iter().sum::<u64>().checked_div(self.0.len() as u64).unwrap_or(0)
    }
}

/// The median, two high percentiles and the greatest.
impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return write!(f, "{:>6} {:>6} {:>6} {:>8}", "-", "-", "-", "-");
        }
        let [half, most, nearly_all, all] = [500, 950, 990, 1_000].map(|p| self.permille(p));
        write!(f, "{half:>6} {most:>6} {nearly_all:>6} {all:>8}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the definition, by counting.
    #[test]
    fn percentiles_are_nearest_ranks() {
        for count in 1..60u64 {
            let values: Vec<u64> = (0..count).map(|i| i * 37 % 41).collect();
            let mut all = Distribution::default();
            values.iter().for_each(|value| all.add(*value));
            for share in [1, 10, 250, 500, 900, 950, 990, 999, 1_000u64] {
                let least = values
                    .iter()
                    .copied()
                    .filter(|v| {
                        let within = values.iter().filter(|other| *other <= v).count() as u64;
                        within * 1_000 >= share * count
                    })
                    .min();
                assert_eq!(Some(all.permille(share as usize)), least, "{share} of {count}");
            }
        }
        assert_eq!(Distribution::default().permille(500), 0);
    }
}
