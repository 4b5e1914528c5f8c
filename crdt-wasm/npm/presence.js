// Who else is here. The states travel beside the changes and are never stored; which of them
// count, and until when, is decided in WebAssembly.

import { now } from "./clock.js";
import { crdtError } from "./errors.js";

/** The state is sent again this often within the time after which others forget it. */
const RENEWALS = 3;

/**
 * @typedef {import("./pkg/crdt_wasm.js").DocumentHandle} DocumentHandle
 * @typedef {import("./index.js").Presence} PresenceApi
 * @typedef {object} PresenceHost
 * @property {(update: Uint8Array) => void} send
 * @property {() => void} changed
 */

/** @implements {PresenceApi} */
export class Presence {
  #handle;
  #host;
  #ttlMs;
  /** @type {unknown} */
  #state;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #renewal;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #expiry;

  /**
   * @param {() => DocumentHandle} handle or an error if the document was closed
   * @param {number} ttlMs
   * @param {PresenceHost} host
   */
  constructor(handle, ttlMs, host) {
    this.#handle = handle;
    this.#ttlMs = ttlMs;
    this.#host = host;
  }

  get state() {
    return this.#state;
  }

  /** @param {unknown} state */
  set(state) {
    const text = state === undefined ? undefined : JSON.stringify(state);
    if (state !== undefined && text === undefined) throw crdtError("argument", "a presence is what JSON can hold");
    this.#state = state;
    this.#send(text);
    this.#renewLater();
  }

  /** @returns {import("./index.js").Participant[]} */
  others() {
    const flat = this.#handle().presenceOthers(now());
    const others = [];
    for (let at = 0; at < flat.length; at += 2) {
      others.push({ id: String(flat[at]), state: parse(String(flat[at + 1])) });
    }
    return others;
  }

  /** Says it again to whoever has just come into reach. */
  announce() {
    if (this.#state !== undefined) this.set(this.#state);
  }

  /** Says goodbye, but keeps the state for a return. */
  withdraw() {
    clearTimeout(this.#renewal);
    this.#send(undefined);
  }

  /** Others came, went or changed. */
  changed() {
    clearTimeout(this.#expiry);
    const expiresAt = this.#handle().presenceTimeout();
    if (expiresAt !== undefined) {
      this.#expiry = setTimeout(() => this.changed(), Math.max(1, expiresAt - now() + 1));
    }
    this.#host.changed();
  }

  /** @param {string | undefined} state */
  #send(state) {
    const update = this.#handle().presenceSet(state, now());
    if (update !== undefined) this.#host.send(update);
  }

  #renewLater() {
    clearTimeout(this.#renewal);
    if (this.#state === undefined) return;
    this.#renewal = setTimeout(() => this.announce(), this.#ttlMs / RENEWALS);
  }

  close() {
    clearTimeout(this.#renewal);
    clearTimeout(this.#expiry);
  }
}

/**
 * @param {string} text what another participant sent
 * @returns {unknown} `undefined` if it is not JSON
 */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
