//! What the npm package `crdt-wasm` calls: one [`DocumentHandle`] for each open document.
//!
//! This crate is glue. It turns JavaScript's values into the document's and back, names
//! containers by small numbers so that a path crosses the border once, and keeps beside the
//! document the session with the server and the versions that the providers report. Merging is
//! `crdt-document`'s matter, the protocol is `crdt-causal`'s, and sockets, timers and databases
//! are JavaScript's: see `crdt-wasm/npm`, whose `index.d.ts` describes the package.
//!
//! There is no clock and no random source in here. Times are milliseconds of any clock that
//! does not go back; ids and nonces are drawn by the caller.

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod containers;
mod convert;
mod counter;
mod document;
mod error;
mod events;
mod given;
mod map;
mod presence;
#[cfg(target_arch = "wasm32")]
mod runtime;
mod session;
mod set;
mod storage;
mod text;
mod token;

pub use document::DocumentHandle;
pub use error::Thrown;
