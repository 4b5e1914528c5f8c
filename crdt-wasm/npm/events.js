// Changes cross from WebAssembly as flat lists, and become objects here.

import { KINDS } from "./containers.js";

/**
 * @typedef {import("./index.js").Change} Change
 * @typedef {import("./index.js").TextPatch} TextPatch
 * @typedef {import("./index.js").Kind} Kind
 * @typedef {import("./containers.js").Containers} Containers
 */

/**
 * @param {[number: number, by: string[], ...details: any[]]} row
 * @param {Containers} containers
 * @returns {Change}
 */
export function shapeChange([number, by, ...details], containers) {
  if (number < 0) return { kind: "everything", target: undefined, path: [], by };
  const target = /** @type {any} */ (containers.byNumber(number));
  const path = target.path;
  switch (path.at(-1)?.kind) {
    case "text":
      return { kind: "text", target, path, by, patches: patches(details) };
    case "counter":
      return { kind: "counter", target, path, by, before: details[0], after: details[1] };
    case "set":
      return { kind: "set", target, path, by, added: details[0], removed: details[1] };
    default: {
      const [set, removed, appeared, vanished] = details;
      return { kind: "map", target, path, by, set, removed, appeared: places(appeared), vanished: places(vanished) };
    }
  }
}

/**
 * @param {any[]} flat position, length and text of each
 * @returns {TextPatch[]}
 */
function patches(flat) {
  const patches = [];
  for (let at = 0; at < flat.length; at += 3) {
    patches.push({ at: flat[at], deleted: flat[at + 1], inserted: flat[at + 2] });
  }
  return patches;
}

/**
 * @param {any[]} flat key and kind of each
 * @returns {{ key: string, kind: Kind }[]}
 */
function places(flat) {
  const places = [];
  for (let at = 0; at < flat.length; at += 2) {
    places.push({ key: flat[at], kind: /** @type {Kind} */ (KINDS[flat[at + 1]]) });
  }
  return places;
}
