// The session of a page: signed by the server, the same in all tabs, and still there after a reload.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Profile } from "./support/profile.js";
import { Server } from "./support/server.js";

/** @typedef {import("./support/profile.js").DemoPage} DemoPage */

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

/** @param {DemoPage} demo @returns {Promise<string>} */
const token = (demo) => demo.page.evaluate(() => /** @type {any} */ (globalThis).doc.session.token);

/**
 * Until the server has signed everything that the page has: there are attestations, and the count of what
 * is named beside them, the last thing before the checksum, is zero.
 *
 * @param {DemoPage} demo
 */
async function untilAttested(demo) {
  await demo.until(() => {
    const { session } = /** @type {any} */ (globalThis).doc;
    const bytes = atob(session.token.replaceAll("-", "+").replaceAll("_", "/"));
    return bytes.charCodeAt(1) > 0 && bytes.charCodeAt(bytes.length - 5) === 0;
  }, undefined);
}

/**
 * Asks the server from within the page, as an application does.
 *
 * @param {DemoPage} demo
 * @param {string} sent
 */
const ask = (demo, sent) =>
  demo.page.evaluate(async (sent) => {
    const { doc } = /** @type {any} */ (globalThis);
    const answer = await fetch(`/v1/docs/${doc.name}?path=body&level=ryw&wait_ms=0`, { headers: { "Session-Token": sent } });
    const token = answer.headers.get("Session-Token");
    doc.session.replace(sent, token);
    return { status: answer.status, value: (await answer.json()).value, hasToken: token !== null };
  }, sent);

test("what a page wrote it reads from the server, after a reload, in another tab, and offline it is told that it cannot", async () => {
  const address = `${server.origin}/?doc=session`;
  const a = await profile.visit(address);
  await a.typeAtEnd("one");
  await a.untilSent();
  await untilAttested(a);
  const signed = await token(a);
  assert.deepEqual(await ask(a, signed), { status: 200, value: "one", hasToken: true });

  // Kept half a second later at the latest.
  await a.page.waitForTimeout(1_000);
  const kept = await token(a);
  await a.workOffline(true);
  await a.reload();
  assert.equal(await token(a), kept, "nothing was lost, nothing came");

  await a.typeAtEnd(" two");
  const offline = await token(a);
  assert.notEqual(offline, kept);
  assert.equal((await ask(a, offline)).status, 409, "written offline, and not sent");
  await a.reload();
  assert.equal((await ask(a, await token(a))).status, 409, "still not");

  const b = await profile.visit(address);
  await b.untilText("one two");
  assert.equal((await ask(b, await token(b))).status, 200, "this tab is online, and has sent it for the other");
  await untilAttested(b);
  // The tabs are one session: the one that is offline has the other's signature.
  const bytes = Buffer.from(await token(b), "base64url");
  const code = bytes.subarray(-21, -5).toString("hex");
  await a.until((code) => {
    const text = atob(/** @type {any} */ (globalThis).doc.session.token.replaceAll("-", "+").replaceAll("_", "/"));
    return Array.from(text, (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("").includes(code);
  }, code);
  await a.page.close();
  await b.page.close();
});
