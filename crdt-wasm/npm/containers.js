// The containers of a document as the application sees them. A container is a place, not a
// copy: it holds nothing but its number in WebAssembly, and is always up to date.

import { fromBase64Url, toBase64Url } from "./base64.js";
import { plainValue, position, wellFormed } from "./check.js";
import { crdtError } from "./errors.js";
import { smallestSplice } from "./splice.js";

/**
 * @typedef {import("./index.js").Kind} Kind
 * @typedef {import("./index.js").Path} Path
 * @typedef {import("./index.js").Value} Value
 * @typedef {import("./pkg/crdt_wasm.js").DocumentHandle} DocumentHandle
 * @typedef {import("./index.js").Text} TextApi
 * @typedef {import("./index.js").Counter} CounterApi
 * @typedef {import("./index.js").ValueSet} ValueSetApi
 * @typedef {import("./index.js").ValueMap} ValueMapApi
 * @typedef {object} Owner what a container needs of its document
 * @property {() => DocumentHandle} handle or an error if the document was closed
 * @property {(change: (handle: DocumentHandle) => void) => void} write as a transaction
 * @typedef {{ number: number, path: Path }} Place
 * @typedef {Text | Counter | ValueSet | ValueMap} Container
 */

/** Under the number that the kind has in WebAssembly. @type {readonly Kind[]} */
export const KINDS = ["map", "set", "counter", "text"];

/** The containers that were asked for: one object for each place, to compare and to keep. */
export class Containers {
  #owner;
  /** @type {Container[]} */
  #byNumber = [];

  /** @param {Owner} owner */
  constructor(owner) {
    this.#owner = owner;
    this.root = new ValueMap(this, { number: 0, path: [] });
    this.#byNumber[0] = this.root;
  }

  get handle() {
    return this.#owner.handle();
  }

  /** @param {(handle: DocumentHandle) => void} change */
  write(change) {
    this.#owner.write(change);
  }

  /**
   * @param {Place} parent
   * @param {Kind} kind
   * @param {string} key
   */
  child(parent, kind, key) {
    const number = this.handle.container(parent.number, KINDS.indexOf(kind), wellFormed(key, "a key"));
    return this.#byNumber[number] ?? this.#make(number, parent, kind, key);
  }

  /** @param {number} number @returns {Container} */
  byNumber(number) {
    const known = this.#byNumber[number];
    if (known !== undefined) return known;
    const [parent, kind, key] = this.handle.containerPlace(number);
    const place = this.byNumber(parent).place;
    return this.#make(number, place, /** @type {Kind} */ (KINDS[kind]), key);
  }

  /**
   * @param {number} number
   * @param {Place} parent
   * @param {Kind} kind
   * @param {string} key
   */
  #make(number, parent, kind, key) {
    const place = { number, path: Object.freeze([...parent.path, Object.freeze({ key, kind })]) };
    const container = make(kind, this, place);
    this.#byNumber[number] = container;
    return container;
  }
}

/**
 * @param {Kind} kind
 * @param {Containers} containers
 * @param {Place} place
 * @returns {Container}
 */
function make(kind, containers, place) {
  switch (kind) {
    case "map":
      return new ValueMap(containers, place);
    case "set":
      return new ValueSet(containers, place);
    case "counter":
      return new Counter(containers, place);
    case "text":
      return new Text(containers, place);
  }
}

class Base {
  /** @protected */
  containers;
  /** Where it is; for this package only. */
  place;

  /**
   * @param {Containers} containers
   * @param {Place} place
   */
  constructor(containers, place) {
    this.containers = containers;
    this.place = place;
  }

  /** @protected */
  get handle() {
    return this.containers.handle;
  }

  /** @protected */
  get number() {
    return this.place.number;
  }

  get path() {
    return this.place.path;
  }
}

/** @implements {TextApi} */
export class Text extends Base {
  get length() {
    return this.handle.textLength(this.number);
  }

  /**
   * @param {number} at
   * @param {string} text
   */
  insert(at, text) {
    this.splice(at, 0, text);
  }

  /**
   * @param {number} at
   * @param {number} length
   */
  delete(at, length) {
    this.splice(at, length);
  }

  /**
   * @param {number} at
   * @param {number} deleteLength
   * @param {string} [text]
   */
  splice(at, deleteLength, text = "") {
    position(at, "the position");
    position(deleteLength, "the length");
    wellFormed(text, "the text");
    this.containers.write((handle) => handle.textSplice(this.number, at, deleteLength, text));
  }

  /** @param {string} text */
  replace(text) {
    const splice = smallestSplice(this.toString(), wellFormed(text, "the text"));
    if (splice !== undefined) this.splice(splice.at, splice.deleted, splice.inserted);
  }

  clear() {
    this.containers.write((handle) => handle.textClear(this.number));
  }

  /**
   * @param {number} start
   * @param {number} [end]
   */
  slice(start, end) {
    position(start, "the start");
    return this.handle.textSlice(this.number, start, end === undefined ? this.length : position(end, "the end"));
  }

  /** @override */
  toString() {
    return this.handle.textString(this.number);
  }

  /**
   * @param {number} at
   * @param {"before" | "after"} [side]
   */
  anchor(at, side = "before") {
    return toBase64Url(this.handle.textAnchor(this.number, position(at, "the position"), side === "after"));
  }

  /** @param {string} anchor */
  resolve(anchor) {
    return this.handle.textResolve(this.number, fromBase64Url(anchor, "anchor"));
  }
}

/** @implements {CounterApi} */
export class Counter extends Base {
  get value() {
    return Number(this.toBigInt());
  }

  /** @param {number | bigint} [by] */
  increment(by = 1) {
    const amount = whole(by);
    this.containers.write((handle) => handle.counterAdd(this.number, amount));
  }

  /** @param {number | bigint} [by] */
  decrement(by = 1) {
    this.increment(-whole(by));
  }

  reset() {
    this.containers.write((handle) => handle.counterReset(this.number));
  }

  toBigInt() {
    return this.handle.counterValue(this.number);
  }

  /** @override */
  toString() {
    return String(this.toBigInt());
  }
}

/** @implements {ValueSetApi} */
export class ValueSet extends Base {
  get size() {
    return this.handle.setSize(this.number);
  }

  /** @param {Value} value */
  add(value) {
    plainValue(value);
    this.containers.write((handle) => handle.setAdd(this.number, value));
  }

  /** @param {Value} value */
  delete(value) {
    plainValue(value);
    this.containers.write((handle) => handle.setDelete(this.number, value));
  }

  /** @param {Value} value */
  has(value) {
    plainValue(value);
    return this.handle.setHas(this.number, value);
  }

  clear() {
    this.containers.write((handle) => handle.setClear(this.number));
  }

  /** @returns {Value[]} */
  values() {
    return this.handle.setValues(this.number);
  }

  [Symbol.iterator]() {
    return this.values()[Symbol.iterator]();
  }
}

/** @implements {ValueMapApi} */
export class ValueMap extends Base {
  get size() {
    return this.handle.mapSize(this.number);
  }

  /**
   * With a value, sets it; without one, the set at this key.
   *
   * @overload
   * @param {string} key
   * @param {Value} value
   * @returns {void}
   */
  /**
   * @overload
   * @param {string} key
   * @returns {ValueSet}
   */
  /**
   * @param {string} key
   * @param {[Value?]} value
   * @returns {ValueSet | void}
   */
  set(key, ...value) {
    if (value.length === 0) return /** @type {ValueSet} */ (this.containers.child(this.place, "set", key));
    const [given] = value;
    wellFormed(key, "a key");
    plainValue(given);
    this.containers.write((handle) => handle.mapSet(this.number, key, given));
  }

  /**
   * @param {string} key
   * @returns {Value | undefined}
   */
  get(key) {
    return this.handle.mapGet(this.number, wellFormed(key, "a key"));
  }

  /** @param {string} key */
  has(key) {
    return this.get(key) !== undefined;
  }

  /** @param {string} key */
  delete(key) {
    wellFormed(key, "a key");
    this.containers.write((handle) => handle.mapDelete(this.number, key));
  }

  clear() {
    this.containers.write((handle) => handle.mapClear(this.number));
  }

  keys() {
    return this.entries().map(([key]) => key);
  }

  /** @returns {[string, Value][]} */
  entries() {
    const flat = this.handle.mapEntries(this.number);
    /** @type {[string, Value][]} */
    const entries = [];
    for (let at = 0; at < flat.length; at += 2) entries.push([flat[at], flat[at + 1]]);
    return entries;
  }

  /**
   * @param {string} key
   * @returns {Value[]}
   */
  conflicts(key) {
    return this.handle.mapConflicts(this.number, wellFormed(key, "a key"));
  }

  /** @param {string} key */
  text(key) {
    return /** @type {Text} */ (this.containers.child(this.place, "text", key));
  }

  /** @param {string} key */
  counter(key) {
    return /** @type {Counter} */ (this.containers.child(this.place, "counter", key));
  }

  /** @param {string} key */
  map(key) {
    return /** @type {ValueMap} */ (this.containers.child(this.place, "map", key));
  }

  [Symbol.iterator]() {
    return this.entries()[Symbol.iterator]();
  }
}

/**
 * @param {number | bigint} amount
 * @returns {bigint}
 */
function whole(amount) {
  if (typeof amount === "bigint" && BigInt.asIntN(64, amount) === amount) return amount;
  if (typeof amount === "number" && Number.isSafeInteger(amount)) return BigInt(amount);
  throw crdtError("argument", `a counter counts whole numbers of 64 bits, got ${String(amount)}`);
}
