// Between a document and the other tabs that have it open. A change is shown to them once it
// is stored, not before: until then it may still be lost, and its number given to another.

import { now } from "./clock.js";

/**
 * @typedef {import("./pkg/crdt_wasm.js").DocumentHandle} DocumentHandle
 * @typedef {import("./index.js").Tabs} Tabs
 * @typedef {import("./index.js").TabMessage} TabMessage
 * @typedef {object} TabHost
 * @property {(key: number) => void} covered an entry of the common storage is known here
 * @property {() => void} changed
 * @property {() => string} session the token of the common session, as this tab has it
 * @property {(token: string, isNew: boolean) => void} sessionChanged
 * @property {() => void} presenceChanged
 * @property {() => void} newcomer
 * @property {() => Promise<void>} stored
 * @property {(error: import("./index.js").CrdtError) => void} failed
 */

export class TabSync {
  #handle;
  #host;
  #tabs;
  #isClosed = false;
  /** What arrives before the document is loaded waits for that. @type {TabMessage[] | undefined} */
  #early = [];

  /**
   * @param {DocumentHandle} handle
   * @param {(receive: (message: TabMessage) => void) => Tabs} join
   * @param {TabHost} host
   */
  constructor(handle, join, host) {
    this.#handle = handle;
    this.#host = host;
    this.#tabs = join((message) => {
      if (this.#early !== undefined) this.#early.push(message);
      else this.#receive(message);
    });
  }

  /** The document is loaded: says hello to the others. */
  start() {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const message of early) this.#receive(message);
    this.#ask(false);
  }

  /**
   * @param {number | undefined} key of the entry in the common storage, if there is one
   * @param {Uint8Array} bundle
   * @param {Uint8Array} version
   */
  stored(key, bundle, version) {
    this.#tabs.post(key === undefined ? { type: "changes", bundle } : { type: "stored", key, bundle, version });
  }

  /** @param {Uint8Array} update */
  presence(update) {
    this.#tabs.post({ type: "presence", update });
  }

  /**
   * @param {string} token
   * @param {boolean} isNew whether the session has begun anew
   */
  session(token, isNew) {
    this.#tabs.post({ type: "session", token, isNew });
  }

  /** @param {TabMessage} message */
  #receive(message) {
    if (this.#isClosed) return;
    switch (message.type) {
      case "stored":
        if (!this.#import(message.bundle)) return;
        this.#handle.setStoredElsewhere(message.version);
        this.#host.covered(message.key);
        this.#host.changed();
        return;
      case "changes":
        if (this.#import(message.bundle)) this.#host.changed();
        return;
      case "presence":
        if (this.#handle.presenceReceive(message.update, now())) this.#host.presenceChanged();
        return;
      case "session":
        this.#join(message.token, message.isNew);
        return;
      case "version":
        this.session(this.#host.session(), false);
        this.#host.newcomer();
        if (!message.isAnswer && !this.#handle.dominates(message.version)) this.#ask(true);
        void this.#answer(message.version);
    }
  }

  /**
   * @param {string} token
   * @param {boolean} isNew
   */
  #join(token, isNew) {
    try {
      this.#host.sessionChanged(token, isNew);
    } catch (error) {
      this.#host.failed(/** @type {import("./index.js").CrdtError} */ (error));
    }
  }

  /** @param {Uint8Array} bundle */
  #import(bundle) {
    try {
      this.#handle.import(bundle);
      return true;
    } catch (error) {
      const failure = /** @type {import("./index.js").CrdtError} */ (error);
      if (failure.code === "missing") this.#ask(true);
      else this.#host.failed(failure);
      return false;
    }
  }

  /** @param {boolean} isAnswer */
  #ask(isAnswer) {
    this.#tabs.post({ type: "version", version: this.#handle.version(), isAnswer });
  }

  /** @param {Uint8Array} version */
  async #answer(version) {
    while (!this.#isClosed && this.#handle.unstored() > 0) await this.#host.stored();
    const bundle = this.#isClosed ? undefined : this.#handle.changesSince(version);
    if (bundle !== undefined) this.#tabs.post({ type: "changes", bundle });
  }

  close() {
    this.#isClosed = true;
    this.#tabs.close();
  }
}
