//! The laws with a planted bug, which they have to catch.
//!
//! `cargo xtask canaries` builds this with `--cfg canary="chosen"` and runs it for each bug of lists, trees and
//! their forms: `CRDT_CANARY` names it, `CRDT_CASES` says in how many cases it has to be caught. An
//! ordinary build has no bugs to plant, and so there is nothing in here then.

use std::env;
use std::panic::catch_unwind;
use std::time::Instant;

use crdt_core::laws;

use crate::support::list::Lists;
use crate::support::tree::Trees;
use crate::{arbitrary_form, serde_form};

/// Each bug, with what has to catch it.
const JUDGES: &[(&str, fn())] = &[
    ("siblings-by-arrival", laws::check::<Lists>),
    ("keep-the-removed", laws::check::<Lists>),
    ("replay-by-arrival", laws::check::<Trees>),
    ("undo-at-the-top", laws::undo::<Lists>),
    ("undo-leaves-children", laws::undo::<Trees>),
    ("serialize-no-removals", serde_form::check::<Trees>),
    ("arbitrary-never-moves", arbitrary_form::lists_and_trees_are_moved_and_removed),
];

#[test]
fn the_planted_bug_is_found() {
    let Ok(name) = env::var("CRDT_CANARY") else { return };
    let (_, judge) = JUDGES.iter().find(|(bug, _)| *bug == name).expect("the bug is known");
    crdt_core::canary::plant(&name);
    let since = Instant::now();
    assert!(catch_unwind(judge).is_err(), "{name} is not caught");
    let seconds = since.elapsed().as_secs_f64();
    println!("FOUND after=1 seconds={seconds:.2} seed=0 checker=laws");
}
