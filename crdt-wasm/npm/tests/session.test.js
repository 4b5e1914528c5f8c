// Session tokens as an application has them: what a page carries, takes in, keeps, and refuses.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Document } from "crdt-wasm";
import { attested, checksum, sealed } from "./attested.js";
import * as documents from "./trimmed.js";

/** @typedef {import("crdt-wasm").SavedSession} SavedSession */

const open = () => Document.open("notes", { tabs: false });

/** @param {string} token */
const bytes = (token) => Buffer.from(token, "base64url");

test("the checksum is the standard's", () => {
  assert.equal(checksum(Buffer.from("123456789")), 0xe3069283);
});

/** What a test's server does. */
class TestNetwork {
  name = "test";
  /** @type {import("crdt-wasm").NetworkPeer | undefined} */
  peer;

  /**
   * @param {string} _document
   * @param {string | undefined} _token
   * @param {import("crdt-wasm").NetworkPeer} peer
   */
  open(_document, _token, peer) {
    this.peer = peer;
    queueMicrotask(() => peer.up());
    return { isWritable: () => true, send: () => {}, silentSince: () => Date.now(), reconnect: () => {}, close: () => {} };
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("own writes that no server has attested are named in the token, the last of them alone", async () => {
  const document = await open();
  const empty = document.session.token;
  assert.deepEqual(bytes(empty), sealed([0, 0, 0]));
  document.counter("n").increment();
  const first = document.session.token;
  document.counter("n").increment();
  const second = document.session.token;
  assert.notEqual(second, first);
  const replica = Buffer.from((document.replica ?? "").replaceAll("-", ""), "hex");
  const tag = Buffer.alloc(4);
  tag.writeUInt32LE(checksum(Buffer.from("notes")));
  assert.deepEqual(bytes(second), sealed([0, 0, 1, ...replica, 1, ...tag, 2]));
  await document.close();
});

test("a token that was joined goes along", async () => {
  const [phone, laptop] = [await open(), await open()];
  phone.text("t").insert(0, "on the train");
  laptop.session.join(phone.session.token);
  const joined = laptop.session.token;
  assert.equal(joined, phone.session.token);
  laptop.text("t").insert(0, "at home");
  assert(bytes(laptop.session.token).length > bytes(joined).length);
  phone.session.join(laptop.session.token);
  assert.equal(phone.session.token, laptop.session.token);
  laptop.session.join(attested(5).toString("base64url"));
  laptop.session.join(attested(3).toString("base64url"));
  phone.session.join(laptop.session.token);
  assert.equal(phone.session.token, laptop.session.token);
  assert(bytes(phone.session.token).includes(attested(5).subarray(6, 30)), "what says most is kept");
  assert(!bytes(phone.session.token).includes(Buffer.alloc(16, 3)), "what it makes redundant is not");
  await Promise.all([phone.close(), laptop.close()]);
});

test("an answer takes the place of what was sent, and of nothing that came since", async () => {
  const [document, other] = [await open(), await open()];
  other.counter("n").increment();
  document.session.join(other.session.token);
  const sent = document.session.token;
  const third = await open();
  third.counter("n").increment();
  document.session.join(third.session.token);
  // The server has the first write, and knows nothing of the other.
  document.session.replace(sent, attested(9).toString("base64url"));
  const token = bytes(document.session.token).toString("hex");
  const id = (/** @type {Document} */ of) => (of.replica ?? "").replaceAll("-", "");
  assert(!token.includes(id(other)), "attested");
  assert(token.includes(id(third)), "came since");
  const before = document.session.token;
  document.session.replace(sent, null);
  document.session.replace(sent, undefined);
  assert.equal(document.session.token, before, "an answer without a token");
  document.session.restart();
  assert.deepEqual(bytes(document.session.token), sealed([0, 0, 0]));
  await Promise.all([document.close(), other.close(), third.close()]);
});

test("what is no token is refused, and changes nothing", async () => {
  const document = await open();
  document.counter("n").increment();
  document.session.join(attested(5).toString("base64url"));
  const token = document.session.token;
  /** @param {any} given @param {string} [code] */
  const refused = (given, code) => {
    const expected = code === undefined ? { name: "CrdtError" } : { name: "CrdtError", code };
    assert.throws(() => document.session.join(given), expected);
    assert.throws(() => document.session.replace(token, given === null ? "" : given), expected);
  };
  refused(3, "argument");
  refused("a\ud83d", "surrogate");
  refused("not a token!", "decode");
  refused("é", "decode");
  refused("", "decode");
  refused(token.slice(1));
  refused(token.slice(0, -1), "decode");
  refused("A".repeat(5464), "limit");
  refused("A".repeat(1 << 20), "limit");
  refused(sealed([1, 0, 0]).toString("base64url"), "unsupported");
  refused(attested(5, { realm: 8 }).toString("base64url"), "unrelated");
  // Every other letter in every place, as far as the checksum goes.
  for (let at = 0; at < token.length; at++) {
    const other = token[at] === "A" ? "B" : "A";
    refused(token.slice(0, at) + other + token.slice(at + 1));
  }
  const body = [...bytes(token).subarray(0, -4)];
  const wrong = (/** @type {number[]} */ of) => refused(sealed(of).toString("base64url"), "decode");
  wrong([...body, 0]);
  wrong(body.slice(0, -1));
  const part = [...attested(5).subarray(6, -5)];
  wrong([0, 2, 7, 0, 0, 0, ...part, ...part, 0]);
  wrong([0, 2, 7, 0, 0, 0, ...[...attested(3).subarray(6, -5)], ...part, 0]);
  wrong([0, 0x80, 0, 0]);
  wrong([0, 0, 1, ...Array(16).fill(1), 0]);
  wrong([0, 0, 1, ...Array(16).fill(1), 1, 0, 0, 0, 0, 0]);
  wrong([0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0]);
  assert.equal(document.session.token, token);
  await document.close();
  assert.throws(() => document.session.token, { code: "closed" });
  assert.throws(() => document.session.join(token), { code: "closed" });
});

test("a token has an end, and what would not fit is an error", async () => {
  const document = await open();
  const writers = [];
  for (let index = 0; index < 200; index++) {
    const writer = await open();
    writer.counter("n").increment();
    document.import(writer.encode());
    writers.push(writer);
  }
  assert.throws(() => document.session.token, { code: "limit" }, "nothing says that a server has any of it");

  // The same where a server has acknowledged them, and not attested yet: one's own writes are all that counts.
  const ids = writers.map(({ replica }) => (replica ?? "").replaceAll("-", "")).sort();
  const acknowledged = Buffer.from(`c801${ids.map((id) => `${id}01`).join("")}`, "hex");
  const lease = () => ({ id: "", replica: crypto.getRandomValues(new Uint8Array(16)), sequence: 0 });
  const storage = {
    name: "test",
    load: async () => ({ entries: [{ key: 1, bundle: document.encode() }], lease: lease() }),
    mintLease: lease,
    append: async () => 2,
    replace: async () => 3,
    loadAcknowledged: async () => new Uint8Array(acknowledged),
    saveAcknowledged: async () => {},
    close: () => {},
  };
  const reader = await Document.open("notes", { storage, connect: new TestNetwork(), offline: true, tabs: false });
  assert.equal(reader.status.waiting, 0);
  assert.deepEqual(bytes(reader.session.token), sealed([0, 0, 0]));
  reader.counter("n").increment();
  const own = bytes(reader.session.token).toString("hex");
  assert.ok(own.includes((reader.replica ?? "").replaceAll("-", "")) && ids.every((id) => !own.includes(id)));
  await Promise.all([document, reader, ...writers].map((each) => each.close()));
});

test("what the server attests is kept, with what it covers, and a new page goes on with it", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  /** @type {SavedSession | undefined} */
  let kept;
  /** @type {Map<number, Uint8Array>} */
  const entries = new Map();
  const storage = () => ({
    name: "test",
    load: async () => ({
      entries: [...entries].map(([key, bundle]) => ({ key, bundle })),
      lease: { id: "", replica: crypto.getRandomValues(new Uint8Array(16)), sequence: 0 },
    }),
    mintLease: () => ({ id: "", replica: crypto.getRandomValues(new Uint8Array(16)), sequence: 0 }),
    append: async (/** @type {Uint8Array} */ bundle) => {
      entries.set(entries.size, bundle);
      return entries.size - 1;
    },
    replace: async () => 0,
    loadAcknowledged: async () => undefined,
    saveAcknowledged: async () => {},
    loadSession: async () => kept,
    updateSession: async (/** @type {(stored: SavedSession | undefined) => SavedSession} */ update) => void (kept = update(kept)),
    close: () => {},
  });
  try {
    const network = new TestNetwork();
    const document = await Document.open("notes", { storage: storage(), connect: network, tabs: false });
    await turn();
    document.counter("n").increment();
    await document.stored();
    network.peer?.attested?.(attested(5));
    const token = document.session.token;
    assert(bytes(token).includes(attested(5).subarray(6, 30)));
    const replica = (document.replica ?? "").replaceAll("-", "");
    assert(bytes(token).toString("hex").includes(replica), "the server has not acknowledged the write");
    mock.timers.tick(500);
    await turn();
    assert.notEqual(kept, undefined);

    const again = await Document.open("notes", { storage: storage(), tabs: false });
    assert.equal(again.session.token, token);

    // Another tab has got further meanwhile; what this one saves has it too.
    again.session.join(attested(6).toString("base64url"));
    await again.close();
    await document.close();
    const last = await Document.open("notes", { storage: storage(), tabs: false });
    assert(bytes(last.session.token).includes(Buffer.alloc(16, 6)));
    last.session.restart();
    await last.close();
    const fresh = await Document.open("notes", { storage: storage(), tabs: false });
    assert(!bytes(fresh.session.token).includes(Buffer.alloc(16, 6)), "a session that begins anew is not joined");
    await fresh.close();

    // What is said to be covered is not named.
    const attestation = attested(5).toString("base64url");
    entries.clear();
    entries.set(0, documents.document);
    kept = { token: attestation, attested: documents.version };
    const covered = await Document.open("notes", { storage: storage(), tabs: false });
    assert.equal(covered.session.token, attestation);
    await covered.close();

    kept = { token: "damaged", attested: new Uint8Array(0) };
    const lost = await Document.open("notes", { storage: storage(), tabs: false });
    const [id] = /** @type {[Uint8Array]} */ ([documents.version.subarray(1, 17)]);
    assert(bytes(lost.session.token).includes(Buffer.from(id)), "nothing is taken to be attested");
    await lost.close();
  } finally {
    mock.timers.reset();
  }
});

test("a server of another realm begins a new session, and damage is told", async () => {
  const network = new TestNetwork();
  const document = await Document.open("notes", { connect: network, tabs: false });
  await turn();
  /** @type {string[]} */
  const codes = [];
  document.on("error", ({ code }) => void codes.push(code));
  network.peer?.attested?.(attested(5));
  network.peer?.attested?.(attested(6, { realm: 8 }));
  assert.deepEqual(codes, ["session"]);
  assert.deepEqual(bytes(document.session.token), attested(6, { realm: 8 }));
  network.peer?.attested?.(attested(7, { realm: 8 }).subarray(1));
  assert.deepEqual(codes.slice(1), ["unsupported"]);
  network.peer?.attested?.(attested(4, { realm: 8 }));
  assert.deepEqual(bytes(document.session.token), attested(6, { realm: 8 }), "an older one that overtook nothing");
  await document.close();
});
