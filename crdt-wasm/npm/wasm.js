// The WebAssembly module of documents.

import load, { initSync as loadSync } from "./pkg/crdt_wasm.js";
import { Loader } from "./loader.js";

const loader = new Loader(load, loadSync);

/**
 * Loads the module. `Document.open` calls it by itself; call it earlier to choose where the module
 * comes from.
 *
 * @param {import("./index.js").WasmSource} [source] default: the file of the package
 * @returns {Promise<void>}
 */
export function init(source) {
  // Written so that bundlers see the file, and take it along.
  return loader.init(source ?? new URL("./pkg/crdt_wasm_bg.wasm", import.meta.url));
}

/**
 * Loads the module from bytes that are already there, without waiting.
 *
 * @param {BufferSource | WebAssembly.Module} module
 */
export function initSync(module) {
  loader.initSync(module);
}
