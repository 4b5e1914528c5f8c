// Between a document and its server: carries the session's messages over a channel, and wakes
// the session when its time has come. What to send and when to resend is the session's matter.

import { now } from "./clock.js";
import { crdtError } from "./errors.js";
import { randomU64 } from "./random.js";

/** What `receive` of the handle reports, as bits. */
export const RECEIVED_CHANGES = 1;
export const RECEIVED_PRESENCE = 2;

/** A server that owes an answer and says nothing for this long is gone. */
const SILENT_MS_MAX = 15_000;

/** A socket with too much in it is asked again after this. */
const FULL_MS = 50;

/** The session's own errors after which another attempt is worth while. */
const PASSING = new Set(["decode", "protocol", "missing", "limit"]);

/**
 * @typedef {import("./pkg/crdt_wasm.js").DocumentHandle} DocumentHandle
 * @typedef {import("./index.js").Network} Network
 * @typedef {import("./index.js").NetworkPeer} NetworkPeer
 * @typedef {object} ReplicationHost
 * @property {(received: number) => void} received
 * @property {() => void} up the server can be talked to
 * @property {(token: Uint8Array) => void} attested the server has signed what was acknowledged
 * @property {() => void} changed the state of the connection is another one
 */

/** @implements {NetworkPeer} */
export class Replication {
  #handle;
  #network;
  #document;
  #token;
  #host;
  /** @type {import("./index.js").NetworkChannel | undefined} */
  #channel;
  #isUp = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {import("./index.js").Status["connection"]} */
  state = "offline";
  /** @type {number | undefined} */
  retryAt;
  /** @type {import("./index.js").CrdtError | undefined} */
  error;

  /**
   * @param {DocumentHandle} handle
   * @param {Network} network
   * @param {string} document
   * @param {string | undefined} token
   * @param {ReplicationHost} host
   */
  constructor(handle, network, document, token, host) {
    this.#handle = handle;
    this.#network = network;
    this.#document = document;
    this.#token = token;
    this.#host = host;
  }

  start() {
    if (this.#channel !== undefined) return;
    this.#set("connecting");
    this.#channel = this.#network.open(this.#document, this.#token, this);
  }

  stop() {
    this.#end("offline");
  }

  connecting() {
    this.#set("connecting");
  }

  up() {
    this.#isUp = true;
    this.#handle.connect(randomU64(), now());
    this.#host.up();
    this.pump();
  }

  /** @param {Uint8Array} message */
  message(message) {
    if (!this.#isUp) return;
    let received;
    try {
      received = this.#handle.receive(message, now());
    } catch (error) {
      this.#failed(/** @type {import("./index.js").CrdtError} */ (error));
      return;
    }
    if (this.state !== "online") this.#set("online");
    this.#host.received(received);
    this.pump();
  }

  /** @param {Uint8Array} token */
  attested(token) {
    if (this.#isUp) this.#host.attested(token);
  }

  /** @param {number} retryAt */
  down(retryAt) {
    this.#disconnect();
    this.#set("connecting", retryAt);
  }

  /**
   * @param {string} reason
   * @param {string} text
   */
  refused(reason, text) {
    // A session that was refused has said why before the channel closed.
    if (this.state === "refused") return;
    this.#end("refused", crdtError("refused", `the server refuses the document: ${text || reason}`));
  }

  /** Sends what the session has to say, and sleeps until it may have more. */
  pump() {
    clearTimeout(this.#timer);
    const channel = this.#channel;
    if (!this.#isUp || channel === undefined) return;
    this.#transmit(channel);
    if (this.#handle.awaitsAnswer() && Date.now() - channel.silentSince() > SILENT_MS_MAX) {
      channel.reconnect();
      return;
    }
    const wakeAt = channel.isWritable() ? this.#handle.timeout() : now() + FULL_MS;
    if (wakeAt !== undefined) this.#timer = setTimeout(() => this.pump(), Math.max(1, wakeAt - now()));
  }

  /** @param {import("./index.js").NetworkChannel} channel */
  #transmit(channel) {
    while (channel.isWritable()) {
      const message = this.#handle.transmit(now());
      if (message === undefined) break;
      channel.send(message);
    }
  }

  /** @param {import("./index.js").CrdtError} error */
  #failed(error) {
    // The server is told why; then it is over.
    if (this.#channel !== undefined) this.#transmit(this.#channel);
    if (PASSING.has(error.code)) this.#channel?.reconnect();
    else this.#end("refused", error);
  }

  /**
   * @param {"offline" | "refused"} state
   * @param {import("./index.js").CrdtError} [error]
   */
  #end(state, error) {
    this.#disconnect();
    const channel = this.#channel;
    this.#channel = undefined;
    channel?.close();
    this.#set(state, undefined, error);
  }

  #disconnect() {
    clearTimeout(this.#timer);
    if (this.#isUp) this.#handle.disconnect();
    this.#isUp = false;
  }

  /**
   * @param {import("./index.js").Status["connection"]} state
   * @param {number} [retryAt]
   * @param {import("./index.js").CrdtError} [error]
   */
  #set(state, retryAt, error) {
    this.state = state;
    this.retryAt = retryAt;
    this.error = error;
    this.#host.changed();
  }
}
