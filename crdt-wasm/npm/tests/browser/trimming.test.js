// A browser that was away: for a day, and for longer than the server keeps history.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Profile } from "./support/profile.js";
import { Server } from "./support/server.js";

/** @type {Server} */
let server;
/** @type {Profile} */
let profile;
/** @type {Profile} */
let others;

before(async () => {
  server = await Server.start(() => ["--horizon-days", "30", "--room-idle-timeout-seconds", "1"], "CRDT_SERVER_BY_HAND");
  [profile, others] = await Promise.all([Profile.open(), Profile.open()]);
});

after(async () => {
  await Promise.all([profile.close(), others.close()]);
  await server.close();
});

/**
 * Somebody comes, types at the end, and goes.
 *
 * @param {string} address
 * @param {string} text
 */
async function passBy(address, text) {
  const page = await others.visit(address);
  await page.untilSent();
  await page.typeAtEnd(text);
  await page.untilSent();
  await page.page.close();
}

test("after a day it merges, after the horizon it is told so, and makes its edits anew", async () => {
  const address = `${server.origin}/?doc=away`;
  const page = await profile.visit(address);
  await page.typeAtEnd("Hello");
  await page.untilSent();

  await page.workOffline(true);
  await page.typeAtEnd(" world");
  await passBy(address, "!");
  await server.days(1);
  await page.workOffline(false);
  await page.untilSent();
  const merged = (await page.shown()).text;
  assert.ok(merged === "Hello world!" || merged === "Hello! world", merged);

  // Now for longer, with something that waits to be sent, and through a restart of the page.
  await page.workOffline(true);
  await page.typeAtEnd(" (mine)");
  await page.increment(3);
  await page.reload();
  assert.equal((await page.shown()).text, `${merged} (mine)`);
  for (const text of ["1", "2", "3"]) {
    await passBy(address, text);
    await server.days(20);
  }
  const { trimmed_documents, trimmed_events } = await server.trimming();
  assert.ok(trimmed_documents > 0 && trimmed_events > 0, "the server has forgotten");

  await page.workOffline(false);
  await page.until(() => /** @type {any} */ (globalThis).doc.status.error?.code === "trimmed", undefined);
  assert.equal((await page.shown()).text, `${merged} (mine)`, "nothing is lost, and nothing merged");

  // As rebase.d.ts shows it.
  await page.page.evaluate(async () => {
    const then = /** @type {any} */ (globalThis).doc;
    const [{ Document, IndexedDbStorage }, { rebase }] = await Promise.all([
      import(/** @type {any} */ ("/crdt-wasm/index.js")),
      import(/** @type {any} */ ("/crdt-wasm/rebase.js")),
    ]);
    const onto = await Document.open(then.name, { connect: location.origin, tabs: false });
    await onto.upToDate();
    await rebase(then, onto);
    await onto.acknowledged();
    await Promise.all([then.close(), onto.close()]);
    await IndexedDbStorage.delete(then.name);
  });
  await page.reload();
  await page.untilSent();
  await page.untilText(`${merged} (mine)123`);
  assert.equal((await page.shown()).counter, "3");

  // It is a document as any other again, for everybody.
  await passBy(address, ".");
  await page.untilText(`${merged} (mine)123.`);
  assert.deepEqual([profile.errors, others.errors], [[], []]);
  await page.page.close();
});
