// What the module tells in flat lists, as objects and errors.

import { crdtError } from "../errors.js";

/**
 * Why a message was not taken, in the order of the module's `report.rs`.
 *
 * @type {readonly [import("../causal.js").RefusalReason, import("../causal.js").ErrorCode, string][]}
 */
const REASONS = [
  ["invalid", "argument", "names no message"],
  ["cyclic", "argument", "follows itself"],
  ["parents", "limit", "has too many parents"],
  ["gap", "limit", "is too far from delivery"],
  ["bytes", "limit", "is too large"],
  ["replicas", "limit", "is of one replica more than can be told apart"],
  ["quarantined", "equivocation", "comes after an equivocation"],
  ["equivocation", "equivocation", "was used for two messages"],
  ["forsaken", "argument", "was given up"],
  ["invalid", "argument", "was not taken"],
];

/** Numbers of each refused message after the four counts: dot, reason, two digests. */
const REFUSED_LEN = 11;

/**
 * @param {Float64Array} numbers
 * @param {import("./names.js").Names} names
 * @returns {import("../causal.js").Batch}
 */
export function shapeBatch(numbers, names) {
  const [ready = 0, pending = 0, duplicates = 0, dropped = 0] = numbers;
  /** @type {import("../causal.js").Refused[]} */
  const refused = [];
  for (let at = 4; at < numbers.length; at += REFUSED_LEN) {
    const replica = names.name(/** @type {number} */ (numbers[at]));
    const seq = /** @type {number} */ (numbers[at + 1]);
    const [reason, code, text] = /** @type {(typeof REASONS)[number]} */ (REASONS[/** @type {number} */ (numbers[at + 2])]);
    const error = crdtError(code, `${replica}:${seq} ${text}`);
    /** @type {import("../causal.js").Refused} */
    const entry = Object.assign(error, { replica, seq, reason });
    if (reason === "equivocation") Object.assign(entry, proof(numbers, at + 3));
    refused.push(entry);
  }
  return { ready, pending, duplicates, dropped, refused };
}

/**
 * @param {Float64Array} numbers
 * @param {import("./names.js").Names} names
 */
export function shapeEvents(numbers, names) {
  /** @type {import("../causal.js").CausalEvent[]} */
  const events = [];
  for (let at = 0; at < numbers.length; ) {
    const isEquivocation = numbers[at] === 0;
    const number = /** @type {number} */ (numbers[at + 1]);
    const first = /** @type {number} */ (numbers[at + 2]);
    if (isEquivocation) {
      events.push({ type: "equivocation", replica: names.name(number), seq: first, ...proof(numbers, at + 3) });
    } else if (names.has(number)) {
      const type = numbers[at] === 1 ? "dropped" : "forsaken";
      events.push({ type, replica: names.name(number), first, last: /** @type {number} */ (numbers[at + 3]) });
    }
    at += isEquivocation ? REFUSED_LEN : 4;
  }
  return events;
}

/**
 * @param {Float64Array} numbers
 * @param {import("./names.js").Names} names
 */
export function shapeRanges(numbers, names) {
  /** @type {import("../causal.js").DotRange[]} */
  const ranges = [];
  for (let at = 0; at < numbers.length; at += 3) {
    const [number = 0, first = 0, last = 0] = numbers.subarray(at, at + 3);
    if (names.has(number)) ranges.push({ replica: names.name(number), first, last });
  }
  return ranges;
}

/**
 * @param {Float64Array} numbers
 * @param {number} at
 */
function proof(numbers, at) {
  const digest = (/** @type {number} */ from) =>
    Array.from(numbers.subarray(from, from + 4), (word) => word.toString(16).padStart(8, "0")).join("");
  return { held: digest(at), offered: digest(at + 4) };
}
