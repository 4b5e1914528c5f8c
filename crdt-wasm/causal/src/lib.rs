//! What the npm package's `crdt-wasm/causal` calls: a [`BufferHandle`] for each delivery buffer.
//!
//! This crate is glue. Messages stay in JavaScript: here each is its dot, its parents, a *handle*
//! (where JavaScript keeps it), a size and a digest. Replicas are numbers that JavaScript gives to
//! their names. A batch comes as two flat arrays, so that the border is crossed once for all of it,
//! and what comes out is flat too; `crdt-wasm/npm/causal` makes objects and errors of it.
//!
//! It is a module of its own, so that a page with documents does not load it, nor a chat documents.

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod batch;
mod buffer;
mod held;
mod report;
#[cfg(target_arch = "wasm32")]
#[path = "../../src/runtime.rs"]
mod runtime;

pub use buffer::BufferHandle;
