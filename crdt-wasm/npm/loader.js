// Loading of a WebAssembly module: explicit, once, and by nobody's surprise.

/** @typedef {import("./index.js").WasmSource} WasmSource */

export class Loader {
  #load;
  #loadSync;
  /** @type {Promise<void> | undefined} */
  #loading;

  /**
   * @param {(given: { module_or_path: WasmSource }) => Promise<unknown>} load of the module's glue
   * @param {(given: { module: BufferSource | WebAssembly.Module }) => unknown} loadSync
   */
  constructor(load, loadSync) {
    this.#load = load;
    this.#loadSync = loadSync;
  }

  /**
   * Later calls return the first one's promise.
   *
   * @param {WasmSource} source
   */
  init(source) {
    this.#loading ??= this.#load({ module_or_path: source }).then(
      () => undefined,
      (error) => {
        // A failed download must not be remembered as the answer for ever.
        this.#loading = undefined;
        throw error;
      },
    );
    return this.#loading;
  }

  /** @param {BufferSource | WebAssembly.Module} module */
  initSync(module) {
    this.#loadSync({ module });
    this.#loading = Promise.resolve();
  }
}
