//! Loads for the delivery buffer: histories, orders of arrival, and how they are handed over.
//!
//! The same code runs natively and as WebAssembly, so that the two can be compared: each run gives a
//! checksum of what was delivered, in the order in which it was.

mod clock;
mod glue;
mod history;
mod load;

pub use clock::timed;
pub use glue::LoadHandle;
pub use history::{Payload, Random, history, jostle};
pub use load::{ARRIVALS, Arrival, Delivered, Load, boundless};

/// What the modules of the package have, or a comparison would be one of allocators.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
