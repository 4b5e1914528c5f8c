//! The laws of every type of the dotted kernel and of the counters.
//!
//! With `RUSTFLAGS="--cfg canary"` the kernel is built with a planted bug (removed dots come
//! back), and these tests, `--test types laws`, pass only if the laws catch it.

use crate::support::laws::check;
use crate::support::subjects::{GrowOnly, Map, Register, Set, UpAndDown};

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
