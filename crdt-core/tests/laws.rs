//! The laws of every type of the dotted kernel and of the counters.
//!
//! `CRDT_CASES` sets the number of cases for each law. With `RUSTFLAGS="--cfg canary"` the
//! kernel is built with a planted bug (removed dots come back), and these tests pass only if
//! the laws catch it.

mod support;

use support::laws::check;
use support::subjects::{GrowOnly, Map, Register, Set, UpAndDown};

#[test]
#[cfg_attr(canary, should_panic)]
fn add_wins_set() {
    check::<Set>();
}

#[test]
fn lww_map() {
    check::<Map>();
}

#[test]
fn lww_register() {
    check::<Register>();
}

#[test]
fn grow_only_counter() {
    check::<GrowOnly>();
}

#[test]
fn pn_counter() {
    check::<UpAndDown>();
}
