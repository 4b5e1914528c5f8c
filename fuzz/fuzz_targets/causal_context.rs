//! `cargo +nightly fuzz run causal_context`: see `src/surfaces/causal_context.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(causal_context);
