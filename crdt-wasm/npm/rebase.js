// Doing again, as edits, what cannot be merged any more; the meaning is in rebase.d.ts.

import { rebase as rebased } from "./pkg/crdt_wasm_rebase.js";
import { init, initSync } from "./rebase-wasm.js";

export { init, initSync };

/**
 * @param {import("./index.js").Document} then
 * @param {import("./index.js").Document} onto
 * @returns {Promise<boolean>}
 */
export async function rebase(then, onto) {
  await init();
  // Nothing of either may come between: from here on nothing waits.
  const replica = crypto.getRandomValues(new Uint8Array(16));
  const bundle = rebased(then.encode(), then.acknowledgedVersion(), onto.encode(), replica);
  if (bundle === undefined) return false;
  onto.import(bundle);
  return true;
}
