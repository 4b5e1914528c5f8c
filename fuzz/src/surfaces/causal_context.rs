//! Causal contexts: a version vector and a cloud of dots beyond it.

use crdt_core::causality::CausalContext;
use crdt_core::{Dot, DotRange};

use super::replicas;
use crate::values::{decode, encode};

/// Decodes two contexts and joins them.
pub fn run(bytes: &[u8]) {
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
