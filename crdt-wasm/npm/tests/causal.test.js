// The delivery buffer, from the outside, against what the messages say of their own order.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CausalBuffer } from "crdt-wasm/causal";

/** @typedef {import("crdt-wasm/causal").CausalMessage<any>} Message */

/** @param {number} seed */
function random(seed) {
  let state = seed >>> 0;
  return (/** @type {number} */ below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/**
 * @template T
 * @param {T[]} items
 * @param {(below: number) => number} draw
 */
function shuffled(items, draw) {
  const list = [...items];
  for (let at = list.length - 1; at > 0; at--) {
    const other = draw(at + 1);
    [list[at], list[other]] = [/** @type {T} */ (list[other]), /** @type {T} */ (list[at])];
  }
  return list;
}

const dot = (/** @type {import("crdt-wasm/causal").Dot} */ { replica, seq }) => `${replica}:${seq}`;

/**
 * Messages of some replicas, each of which has seen what it has drawn.
 *
 * @param {number} count
 * @param {(below: number) => number} draw
 */
function history(count, draw) {
  const replicas = ["ann", "bob", "cem", "dörte"];
  /** @type {Map<string, Message>[]} */
  const seen = replicas.map(() => new Map());
  /** @type {Message[]} */
  const all = [];
  for (let index = 0; index < count; index++) {
    const writer = draw(replicas.length);
    const replica = /** @type {string} */ (replicas[writer]);
    const own = /** @type {Map<string, Message>} */ (seen[writer]);
    if (all.length > 0 && draw(2) === 0) {
      const source = /** @type {Map<string, Message>} */ (seen[draw(replicas.length)]);
      for (const [name, message] of source) own.set(name, message);
    }
    const seq = all.filter((message) => message.replica === replica).length + 1;
    /** @type {Map<string, number>} */
    const latest = new Map();
    for (const message of own.values()) {
      if (message.replica !== replica) latest.set(message.replica, Math.max(latest.get(message.replica) ?? 0, message.seq));
    }
    const parents = Array.from(latest, ([name, at]) => ({ replica: name, seq: at }));
    const payload = draw(2) === 0 ? Uint8Array.of(index & 255, index >> 8) : { text: `message ${index}` };
    const message = { replica, seq, parents, payload };
    own.set(dot(message), message);
    all.push(message);
  }
  return all;
}

/**
 * @param {Message[]} delivered
 * @param {Message[]} all
 */
function assertCausal(delivered, all) {
  const seen = new Set();
  for (const message of delivered) {
    if (message.seq > 1) assert(seen.has(`${message.replica}:${message.seq - 1}`), `${dot(message)} comes after its own`);
    for (const parent of message.parents ?? []) assert(seen.has(dot(parent)), `${dot(message)} comes after ${dot(parent)}`);
    assert(!seen.has(dot(message)), `${dot(message)} comes once`);
    seen.add(dot(message));
  }
  assert.equal(seen.size, all.length);
}

test("whatever the order of arrival, delivery is causal, complete and once", () => {
  let waited = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const draw = random(seed);
    const all = history(1 + draw(120), draw);
    // Some come twice.
    const arrivals = shuffled([...all, ...all.filter(() => draw(4) === 0)], draw);
    const buffer = new CausalBuffer();
    const delivered = [];
    let duplicates = 0;
    while (arrivals.length > 0) {
      const batch = buffer.insert(arrivals.splice(0, 1 + draw(20)));
      assert.deepEqual(batch.refused, []);
      duplicates += batch.duplicates;
      waited += batch.pending;
      delivered.push(...buffer.deliver());
    }
    assertCausal(delivered, all);
    assert.equal(duplicates + all.length, delivered.length + duplicates);
    assert.equal(buffer.pending, 0);
    assert(delivered.every((message) => all.includes(message)), "the objects themselves come out");
    assert.equal(buffer.version().reduce((sum, [, seq]) => sum + seq, 0), all.length);
  }
  assert(waited > 1000, `only ${waited} messages had to wait`);
});

test("a buffer goes on from what was saved, in the middle of everything", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const draw = random(seed + 1000);
    const all = history(80, draw);
    const arrivals = shuffled(all, draw);
    let buffer = new CausalBuffer();
    const delivered = [];
    while (arrivals.length > 0) {
      buffer.insert(arrivals.splice(0, 1 + draw(9)));
      if (draw(2) === 0) delivered.push(...buffer.deliver());
      const { pending } = buffer;
      buffer = CausalBuffer.restore(structuredClone(buffer.save()));
      assert.equal(buffer.pending, pending);
    }
    delivered.push(...buffer.deliver());
    assertCausal(delivered, all);
  }
});

test("what is missing is asked for, with longer and longer waits", () => {
  let now = 1000.5;
  const buffer = new CausalBuffer({ now: () => now });
  assert.equal(buffer.timeout, undefined);
  buffer.insert({ replica: "ann", seq: 5, parents: [{ replica: "bob", seq: 2 }], payload: "late" });
  assert.deepEqual(buffer.missing(), [], "a gap may fill by itself");
  assert.equal(buffer.timeout, 20);
  now += 20;
  const ranges = [
    { replica: "ann", first: 1, last: 4 },
    { replica: "bob", first: 1, last: 2 },
  ];
  assert.deepEqual(buffer.missing(), ranges);
  assert.deepEqual(buffer.missing(), [], "it was asked for");
  assert.equal(buffer.timeout, 500);
  now += 500;
  assert.deepEqual(buffer.missing(), ranges);
  assert.equal(buffer.timeout, 1000);
  buffer.insert([1, 2].map((seq) => ({ replica: "bob", seq, payload: null })));
  now += 1000;
  assert.deepEqual(buffer.missing(), ranges.slice(0, 1));
});

test("an equivocation is reported with its proof, and quarantined until it is decided", () => {
  const buffer = new CausalBuffer();
  const message = (/** @type {number} */ seq, /** @type {any} */ payload) => ({ replica: "eve", seq, payload });
  buffer.insert([message(1, "hello"), message(2, { to: "ann" })]);
  assert.equal(buffer.insert(message(2, { to: "ann" })).duplicates, 1, "the same is a duplicate");
  const { refused } = buffer.insert(message(2, { to: "bob" }));
  assert.equal(refused.length, 1);
  const [fork] = refused;
  assert(fork !== undefined && fork.held !== undefined && fork.offered !== undefined);
  assert.deepEqual(
    { name: fork.name, code: fork.code, reason: fork.reason, replica: fork.replica, seq: fork.seq },
    { name: "CrdtError", code: "equivocation", reason: "equivocation", replica: "eve", seq: 2 },
  );
  assert.match(fork.held, /^[0-9a-f]{32}$/);
  assert.notEqual(fork.held, fork.offered);
  const { held, offered } = fork;
  assert.deepEqual(buffer.events(), [{ type: "equivocation", replica: "eve", seq: 2, held, offered }]);
  assert.equal(buffer.insert(message(3, "more")).refused[0]?.reason, "quarantined");
  assert.equal(buffer.adopt("eve"), true);
  assert.equal(buffer.insert(message(3, "more")).ready, 1);
  assert.deepEqual(buffer.deliver().map(({ seq }) => seq), [1, 2, 3]);
});

test("bounds hold, and what was dropped is said and asked for", () => {
  let now = 0;
  const buffer = new CausalBuffer({ pendingMax: 10, replicaPendingMax: 10, now: () => now });
  const all = Array.from({ length: 31 }, (_, index) => ({ replica: "ann", seq: index + 1, payload: index }));
  const batch = buffer.insert(all.slice(1));
  assert.equal(batch.pending + batch.dropped, 30);
  assert.equal(buffer.pending, 10);
  assert.equal(buffer.save().pending.length, 10, "what was dropped is not kept here either");
  assert(buffer.pendingBytes > 0);
  assert.equal(buffer.events()[0]?.type, "dropped");
  now = 20;
  assert.deepEqual(buffer.missing()[0], { replica: "ann", first: 1, last: 1 });
  buffer.insert(all);
  const delivered = buffer.deliver();
  assertCausal(delivered, all);
  assert.equal(buffer.pending, 0);
  assert.deepEqual(buffer.save().pending, []);
  const few = new CausalBuffer({ gapMax: 5, parentsMax: 1, replicaPendingBytesMax: 1000, replicasMax: 3 });
  const reason = (/** @type {Message} */ message) => few.insert(message).refused.map(({ reason, code }) => `${reason} ${code}`)[0];
  const bob = { replica: "bob", seq: 1 };
  assert.equal(reason({ replica: "ann", seq: 7, payload: 1 }), "gap limit");
  assert.equal(reason({ replica: "ann", seq: 1, parents: [bob, bob], payload: 1 }), "parents limit");
  assert.equal(reason({ replica: "ann", seq: 2, payload: new Uint8Array(1000) }), "bytes limit");
  assert.equal(reason({ replica: "ann", seq: 2, parents: [{ replica: "ann", seq: 2 }], payload: 1 }), "cyclic argument");
});

test("names that nobody uses are forgotten, however many come", () => {
  const buffer = new CausalBuffer({ replicasMax: 100, pendingMax: 10 });
  buffer.insert({ replica: "ann", seq: 1, payload: 0 });
  for (let index = 0; index < 5000; index++) {
    buffer.insert({ replica: `flood ${index}`, seq: 9, payload: index });
  }
  assert(buffer.pending <= 10);
  assert.equal(buffer.insert({ replica: "ann", seq: 2, payload: 1 }).ready, 1);
  assert.deepEqual(buffer.version(), [["ann", 2]]);
  for (const range of buffer.missing()) assert.equal(typeof range.replica, "string");
});

test("what cannot be a message is refused before anything is taken", () => {
  const buffer = new CausalBuffer();
  const good = { replica: "ann", seq: 1, payload: "yes" };
  const refused = (/** @type {any} */ message, /** @type {string} */ code) =>
    assert.throws(() => buffer.insert([good, message]), { name: "CrdtError", code });
  refused(undefined, "argument");
  refused({ ...good, replica: "" }, "argument");
  refused({ ...good, replica: 7 }, "argument");
  refused({ ...good, replica: "a\ud800" }, "surrogate");
  refused({ ...good, replica: "a".repeat(257) }, "argument");
  for (const seq of [0, -1, 1.5, NaN, 2 ** 53, "1"]) refused({ ...good, seq }, "argument");
  refused({ ...good, parents: [null] }, "argument");
  refused({ ...good, parents: "ann" }, "argument");
  refused({ ...good, parents: [{ replica: "b\udc00", seq: 1 }] }, "surrogate");
  refused({ ...good, payload: undefined }, "argument");
  refused({ ...good, payload: () => 1 }, "argument");
  refused({ ...good, payload: 1n }, "argument");
  const circle = { self: {} };
  circle.self = circle;
  assert.throws(() => buffer.insert({ ...good, payload: circle }), { code: "argument" });
  assert.throws(() => buffer.insert(new Array(65_537).fill(good)), { code: "limit" });
  assert.throws(() => new CausalBuffer({ pendingMax: -1 }), { code: "argument" });
  assert.throws(() => buffer.write("?"), { code: "argument" });
  assert.deepEqual(buffer.deliver(), []);
  assert.deepEqual(buffer.save().pending, []);
  assert.equal(buffer.insert(good).ready, 1);
});

test("a chat in twenty lines", () => {
  // What docs/delivery.md shows, over a network that reverses everything.
  /** @type {Map<string, { buffer: CausalBuffer<string>, inbox: any[], shown: string[] }>} */
  const people = new Map();
  for (const replica of ["ann", "bob"]) people.set(replica, { buffer: new CausalBuffer({ replica }), inbox: [], shown: [] });
  const say = (/** @type {string} */ who, /** @type {string} */ text) => {
    for (const person of people.values()) person.buffer.deliver().forEach(({ payload }) => person.shown.push(payload));
    const message = people.get(who)?.buffer.write(text);
    for (const [name, person] of people) if (name !== who) person.inbox.unshift(structuredClone(message));
  };
  const arrive = () => {
    for (const person of people.values()) {
      for (const message of person.inbox.splice(0)) person.buffer.insert(message);
      person.buffer.deliver().forEach(({ payload }) => person.shown.push(payload));
    }
  };
  say("ann", "Tea?");
  say("ann", "Or coffee?");
  arrive();
  say("bob", "Tea, please.");
  arrive();
  for (const { shown } of people.values()) assert.deepEqual(shown, ["Tea?", "Or coffee?", "Tea, please."]);
});

test("what will not come is given up, and what waited for it is delivered", () => {
  /** @type {(seq: number) => Message} */
  const ann = (seq) => ({ replica: "ann", seq, payload: seq });
  const answer = { replica: "bob", seq: 1, parents: [{ replica: "ann", seq: 2 }], payload: "yes" };
  let now = 0;
  const options = { now: () => now };
  let buffer = new CausalBuffer(options);
  assert.equal(buffer.insert([ann(4), answer]).pending, 2);
  now = 1_000;
  assert.deepEqual(buffer.missing(), [{ replica: "ann", first: 1, last: 3 }]);
  // Beyond what is known to exist there is nothing to give up, and what is here is not.
  assert.deepEqual(buffer.forsake({ replica: "ann", first: 3, last: 900 }), [{ replica: "ann", first: 3, last: 3 }]);
  assert.deepEqual(buffer.forsake({ replica: "cem", first: 1, last: 1 }), []);
  assert.deepEqual([buffer.deliver(), buffer.events()], [[], []]);

  // A page that is loaded again goes on with that.
  buffer = CausalBuffer.restore(buffer.save(), options);
  assert.deepEqual(buffer.forsaken(), [{ replica: "ann", first: 3, last: 3 }]);
  const lost = { replica: "ann", first: 1, last: 2 };
  assert.deepEqual(buffer.forsake(lost), [lost]);
  assert.deepEqual(buffer.deliver().map(dot).sort(), ["ann:4", "bob:1"]);
  assert.deepEqual(buffer.events(), [{ type: "forsaken", replica: "ann", first: 1, last: 3 }]);
  assert.deepEqual([buffer.pending, buffer.missing()], [0, []]);
  const [refused] = buffer.insert(ann(2)).refused;
  assert.equal(refused?.reason, "forsaken");
  assert.throws(() => buffer.forsake({ replica: "ann", first: 2, last: 1 }), { code: "argument" });
  assert.throws(() => buffer.forsake({ replica: "ann", first: 0, last: 1 }), { code: "argument" });
});
