// Arguments are checked before they cross into WebAssembly: the crossing itself would turn
// 1.5 or -1 into some other position, and half of a surrogate pair into U+FFFD, in silence.

import { crdtError } from "./errors.js";

/** Values nest no deeper than the document allows; this also ends a value that holds itself. */
const DEPTH_MAX = 32;

/**
 * @param {unknown} text
 * @param {string} what
 * @returns {string}
 */
export function wellFormed(text, what) {
  if (typeof text !== "string") throw crdtError("argument", `${what} must be a string`);
  if (/\p{Surrogate}/u.test(text)) {
    throw crdtError("surrogate", `${what} contains half of a surrogate pair, which is no character`);
  }
  return text;
}

/**
 * @param {unknown} number
 * @param {string} what
 * @returns {number}
 */
export function position(number, what) {
  if (typeof number !== "number" || !Number.isInteger(number) || number < 0 || number > 0xffffffff) {
    throw crdtError("position", `${what} must be a whole number of UTF-16 units, got ${String(number)}`);
  }
  return number;
}

/**
 * @param {unknown} value
 * @param {string} [what]
 * @param {number} [depth]
 */
export function plainValue(value, what = "the value", depth = 0) {
  if (typeof value === "string") wellFormed(value, what);
  if (typeof value === "function" || typeof value === "symbol" || value === undefined) {
    throw crdtError("argument", `${what} must be a plain value, got ${typeof value}`);
  }
  if (typeof value === "bigint" && BigInt.asIntN(64, value) !== value) {
    throw crdtError("argument", `${what} must fit 64 bits, got ${value}`);
  }
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
  if (depth === DEPTH_MAX) throw crdtError("argument", `${what} is nested deeper than ${DEPTH_MAX}`);
  if (Array.isArray(value)) {
    for (const item of value) plainValue(item, what, depth + 1);
    return;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw crdtError("argument", `${what} must be a plain object, got ${value.constructor?.name}`);
  }
  for (const [key, item] of Object.entries(value)) {
    wellFormed(key, "a key");
    plainValue(item, what, depth + 1);
  }
}
