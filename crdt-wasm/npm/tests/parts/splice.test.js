import assert from "node:assert/strict";
import { test } from "node:test";
import { movePosition, moveRanges, smallestSplice } from "../../splice.js";

/** @typedef {import("../../splice.js").Splice} Splice */

/**
 * @param {string} text
 * @param {Splice} splice
 */
function apply(text, { at, deleted, inserted }) {
  return text.slice(0, at) + inserted + text.slice(at + deleted);
}

/** A small generator of numbers, so that a failure can be repeated. @param {number} seed */
function generator(seed) {
  let state = seed;
  return (/** @type {number} */ below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/**
 * @param {(below: number) => number} random
 * @param {number} lengthMax
 */
function text(random, lengthMax) {
  const characters = ["a", "a", "b", "\n", "é", "😀", "😁", "🙀"];
  return Array.from({ length: random(lengthMax) }, () => characters[random(characters.length)]).join("");
}

test("a splice makes one text of the other and cuts no character", () => {
  for (let seed = 0; seed < 20_000; seed += 1) {
    const random = generator(seed);
    const before = text(random, 8);
    const after = text(random, 8);
    const splice = smallestSplice(before, after, random(after.length + 1));
    if (splice === undefined) {
      assert.equal(before, after);
      continue;
    }
    assert.equal(apply(before, splice), after, `seed ${seed}`);
    const deleted = before.slice(splice.at, splice.at + splice.deleted);
    for (const part of [splice.inserted, deleted]) assert.doesNotMatch(part, /\p{Surrogate}/u, `seed ${seed}`);
  }
});

test("a character typed into its like goes where the caret is", () => {
  for (let caret = 1; caret <= 4; caret += 1) {
    assert.deepEqual(smallestSplice("aaa", "aaaa", caret), { at: caret - 1, deleted: 0, inserted: "a" });
  }
  for (let caret = 0; caret <= 2; caret += 1) {
    assert.deepEqual(smallestSplice("aaa", "aa", caret), { at: caret, deleted: 1, inserted: "" });
  }
});

test("a caret far from the change does not make the splice larger", () => {
  assert.deepEqual(smallestSplice("one two three", "one 2 three", 0), { at: 4, deleted: 3, inserted: "2" });
});

test("what is left of a range is what survives in the text", () => {
  for (let seed = 0; seed < 20_000; seed += 1) {
    const random = generator(seed);
    // Each character is told from all others, so that the survivors can be named.
    let shown = Array.from({ length: 12 }, (_, index) => String.fromCharCode(0x61 + index)).join("");
    const start = random(shown.length);
    const end = start + random(shown.length - start + 1);
    const marked = new Set(shown.slice(start, end));
    let ranges = [{ start, end }];
    for (let count = random(5); count > 0; count -= 1) {
      const at = random(shown.length + 1);
      const splice = { at, deleted: random(Math.min(4, shown.length - at + 1)), inserted: "XYZ".slice(random(4)) };
      shown = apply(shown, splice);
      ranges = moveRanges(ranges, splice);
    }
    const left = ranges.map((range) => shown.slice(range.start, range.end)).join("");
    assert.equal(left, [...shown].filter((character) => marked.has(character)).join(""), `seed ${seed}`);
  }
});

test("a position stays with the character before it", () => {
  assert.equal(movePosition(3, { at: 3, deleted: 0, inserted: "xy" }), 3);
  assert.equal(movePosition(3, { at: 2, deleted: 0, inserted: "xy" }), 5);
  assert.equal(movePosition(3, { at: 1, deleted: 4, inserted: "xy" }), 1);
  assert.equal(movePosition(5, { at: 1, deleted: 4, inserted: "xy" }), 3);
});
