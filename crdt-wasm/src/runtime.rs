//! What the standard library does elsewhere: it is not linked into the module.
//!
//! Its panic handler would format a message that nobody sees, for a browser has no standard
//! error; with it would ship every message, every place in the source, and most of `core::fmt`:
//! a fifth of the module.

use core::panic::PanicInfo;

use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

/// Half the size of the standard library's allocator, and faster.
#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();

/// JavaScript gets a `WebAssembly.RuntimeError`, whose stack has the places in the module.
#[panic_handler]
fn on_panic(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
