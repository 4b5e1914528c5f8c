// Coming back after the history that one left with is gone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Document } from "crdt-wasm";
import { init, rebase } from "crdt-wasm/rebase";
import * as documents from "./trimmed.js";

/** A browser's storage, with a document that a server had all of. */
function storage() {
  const lease = () => ({ id: "", replica: crypto.getRandomValues(new Uint8Array(16)), sequence: 0 });
  return {
    name: "test",
    load: async () => ({ entries: [{ key: 1, bundle: documents.document }], lease: lease() }),
    mintLease: lease,
    append: async () => 2,
    replace: async () => 3,
    loadAcknowledged: async () => documents.version,
    saveAcknowledged: async () => {},
    close: () => {},
  };
}

const network = { name: "nowhere", open: () => ({ isWritable: () => false, send: () => {}, silentSince: () => 0, reconnect: () => {}, close: () => {} }) };

/** As it was when the browser left. */
const left = () => Document.open("notes", { storage: storage(), connect: network, offline: true, tabs: false });

/** As it is where its history was trimmed, and something was written since. */
async function there() {
  const document = await Document.open("notes", { tabs: false });
  document.import(documents.trimmed);
  return document;
}

test("what was done while away is done again where it belongs, and nothing else", async () => {
  await init();
  const [then, onto] = [await left(), await there()];
  assert.equal(then.text("body").toString(), "Monsoon planone");
  assert.equal(onto.text("body").toString(), "Monsoon planone!");
  then.transact(() => {
    then.text("body").insert(7, " season");
    then.text("body").delete(then.text("body").length - 3, 3);
    then.counter("views").increment(3);
    then.set("tags").add("mine");
    then.map("settings").set("theme", "sepia");
    then.map("settings").delete("beta");
    then.text("new").insert(0, "made offline");
  });
  assert.equal(then.status.waiting, 0, "not told yet");
  then.flush();
  assert.ok(then.status.waiting > 0);
  const before = then.encode();

  /** @type {import("crdt-wasm").ChangeEvent[]} */
  const events = [];
  onto.on("change", (event) => void events.push(event));
  assert.equal(await rebase(then, onto), true);
  onto.flush();

  assert.equal(onto.text("body").toString(), "Monsoon season plan!");
  assert.equal(onto.counter("views").value, 5 + 3);
  assert.deepEqual(onto.set("tags").values().sort(), ["later", "mine"]);
  assert.equal(onto.map("settings").get("theme"), "sepia");
  assert.equal(onto.map("settings").has("beta"), false);
  assert.deepEqual(onto.map("settings").get("sizes"), [-1, 9223372036854775807n]);
  assert.equal(onto.text("new").toString(), "made offline");
  assert.equal(events.length, 1, "one change");
  const writers = new Set(events.flatMap(({ changes }) => changes.flatMap(({ by }) => by)));
  assert.equal(writers.size, 1);
  assert.ok(!writers.has(then.replica ?? ""), "a new writer");
  assert.deepEqual(then.encode(), before, "nothing happened to the other");

  // They are changes as any other: whoever has the trimmed document takes them.
  const server = await there();
  server.import(onto.encode());
  assert.deepEqual(server.toJSON(), onto.toJSON());
  // It is an edit: done twice, it is there twice.
  await rebase(then, onto);
  assert.equal(onto.counter("views").value, 5 + 3 + 3);
  await Promise.all([then, onto, server].map((document) => document.close()));
});

test("what cannot be merged can be rebased", async () => {
  // Made without knowledge of anything that is forgotten there.
  const [then, onto] = [await Document.open("notes", { tabs: false }), await there()];
  then.text("body").insert(0, "Offline: ");
  then.counter("views").increment(2);
  const before = onto.encode();
  assert.throws(() => onto.import(then.encode()), { name: "CrdtError", code: "trimmed" });
  assert.deepEqual(onto.encode(), before);
  assert.equal(await rebase(then, onto), true);
  assert.equal(onto.text("body").toString(), "Offline: Monsoon planone!");
  assert.equal(onto.counter("views").value, 5 + 2);
  const server = await there();
  server.import(onto.encode());
  assert.deepEqual(server.toJSON(), onto.toJSON());
  await Promise.all([then, onto, server].map((document) => document.close()));
});

test("where nothing was done there is nothing to do", async () => {
  const [then, onto] = [await left(), await there()];
  const before = onto.encode();
  assert.equal(await rebase(then, onto), false);
  assert.deepEqual(onto.encode(), before);
  assert.deepEqual(then.acknowledgedVersion(), documents.version);
  await then.close();
  await assert.rejects(() => rebase(then, onto), { code: "closed" });
  await onto.close();
});
