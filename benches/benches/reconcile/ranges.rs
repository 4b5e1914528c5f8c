//! Reconciliation by ranges (Meyer, *Range-Based Set Reconciliation*, 2022), to compare with: whoever has another
//! fingerprint for a range cuts it into parts with fingerprints of their own, until there are few enough entries to list them.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

/// So many entries, or fewer, are listed.
const LISTED_MAX: usize = 16;

/// One side: the hashes of its entries, in order, which stand for them.
pub(crate) struct Ranges {
    hashes: Vec<u64>,
    parts: usize,
    only_here: usize,
    only_there: usize,
}

/// What one side says of the hashes in a range.
pub(crate) enum Says {
    Fingerprint(u64),
    /// All of them.
    Listed(Vec<u64>),
}

/// A part of a message.
pub(crate) struct Said {
    range: Range<u64>,
    says: Says,
}

impl Ranges {
    pub(crate) fn of(entries: &BTreeMap<Vec<u8>, u64>, parts: usize) -> Self {
        let hash = |entry: (&Vec<u8>, &u64)| {
            let mut hasher = DefaultHasher::new();
            entry.hash(&mut hasher);
            // The end of the last range is no hash.
            hasher.finish() >> 1
        };
        let mut hashes: Vec<u64> = entries.iter().map(hash).collect();
        hashes.sort_unstable();
        Self { hashes, parts, only_here: 0, only_there: 0 }
    }

    fn within(&self, range: &Range<u64>) -> &[u64] {
        let at = |end: u64| self.hashes.partition_point(|hash| *hash < end);
        &self.hashes[at(range.start)..at(range.end)]
    }

    /// What is said of a range in which the other side has something else.
    fn cut(&self, range: &Range<u64>, said: &mut Vec<Said>) {
        let held = self.within(range);
        if held.len() <= LISTED_MAX {
            said.push(Said { range: range.clone(), says: Says::Listed(held.to_vec()) });
            return;
        }
        let mut start = range.start;
        for part in 1..=self.parts {
            let end = held.get(part * held.len() / self.parts).copied().unwrap_or(range.end);
            let range = start..end;
            let says = Says::Fingerprint(fingerprint(self.within(&range)));
            said.push(Said { range, says });
            start = end;
        }
    }

    /// The first message.
    pub(crate) fn begin(&self) -> Vec<Said> {
        let mut said = Vec::new();
        self.cut(&(0..1 << 63), &mut said);
        said
    }

    /// What the side says that is asked.
    pub(crate) fn answer(&self, asked: &[Said]) -> Vec<Said> {
        let mut said = Vec::new();
        for Said { range, says } in asked {
            let held = self.within(range);
            match says {
                Says::Fingerprint(other) if *other == fingerprint(held) => {}
                Says::Fingerprint(_) => self.cut(range, &mut said),
                Says::Listed(other) if other == held => {}
                Says::Listed(_) => {
                    said.push(Said { range: range.clone(), says: Says::Listed(held.to_vec()) });
                }
            }
        }
        said
    }

    /// Takes in an answer. What is still to be asked.
    pub(crate) fn learn(&mut self, answered: &[Said]) -> Vec<Said> {
        let mut said = Vec::new();
        for Said { range, says } in answered {
            let held = self.within(range);
            match says {
                Says::Fingerprint(other) if *other == fingerprint(held) => {}
                Says::Fingerprint(_) => self.cut(range, &mut said),
                Says::Listed(other) => {
                    let lacks = |from: &[u64], of: &[u64]| {
                        of.iter().filter(|hash| from.binary_search(hash).is_err()).count()
                    };
                    let (here, there) = (lacks(other, held), lacks(held, other));
                    self.only_here += here;
                    self.only_there += there;
                }
            }
        }
        said
    }

    /// How many entries only one side has.
    pub(crate) fn found(&self) -> [usize; 2] {
        [self.only_here, self.only_there]
    }
}

/// A sum, as it has to be if parts are not to be hashed anew at each depth.
fn fingerprint(hashes: &[u64]) -> u64 {
    let sum = hashes.iter().fold(0u64, |sum, hash| sum.wrapping_add(*hash));
    sum ^ (hashes.len() as u64).rotate_right(8)
}

/// What a message takes, as short as can be: of a range its end, by as many bytes as tell it from the one before, with
/// their number and what follows in one byte; a fingerprint eight bytes, and so a hash that is listed.
pub(crate) fn bytes(said: &[Said]) -> usize {
    let end = |range: &Range<u64>| {
        let same = (range.start ^ range.end).leading_zeros() as usize;
        1 + (same / 8 + 2).min(8)
    };
    let each = said.iter().map(|Said { range, says }| {
        end(range)
            + match says {
                Says::Fingerprint(_) => 8,
                Says::Listed(hashes) => 1 + 8 * hashes.len(),
            }
    });
    each.sum()
}
