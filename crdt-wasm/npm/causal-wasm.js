// Loading of the buffer's own WebAssembly module: explicit, and once.

import load, { initSync as loadSync } from "./pkg/crdt_wasm_causal.js";

/** @type {Promise<void> | undefined} */
let loading;

/**
 * Loads the module, before the first buffer is made.
 *
 * @param {import("./causal.js").WasmSource} [source] default: the file of the package
 * @returns {Promise<void>}
 */
export function init(source) {
  // Written so that bundlers see the file, and take it along.
  const module_or_path = source ?? new URL("./pkg/crdt_wasm_causal_bg.wasm", import.meta.url);
  loading ??= load({ module_or_path }).then(
    () => undefined,
    (error) => {
      // A failed download must not be remembered as the answer for ever.
      loading = undefined;
      throw error;
    },
  );
  return loading;
}

/**
 * Loads the module from bytes that are already there, without waiting.
 *
 * @param {BufferSource | WebAssembly.Module} module
 */
export function initSync(module) {
  loadSync({ module });
  loading = Promise.resolve();
}
