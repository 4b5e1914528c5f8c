// A session that goes from server to server: what a page wrote and read at the one is asked for at
// the other, which lags behind, with the page's token.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Document } from "crdt-wasm";
import { Server } from "../browser/support/server.js";
import { Link } from "./link.js";

/** @type {Server} */
let a;
/** @type {Server} */
let b;
/** @type {Link} */
let link;
/** @type {Document[]} */
const documents = [];

before(async () => {
  /** @type {string} */
  let keys = "";
  a = await Server.start((folder, origin) => ["--token-keys", (keys = `${folder}-keys`), "--public-url", origin]);
  link = await Link.open(a.port);
  b = await Server.start(() => ["--token-keys", keys, "--slot", "1", "--peer", `ws://127.0.0.1:${link.port}`]);
});

afterEach(async () => {
  link.mend();
  await Promise.all(documents.splice(0).map((document) => document.close()));
});

after(async () => {
  link.close();
  await Promise.all([a.close(), b.close()]);
});

/**
 * @param {string} name
 * @param {Server} server
 */
async function open(name, server) {
  const document = await Document.open(name, { connect: server.origin });
  documents.push(document);
  await document.upToDate();
  return document;
}

/**
 * The answer of a server about the counter of a document.
 *
 * @param {Server} server
 * @param {string} name
 * @param {string | undefined} token
 * @param {number} waitMs
 * @param {string} [level]
 */
async function ask(server, name, token, waitMs, level = "session") {
  const url = `${server.origin}/v1/docs/${encodeURIComponent(name)}?path=n&level=${level}&wait_ms=${waitMs}`;
  const headers = token === undefined ? undefined : { "Session-Token": token };
  const response = await fetch(url, { headers, redirect: "manual" });
  const { value = undefined, type = undefined } = /** @type {any} */ (await response.json());
  return { status: response.status, value, type, token: response.headers.get("Session-Token"), location: response.headers.get("Location") };
}

/**
 * Until the server has signed what someone wrote: it is not named in the document's token any more.
 *
 * @param {Document} document
 * @param {Document} [writer]
 */
async function untilAttested(document, writer = document) {
  const replica = Buffer.from((writer.replica ?? "").replaceAll("-", ""), "hex");
  for (let tries = 0; tries < 400; tries++) {
    if (!Buffer.from(document.session.token, "base64url").includes(replica)) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error("the server did not attest the writes");
}

test("what was written at one server is read at the other, or there is no answer", async () => {
  const document = await open("written", a);
  document.counter("n").increment();
  await document.acknowledged();
  const first = await ask(b, "written", document.session.token, 20_000);
  assert.deepEqual([first.status, first.value], [200, 1]);

  link.cut();
  document.counter("n").increment();
  await document.acknowledged();
  await untilAttested(document);
  const { token } = document.session;
  assert.equal((await ask(b, "written", undefined, 0)).value, 1, "the other lags behind: without the token it shows so");
  const refused = await ask(b, "written", token, 0);
  assert.equal(refused.status, 503);
  assert.equal(refused.type, "urn:crdt-server:not-yet");
  assert.equal((await ask(b, "written", token, 0, "eventual")).value, 1, "whoever asks for less gets it");
  const waiting = ask(b, "written", token, 25_000);
  link.mend();
  const waited = await waiting;
  assert.deepEqual([waited.status, waited.value], [200, 2]);
});

test("who asks where a write is missing is sent to where it is", async () => {
  const document = await open("redirected", a);
  document.counter("n").increment();
  await document.acknowledged();
  assert.equal((await ask(b, "redirected", document.session.token, 20_000)).value, 1);
  // B hears of A's position, and of its address, in a heartbeat; what A admits after it is cut off B
  // knows nothing of, and may only refuse.
  link.cut();
  document.counter("n").increment();
  await document.acknowledged();
  await untilAttested(document);
  const answer = await ask(b, "redirected", document.session.token, 0);
  assert.ok([307, 503].includes(answer.status), String(answer.status));
  if (answer.location !== null) assert.ok(answer.location.startsWith(a.origin), answer.location);
  assert.equal((await ask(a, "redirected", document.session.token, 0)).value, 2);
});

test("offline writes are asked for before they are sent", async () => {
  const document = await open("offline", a);
  document.counter("n").increment();
  await document.acknowledged();
  document.goOffline();
  document.counter("n").increment(5);
  const offline = document.session.token;
  for (const server of [a, b]) {
    const answer = await ask(server, "offline", offline, 0);
    assert.notEqual(answer.status, 200);
    assert.notEqual(answer.value, 1);
  }
  assert.equal((await ask(a, "offline", offline, 0)).type, "urn:crdt-server:offline-writes-missing");
  const waiting = [a, b].map((server) => ask(server, "offline", offline, 25_000));
  document.goOnline();
  for (const answer of await Promise.all(waiting)) {
    assert.deepEqual([answer.status, answer.value], [200, 6]);
    document.session.replace(offline, answer.token);
  }
  await untilAttested(document);
});

test("what was read at one server is read at the other, though it was read in the document", async () => {
  const [writer, reader] = [await open("read", a), await open("read", a)];
  writer.counter("n").increment(3);
  await writer.acknowledged();
  assert.equal((await ask(b, "read", writer.session.token, 20_000)).value, 3);
  link.cut();
  writer.counter("n").increment(4);
  await writer.acknowledged();
  while (reader.counter("n").value < 7) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.notEqual((await ask(b, "read", reader.session.token, 0)).status, 200, "it has just appeared, and nobody has attested it yet");
  await untilAttested(reader, writer);
  const { token } = reader.session;
  assert.notEqual((await ask(b, "read", token, 0, "mr")).status, 200, "a read is all that there is");
  link.mend();
  assert.equal((await ask(b, "read", token, 25_000, "mr")).value, 7);
});

test("a write by HTTP at one server is in the session, for the document too", async () => {
  const document = await open("posted", a);
  document.counter("n").increment();
  await document.acknowledged();
  const sent = document.session.token;
  const answer = await fetch(`${b.origin}/v1/docs/posted/ops?wait_ms=20000`, {
    method: "POST",
    headers: { "Session-Token": sent },
    body: JSON.stringify({ ops: [{ op: "increment", path: ["n"], by: 10 }] }),
  });
  assert.equal(answer.status, 200, await answer.text());
  document.session.replace(sent, answer.headers.get("Session-Token"));
  const read = await ask(a, "posted", document.session.token, 20_000, "ryw");
  assert.deepEqual([read.status, read.value], [200, 11]);
});

test("whatever the network does, no answer is older than its token", async () => {
  const document = await open("never older", a);
  const statuses = new Map();
  let [written, shown] = [0, 0];
  for (let round = 0; round < 40; round++) {
    // A fixed pattern that cuts and mends in most orders relative to writes and reads.
    if (round % 7 === 2) link.cut();
    if (round % 7 === 5) link.mend();
    document.counter("n").increment();
    written += 1;
    if (round % 3 !== 0) await document.acknowledged();
    const sent = document.session.token;
    const answer = await ask(round % 4 === 1 ? a : b, "never older", sent, round % 5 === 4 ? 100 : 0);
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    if (answer.status === 200) {
      assert.ok(answer.value >= written, `round ${round}: ${answer.value} of ${written}`);
      assert.ok(answer.value >= shown);
      shown = answer.value;
    }
    document.session.replace(sent, answer.token);
  }
  assert.ok((statuses.get(200) ?? 0) > 0 && statuses.size > 1, JSON.stringify([...statuses]));
  link.mend();
  assert.equal((await ask(b, "never older", document.session.token, 25_000)).value, 40);
});

test("whoever is up to date says so in a hundred bytes, however many have written", async () => {
  // One after the other, each with what the others wrote in sight, and then one that reads.
  /** @type {Document[]} */
  const all = [];
  for (let count = 0; count <= 8; count++) {
    const document = await open("crowd", a);
    all.push(document);
    for (let tries = 0; document.counter("n").value < count && tries < 400; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    assert.equal(document.counter("n").value, count);
    if (count < 8) document.counter("n").increment();
  }
  const reader = /** @type {Document} */ (all.at(-1));
  reader.goOffline();
  /** @type {number[]} */
  const sent = [];
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (frame) {
    if (frame instanceof Uint8Array) sent.push(frame.length);
    send.call(this, frame);
  };
  try {
    reader.goOnline();
    await reader.upToDate();
  } finally {
    WebSocket.prototype.send = send;
  }
  // The first frame names the document, the greeting comes after it.
  const [, greeting] = sent;
  assert.ok(greeting !== undefined && greeting <= 100, `frames of ${sent} bytes`);
});
