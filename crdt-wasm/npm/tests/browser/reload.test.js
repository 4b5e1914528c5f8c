// A keystroke that was seen is a keystroke that is kept.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Profile } from "./support/profile.js";
import { Server } from "./support/server.js";

const ROUNDS = 50;

/** @type {Server} */
let server;
/** @type {Profile} */
let profile;

before(async () => {
  server = await Server.start();
  profile = await Profile.open();
});

after(async () => {
  await profile.close();
  await server.close();
});

test(`a reload straight after a keystroke loses nothing, ${ROUNDS} times`, async () => {
  const demo = await profile.visit(`${server.origin}/?doc=reload`);
  // Half of the rounds without the server, so that it can be no help.
  await demo.workOffline(true);
  let expected = "";
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round === ROUNDS / 2) await demo.workOffline(false);
    const letter = String.fromCharCode(0x61 + (round % 26));
    await demo.page.locator("#text").focus();
    await demo.page.keyboard.press("Control+End");
    // The reload is asked for in the very task of the keystroke, after the page's own handler.
    await demo.page.evaluate(() => {
      document.querySelector("#text")?.addEventListener("input", () => location.reload(), { once: true });
    });
    const loaded = demo.page.waitForEvent("load");
    await demo.page.keyboard.type(letter);
    await loaded;
    await demo.ready();
    expected += letter;
    const { text } = await demo.shown();
    assert.equal(text, expected, `round ${round}`);
  }
  await demo.untilSent();
  assert.deepEqual(profile.errors, []);
});
