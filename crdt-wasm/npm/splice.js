// Comparing texts and moving positions, in UTF-16 units, for whoever edits a copy of a text.

/**
 * @typedef {{ readonly at: number, readonly deleted: number, readonly inserted: string }} Splice
 * @typedef {{ readonly start: number, readonly end: number }} Range
 */

/**
 * The smallest splice that makes one text of another; `undefined` where they are equal.
 * Where several do, as when an "a" is typed into "aaa", the one that ends at the caret is
 * meant. It never cuts a surrogate pair.
 *
 * @param {string} before
 * @param {string} after
 * @param {number} [caret] where the caret is in `after`
 * @returns {Splice | undefined}
 */
export function smallestSplice(before, after, caret) {
  if (before === after) return undefined;
  const any = difference(before, after, Infinity);
  if (caret === undefined) return any;
  const typed = difference(before, after, after.length - caret);
  return typed.deleted + typed.inserted.length > any.deleted + any.inserted.length ? any : typed;
}

/**
 * @param {string} before
 * @param {string} after
 * @param {number} suffixMax
 * @returns {Splice}
 */
function difference(before, after, suffixMax) {
  const shorter = Math.min(before.length, after.length);
  let suffix = 0;
  while (suffix < Math.min(shorter, suffixMax) && before.charCodeAt(before.length - 1 - suffix) === after.charCodeAt(after.length - 1 - suffix)) suffix += 1;
  if (suffix > 0 && isLowSurrogate(before, before.length - suffix)) suffix -= 1;
  let prefix = 0;
  while (prefix < shorter - suffix && before.charCodeAt(prefix) === after.charCodeAt(prefix)) prefix += 1;
  if (prefix > 0 && isHighSurrogate(before, prefix - 1)) prefix -= 1;
  return { at: prefix, deleted: before.length - suffix - prefix, inserted: after.slice(prefix, after.length - suffix) };
}

/**
 * Where a position is after a splice. One exactly where text is inserted stays before it.
 *
 * @param {number} position
 * @param {Splice} splice
 */
export function movePosition(position, splice) {
  if (position <= splice.at) return position;
  const end = splice.at + splice.deleted;
  if (position < end) return splice.at;
  return position - splice.deleted + splice.inserted.length;
}

/**
 * What is left of ranges after a splice. Text inserted inside a range is no part of it.
 *
 * @param {readonly Range[]} ranges
 * @param {Splice} splice
 * @returns {Range[]}
 */
export function moveRanges(ranges, splice) {
  const end = splice.at + splice.deleted;
  const shift = splice.inserted.length - splice.deleted;
  const moved = [];
  for (const range of ranges) {
    const before = { start: range.start, end: Math.min(range.end, splice.at) };
    const after = { start: Math.max(range.start, end) + shift, end: range.end + shift };
    if (before.start < before.end) moved.push(before);
    if (after.start < after.end) moved.push(after);
  }
  return moved;
}

/**
 * @param {string} text
 * @param {number} at
 */
function isHighSurrogate(text, at) {
  return (text.charCodeAt(at) & 0xfc00) === 0xd800;
}

/**
 * @param {string} text
 * @param {number} at
 */
function isLowSurrogate(text, at) {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00;
}
