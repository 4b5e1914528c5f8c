//! Causal contexts: a version vector and a cloud of dots beyond it; digests, which are two.

use crdt_core::causality::CausalContext;
use crdt_core::dot_store::Digest;
use crdt_core::{AddWinsSet, Dot, DotRange};

use super::replicas;
use crate::values::{decode, encode};

/// Decodes two contexts and joins them.
pub fn run(bytes: &[u8]) {
    if let Some((digest, _)) = decode::<Digest>(bytes) {
        let held = digest.live().ranges();
        held.for_each(|run| assert!(digest.seen().contains(Dot::new(run.replica, run.last))));
        // A stranger's digest asks for a delta, whatever it claims.
        let mut set = AddWinsSet::<u8>::new();
        let mut writer = set.writer(replicas()[0]);
        let _kept = set.add(1, &mut writer).expect("far from the end");
        set.missing_from(&digest).check_invariants();
    }
    let Some((mut context, rest)) = decode::<CausalContext>(bytes) else { return };
    context.check_invariants();
    let before = context.clone();
    assert!(!context.join(&before), "joining a context with itself told of news");
    let Some((other, _)) = decode::<CausalContext>(rest) else { return };
    context.join(&other);
    context.check_invariants();
    assert!(context.dominates(&before) && context.dominates(&other));
}

/// A gapless one, one with gaps, and both behind each other.
pub fn seeds() -> Vec<Vec<u8>> {
    let [a, b, c] = replicas();
    let mut gapless = CausalContext::default();
    gapless.insert_range(DotRange::new(a, 1, 1000));
    let mut gaps = gapless.clone();
    for seq in [3, 5, 6, 7, 200] {
        gaps.insert(Dot::new(b, seq));
        gaps.insert(Dot::new(c, seq * 1000));
    }
    let (gapless, gaps) = (encode(&gapless), encode(&gaps));
    vec![gapless.clone(), gaps.clone(), [gapless, gaps].concat()]
}
