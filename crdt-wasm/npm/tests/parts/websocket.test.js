// The WebSocket provider against a socket that does what the test says.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { KIND_OPEN, KIND_TOKEN, closeFrame, openFrame, sessionFrame } from "../../frame.js";
import { WebSocketNetwork } from "../../providers/websocket.js";

class FakeSocket {
  /** @type {FakeSocket[]} */
  static all = [];
  readyState = 0;
  bufferedAmount = 0;
  /** @type {number[][]} */
  sent = [];
  onopen = () => {};
  onclose = () => {};
  onmessage = (/** @type {{ data: ArrayBuffer }} */ _) => {};

  /** @param {string} url */
  constructor(url) {
    this.url = url;
    FakeSocket.all.push(this);
  }

  static get last() {
    return /** @type {FakeSocket} */ (FakeSocket.all.at(-1));
  }

  /** @param {Uint8Array} frame */
  send(frame) {
    this.sent.push([...frame]);
  }

  close() {
    this.readyState = 3;
  }

  accept() {
    this.readyState = 1;
    this.onopen();
  }

  lose() {
    this.readyState = 3;
    this.onclose();
  }

  /** @param {Iterable<number>} bytes */
  receive(bytes) {
    this.onmessage({ data: Uint8Array.from(bytes).buffer });
  }
}

/** @returns {import("../../index.js").NetworkPeer & { told: unknown[] }} */
function peer() {
  /** @type {unknown[]} */
  const told = [];
  return {
    told,
    connecting: () => void told.push("connecting"),
    up: () => void told.push("up"),
    message: (message) => void told.push([...message]),
    down: () => void told.push("down"),
    refused: (reason) => void told.push(reason),
    attested: (token) => void told.push(["attested", ...token]),
  };
}

const WebSocketBefore = globalThis.WebSocket;

beforeEach(() => {
  FakeSocket.all = [];
  globalThis.WebSocket = /** @type {any} */ (FakeSocket);
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
});

afterEach(() => {
  globalThis.WebSocket = WebSocketBefore;
  mock.timers.reset();
});

test("documents share a socket and are told apart by channel", () => {
  const network = new WebSocketNetwork("http://localhost:1234");
  const [a, b] = [peer(), peer()];
  const channelA = network.open("a", undefined, a);
  network.open("b", "secret", b);
  assert.equal(FakeSocket.all.length, 1);
  assert.equal(FakeSocket.last.url, "ws://localhost:1234/v1/sync?tokens=1");
  FakeSocket.last.accept();
  assert.deepEqual(FakeSocket.last.sent, [openFrame(0, "a"), openFrame(1, "b", "secret")]);
  FakeSocket.last.receive(sessionFrame(1, Uint8Array.of(9)));
  assert.deepEqual(b.told, ["up", [9]]);
  FakeSocket.last.receive([1, KIND_TOKEN, 5, 6]);
  assert.deepEqual(b.told, ["up", [9], ["attested", 5, 6]]);
  channelA.send(Uint8Array.of(4));
  assert.deepEqual(FakeSocket.last.sent.at(-1), [0, 1, 4]);
  channelA.close();
  assert.deepEqual(FakeSocket.last.sent.at(-1), closeFrame(0));
  channelA.send(Uint8Array.of(5));
  assert.deepEqual(FakeSocket.last.sent.at(-1), closeFrame(0), "nothing is sent after the end");
});

test("a lost connection comes back, after pauses that grow, differ, and end", () => {
  const draws = [0, 0.5, 0.999];
  const network = new WebSocketNetwork("ws://localhost/x", { random: () => draws[FakeSocket.all.length % 3] ?? 0 });
  const document = peer();
  network.open("a", undefined, document);
  let longest = 250;
  for (let attempt = 0; attempt < 12; attempt += 1) {
    const sockets = FakeSocket.all.length;
    FakeSocket.last.lose();
    mock.timers.tick(longest / 2 - 1);
    assert.equal(FakeSocket.all.length, sockets, "not before half of the pause");
    mock.timers.tick(longest / 2 + 1);
    assert.equal(FakeSocket.all.length, sockets + 1, "not after all of it");
    longest = Math.min(30_000, longest * 2);
  }
  FakeSocket.last.accept();
  assert.equal(document.told.at(-1), "up");
  // A connection that held for a while is no failed attempt.
  mock.timers.tick(10_000);
  FakeSocket.last.receive(sessionFrame(0, Uint8Array.of(1)));
  FakeSocket.last.lose();
  const sockets = FakeSocket.all.length;
  mock.timers.tick(250);
  assert.equal(FakeSocket.all.length, sockets + 1);
});

test("a refusal ends a channel, a server that goes away does not", () => {
  const network = new WebSocketNetwork("ws://localhost");
  const [a, b] = [peer(), peer()];
  network.open("a", undefined, a);
  network.open("b", undefined, b);
  FakeSocket.last.accept();
  const socket = FakeSocket.last;
  socket.receive([0, 2, 2, 0]);
  assert.deepEqual(a.told, ["connecting", "up", "unauthorized"]);
  socket.receive([1, 2, 1, 0]);
  assert.deepEqual(b.told, ["up", "down"]);
  const sent = socket.sent.length;
  mock.timers.tick(1_000);
  assert.equal(socket.sent.length, sent + 1, "opened again, on the same socket");
  assert.equal(socket.sent.at(-1)?.[1], KIND_OPEN);
  assert.deepEqual(b.told, ["up", "down", "up"]);
  socket.receive([1, 1, 7]);
  assert.deepEqual(b.told, ["up", "down", "up"], "frames of the closed channel are ignored");
});

test("the socket ends with its last channel, and nothing comes back", () => {
  const network = new WebSocketNetwork("ws://localhost");
  const channel = network.open("a", undefined, peer());
  FakeSocket.last.accept();
  channel.close();
  assert.equal(FakeSocket.last.readyState, 3);
  mock.timers.tick(60_000);
  assert.equal(FakeSocket.all.length, 1);
  network.open("a", undefined, peer());
  assert.equal(FakeSocket.all.length, 2);
});

test("tokens of sessions are asked for, whatever else the address says", () => {
  const network = new WebSocketNetwork("wss://host/sync?token=a%26b");
  network.open("a", undefined, peer());
  assert.equal(FakeSocket.last.url, "wss://host/sync?token=a%26b&tokens=1");
  assert.equal(network.name, "wss://host/sync?token=a%26b");
});

test("an address that is none for WebSockets is refused", () => {
  assert.throws(() => new WebSocketNetwork("ftp://localhost"), { code: "argument" });
});
