// The main job: people edit without a connection, one reloads, the server dies and comes back,
// and in the end all have the same.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Profile, untilSame } from "./support/profile.js";
import { Server } from "./support/server.js";

/** @type {Server} */
let server;
/** @type {Profile[]} */
const profiles = [];

before(async () => {
  server = await Server.start();
});

after(async () => {
  await Promise.all(profiles.map((profile) => profile.close()));
  await server.close();
});

async function profile() {
  const opened = await Profile.open();
  profiles.push(opened);
  return opened;
}

test("offline edits survive a reload and a killed server, and converge", async () => {
  const address = `${server.origin}/?doc=convergence`;
  const [first, second] = [await profile(), await profile()];
  const a = await first.visit(address);
  await a.typeAtEnd("Shopping\nbread\n");
  await a.addTag("home");
  await a.setSetting("colour", "blue");
  await a.increment(2);
  await a.untilSent();
  const b = await second.visit(address);
  await b.untilText("Shopping\nbread\n");

  await a.workOffline(true);
  await b.workOffline(true);
  await a.typeAtEnd("milk 🥛\n");
  await b.typeAtEnd("eggs 🥚\n");
  await b.page.keyboard.press("Control+Home");
  await b.page.keyboard.press("Delete");
  await b.page.keyboard.type("s");
  await a.increment(3);
  await b.increment(4);
  await a.addTag("urgent");
  await b.addTag("weekend");
  await b.removeTag("home");
  await a.addTag("home");
  await a.setSetting("size", "large");
  await b.setSetting("size", "small");
  await b.setSetting("shop", "corner");
  assert.deepEqual([(await a.status()).connection, (await b.status()).connection], ["offline", "offline"]);

  const beforeReload = { shown: await a.shown(), status: await a.status() };
  assert.ok(beforeReload.status.waiting > 0);
  await a.reload();
  assert.deepEqual(await a.shown(), beforeReload.shown);
  assert.equal((await a.status()).connection, "offline", "the switch survives");
  assert.equal((await a.status()).waiting, beforeReload.status.waiting, "and so does the count");
  assert.match(String(await a.page.locator("#connection").textContent()), /waiting to be sent/);

  await server.kill();
  await a.typeAtEnd("tea\n");
  await a.workOffline(false);
  await b.workOffline(false);
  await a.until(() => /** @type {any} */ (globalThis).doc.status.connection === "connecting", undefined);
  await server.run();
  await a.untilSent();
  await b.untilSent();
  await untilSame([a, b]);

  // What the server holds is what someone new gets from it.
  const c = await (await profile()).visit(address);
  await untilSame([a, b, c]);
  const { text, counter, tags, settings } = await c.shown();
  for (const line of ["bread", "milk 🥛", "eggs 🥚", "tea"]) assert.ok(text.includes(`${line}\n`), text);
  assert.ok(text.startsWith("shopping\n"), text);
  assert.equal(counter, "9");
  assert.deepEqual(tags, ["home", "urgent", "weekend"], "an addition wins over a removal");
  assert.deepEqual(Object.keys(settings).sort(), ["colour", "shop", "size"]);
  assert.ok(["large", "small"].includes(String(settings.size)));
  for (const { errors } of profiles) assert.deepEqual(errors, []);

  // And it still holds it after one more sudden death, with nobody there to tell it again.
  const expected = await c.content();
  await Promise.all([a, b, c].map(({ page }) => page.close()));
  await server.kill();
  await server.run();
  const d = await (await profile()).visit(address);
  await d.until((content) => JSON.stringify(/** @type {any} */ (globalThis).doc.toJSON()) === content, expected);
});
