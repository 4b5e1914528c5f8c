//! The trace hashes of seeds, where there is no system to print them: WebAssembly, as pages have it.

use crdt_sim::campaign::{self, Keep};
use crdt_sim::plan::Plan;
use wasm_bindgen::prelude::wasm_bindgen;

/// A seed, its trace hash and how many steps that is over, as `crdt-sim hash` prints them.
#[wasm_bindgen]
#[must_use]
pub fn line(seed: u64) -> String {
    let report = campaign::play(&Plan::draw(seed), Keep::default());
    format!("{seed} {:016x} {}", report.hash, report.steps)
}
