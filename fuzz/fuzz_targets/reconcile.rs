//! `cargo +nightly fuzz run reconcile`: see `src/surfaces/reconcile.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(reconcile);
