// Changes cross from WebAssembly as flat lists, and become objects here.

/**
 * @typedef {import("./index.js").Change} Change
 * @typedef {import("./index.js").TextPatch} TextPatch
 * @typedef {import("./containers.js").Containers} Containers
 */

/**
 * @param {[number: number, by: string | undefined, ...details: any[]]} drained
 * @param {Containers} containers
 * @returns {Change}
 */
export function shapeChange([number, by, ...details], containers) {
  const target = containers.byNumber(number);
  const { path } = target;
  switch (path.at(-1)?.kind) {
    case "text":
      return { kind: "text", target: /** @type {any} */ (target), path, by, patches: patches(details) };
    case "counter":
      return { kind: "counter", target: /** @type {any} */ (target), path, by };
    case "set":
      return { kind: "set", target: /** @type {any} */ (target), path, by, added: details[0], removed: details[1] };
    default:
      return { kind: "map", target: /** @type {any} */ (target), path, by, keys: details };
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
