// The client's half of session tokens (docs/format.md, "Session tokens"): to join what servers have
// attested, which stays as opaque as it came but for what makes another attestation redundant, and
// to write into the unsigned tail what no server has attested. Keys, and what a token entitles to wait
// for, are the servers' matter.

import { fromBase64Url, toBase64Url } from "./base64.js";
import { crdtError } from "./errors.js";

/** What fits into a header of HTTP everywhere, before base64url. */
const BYTES_MAX = 4096;

const CODE_BYTES = 16;
const REPLICA_BYTES = 16;
const CHECKSUM_BYTES = 4;

/** Sequence numbers and positions go from 1 to here. */
const POSITION_MAX = 1n << 62n;
const U64_MAX = (1n << 64n) - 1n;
const U32_MAX = (1n << 32n) - 1n;

/**
 * Something that a server has signed. `ranks` is what it says, as numbers by name: an attestation says
 * all that another one does if none of its ranks is less.
 *
 * @typedef {{
 *   bytes: Uint8Array,
 *   text: string,
 *   epoch: bigint,
 *   ranks: Map<string, bigint>,
 *   key: bigint,
 *   code: string,
 * }} Attestation
 */

export class SessionToken {
  /** As text; nothing while nothing is attested. */
  #realm = "";
  /** None of which makes another redundant. @type {Attestation[]} */
  #attested = [];
  /** The last write of a replica to a log, under both their names in hexadecimal. @type {Map<string, bigint>} */
  #offline = new Map();

  get isAttested() {
    return this.#attested.length > 0;
  }

  copy() {
    const copy = new SessionToken();
    copy.#realm = this.#realm;
    copy.#attested = [...this.#attested];
    copy.#offline = new Map(this.#offline);
    return copy;
  }

  /**
   * @param {Uint8Array} replica
   * @param {string} tag of the log
   * @param {bigint} seq
   */
  recordWrite(replica, tag, seq) {
    this.#record(hex(replica) + tag, seq);
  }

  /**
   * Forgets the writes to a log that are known to be attested.
   *
   * @param {string} tag
   * @param {(replica: Uint8Array) => number} attestedOf the last one of a replica
   */
  settle(tag, attestedOf) {
    for (const [name, seq] of this.#offline) {
      if (name.endsWith(tag) && seq <= BigInt(attestedOf(bytesOf(name.slice(0, -tag.length))))) this.#offline.delete(name);
    }
  }

  /**
   * Takes in what another token says: that of another tab, of another device, of an answer.
   *
   * @param {SessionToken} other
   */
  merge(other) {
    this.#checkRealm(other);
    const merged = this.copy();
    if (other.isAttested) merged.#realm = other.#realm;
    for (const part of other.#attested) merged.#add(part);
    for (const [name, seq] of other.#offline) merged.#record(name, seq);
    merged.toBytes();
    [this.#realm, this.#attested, this.#offline] = [merged.#realm, merged.#attested, merged.#offline];
  }

  /**
   * Takes in the token of an answer to a request that had `sent` with it: that, and what came to this
   * one since.
   *
   * @param {SessionToken} sent
   * @param {SessionToken} answer
   */
  replace(sent, answer) {
    this.#checkRealm(answer);
    const since = this.copy();
    since.#attested = since.#attested.filter((part) => sent.#attested.every(({ text }) => text !== part.text));
    for (const [name, seq] of this.#offline) {
      if (seq <= (sent.#offline.get(name) ?? 0n)) since.#offline.delete(name);
    }
    since.merge(answer);
    [this.#realm, this.#attested, this.#offline] = [since.#realm, since.#attested, since.#offline];
  }

  /** @param {SessionToken} other */
  #checkRealm(other) {
    if (this.isAttested && other.isAttested && this.#realm !== other.#realm) {
      throw crdtError("unrelated", "the session token is of another realm");
    }
  }

  /** @param {Attestation} part */
  #add(part) {
    if (this.#attested.some((held) => held.text === part.text || isRedundant(part, held))) return;
    this.#attested = this.#attested.filter((held) => !isRedundant(held, part));
    this.#attested.push(part);
    this.#attested.sort((a, b) => order(a.text, b.text));
  }

  /**
   * @param {string} name
   * @param {bigint} seq
   */
  #record(name, seq) {
    if (seq > (this.#offline.get(name) ?? 0n)) this.#offline.set(name, seq);
  }

  /** The one form of it. Throws with the code `limit` if it is too long. */
  toBytes() {
    /** @type {number[]} */
    const out = [0, ...varint(BigInt(this.#attested.length))];
    if (this.isAttested) out.push(...bytesOf(this.#realm));
    for (const { bytes } of this.#attested) out.push(...bytes);
    /** @type {Map<string, string[]>} */
    const logs = new Map();
    for (const name of [...this.#offline.keys()].sort(order)) {
      const replica = name.slice(0, 2 * REPLICA_BYTES);
      logs.set(replica, [...(logs.get(replica) ?? []), name]);
    }
    out.push(...varint(BigInt(logs.size)));
    for (const [replica, names] of logs) {
      out.push(...bytesOf(replica), ...varint(BigInt(names.length)));
      for (const name of names) {
        out.push(...bytesOf(name.slice(replica.length)).reverse(), ...varint(this.#offline.get(name) ?? 0n));
      }
    }
    out.push(...bytesOf(checksum(out)).reverse());
    if (out.length > BYTES_MAX) throw tooLong(out.length);
    return Uint8Array.from(out);
  }

  toString() {
    return toBase64Url(this.toBytes());
  }

  /**
   * Throws with the code `decode` or `limit`, or `unsupported` for one of a later version.
   *
   * @param {Uint8Array} bytes
   */
  static fromBytes(bytes) {
    if (bytes.length > BYTES_MAX) throw tooLong(bytes.length);
    const input = new Input(bytes.subarray(0, -CHECKSUM_BYTES));
    if (input.byte() !== 0) throw crdtError("unsupported", "the session token is of a later version");
    const sum = bytes.slice(-CHECKSUM_BYTES).reverse();
    if (hex(sum) !== checksum(input.bytes)) throw damaged();
    const token = new SessionToken();
    const count = input.number(U64_MAX);
    if (count > 0n) token.#realm = hex(input.take(4));
    let before = "";
    for (let index = 0n; index < count; index += 1n) {
      const part = readAttestation(input);
      token.#add(part);
      // One that is redundant, or out of order, is in no token that anybody made.
      if (token.#attested.at(-1) !== part || BigInt(token.#attested.length) !== index + 1n || part.text <= before) throw damaged();
      before = part.text;
    }
    token.#readOffline(input);
    if (input.at !== input.bytes.length) throw damaged();
    return token;
  }

  /** @param {Input} input */
  #readOffline(input) {
    const replicas = input.number(U64_MAX);
    let before = "";
    for (let index = 0n; index < replicas; index += 1n) {
      const replica = hex(input.take(REPLICA_BYTES));
      if (replica <= before.slice(0, replica.length)) throw damaged();
      const logs = input.number(U64_MAX);
      if (logs === 0n) throw damaged();
      for (let log = 0n; log < logs; log += 1n) {
        const name = replica + hex(input.take(4).reverse());
        if (name <= before) throw damaged();
        this.#offline.set(name, input.position());
        before = name;
      }
    }
  }

  /** @param {string} text */
  static parse(text) {
    // Not before all of a text of any length is turned into bytes.
    const length = Math.floor((text.length * 3) / 4);
    if (length > BYTES_MAX) throw tooLong(length);
    return SessionToken.fromBytes(fromBase64Url(text, "session token"));
  }
}

/**
 * The tag of the log of a document, as it stands in names of offline writes.
 *
 * @param {string} document its name
 */
export function logTag(document) {
  return checksum(new TextEncoder().encode(document));
}

/**
 * Whether `other` says all that `part` does. Of two that say the same, the one under the newer key stays.
 *
 * @param {Attestation} part
 * @param {Attestation} other
 */
function isRedundant(part, other) {
  if (!isCovered(part, other)) return false;
  if (!isCovered(other, part)) return true;
  return part.key === other.key ? part.code < other.code : part.key < other.key;
}

/**
 * @param {Attestation} part
 * @param {Attestation} other
 */
function isCovered(part, other) {
  return part.epoch === other.epoch && [...part.ranks].every(([name, rank]) => rank <= (other.ranks.get(name) ?? 0n));
}

/** @param {Input} input @returns {Attestation} */
function readAttestation(input) {
  const from = input.at;
  const key = input.number(U32_MAX);
  const epoch = input.number(U32_MAX);
  const time = (input.number((1n << 48n) - 1n) << 16n) | input.number((1n << 16n) - 1n);
  const ranks = new Map([["time", time], ["strong", input.number(U64_MAX)]]);
  const servers = input.number(U64_MAX);
  let slot = 0n;
  for (let index = 0n; index < servers; index += 1n) {
    const head = input.number(U64_MAX);
    const kind = Number(head & 3n);
    slot += head >> 2n;
    if (slot > 0xffffn) throw damaged();
    const position = input.position();
    if (kind !== 3) ranks.set(`read ${slot}`, position);
    if (kind === 1 || kind === 3) ranks.set(`written ${slot}`, position);
    if (kind === 2) {
      const written = position + input.position();
      if (written > POSITION_MAX) throw damaged();
      ranks.set(`written ${slot}`, written);
    }
    slot += 1n;
  }
  const code = hex(input.take(CODE_BYTES));
  const bytes = input.bytes.slice(from, input.at);
  return { bytes, text: hex(bytes), epoch, ranks, key, code };
}

/** Bytes that are read one after the other. */
class Input {
  at = 0;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
  }

  byte() {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw damaged();
    return byte;
  }

  /** @param {number} length */
  take(length) {
    const taken = this.bytes.slice(this.at, this.at + length);
    if (taken.length !== length) throw damaged();
    this.at += length;
    return taken;
  }

  /** A number of at most ten groups of seven bits, the last of which is not zero. @param {bigint} max */
  number(max) {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (value > max || (byte === 0 && shift > 0n)) throw damaged();
        return value;
      }
    }
    throw damaged();
  }

  position() {
    const position = this.number(POSITION_MAX);
    if (position === 0n) throw damaged();
    return position;
  }
}

/** @param {bigint} value */
function varint(value) {
  const bytes = [];
  for (; value > 0x7fn; value >>= 7n) bytes.push(Number(value & 0x7fn) | 0x80);
  return [...bytes, Number(value)];
}

/**
 * CRC-32C, high byte first, in hexadecimal. Tokens and names are short: no table is worth its bytes.
 *
 * @param {Iterable<number>} bytes
 */
function checksum(bytes) {
  let state = -1;
  for (const byte of bytes) {
    state ^= byte;
    for (let bit = 0; bit < 8; bit += 1) state = (state >>> 1) ^ (state & 1 ? 0x82f63b78 : 0);
  }
  return (~state >>> 0).toString(16).padStart(8, "0");
}

/** @param {Uint8Array} bytes */
function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} text in hexadecimal */
function bytesOf(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/**
 * @param {string} a
 * @param {string} b
 */
function order(a, b) {
  return a < b ? -1 : Number(a > b);
}

/** @param {number} length */
function tooLong(length) {
  return crdtError("limit", `a session token of ${length} bytes is too long`);
}

function damaged() {
  return crdtError("decode", "this is no session token");
}
