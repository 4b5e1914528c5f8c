//! Other crates' buffers: what automerge does with changes that come before their causes.
