// For who comes back after the history that their changes build on is gone: the error `trimmed`.

import type { Document, WasmSource } from "./index.js";

/** Loads the WebAssembly module; `rebase` does it by itself. */
export function init(source?: WasmSource): Promise<void>;
/** Loads the WebAssembly module from bytes that are already there. */
export function initSync(module: BufferSource | WebAssembly.Module): void;

/**
 * Makes anew in `onto` what was done in `then` and never reached a server, as one change; whether there
 * was anything.
 *
 * **It is an edit and no merge.** A server that forgets history cannot merge what was done without
 * knowledge of it. So the difference between what stood in `then` when the server last acknowledged it and
 * what stands there now is written again, by a new writer and after everything that is in `onto`:
 *
 * - in a text, the same insertions and deletions, at the places that are found by comparing the text of
 *   then with the one in `onto`; of two insertions at one place that one comes later;
 * - a key that was written or removed, whatever stands there by now;
 * - an element that was added to a set, or taken out;
 * - a counter by the difference of its values;
 * - a container that came to exist, or what was in one that is gone.
 *
 * Done twice, it is there twice: `then` does not know of it, and is to be thrown away. Let nobody edit it
 * any more from here on.
 *
 * ```ts
 * import { Document, IndexedDbStorage } from "crdt-wasm";
 * import { rebase } from "crdt-wasm/rebase";
 *
 * async function comeBack(then: Document, server: string): Promise<Document> {
 *   // As it is there now, without what is stored here; nothing is shown to other tabs yet.
 *   const onto = await Document.open(then.name, { connect: server, tabs: false });
 *   await onto.upToDate();
 *   await rebase(then, onto);
 *   await onto.acknowledged();
 *   // The server has it: what is stored here has had its day.
 *   await Promise.all([then.close(), onto.close()]);
 *   await IndexedDbStorage.delete(then.name);
 *   return Document.open(then.name, { storage: "indexeddb", connect: server });
 * }
 *
 * // Of all tabs, one does it, under a lock; the others load the page anew after it.
 * export function returning(then: Document, server: string): Promise<Document> {
 *   return navigator.locks.request(`rebase ${then.name}`, () => comeBack(then, server));
 * }
 * ```
 *
 * Both documents are as they were if it throws: with the codes `unrelated` (documents of different
 * genesis) and `closed`.
 */
export function rebase(then: Document, onto: Document): Promise<boolean>;
