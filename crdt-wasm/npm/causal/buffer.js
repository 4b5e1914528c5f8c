// The causal delivery buffer for messages of one's own. The order is found in WebAssembly; the
// messages themselves stay here, each under a handle.

import { crdtError } from "../errors.js";
import { BufferHandle } from "../pkg/crdt_wasm_causal.js";
import { BatchWriter, sequence } from "./batch.js";
import { Names } from "./names.js";
import { boundsOf } from "./options.js";
import { shapeBatch, shapeEvents, shapeRanges } from "./report.js";

/**
 * @typedef {import("../causal.js").CausalOptions} CausalOptions
 * @typedef {import("../causal.js").Dot} Dot
 */

/**
 * @template T
 * @typedef {import("../causal.js").CausalMessage<T>} Message
 */

/**
 * @template T
 * @typedef {import("../causal.js").SavedBuffer<T>} SavedBuffer
 */

/** @template T */
export class CausalBuffer {
  #handle;
  #names;
  #now;
  #writer = new BatchWriter();
  /** What the module holds, by handle. @type {(Message<T> | undefined)[]} */
  #held = [];
  /** @type {number[]} */
  #free = [];
  /** Delivered, and not fetched yet. @type {Message<T>[]} */
  #ready = [];
  #replica;
  /** What the next message of this replica follows. @type {Map<string, number>} */
  #heads = new Map();
  #own = 0;

  /**
   * @param {CausalOptions} [options]
   * @param {SavedBuffer<T>} [saved]
   */
  constructor(options = {}, saved) {
    const { bounds, replicasMax } = boundsOf(options);
    this.#names = new Names(replicasMax);
    this.#now = options.now ?? (() => performance.now());
    this.#replica = options.replica;
    if (this.#replica !== undefined) this.#names.number(this.#replica);
    const version = readVersion(saved?.version, this.#names);
    try {
      this.#handle = new BufferHandle(bounds, version);
    } catch (error) {
      throw crdtError("unsupported", "the module is not loaded: await init() first", error);
    }
    if (saved === undefined) return;
    for (const { replica, seq } of saved.heads) this.#heads.set(replica, seq);
    this.#own = saved.version.find(([name]) => name === this.#replica)?.[1] ?? 0;
    this.#ready = [...saved.ready];
    for (let at = 0; at < saved.pending.length; at += RESTORED_AT_ONCE) {
      this.insert(saved.pending.slice(at, at + RESTORED_AT_ONCE));
    }
    for (const range of saved.forsaken ?? []) this.forsake(range);
  }

  /**
   * @template T
   * @param {SavedBuffer<T>} saved
   * @param {CausalOptions} [options]
   * @returns {CausalBuffer<T>}
   */
  static restore(saved, options) {
    return new CausalBuffer(options, saved);
  }

  /**
   * @param {Message<T> | readonly Message<T>[]} messages
   * @returns {import("../causal.js").Batch}
   */
  insert(messages) {
    const list = Array.isArray(messages) ? messages : [messages];
    if (this.#names.isCrowded) this.#forgetNames();
    const writer = this.#writer;
    writer.clear();
    // The handles that were free stay so unless all of the batch can be taken.
    let free = this.#free.length;
    let next = this.#held.length;
    for (const message of list) {
      writer.write(message, free > 0 ? /** @type {number} */ (this.#free[--free]) : next++, this.#names);
    }
    for (const message of list) {
      const handle = this.#free.pop();
      if (handle === undefined) this.#held.push(message);
      else this.#held[handle] = message;
    }
    const batch = this.#handle.insert(writer.numbers, writer.contents, this.#time());
    if (batch[0] !== 0) this.#collect();
    this.#release();
    return shapeBatch(batch, this.#names);
  }

  /**
   * @param {T} payload
   * @returns {Message<T>}
   */
  write(payload) {
    const replica = this.#replica;
    if (replica === undefined) throw crdtError("argument", "a buffer without a replica cannot write");
    const parents = Array.from(this.#heads, ([name, seq]) => ({ replica: name, seq })).filter(
      (head) => head.replica !== replica,
    );
    const message = { replica, seq: this.#own + 1, parents, payload };
    const [refused] = this.insert(message).refused;
    if (refused !== undefined) throw refused;
    return message;
  }

  /** @returns {Message<T>[]} */
  deliver() {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  events() {
    return shapeEvents(this.#handle.events(), this.#names);
  }

  missing() {
    return shapeRanges(this.#handle.missing(this.#time()), this.#names);
  }

  /** @returns {number | undefined} */
  get timeout() {
    const at = this.#handle.timeout();
    return at === undefined ? undefined : Math.max(0, at - this.#time());
  }

  get pending() {
    return this.#handle.pending();
  }

  get pendingBytes() {
    return this.#handle.pendingBytes();
  }

  /** @returns {[string, number][]} */
  version() {
    const numbers = this.#handle.version();
    /** @type {[string, number][]} */
    const version = [];
    for (let at = 0; at < numbers.length; at += 2) {
      const [number = 0, seq = 0] = numbers.subarray(at, at + 2);
      if (seq > 0) version.push([this.#names.name(number), seq]);
    }
    return version;
  }

  /** @param {string} replica */
  adopt(replica) {
    const was = this.#handle.adopt(this.#names.number(replica), this.#time());
    this.#collect();
    this.#release();
    return was;
  }

  /** @param {import("../causal.js").DotRange} range */
  forsake({ replica, first, last }) {
    if (sequence(first) > sequence(last)) throw crdtError("argument", `no number is in ${first} to ${last}`);
    const given = this.#handle.forsake(this.#names.number(replica), first, last);
    this.#collect();
    this.#release();
    return shapeRanges(given, this.#names);
  }

  forsaken() {
    return shapeRanges(this.#handle.forsaken(), this.#names);
  }

  /** @returns {SavedBuffer<T>} */
  save() {
    return {
      version: this.version(),
      heads: Array.from(this.#heads, ([replica, seq]) => ({ replica, seq })),
      ready: [...this.#ready],
      pending: this.#held.filter((message) => message !== undefined),
      forsaken: this.forsaken(),
    };
  }

  /** Fetches what has become ready, in order. */
  #collect() {
    for (const handle of this.#handle.deliver()) {
      const message = /** @type {Message<T>} */ (this.#held[handle]);
      this.#ready.push(message);
      if (this.#replica !== undefined) this.#follow(message);
    }
  }

  /** Lets go of what the module has let go of. */
  #release() {
    for (const handle of this.#handle.released()) {
      this.#held[handle] = undefined;
      this.#free.push(handle);
    }
  }

  /**
   * Puts a delivered message in the place of those that it follows.
   *
   * @param {Message<T>} message
   */
  #follow({ replica, seq, parents }) {
    for (const parent of parents ?? []) {
      if (this.#heads.get(parent.replica) === parent.seq) this.#heads.delete(parent.replica);
    }
    this.#heads.set(replica, seq);
    if (replica === this.#replica) this.#own = seq;
  }

  #forgetNames() {
    const used = new Set();
    const use = (/** @type {string} */ replica) => used.add(this.#names.number(replica));
    for (const [replica] of this.version()) use(replica);
    for (const message of this.#held) {
      if (message === undefined) continue;
      use(message.replica);
      for (const parent of message.parents ?? []) use(parent.replica);
    }
    if (this.#replica !== undefined) use(this.#replica);
    this.#names.keep(used);
  }

  #time() {
    return Math.floor(this.#now());
  }
}

/** Below the bound of a batch. */
const RESTORED_AT_ONCE = 10_000;

/**
 * @param {readonly (readonly [string, number])[]} version
 * @param {Names} names
 */
function readVersion(version = [], names) {
  const numbers = new Float64Array(2 * version.length);
  version.forEach(([replica, seq], index) => {
    if (!Number.isSafeInteger(seq) || seq < 1) throw crdtError("argument", `${replica} cannot be at ${String(seq)}`);
    numbers[2 * index] = names.number(replica);
    numbers[2 * index + 1] = seq;
  });
  return numbers;
}
