//! What the npm package's `crdt-wasm/rebase` calls: one function, bytes in and bytes out.
//!
//! A page that comes back after its history was trimmed elsewhere is rare, and what it then needs, the
//! differences of texts above all, is much: it is a module of its own, loaded when it is needed. It holds
//! nothing between two calls, so that there is nothing to be freed.

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

#[path = "../../src/error.rs"]
mod error;
#[path = "../../src/given.rs"]
mod given;
#[cfg(target_arch = "wasm32")]
#[path = "../../src/runtime.rs"]
mod runtime;

use alloc::vec::Vec;

use crdt_document::{Document, ImportError};
use wasm_bindgen::prelude::wasm_bindgen;

pub use error::Thrown;
use given::{replica_from_js, version_from_js};

/// What the document `then` did that a version lacks, done again in the document `onto` by the writer
/// of a new replica id: the bundle of these changes, or `undefined` if there is nothing to do.
///
/// As [`Document::rebase`], which says what it does to each type. The documents are all of a document
/// as bytes; the version is that of what is known to be in `onto` already.
#[wasm_bindgen]
pub fn rebase(
    then: &[u8],
    acknowledged: &[u8],
    onto: &[u8],
    replica: &[u8],
) -> Result<Option<Vec<u8>>, Thrown> {
    let then = Document::decode(then)?;
    let mut onto = Document::decode(onto)?;
    if then.genesis() != onto.genesis() {
        let (ours, theirs) = (onto.genesis(), then.genesis());
        return Err(ImportError::UnrelatedGenesis { ours, theirs }.into());
    }
    let held = onto.version().clone();
    onto.set_replica(replica_from_js(replica)?)?;
    let made = then.rebase(&mut onto, &version_from_js(acknowledged)?)?;
    Ok(made.map(|_| onto.changes_since(&held)))
}
