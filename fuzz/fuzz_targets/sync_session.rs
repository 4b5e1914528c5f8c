//! `cargo +nightly fuzz run sync_session`: see `src/surfaces/sync_session.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(sync_session);
