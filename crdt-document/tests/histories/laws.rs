//! The laws of the document, on random histories of four replicas over all kinds of
//! container, with nested removals, partial syncs, saving and loading.

use crdt_core::laws::trials;

use crate::script::{Script, World};

/// After every step each replica reads what the naive model computes from the events it
/// knows; in the end all have equal values and equal bytes.
#[test]
#[cfg_attr(canary, should_panic)]
fn documents_converge_on_what_the_model_says() {
    fn law(script: Script) -> bool {
        World::play(&script);
        true
    }
    trials().quickcheck(law as fn(_) -> _);
}
