// A batch on its way into the module: everything is checked before anything is taken in.

import { crdtError } from "../errors.js";

/** More messages, or more bytes, in one batch are refused: the page would stand still. */
const MESSAGES_MAX = 1 << 16;
const BYTES_MAX = 64 << 20;

/** Below this, a loop copies bytes faster than a call. */
const LOOP_BYTES = 48;

const SEQ_MAX = Number.MAX_SAFE_INTEGER;

const encoder = new TextEncoder();

/**
 * @typedef {import("../causal.js").CausalMessage<unknown>} Message
 */

export class BatchWriter {
  #numbers = new Float64Array(64);
  #contents = new Uint8Array(1024);
  #numbersLen = 0;
  #contentsLen = 0;
  #messages = 0;

  clear() {
    this.#numbersLen = this.#contentsLen = this.#messages = 0;
  }

  get numbers() {
    return this.#numbers.subarray(0, this.#numbersLen);
  }

  get contents() {
    return this.#contents.subarray(0, this.#contentsLen);
  }

  /**
   * @param {Message} message
   * @param {number} handle
   * @param {import("./names.js").Names} names
   */
  write(message, handle, names) {
    if (typeof message !== "object" || message === null) throw crdtError("argument", "a message must be an object");
    if (++this.#messages > MESSAGES_MAX) throw crdtError("limit", `more than ${MESSAGES_MAX} messages in one batch`);
    const { replica, seq, parents, payload } = message;
    const count = parents === undefined ? 0 : parents.length;
    if (parents !== undefined && !Array.isArray(parents)) throw crdtError("argument", "parents must be an array");
    const at = this.#numbersLen;
    this.#roomForNumbers(at + 5 + 2 * count);
    const numbers = this.#numbers;
    numbers[at] = names.number(replica);
    numbers[at + 1] = sequence(seq);
    numbers[at + 2] = handle;
    numbers[at + 3] = payload instanceof Uint8Array ? this.#bytes(payload) : this.#json(payload);
    numbers[at + 4] = count;
    let next = at + 5;
    for (let index = 0; index < count; index++) {
      const parent = /** @type {import("../causal.js").Dot[]} */ (parents)[index];
      if (typeof parent !== "object" || parent === null) throw crdtError("argument", "a parent must be an object");
      numbers[next++] = names.number(parent.replica);
      numbers[next++] = sequence(parent.seq);
    }
    this.#numbersLen = next;
  }

  /** @param {Uint8Array} payload */
  #bytes(payload) {
    const len = payload.length;
    this.#roomForContents(len);
    const contents = this.#contents;
    const at = this.#contentsLen;
    if (len > LOOP_BYTES) contents.set(payload, at);
    else for (let index = 0; index < len; index++) contents[at + index] = /** @type {number} */ (payload[index]);
    this.#contentsLen = at + len;
    return len;
  }

  /** @param {unknown} payload */
  #json(payload) {
    let text;
    try {
      text = JSON.stringify(payload);
    } catch (error) {
      throw crdtError("argument", "a payload must be bytes, or a value that JSON can hold", error);
    }
    if (text === undefined) {
      throw crdtError("argument", `a payload must be bytes, or a value that JSON can hold, got ${typeof payload}`);
    }
    this.#roomForContents(3 * text.length);
    const { written } = encoder.encodeInto(text, this.#contents.subarray(this.#contentsLen));
    this.#contentsLen += written;
    return written;
  }

  /** @param {number} len */
  #roomForNumbers(len) {
    if (len <= this.#numbers.length) return;
    const wider = new Float64Array(2 * len);
    wider.set(this.#numbers);
    this.#numbers = wider;
  }

  /** @param {number} len */
  #roomForContents(len) {
    const needed = this.#contentsLen + len;
    if (needed > BYTES_MAX) throw crdtError("limit", `more than ${BYTES_MAX} bytes in one batch`);
    if (needed <= this.#contents.length) return;
    const wider = new Uint8Array(2 * needed);
    wider.set(this.#contents);
    this.#contents = wider;
  }
}

/** @param {unknown} seq */
export function sequence(seq) {
  if (typeof seq !== "number" || !(seq >= 1 && seq <= SEQ_MAX) || Math.floor(seq) !== seq) {
    throw crdtError("argument", `a sequence number is whole and at least 1, got ${String(seq)}`);
  }
  return seq;
}
