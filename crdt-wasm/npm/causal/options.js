// Bounds of a buffer: checked here, and handed over by their place in a list.

import { crdtError } from "../errors.js";

/** The bounds in the order in which the module takes them, with their defaults. */
const BOUNDS = /** @type {const} */ ({
  pendingMax: 1 << 20,
  pendingBytesMax: 64 << 20,
  replicaPendingMax: 1 << 18,
  replicaPendingBytesMax: 16 << 20,
  parentsMax: 1 << 10,
  replicasMax: 1 << 18,
  digestsMax: 64,
  rangesMax: 256,
  gapMax: 1 << 24,
  patienceMs: 20,
  intervalMs: 500,
  intervalMsMax: 60_000,
});

/**
 * @param {Partial<Record<keyof typeof BOUNDS, number>>} options
 * @returns {{ bounds: Float64Array, replicasMax: number }}
 */
export function boundsOf(options) {
  const bounds = Object.entries(BOUNDS).map(([name, value]) => {
    const given = options[/** @type {keyof typeof BOUNDS} */ (name)] ?? value;
    if (!Number.isSafeInteger(given) || given < 0 || given > 0xffffffff) {
      throw crdtError("argument", `${name} must be a whole number of 32 bits, got ${String(given)}`);
    }
    return given;
  });
  return { bounds: Float64Array.from(bounds), replicasMax: options.replicasMax ?? BOUNDS.replicasMax };
}
