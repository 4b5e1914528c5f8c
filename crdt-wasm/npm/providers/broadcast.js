// Other tabs of the same origin: what one stores, the others show, server or no server.

/**
 * @typedef {import("../index.js").Tabs} Tabs
 * @typedef {import("../index.js").TabMessage} TabMessage
 */

/** @implements {Tabs} */
export class BroadcastTabs {
  #channel;

  /**
   * Joins the tabs that have a document open in the same storage.
   *
   * @param {string} name
   * @param {(message: TabMessage) => void} receive
   */
  constructor(name, receive) {
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }) => receive(data);
  }

  /** @param {TabMessage} message */
  post(message) {
    this.#channel.postMessage(message);
  }

  close() {
    this.#channel.close();
  }
}
