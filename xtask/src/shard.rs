//! `--shard k/n`: the k-th of n parts of a long command's work.

use std::str::FromStr;

/// Which part of the work is done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    pub(crate) index: usize,
    pub(crate) count: usize,
}

impl Shard {
    /// The items of this part: every n-th, so that neighbours, which cost alike, are shared
    /// evenly.
    pub(crate) fn of<T>(self, items: &[T]) -> impl Iterator<Item = &T> {
        items.iter().skip(self.index - 1).step_by(self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(index, count)| {
            Some(Self { index: index.parse().ok()?, count: count.parse().ok()? })
        });
        parsed
            .filter(|shard| (1..=shard.count).contains(&shard.index))
            .ok_or_else(|| "a shard is k/n, from 1/n to n/n".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shards_are_all_of_the_work_once() {
        let items = [0, 1, 2, 3, 4, 5, 6];
        let mut all: Vec<i32> = (1..=3)
            .flat_map(|index| Shard { index, count: 3 }.of(&items).copied().collect::<Vec<_>>())
            .collect();
        all.sort_unstable();
        assert_eq!(all, items);
    }

    #[test]
    fn what_is_no_part_is_refused() {
        assert_eq!("2/3".parse(), Ok(Shard { index: 2, count: 3 }));
        for wrong in ["0/3", "4/3", "1", "1/", "/2", "a/b", "1/0"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
