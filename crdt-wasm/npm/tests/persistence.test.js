// What is stored, in which order it leaves, and under which id, with a storage that does what
// the test says.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Document } from "crdt-wasm";

/** @typedef {import("crdt-wasm").Lease} Lease */

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** What a browser would keep. */
class Disk {
  /** @type {Map<number, Uint8Array>} */
  entries = new Map();
  /** @type {Map<string, number>} */
  leases = new Map();
  keyNext = 1;
}

/** @implements {Storage} @typedef {import("crdt-wasm").Storage} Storage */
class TestStorage {
  name = "test";
  /** Writes that were started and are not over. @type {{ commit: () => void, fail: () => void }[]} */
  pending = [];
  isPrompt = true;

  /** @param {Disk} disk */
  constructor(disk) {
    this.disk = disk;
  }

  async load() {
    const [held] = this.disk.leases;
    const lease = held === undefined ? this.mintLease() : { id: held[0], replica: replicaOf(held[0]), sequence: held[1] };
    return { entries: [...this.disk.entries].map(([key, bundle]) => ({ key, bundle })), lease };
  }

  /** @param {Lease} [instead] */
  mintLease(instead) {
    if (instead !== undefined) this.disk.leases.delete(instead.id);
    const id = String(crypto.getRandomValues(new Uint8Array(16)));
    return { id, replica: replicaOf(id), sequence: 0 };
  }

  /**
   * @param {Uint8Array} bundle
   * @param {Lease} lease
   * @returns {Promise<number>}
   */
  append(bundle, lease) {
    return this.#write(() => {
      const key = this.disk.keyNext++;
      this.disk.entries.set(key, bundle);
      if (lease.sequence > 0) this.disk.leases.set(lease.id, lease.sequence);
      return key;
    });
  }

  /**
   * @param {Uint8Array} bundle
   * @param {readonly number[]} covered
   * @returns {Promise<number>}
   */
  replace(bundle, covered) {
    return this.#write(() => {
      const key = this.disk.keyNext++;
      this.disk.entries.set(key, bundle);
      for (const gone of covered) this.disk.entries.delete(gone);
      return key;
    });
  }

  /**
   * @param {() => number} commit
   * @returns {Promise<number>}
   */
  #write(commit) {
    if (this.isPrompt) return Promise.resolve(commit());
    return new Promise((resolve, reject) => {
      this.pending.push({ commit: () => resolve(commit()), fail: () => reject(new Error("disk full")) });
    });
  }

  async loadAcknowledged() {
    return undefined;
  }

  async saveAcknowledged() {}
  close() {}
}

/** @param {string} id */
function replicaOf(id) {
  return Uint8Array.from(id.split(","), Number);
}

/** A network that shows what it is given. */
function network() {
  /** @type {Uint8Array[]} */
  const sent = [];
  /** @type {import("crdt-wasm").Network} */
  const network = {
    name: "test:",
    open(_document, _token, peer) {
      queueMicrotask(() => peer.up());
      return {
        isWritable: () => true,
        send: (message) => void sent.push(message),
        silentSince: () => Date.now(),
        reconnect: () => {},
        close: () => {},
      };
    },
  };
  return { network, sent };
}

/** @param {Storage} storage */
const open = (storage) => Document.open("test", { storage, tabs: false });

test("the write starts in the turn of the change, and all of one turn is one write", async () => {
  const storage = new TestStorage(new Disk());
  storage.isPrompt = false;
  const document = await open(storage);
  document.counter("n").increment();
  document.counter("n").increment();
  await Promise.resolve();
  assert.equal(storage.pending.length, 1);
  assert.equal(document.status.unstored, 2);
  document.counter("n").increment();
  await Promise.resolve();
  assert.equal(storage.pending.length, 2, "without waiting for the first");
  storage.pending[0]?.commit();
  await turn();
  assert.equal(document.status.unstored, 1);
  let isStored = false;
  void document.stored().then(() => (isStored = true));
  await turn();
  assert.equal(isStored, false);
  storage.pending[1]?.commit();
  await turn();
  assert.equal(document.status.unstored, 0);
  assert.equal(isStored, true);
  await document.close();
});

test("nothing is sent before it is stored", async () => {
  const storage = new TestStorage(new Disk());
  const { network: connect, sent } = network();
  const document = await Document.open("test", { storage, connect, tabs: false });
  await turn();
  storage.isPrompt = false;
  const greetings = sent.length;
  document.text("t").insert(0, "secret until stored");
  await turn();
  const needle = Buffer.from("secret until stored");
  assert.equal(sent.filter((message) => Buffer.from(message).includes(needle)).length, 0);
  assert.equal(sent.length, greetings);
  assert.deepEqual([document.status.waiting > 0, document.status.unstored > 0], [true, true]);
  storage.pending[0]?.commit();
  await turn();
  assert.equal(document.status.unstored, 0);
  document.goOffline();
  await document.close();
});

test("a write that failed is told and tried again, with all that came since", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const disk = new Disk();
    const storage = new TestStorage(disk);
    storage.isPrompt = false;
    const document = await open(storage);
    document.text("t").insert(0, "a");
    await turn();
    document.text("t").insert(1, "b");
    await turn();
    storage.pending[0]?.fail();
    await turn();
    assert.equal(document.status.error?.code, "storage");
    // The second write may succeed all the same: without the first it proves nothing.
    storage.pending[1]?.commit();
    await turn();
    assert.equal(document.status.unstored, 2);
    mock.timers.tick(500);
    await turn();
    assert.equal(storage.pending.length, 3);
    storage.pending[2]?.commit();
    await turn();
    assert.deepEqual([document.status.unstored, document.status.error], [0, undefined]);
    await document.close();
    const again = await open(new TestStorage(disk));
    assert.equal(again.text("t").toString(), "ab");
    await again.close();
  } finally {
    mock.timers.reset();
  }
});

test("an id is taken up again with its storage, and not without proof", async () => {
  const disk = new Disk();
  const first = await open(new TestStorage(disk));
  first.counter("n").increment();
  await first.close();
  const second = await open(new TestStorage(disk));
  second.counter("n").increment();
  await second.stored();
  const [entry] = [...disk.entries].slice(-1);
  const replica = second.replica;
  await second.close();

  // A backup of yesterday: the lease vouches for more than is there.
  disk.entries.delete(entry?.[0] ?? 0);
  const restored = await open(new TestStorage(disk));
  restored.counter("n").increment();
  await restored.stored();
  assert.notEqual(restored.replica, replica);
  assert.equal(disk.leases.size, 1, "the lease that proved nothing is gone");
  restored.import(entry?.[1] ?? new Uint8Array());
  assert.equal(restored.counter("n").value, 3, "so nothing collides");
  const before = restored.replica;
  await restored.close();
  const again = await open(new TestStorage(disk));
  again.counter("n").increment();
  assert.equal(again.replica, before);
  await again.close();
});

test("an id under which another copy of the profile writes is given up", async () => {
  const disk = new Disk();
  const original = await open(new TestStorage(disk));
  original.counter("n").increment();
  await original.stored();
  const clone = Object.assign(new Disk(), { entries: new Map(disk.entries), leases: new Map(disk.leases), keyNext: disk.keyNext });
  const copy = await open(new TestStorage(clone));
  original.counter("n").increment();
  copy.import(original.encode());
  copy.counter("n").increment();
  assert.notEqual(copy.replica, original.replica);
  original.import(copy.encode());
  assert.deepEqual([original.counter("n").value, copy.counter("n").value], [3, 3]);
  await Promise.all([original.close(), copy.close()]);
});

test("a long log becomes one entry, and a load needs no order", async () => {
  const disk = new Disk();
  const document = await open(new TestStorage(disk));
  for (let count = 0; count < 600; count += 1) {
    document.text("t").insert(0, "x");
    await Promise.resolve();
  }
  await turn();
  assert.ok(disk.entries.size <= 300, `${disk.entries.size} entries`);
  await document.close();
  disk.entries = new Map([...disk.entries].reverse());
  const again = await open(new TestStorage(disk));
  assert.equal(again.text("t").length, 600);
  await again.close();
});

test("an entry that cannot be read is an error, not a loss", async () => {
  const disk = new Disk();
  const document = await open(new TestStorage(disk));
  document.counter("n").increment();
  await document.close();
  disk.entries.set(99, Uint8Array.of(1, 2, 3));
  await assert.rejects(open(new TestStorage(disk)), { code: "storage" });
});
