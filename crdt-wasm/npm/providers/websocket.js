// The network of a browser: one WebSocket per server, shared by all documents of the page,
// that comes back by itself. It moves frames; what is in them it does not know.

import { crdtError } from "../errors.js";
import { CHANNEL_MAX, KIND_SESSION, KIND_TOKEN, SYNC_PATH, closeFrame, openFrame, readFrame, sessionFrame } from "../frame.js";

/** The first pause before another attempt, and the longest. */
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 30_000;

/** A connection over which the server was heard for this long is no failed attempt. */
const STEADY_MS = 2_000;

/** More than this waiting inside the socket, and senders pause. */
const BUFFERED_BYTES_MAX = 1 << 20;

/**
 * @typedef {import("../index.js").Network} Network
 * @typedef {import("../index.js").NetworkPeer} NetworkPeer
 * @typedef {import("../index.js").NetworkChannel} NetworkChannel
 * @typedef {{
 *   number: number,
 *   document: string,
 *   token: string | undefined,
 *   peer: NetworkPeer,
 *   isOpen: boolean,
 *   pause: ReturnType<typeof setTimeout> | undefined,
 * }} Channel
 */

/** @type {Map<string, WebSocketNetwork>} */
const shared = new Map();

/** @implements {Network} */
export class WebSocketNetwork {
  #url;
  #random;
  /** @type {Map<number, Channel>} */
  #channels = new Map();
  #numberNext = 0;
  /** @type {WebSocket | undefined} */
  #socket;
  #attempts = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;
  #upSince = 0;
  #heardAt = 0;

  /**
   * @param {string | URL} url `ws:` or `wss:`; without a path, the server's own is taken
   * @param {{ random?: () => number }} [options]
   */
  constructor(url, options = {}) {
    this.#url = syncUrl(url);
    this.#random = options.random ?? Math.random;
  }

  /**
   * The page's one connection to a server.
   *
   * @param {string | URL} url
   */
  static shared(url) {
    const key = syncUrl(url);
    let network = shared.get(key);
    if (network === undefined) shared.set(key, (network = new WebSocketNetwork(url)));
    return network;
  }

  /** The name under which a document remembers what this server holds. */
  get name() {
    return this.#url;
  }

  /**
   * Opens a document: connects if nothing is connected, and keeps trying until `close`.
   *
   * @param {string} document
   * @param {string | undefined} token
   * @param {NetworkPeer} peer
   * @returns {NetworkChannel}
   */
  open(document, token, peer) {
    /** @type {Channel} */
    const channel = { number: this.#freeNumber(), document, token, peer, isOpen: false, pause: undefined };
    this.#channels.set(channel.number, channel);
    // Not before the caller has what this returns.
    if (this.#isUp()) queueMicrotask(() => this.#openLate(channel));
    else this.#connect();
    return {
      isWritable: () => channel.isOpen && this.#isUp() && (this.#socket?.bufferedAmount ?? 0) < BUFFERED_BYTES_MAX,
      send: (message) => {
        if (channel.isOpen) this.#send(sessionFrame(channel.number, message));
      },
      silentSince: () => this.#heardAt,
      reconnect: () => this.#drop(),
      close: () => this.#closeChannel(channel),
    };
  }

  /** @param {Channel} channel */
  #openChannel(channel) {
    channel.isOpen = true;
    this.#send(openFrame(channel.number, channel.document, channel.token));
    channel.peer.up();
  }

  /** @param {Channel} channel */
  #openLate(channel) {
    const isStillWanted = this.#channels.get(channel.number) === channel && !channel.isOpen;
    if (isStillWanted && this.#isUp()) this.#openChannel(channel);
  }

  /** @param {Channel} channel */
  #closeChannel(channel) {
    if (this.#channels.get(channel.number) !== channel) return;
    this.#channels.delete(channel.number);
    clearTimeout(channel.pause);
    if (channel.isOpen) this.#send(closeFrame(channel.number));
    channel.isOpen = false;
    if (this.#channels.size === 0) this.#disconnect();
  }

  #connect() {
    if (this.#socket !== undefined || this.#channels.size === 0) return;
    if (typeof WebSocket === "undefined") throw crdtError("unsupported", "this environment has no WebSocket");
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    listen("online", this.#connectSoon);
    listen("pageshow", this.#connectSoon);
    const socket = new WebSocket(withTokens(this.#url));
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    for (const { peer } of this.#channels.values()) peer.connecting();
    // A socket that was dropped may still report; only the present one is listened to.
    socket.onopen = () => {
      if (socket !== this.#socket) return;
      this.#heardAt = this.#upSince = Date.now();
      for (const channel of [...this.#channels.values()]) {
        if (channel.pause === undefined) this.#openChannel(channel);
      }
    };
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket && data instanceof ArrayBuffer) this.#receive(new Uint8Array(data));
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#lost();
    };
  }

  /** @param {Uint8Array} bytes */
  #receive(bytes) {
    this.#heardAt = Date.now();
    const frame = readFrame(bytes);
    const channel = frame && this.#channels.get(frame.channel);
    if (frame === undefined || channel === undefined) return;
    if (frame.kind === KIND_SESSION) {
      channel.peer.message(frame.message);
      return;
    }
    if (frame.kind === KIND_TOKEN) {
      channel.peer.attested?.(frame.message);
      return;
    }
    this.#channels.delete(channel.number);
    channel.isOpen = false;
    if (frame.retry) {
      this.#openAfterPause(channel);
      return;
    }
    channel.peer.refused(frame.reason, frame.text);
    if (this.#channels.size === 0) this.#disconnect();
  }

  /**
   * The server wants no more of this document for now; the other documents go on.
   *
   * @param {Channel} channel
   */
  #openAfterPause(channel) {
    channel.number = this.#freeNumber();
    this.#channels.set(channel.number, channel);
    const pause = this.#pause();
    channel.pause = setTimeout(() => {
      channel.pause = undefined;
      this.#openLate(channel);
    }, pause);
    channel.peer.down(Date.now() + pause);
  }

  /** Gives up a socket that no longer answers. */
  #drop() {
    if (this.#socket === undefined) return;
    const socket = this.#socket;
    this.#lost();
    socket.close();
  }

  #lost() {
    this.#socket = undefined;
    // A connection that lasted was a good one: the pauses start from the shortest again.
    if (this.#heardAt - this.#upSince > STEADY_MS) this.#attempts = 0;
    const pause = this.#pause();
    this.#retryTimer = setTimeout(() => this.#connect(), pause);
    for (const channel of [...this.#channels.values()]) {
      channel.isOpen = false;
      channel.peer.down(Date.now() + pause);
    }
  }

  /** Exponential, with half of it drawn, so that a thousand clients do not return as one. */
  #pause() {
    const longest = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(this.#attempts, 16));
    this.#attempts += 1;
    return Math.round((longest / 2) * (1 + this.#random()));
  }

  /** The machine is on a network again, or the page is back: why wait? */
  #connectSoon = () => {
    if (this.#socket !== undefined) return;
    this.#attempts = 0;
    this.#connect();
  };

  #disconnect() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    unlisten("online", this.#connectSoon);
    unlisten("pageshow", this.#connectSoon);
    const socket = this.#socket;
    this.#socket = undefined;
    this.#attempts = 0;
    socket?.close(1000);
  }

  #isUp() {
    return this.#socket?.readyState === 1;
  }

  /** @param {Uint8Array | number[]} frame */
  #send(frame) {
    if (this.#isUp()) this.#socket?.send(frame instanceof Uint8Array ? /** @type {Uint8Array<ArrayBuffer>} */ (frame) : Uint8Array.from(frame));
  }

  /** Numbers are not used again soon: frames of a closed channel may be under way. */
  #freeNumber() {
    do {
      if (this.#numberNext > CHANNEL_MAX) this.#numberNext = 0;
    } while (this.#channels.has(this.#numberNext++));
    return this.#numberNext - 1;
  }
}

/**
 * The address at which servers that know of session tokens send them; others pay no heed.
 *
 * @param {string} url
 */
function withTokens(url) {
  const full = new URL(url);
  full.searchParams.set("tokens", "1");
  return full.href;
}

/** @param {string | URL} url */
function syncUrl(url) {
  const base = typeof location === "undefined" ? undefined : location.href;
  const full = new URL(url, base);
  full.protocol = full.protocol.replace(/^http/, "ws");
  if (full.protocol !== "ws:" && full.protocol !== "wss:") {
    throw crdtError("argument", `connect wants a ws: or wss: address, got ${String(url)}`);
  }
  if (full.pathname === "/") full.pathname = SYNC_PATH;
  return full.href;
}

/**
 * @param {string} type
 * @param {() => void} listener
 */
function listen(type, listener) {
  if (typeof addEventListener === "function") addEventListener(type, listener);
}

/**
 * @param {string} type
 * @param {() => void} listener
 */
function unlisten(type, listener) {
  if (typeof removeEventListener === "function") removeEventListener(type, listener);
}
