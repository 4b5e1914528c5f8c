// Loading of the WebAssembly module: explicit, once, and by nobody's surprise.

import load, { initSync as loadSync } from "./pkg/crdt_wasm.js";

/** @type {Promise<void> | undefined} */
let loading;

/**
 * Loads the WebAssembly module. `Document.open` calls it by itself; call it earlier to
 * choose where the module comes from. Later calls return the first one's promise.
 *
 * @param {import("./index.js").WasmSource} [source] default: the file beside the glue
 * @returns {Promise<void>}
 */
export function init(source) {
  // Written so that bundlers see the file, and take it along.
  const module_or_path = source ?? new URL("./pkg/crdt_wasm_bg.wasm", import.meta.url);
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
