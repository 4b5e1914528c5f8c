//! How many random cases a law is tried on, and which.

use quickcheck::{Gen, QuickCheck};

/// How many cases a law is tried on: 4,096, or what `CRDT_CASES` says.
pub fn cases() -> u64 {
    said("CRDT_CASES").unwrap_or(4096)
}

/// What random cases of the given size are made from: the same ones in every run, so that a test
/// that fails tells something about the change before it, and fails again when it is run again.
/// Another number in `CRDT_SEED`, 0 by default, makes others; `QUICKCHECK_GENERATOR_SIZE` makes
/// smaller ones, for interpreters.
pub fn random(size: usize) -> Gen {
    let most = said("QUICKCHECK_GENERATOR_SIZE").and_then(|most| most.try_into().ok());
    Gen::from_size_and_seed(size.min(most.unwrap_or(size)), said("CRDT_SEED").unwrap_or(0))
}

/// What tries a property on [`cases`] cases, [`random`] ones of the usual size.
///
/// ```
/// use crdt_core::laws;
///
/// fn order_does_not_matter(mut scores: Vec<u32>) -> bool {
///     let first = scores.iter().max().copied();
///     scores.reverse();
///     scores.into_iter().max() == first
/// }
/// laws::trials().quickcheck(order_does_not_matter as fn(_) -> _);
/// ```
pub fn trials() -> QuickCheck {
    QuickCheck::new().rng(random(100)).tests(cases()).max_tests(100 * cases())
}

fn said(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
