//! Tests of the engine with its small test-sized trees, against models that share nothing
//! with it.

mod anchor;
mod difference;
mod folding;
mod fugue_max;
mod history;
mod interleaving;
mod join;
mod ops;
pub(super) mod random;
mod refused;
mod rope;
pub(super) mod saved;
pub(super) mod text;
pub(super) mod trim;
mod walker;
mod worst;

/// What `count` is of 4,096 cases, of as many as are tried: how often at least something has to
/// have come about.
fn share(count: u64) -> usize {
    (count * crate::laws::cases() / 4096) as usize
}
