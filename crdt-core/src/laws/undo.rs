//! The laws of [`Undo`].

use alloc::vec::Vec;
use core::fmt::Debug;

use super::{Arrival, History, REPLICAS, Rng, Step, Subject, quickcheck, replica};
use crate::undo::Undo;
use crate::{Lattice, Writer};

/// A type under test whose changes can be taken back.
pub trait UndoSubject: Subject<Writer = Writer, Root: Undo<Error: Debug>> {
    /// What a reader sees who does not ask by whom it was written, nor when.
    type Seen: PartialEq + Debug;

    /// The same.
    fn seen(root: &Self::Root) -> Self::Seen;

    /// Whether an undo may be refused.
    fn may_refuse() -> bool {
        false
    }

    /// Whether an undo depends on what others did since, as a move does where all moves have one
    /// order: then it does not commute with that.
    fn looks_around() -> bool {
        false
    }
}

/// Tries the laws of [`Undo`] on random histories.
///
/// # Panics
///
/// If one is broken, with the shortest history that was found for it.
pub fn undo<S: UndoSubject>() {
    quickcheck(undone::<S> as fn(Vec<Step<S::Op>>, u64) -> bool);
}

/// Undo right after do is the value before; undo of undo is the value after; and concurrent
/// changes neither are changed by an undo nor change what it does.
fn undone<S: UndoSubject>(steps: Vec<Step<S::Op>>, seed: u64) -> bool {
    let mut rng = Rng(seed);
    for arrival in [Arrival::Causal, Arrival::Any] {
        let history = History::<S>::play_unread(&steps, arrival);
        for _ in 0..4.min(history.events.len()) {
            let mut op = || history.events[rng.below(history.events.len())].op.clone();
            let [done, others] = [op(), op()];
            let at = rng.below(REPLICAS);
            let before = &history.states[at];
            let mut root = before.clone();
            let mut writer = S::writer(&root, replica(at));
            let delta = S::apply(&mut root, &done, &mut writer);
            let inverse = before.inverse(&delta);
            let after = root.clone();

            // Somebody who has not seen it does something else.
            let mut other = before.clone();
            let mut elsewhere = S::writer(&other, replica(REPLICAS));
            let concurrent = S::apply(&mut other, &others, &mut elsewhere);
            let mut late = after.clone();
            late.join(concurrent.clone());
            let mut late_writer = S::writer(&late, replica(at));
            let undone_late = late.undo(&inverse, &mut late_writer);

            let undo = match root.undo(&inverse, &mut writer) {
                Ok(undo) => undo,
                Err(refused) => {
                    assert!(S::may_refuse(), "{refused:?}");
                    assert_eq!(root, after, "what is refused changes nothing");
                    continue;
                }
            };
            S::check(&root);
            assert_eq!(S::seen(&root), S::seen(before), "undone at once: {done:?}");
            let mut told = after.clone();
            told.join(undo.clone());
            assert_eq!(told, root, "state ⊔ delta is the new state");

            match undone_late {
                Ok(undo) if S::looks_around() => {
                    S::check(&late);
                    let mut told = after.clone();
                    told.join(undo);
                    told.join(concurrent);
                    assert_eq!(told, late, "whoever hears of an undo first");
                }
                Ok(_) => {
                    let mut early = root.clone();
                    early.join(concurrent);
                    S::check(&late);
                    assert_eq!(late, early, "{done:?} undone before or after {others:?}");
                }
                Err(_) => assert!(S::may_refuse()),
            }

            let redo = after.inverse(&undo);
            if root.undo(&redo, &mut writer).is_ok() {
                S::check(&root);
                assert_eq!(S::seen(&root), S::seen(&after), "redone: {done:?}");
            } else {
                assert!(S::may_refuse());
            }
        }
    }
    true
}
