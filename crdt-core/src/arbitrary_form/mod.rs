//! Valid values of every type from any bytes, by `arbitrary`: what three replicas come to that change
//! and tell each other what the bytes say.

mod ids;
mod lattices;
mod ordered;
mod roots;
mod stores;
mod text;

use arbitrary::{Result, Unstructured};

use crate::{Lattice, ReplicaId};

pub use stores::ArbitraryStore;

/// How many steps a value is made by, at most.
const STEPS_MAX: usize = 24;

/// The replicas that make values.
const REPLICAS: [ReplicaId; 3] =
    [ReplicaId::from_u128(7), ReplicaId::from_u128(3 << 64), ReplicaId::from_u128(u128::MAX)];

/// Three replicas change and join; the value is one of theirs, and the delta what a part of the
/// changes come to.
fn history<'a, R: Lattice + Default + Clone>(
    u: &mut Unstructured<'a>,
    mut act: impl FnMut(&mut R, ReplicaId, &mut Unstructured<'a>) -> Result<R::Delta>,
) -> Result<(R, Option<R::Delta>)> {
    let mut roots = [R::default(), R::default(), R::default()];
    let mut told: Option<R::Delta> = None;
    for _ in 0..STEPS_MAX {
        // What no byte says is no step.
        if u.is_empty() {
            break;
        }
        let at = u.choose_index(roots.len())?;
        if u.ratio(1_u8, 4_u8)? {
            let other = roots[u.choose_index(roots.len())?].clone();
            roots[at].join(other);
        } else {
            let delta = act(&mut roots[at], REPLICAS[at], u)?;
            if u.ratio(1_u8, 2_u8)? {
                match &mut told {
                    Some(told) => _ = told.join(delta),
                    None => told = Some(delta),
                }
            }
        }
    }
    let [first, ..] = roots;
    Ok((first, told))
}
