// Replicas have names in JavaScript and numbers in the module. A number is never used again.

import { wellFormed } from "../check.js";
import { crdtError } from "../errors.js";

/** The longest name, in UTF-16 units: a name is held once, but a peer chooses it. */
const NAME_MAX = 256;

export class Names {
  /** @type {Map<string, number>} */
  #numbers = new Map();
  /** @type {Map<number, string>} */
  #names = new Map();
  #next = 1;
  #bound;
  #crowded;

  /** @param {number} bound how many replicas the buffer tells apart */
  constructor(bound) {
    this.#bound = bound;
    this.#crowded = 2 * bound;
  }

  /** @param {unknown} name */
  number(name) {
    const known = this.#numbers.get(/** @type {string} */ (name));
    if (known !== undefined) return known;
    wellFormed(name, "the name of a replica");
    const text = /** @type {string} */ (name);
    if (text === "" || text.length > NAME_MAX) {
      throw crdtError("argument", `a replica's name has 1 to ${NAME_MAX} UTF-16 units, not ${text.length}`);
    }
    const number = this.#next++;
    this.#numbers.set(text, number);
    this.#names.set(number, text);
    return number;
  }

  /** @param {number} number */
  name(number) {
    return /** @type {string} */ (this.#names.get(number));
  }

  /** Whether names are due to be forgotten: messages that were refused have left theirs behind. */
  get isCrowded() {
    return this.#names.size > this.#crowded;
  }

  /**
   * Forgets all other names. What the module still knows of them is not worth asking for: nothing
   * that is held names them.
   *
   * @param {Set<number>} used
   */
  keep(used) {
    for (const [number, name] of this.#names) {
      if (used.has(number)) continue;
      this.#names.delete(number);
      this.#numbers.delete(name);
    }
    this.#crowded = Math.max(2 * this.#bound, 2 * this.#names.size);
  }

  /** @param {number} number */
  has(number) {
    return this.#names.has(number);
  }
}
