// The network between two servers, which a test cuts and mends.

import { connect, createServer } from "node:net";

export class Link {
  /** @type {Set<import("node:net").Socket>} */
  #sockets = new Set();
  #isCut = false;
  #listener;
  port = 0;

  /** @param {number} target */
  constructor(target) {
    this.#listener = createServer((near) => {
      if (this.#isCut) {
        near.destroy();
        return;
      }
      const far = connect(target, "127.0.0.1");
      for (const [socket, other] of /** @type {const} */ ([[near, far], [far, near]])) {
        this.#sockets.add(socket);
        socket.pipe(other);
        socket.on("error", () => other.destroy());
        socket.on("close", () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
      }
    });
  }

  /** @param {number} target the port that it leads to */
  static async open(target) {
    const link = new Link(target);
    await new Promise((resolve) => link.#listener.listen(0, "127.0.0.1", () => resolve(undefined)));
    const address = link.#listener.address();
    link.port = typeof address === "object" && address !== null ? address.port : 0;
    return link;
  }

  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend() {
    this.#isCut = false;
  }

  close() {
    this.cut();
    this.#listener.close();
  }
}
