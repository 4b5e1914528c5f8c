// The delivery buffer in pages: loaded by itself, under messages that overtake each other between two
// of them, and kept where a page keeps things.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Profile } from "./support/profile.js";
import { Server } from "./support/server.js";

/** @type {Server} */
let server;
/** @type {Profile} */
let profile;

before(async () => {
  server = await Server.start();
  profile = await Profile.open();
});

afterEach(() => {
  assert.deepEqual(profile.errors.splice(0), []);
});

after(async () => {
  await profile.close();
  await server.close();
});

test("a page that imports the buffer loads it and nothing of documents", async () => {
  const page = await profile.blank(server.origin);
  /** @type {string[]} */
  const loaded = [];
  page.on("request", (request) => void loaded.push(new URL(request.url()).pathname));
  const result = await page.evaluate(async () => {
    const { CausalBuffer, init } = await import(/** @type {any} */ ("/crdt-wasm/causal.js"));
    /** @param {() => unknown} act */
    const codeOf = (act) => {
      try {
        act();
        return "nothing";
      } catch (error) {
        const { name, code } = /** @type {any} */ (error);
        return `${name} ${code}`;
      }
    };
    await Promise.all([init(), init()]);
    const chat = new CausalBuffer({ replica: "ann" });
    const question = chat.write("Tea?");
    const answer = { replica: "bob", seq: 1, parents: [question], payload: "Please." };
    const early = { replica: "cem", seq: 1, parents: [{ replica: "bob", seq: 1 }], payload: new Uint8Array([1, 2]) };
    const waits = chat.insert(early);
    const comes = chat.insert([answer, answer]);
    const delivered = chat.deliver();
    const forged = chat.insert({ ...answer, payload: "No." });
    return {
      waits: waits.pending,
      ready: comes.ready,
      duplicates: comes.duplicates,
      order: delivered.map((/** @type {any} */ { replica, seq }) => `${replica} ${seq}`),
      isSame: delivered.includes(answer) && delivered.includes(early),
      forged: forged.refused.map((/** @type {any} */ { name, reason }) => [name, reason]),
      wrong: codeOf(() => chat.insert({ replica: "a\ud83d", seq: 1, payload: 0 })),
      version: chat.version().sort(),
      pending: chat.pending,
    };
  });
  assert.deepEqual(result, {
    waits: 1,
    ready: 1,
    duplicates: 1,
    order: ["ann 1", "bob 1", "cem 1"],
    isSame: true,
    forged: [["CrdtError", "equivocation"]],
    wrong: "CrdtError surrogate",
    version: [["ann", 1], ["bob", 1], ["cem", 1]],
    pending: 0,
  });
  assert.ok(loaded.some((path) => path.endsWith("/crdt_wasm_causal_bg.wasm")), loaded.join(" "));
  assert.ok(!loaded.some((path) => path.endsWith("/crdt_wasm_bg.wasm")), loaded.join(" "));
  await page.close();
});

test("messages that overtake each other between three tabs arrive in causal order, reloaded in the middle", async () => {
  const COUNT = 120;
  const blank = () => profile.blank(server.origin);
  const [a, b, c] = [await blank(), await blank(), await blank()];
  /** @param {typeof a} page @param {string} me @param {string[]} others */
  const start = (page, me, others) =>
    page.evaluate(
      async ([me, others]) => {
        const { CausalBuffer, init } = await import(/** @type {any} */ ("/crdt-wasm/causal.js"));
        await init();
        const saved = localStorage.getItem(`chat ${me}`);
        const chat = saved === null ? new CausalBuffer({ replica: me, patienceMs: 5, intervalMs: 20 }) : CausalBuffer.restore(JSON.parse(saved), { replica: me, patienceMs: 5, intervalMs: 20 });
        const page = /** @type {any} */ (globalThis);
        page.sent = JSON.parse(localStorage.getItem(`sent ${me}`) ?? "[]");
        page.delivered = JSON.parse(localStorage.getItem(`delivered ${me}`) ?? "[]");
        page.channel = new BroadcastChannel("chat");
        const keep = () => {
          for (const { replica, seq, parents } of chat.deliver()) page.delivered.push({ replica, seq, parents });
          localStorage.setItem(`chat ${me}`, JSON.stringify(chat.save()));
          localStorage.setItem(`sent ${me}`, JSON.stringify(page.sent));
          localStorage.setItem(`delivered ${me}`, JSON.stringify(page.delivered));
        };
        page.channel.onmessage = (/** @type {MessageEvent} */ { data }) => {
          if (data.to !== me) return;
          if (data.ask !== undefined) {
            const { first, last } = data.ask;
            page.channel.postMessage({ to: data.from, messages: page.sent.slice(first - 1, last) });
            return;
          }
          chat.insert(data.messages);
          keep();
        };
        page.write = (/** @type {number} */ round) => {
          page.sent.push(chat.write(`${me} ${round}`));
          keep();
          // Late, in another order to each, and some never: those are asked for.
          const message = page.sent.at(-1);
          for (const [index, to] of others.entries()) {
            if ((round + index) % 5 === 3) continue;
            setTimeout(() => page.channel.postMessage({ to, messages: [message] }), (round * 7919 * (index + 1)) % 40);
          }
        };
        page.timer = setInterval(() => {
          for (const range of chat.missing()) page.channel.postMessage({ to: range.replica, from: me, ask: range });
        }, 5);
        page.announce = () => {
          for (const to of others) page.channel.postMessage({ to, messages: page.sent.slice(-1) });
        };
        page.pending = () => chat.pending;
        page.waited = 0;
      },
      /** @type {[string, string[]]} */ ([me, others]),
    );
  await Promise.all([start(a, "ann", ["bob", "cem"]), start(b, "bob", ["ann", "cem"]), start(c, "cem", ["bob", "ann"])]);
  /** @param {typeof a} page @param {number} from @param {number} to */
  const write = (page, from, to) =>
    page.evaluate(
      async ([from, to]) => {
        const page = /** @type {any} */ (globalThis);
        for (let round = from; round < to; round++) {
          page.write(round);
          page.waited = Math.max(page.waited, page.pending());
          if (round % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 4));
        }
        return page.waited;
      },
      /** @type {const} */ ([from, to]),
    );
  const waited = await Promise.all([a, b, c].map((page) => write(page, 0, COUNT / 2)));
  assert.ok(Math.max(...waited) > 0, "nothing had to wait");
  await b.reload();
  await start(b, "bob", ["ann", "cem"]);
  await Promise.all([a, b, c].map((page) => write(page, COUNT / 2, COUNT)));
  // Whose last message was lost says so again.
  const announcing = setInterval(() => {
    for (const page of [a, b, c]) void page.evaluate(() => /** @type {any} */ (globalThis).announce());
  }, 100);
  try {
    for (const page of [a, b, c]) {
      await page.waitForFunction(
        (count) => /** @type {any} */ (globalThis).delivered.length >= count,
        3 * COUNT,
        { polling: 50 },
      );
      /** @type {{ replica: string, seq: number, parents?: { replica: string, seq: number }[] }[]} */
      const delivered = await page.evaluate(() => /** @type {any} */ (globalThis).delivered);
      const seen = new Set();
      for (const { replica, seq, parents } of delivered) {
        if (seq > 1) assert.ok(seen.has(`${replica} ${seq - 1}`));
        for (const parent of parents ?? []) assert.ok(seen.has(`${parent.replica} ${parent.seq}`));
        assert.ok(!seen.has(`${replica} ${seq}`), "once");
        seen.add(`${replica} ${seq}`);
      }
      assert.equal(seen.size, 3 * COUNT);
    }
  } finally {
    clearInterval(announcing);
  }
  await Promise.all([a, b, c].map((page) => page.close()));
});
