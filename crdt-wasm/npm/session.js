// The session of a document: what this participant has read and written, in a token that any server
// of the realm understands. What servers attest comes over the connection, after what it is about; the
// changes that they have not attested yet are named when the token is asked for.

import { wellFormed } from "./check.js";
import { crdtError } from "./errors.js";
import { SessionToken, logTag } from "./session_token.js";

/** An id and a number in what the handle tells of changes. */
const REPLICA_BYTES = 16;
const ENTRY_BYTES = 24;

/**
 * @typedef {import("./pkg/crdt_wasm.js").DocumentHandle} DocumentHandle
 * @typedef {import("./index.js").Session} SessionApi
 * @typedef {import("./index.js").SavedSession} SavedSession
 * @typedef {object} SessionHost
 * @property {(token: string, isNew: boolean) => void} changed there is something to keep, and to tell other tabs
 */

/** @implements {SessionApi} */
export class Session {
  #handle;
  #log;
  #host;
  /** What was attested, and the tails of tokens that were joined. */
  #token = new SessionToken();

  /**
   * @param {() => DocumentHandle} handle or an error if the document was closed
   * @param {string} document
   * @param {SessionHost} host
   */
  constructor(handle, document, host) {
    this.#handle = handle;
    this.#log = logTag(document);
    this.#host = host;
  }

  get token() {
    try {
      return this.#withWrites(false).toString();
    } catch (error) {
      if (/** @type {{ code?: string }} */ (error).code !== "limit") throw error;
      // What others have written is at the server that sent it, and will be attested in a moment. One's
      // own writes must be in it.
      return this.#withWrites(true).toString();
    }
  }

  /** @param {boolean} unsent only those that no server is known to hold */
  #withWrites(unsent) {
    const token = this.#token.copy();
    const writes = this.#handle().unattested(unsent);
    const numbers = new DataView(writes.buffer, writes.byteOffset);
    for (let at = 0; at < writes.length; at += ENTRY_BYTES) {
      const replica = writes.subarray(at, at + REPLICA_BYTES);
      token.recordWrite(replica, this.#log, numbers.getBigUint64(at + REPLICA_BYTES, true));
    }
    return token;
  }

  /** @param {string} token */
  join(token) {
    this.#handle();
    this.#token.merge(parse(token));
    this.#changed(false);
  }

  /**
   * @param {string} sent
   * @param {string | null | undefined} answer
   */
  replace(sent, answer) {
    this.#handle();
    const given = parse(sent);
    if (answer === null || answer === undefined) return;
    this.#token.replace(given, parse(answer));
    this.#changed(false);
  }

  restart() {
    this.#handle();
    this.#token = new SessionToken();
    this.#changed(true);
  }

  /**
   * What the server attests. It covers what it has acknowledged before.
   *
   * @param {Uint8Array} bytes
   */
  attest(bytes) {
    const token = SessionToken.fromBytes(bytes);
    try {
      this.#token.merge(token);
      this.#handle().attest(false);
    } catch (error) {
      const { code } = /** @type {{ code?: string }} */ (error);
      if (code !== "unrelated" && code !== "limit") throw error;
      // The servers are others than before, or attestations of many were joined and never shown to
      // one, which would have made one of them: the session goes on with what this one attests.
      this.#token = token;
      this.#handle().attest(true);
      this.#changed(true);
      throw crdtError("session", "the session could not be continued with this server, and begins anew", error);
    }
    this.#token.settle(this.#log, (replica) => this.#handle().attestedOf(replica));
    this.#changed(false);
  }

  /**
   * Another tab tells of its session, which is the same.
   *
   * @param {string} token
   * @param {boolean} isNew
   */
  told(token, isNew) {
    const theirs = SessionToken.parse(token);
    if (isNew) this.#token = theirs;
    else this.#token.merge(theirs);
  }

  /** What other tabs have not seen themselves. */
  shared() {
    return this.#token.toString();
  }

  /** @returns {SavedSession} */
  save() {
    return { token: this.#token.toString(), attested: this.#handle().attested() };
  }

  /**
   * Where another tab has saved the session meanwhile, both are kept.
   *
   * @param {SavedSession} mine
   * @param {SavedSession | undefined} stored
   * @returns {SavedSession}
   */
  static joined(mine, stored) {
    if (stored === undefined) return mine;
    try {
      const token = SessionToken.parse(mine.token);
      token.merge(SessionToken.parse(stored.token));
      return { ...mine, token: token.toString() };
    } catch {
      // Of other servers, or damaged.
      return mine;
    }
  }

  /** @param {SavedSession} saved */
  load({ token, attested }) {
    // In this order: with a token that cannot be read nothing is attested.
    const read = SessionToken.parse(token);
    this.#handle().setAttested(attested);
    this.#token = read;
  }

  /** @param {boolean} isNew */
  #changed(isNew) {
    this.#host.changed(this.shared(), isNew);
  }
}

/** @param {string} token */
function parse(token) {
  return SessionToken.parse(wellFormed(token, "a session token"));
}
