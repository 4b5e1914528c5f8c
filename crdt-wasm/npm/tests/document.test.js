// The package as an application in Node uses it: no browser, no server.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Document, init } from "crdt-wasm";

/** Events are told at the end of the turn. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** @param {string} [name] */
const open = (name = "test") => Document.open(name, { tabs: false });

/**
 * Brings two documents to the same state.
 *
 * @param {Document} a
 * @param {Document} b
 */
function exchange(a, b) {
  const bytes = a.encode();
  a.import(b.encode());
  b.import(bytes);
  assert.deepEqual(a.encode(), b.encode());
}

test("all four kinds are edited apart and converge", async () => {
  const [a, b] = [await open(), await open()];
  a.text("body").insert(0, "hello");
  a.counter("views").increment(5);
  a.set("tags").add("crdt");
  a.map("settings").set("theme", "dark");
  exchange(a, b);
  a.text("body").insert(5, ", world");
  b.text("body").splice(0, 1, "H");
  a.counter("views").increment();
  b.counter("views").decrement(2);
  a.set("tags").delete("crdt");
  b.set("tags").add("crdt");
  a.map("settings").set("size", 12);
  b.map("settings").delete("theme");
  exchange(a, b);
  for (const document of [a, b]) {
    assert.equal(document.text("body").toString(), "Hello, world");
    assert.equal(document.counter("views").value, 4);
    assert.deepEqual([...document.set("tags")], ["crdt"]);
    assert.deepEqual([...document.map("settings")], [["size", 12]]);
    await document.close();
  }
});

test("positions are UTF-16 units, and halves of characters are refused", async () => {
  const document = await open();
  const text = document.text("body");
  text.insert(0, "a😀b");
  assert.equal(text.length, 4);
  assert.equal(text.slice(1, 3), "😀");
  text.insert(3, "é");
  assert.equal(text.toString(), "a😀éb");
  const before = document.encode();
  for (const wrong of [
    () => text.insert(2, "x"),
    () => text.delete(1, 1),
    () => text.delete(2, 1),
    () => text.slice(0, 2),
    () => text.insert(0, "\ud83d"),
    () => text.insert(0, "\ude00\ud83d"),
    () => document.map("m").set("\ud83d", 1),
    () => document.map("m").set("k", ["\ud83d"]),
    () => document.set("s").add({ "\ude00": 1 }),
    () => document.text("\ud83d"),
  ]) {
    assert.throws(wrong, { code: "surrogate" }, String(wrong));
  }
  for (const wrong of [
    () => text.insert(6, "x"),
    () => text.insert(-1, "x"),
    () => text.insert(0.5, "x"),
    () => text.insert(NaN, "x"),
    () => text.delete(4, 2),
    () => text.splice(0, 2 ** 32, ""),
    () => text.slice(0, 9),
  ]) {
    assert.throws(wrong, { code: "position" }, String(wrong));
  }
  assert.deepEqual(document.encode(), before, "a refused edit changes nothing");
  text.delete(1, 2);
  assert.equal(text.toString(), "aéb");
  await document.close();
});

test("a transaction is one change, or none", async () => {
  const document = await open();
  /** @type {import("crdt-wasm").ChangeEvent[]} */
  const events = [];
  document.on("change", (event) => void events.push(event));
  const result = document.transact(() => {
    document.text("body").insert(0, "one");
    document.transact(() => document.counter("n").increment(2));
    assert.equal(document.text("body").toString(), "one", "it sees its own changes");
    return 7;
  }, "mine");
  assert.equal(result, 7);
  assert.equal(events.length, 0, "told afterwards, never inside");
  await turn();
  assert.equal(events.length, 1);
  assert.deepEqual([events[0]?.local, events[0]?.origin], [true, "mine"]);
  const kinds = events[0]?.changes.map(({ kind }) => kind).sort();
  assert.deepEqual(kinds, ["counter", "map", "text"], "and in the map above they appeared");

  const before = document.encode();
  const shown = JSON.stringify(document);
  const failure = new Error("no");
  assert.throws(
    () =>
      document.transact(() => {
        document.text("body").clear();
        document.map("m").map("inner").set("k", true);
        document.set("s").add(1);
        document.counter("n").reset();
        throw failure;
      }),
    failure,
  );
  assert.throws(() => document.transact(async () => document.counter("n").increment()), { code: "transaction" });
  assert.deepEqual(document.encode(), before);
  assert.equal(JSON.stringify(document), shown);
  await turn();
  assert.equal(events.length, 1, "what did not happen is not told");
  document.counter("n").increment();
  assert.equal(document.counter("n").value, 3, "it goes on");
  await document.close();
});

test("events say what changed, where, and by whom", async () => {
  const [a, b] = [await open(), await open()];
  assert.equal(a.replica, undefined, "a reader has no id");
  a.map("settings").text("note").insert(0, "a😀c");
  a.map("settings").set("theme", "dark");
  a.set("tags").add("x");
  assert.match(String(a.replica), /^[0-9a-f-]{36}$/);
  /** @type {import("crdt-wasm").ChangeEvent[]} */
  const events = [];
  b.on("change", (event) => void events.push(event));
  b.import(a.encode());
  await turn();
  a.map("settings").text("note").splice(1, 2, "bb");
  a.set("tags").delete("x");
  b.import(a.encode());
  await turn();
  assert.deepEqual(events.map(({ local }) => local), [false, false]);
  const changes = events.flatMap((event) => event.changes);
  assert.ok(changes.every(({ by }) => by.length === 1 && by[0] === a.replica));
  const note = b.map("settings").text("note");
  const patches = changes.flatMap((change) => (change.kind === "text" && change.target === note ? change.patches : []));
  let followed = "";
  for (const { at, deleted, inserted } of patches) followed = followed.slice(0, at) + inserted + followed.slice(at + deleted);
  assert.equal(followed, "abbc");
  assert.deepEqual(note.path, [
    { key: "settings", kind: "map" },
    { key: "note", kind: "text" },
  ]);
  assert.ok(changes.some((change) => change.kind === "map" && change.set.includes("theme")));
  assert.ok(changes.some((change) => change.kind === "set" && change.added.includes("x")));
  assert.ok(changes.some((change) => change.kind === "set" && change.removed.includes("x")));
  await Promise.all([a.close(), b.close()]);
});

test("a listener that fails hurts nobody, and one may change the document", async () => {
  const document = await open();
  /** @type {unknown[]} */
  const reported = [];
  const before = globalThis.reportError;
  globalThis.reportError = (error) => void reported.push(error);
  try {
    let calls = 0;
    const failure = new Error("listener");
    document.on("change", () => {
      throw failure;
    });
    const stop = document.on("change", () => {
      calls += 1;
      if (calls < 3) document.counter("n").increment();
    });
    document.counter("n").increment();
    await turn();
    assert.equal(calls, 3);
    assert.equal(document.counter("n").value, 3);
    assert.deepEqual(reported, [failure, failure, failure]);
    stop();
    document.counter("n").increment();
    await turn();
    assert.equal(calls, 3);
  } finally {
    globalThis.reportError = before;
  }
  await document.close();
});

test("values come back as they were", async () => {
  const [a, b] = [await open(), await open()];
  const values = {
    null: null,
    yes: true,
    int: -3,
    largest: Number.MAX_SAFE_INTEGER,
    big: 2n ** 63n - 1n,
    float: 0.1,
    minusZero: -0,
    infinity: -Infinity,
    nan: NaN,
    text: "ä😀\0",
    bytes: Uint8Array.of(0, 255),
    list: [1, [2, "x"], {}],
    object: { b: 1, a: { deep: [null] } },
    __proto__key: "plain",
  };
  for (const [key, value] of Object.entries(values)) a.map("m").set(key, value);
  b.import(a.encode());
  for (const [key, value] of Object.entries(values)) assert.deepStrictEqual(b.map("m").get(key), value, key);
  assert.equal(b.map("m").get("absent"), undefined);
  assert.equal(b.map("m").size, Object.keys(values).length);
  a.set("s").add([1, { k: "v" }]);
  assert.ok(a.set("s").has([1, { k: "v" }]));
  assert.ok(!a.set("s").has([1, { k: "w" }]));
  a.map("m").set("__proto__", { __proto__: null, polluted: true });
  assert.equal(/** @type {any} */ ({}).polluted, undefined);

  /** @type {any} */
  let deep = 1;
  for (let depth = 0; depth < 40; depth += 1) deep = [deep];
  /** @type {any} */
  const circle = [];
  circle.push(circle);
  for (const wrong of [undefined, () => 1, Symbol("s"), 2n ** 63n, new Date(), new Map(), deep, circle, [undefined]]) {
    assert.throws(() => a.map("m").set("k", /** @type {any} */ (wrong)), { code: "argument" });
  }
  assert.throws(() => a.counter("c").increment(0.5), { code: "argument" });
  await Promise.all([a.close(), b.close()]);
});

test("concurrent values are conflicts, and all see the same one win", async () => {
  const [a, b] = [await open(), await open()];
  a.root.set("title", "from a");
  b.root.set("title", "from b");
  exchange(a, b);
  const title = a.root.get("title");
  assert.equal(b.root.get("title"), title);
  assert.deepEqual([title, ...a.root.conflicts("title")].sort(), ["from a", "from b"]);
  a.root.set("title", "agreed");
  exchange(a, b);
  assert.deepEqual(b.root.conflicts("title"), []);
  await Promise.all([a.close(), b.close()]);
});

test("a reset cancels what it has seen", async () => {
  const [a, b] = [await open(), await open()];
  a.counter("n").increment(5);
  exchange(a, b);
  a.counter("n").reset();
  b.counter("n").increment();
  exchange(a, b);
  assert.equal(a.counter("n").value, 1);
  a.counter("n").increment(2n ** 62n);
  assert.equal(a.counter("n").toBigInt(), 2n ** 62n + 1n);
  await Promise.all([a.close(), b.close()]);
});

test("an anchor follows its place", async () => {
  const [a, b] = [await open(), await open()];
  a.text("t").insert(0, "hello world");
  exchange(a, b);
  const anchor = a.text("t").anchor(6);
  a.text("t").insert(0, "😀 ");
  assert.equal(a.text("t").resolve(anchor), 9);
  b.text("t").delete(0, 6);
  assert.equal(b.text("t").resolve(anchor), 0);
  exchange(a, b);
  assert.equal(a.text("t").resolve(anchor), 3);
  const later = a.text("t").anchor(1 + 2);
  const other = await open();
  assert.equal(other.text("t").resolve(later), undefined, "its version is not here");
  assert.throws(() => a.text("t").resolve("no anchor!"), { code: "decode" });
  await Promise.all([a.close(), b.close(), other.close()]);
});

test("foreign bytes are refused, and change nothing", async () => {
  const [a, b] = [await open(), await open()];
  a.text("t").insert(0, "some text");
  const bytes = a.encode();
  b.counter("c").increment();
  const before = b.encode();
  for (let at = 0; at < bytes.length; at += 1) {
    const broken = bytes.slice();
    broken[at] = (broken[at] ?? 0) ^ 0x55;
    assert.throws(() => b.import(broken), { name: "CrdtError" });
    assert.throws(() => b.import(bytes.subarray(0, at)), { name: "CrdtError" });
  }
  assert.throws(() => b.import(/** @type {any} */ ("text")), { code: "argument" });
  assert.deepEqual(b.encode(), before);
  b.import(bytes);
  assert.equal(b.text("t").toString(), "some text");
  await Promise.all([a.close(), b.close()]);
});

test("a document that was closed says so", async () => {
  const document = await open();
  const text = document.text("t");
  text.insert(0, "x");
  await document.close();
  await document.close();
  for (const use of [
    () => text.toString(),
    () => text.insert(0, "y"),
    () => document.encode(),
    () => document.map("m"),
    () => document.goOnline(),
    () => document.stored(),
    () => document.presence.set({}),
    () => document.presence.others(),
  ]) {
    assert.throws(use, { code: "closed" }, String(use));
  }
});

test("loading twice is loading once", async () => {
  await Promise.all([init(), init()]);
  await assert.rejects(Document.open(""), { code: "argument" });
});
