// Windows side by side.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Profile, untilSame } from "./support/profile.js";
import { Server } from "./support/server.js";

/** @typedef {import("./support/profile.js").DemoPage} DemoPage */

/** @type {Server} */
let server;
/** @type {Profile} */
let ours;
/** @type {Profile} */
let theirs;

before(async () => {
  server = await Server.start();
  [ours, theirs] = await Promise.all([Profile.open(), Profile.open()]);
});

afterEach(() => {
  assert.deepEqual([...ours.errors.splice(0), ...theirs.errors.splice(0)], []);
});

after(async () => {
  await Promise.all([ours.close(), theirs.close()]);
  await server.close();
});

/**
 * @param {DemoPage} demo
 * @param {number} at
 */
async function putCaret(demo, at) {
  await demo.page.locator("#text").focus();
  await demo.page.evaluate((at) => /** @type {any} */ (document.querySelector("#text")).setSelectionRange(at, at), at);
}

/** @param {DemoPage} demo */
function caret(demo) {
  return demo.page.evaluate(() => /** @type {any} */ (document.querySelector("#text")).selectionStart);
}

test("what one types the other sees, and no caret jumps", async () => {
  const address = `${server.origin}/?doc=live`;
  const [a, b] = [await ours.visit(address), await theirs.visit(address)];
  await a.typeAtEnd("one three");
  await b.untilText("one three");
  await putCaret(b, 9);
  await putCaret(a, 4);
  await a.page.keyboard.type("two 😀 ");
  await b.untilText("one two 😀 three");
  assert.equal(await caret(b), "one two 😀 three".length, "moved with the text before it");
  await b.page.keyboard.type("!");
  await a.untilText("one two 😀 three!");
  assert.equal(await caret(a), "one two 😀 ".length, "stayed where it was");

  // Both at once, in one place.
  await putCaret(a, 0);
  await putCaret(b, 0);
  await Promise.all([a.page.keyboard.type("aaaaaaaaaa", { delay: 5 }), b.page.keyboard.type("bbbbbbbbbb", { delay: 5 })]);
  await untilSame([a, b]);
  assert.equal((await a.shown()).text.length, "one two 😀 three!".length + 20);

  await a.increment(1);
  await a.addTag("seen");
  await a.setSetting("font", "serif");
  await untilSame([a, b]);
  await a.page.close();
  await b.page.close();
});

test("two tabs of one profile write under two ids, and need no server for each other", async () => {
  const address = `${server.origin}/?doc=tabs`;
  const [a, b] = [await ours.visit(address), await ours.visit(address)];
  await a.workOffline(true);
  await b.workOffline(true);
  await a.page.bringToFront();
  await a.typeAtEnd("from a. ");
  await b.untilText("from a. ");
  await b.page.bringToFront();
  await b.typeAtEnd("from b. ");
  await a.untilText("from a. from b. ");
  const ids = await Promise.all([a, b].map(({ page }) => page.evaluate(() => /** @type {any} */ (globalThis).doc.replica)));
  assert.notEqual(ids[0], ids[1]);

  // The storage is one: each finds the other's work after a reload, and one id is free again.
  await a.page.close();
  await b.reload();
  assert.equal((await b.shown()).text, "from a. from b. ");
  await b.typeAtEnd("again");
  assert.ok(ids.includes(await b.page.evaluate(() => /** @type {any} */ (globalThis).doc.replica)), "an id was leased again");
  await b.workOffline(false);
  await b.untilSent();
  const other = await theirs.visit(address);
  await other.untilText("from a. from b. again");
  await b.page.close();
  await other.page.close();
});

test("an input method is left alone, and what came meanwhile is shown after it", async () => {
  const address = `${server.origin}/?doc=composition`;
  const [a, b] = [await ours.visit(address), await theirs.visit(address)];
  await a.typeAtEnd("start end");
  await b.untilText("start end");
  await putCaret(a, 6);
  const keyboard = await a.page.context().newCDPSession(a.page);
  for (const text of ["n", "ni", "に", "にほ", "にほん"]) {
    await keyboard.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
  }
  // Others write before, after, and delete the very place in which the composition is.
  await putCaret(b, 0);
  await b.page.keyboard.type("The ");
  await b.page.keyboard.press("Control+End");
  await b.page.keyboard.type(".");
  await a.until(() => /** @type {any} */ (globalThis).doc.text("body").toString() === "The start end.", undefined);
  assert.equal((await a.shown()).text, "start にほんend", "the textarea is the input method's");
  await keyboard.send("Input.insertText", { text: "日本" });
  await a.untilText("The start 日本end.");
  assert.equal(await caret(a), "The start 日本".length);
  await b.untilText("The start 日本end.");
  await a.page.keyboard.type(" ");
  await b.untilText("The start 日本 end.");

  // A composition over a selection, of which others took a part and filled the rest.
  await a.page.locator("#text").focus();
  await a.page.evaluate(() => /** @type {any} */ (document.querySelector("#text")).setSelectionRange(4, 9));
  await keyboard.send("Input.imeSetComposition", { text: "k", selectionStart: 1, selectionEnd: 1 });
  await putCaret(b, 6);
  await b.page.keyboard.type("XX");
  await a.until(() => /** @type {any} */ (globalThis).doc.text("body").toString().includes("stXXart"), undefined);
  await keyboard.send("Input.insertText", { text: "か" });
  await untilSame([a, b]);
  const { text } = await a.shown();
  assert.ok(text.includes("か") && text.includes("XX") && !text.includes("st") && !text.includes("art"), text);
  await a.page.close();
  await b.page.close();
});

test("others appear with their caret, and disappear when they leave or fall silent", async () => {
  const address = `${server.origin}/?doc=presence`;
  const a = await ours.visit(address);
  await a.typeAtEnd("some text");
  const b = await theirs.visit(address);
  await b.page.locator("#me").fill("Grace H.");
  await b.page.locator("#me").press("Enter");
  await b.untilText("some text");
  await putCaret(b, 4);
  await a.page.locator('#people li[title="Grace H."]').waitFor();
  await a.page.locator(".caret", { hasText: "Grace H." }).waitFor();
  await b.until(() => document.querySelectorAll("#people li").length === 2, undefined);
  assert.ok(!(await a.content()).includes("Grace"), "presence is no part of the document");

  await b.page.close();
  await a.until(() => document.querySelectorAll("#people li").length === 1, undefined);
  await a.until(() => document.querySelectorAll(".caret").length === 0, undefined);

  // One who is cut off says no goodbye: its time runs out.
  const c = await theirs.blank(server.origin);
  await c.evaluate(async () => {
    const { Document } = await import(/** @type {any} */ ("/crdt-wasm/index.js"));
    const brief = await Document.open("presence", { connect: location.origin, tabs: false, presenceTtlMs: 1_500 });
    brief.presence.set({ name: "Brief" });
  });
  await a.page.locator('#people li[title="Brief"]').waitFor();
  await c.waitForTimeout(3_000);
  assert.equal(await a.page.locator('#people li[title="Brief"]').count(), 1, "it is renewed while it lives");
  const debug = await c.context().newCDPSession(c);
  await debug.send("Debugger.enable");
  await debug.send("Debugger.pause");
  void c.evaluate(() => 0).catch(() => undefined);
  await a.until(() => document.querySelectorAll("#people li").length === 1, undefined);
  await debug.send("Debugger.resume");
  await debug.detach();
  await c.close();
  await a.page.close();
});
