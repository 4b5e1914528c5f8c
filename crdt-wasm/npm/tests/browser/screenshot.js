// Takes `docs/demo.png`: two people in one document, side by side. `npm run screenshot`.

import { fileURLToPath } from "node:url";
import { Profile } from "./support/profile.js";
import { Server } from "./support/server.js";

const TARGET = fileURLToPath(new URL("../../../../docs/demo.png", import.meta.url));
const WINDOW = { width: 880, height: 640 };

const server = await Server.start();
const profiles = await Promise.all([Profile.open(), Profile.open()]);
try {
  const address = `${server.origin}/?doc=lighthouse`;
  const [ada, grace] = await Promise.all(profiles.map((profile) => profile.visit(address)));
  if (ada === undefined || grace === undefined) throw new Error("two profiles were opened");
  for (const [demo, name] of /** @type {const} */ ([[ada, "Ada"], [grace, "Grace"]])) {
    await demo.page.setViewportSize(WINDOW);
    await demo.page.locator("#me").fill(name);
    await demo.page.locator("#me").press("Enter");
  }
  await ada.typeAtEnd("The lighthouse\n\nThe keeper climbed 214 steps each evening,\nand each evening she counted them.\n\n");
  await ada.increment(7);
  await ada.addTag("draft");
  await ada.addTag("short story");
  await ada.setSetting("language", "English");
  await ada.untilSent();
  await grace.untilText((await ada.shown()).text);
  await grace.addTag("sea");
  await grace.setSetting("deadline", "Friday");
  await grace.typeAtEnd("The lamp had been dark for a year.");
  await grace.untilSent();
  await ada.page.locator("#text").focus();
  await ada.page.evaluate(() => /** @type {any} */ (document.querySelector("#text")).setSelectionRange(26, 26));
  await ada.page.keyboard.type(" slowly");
  await ada.untilSent();
  for (const demo of [ada, grace]) await demo.page.locator(".caret").waitFor();
  const shots = [];
  for (const demo of [ada, grace]) {
    await demo.page.waitForTimeout(300);
    shots.push((await demo.page.screenshot()).toString("base64"));
  }
  // A page of its own: the demo's may not have styles of others' making.
  const sheet = await ada.page.context().newPage();
  await sheet.setViewportSize({ width: 2 * WINDOW.width + 60, height: WINDOW.height + 40 });
  await sheet.setContent(
    `<body style="margin:0;display:flex;gap:20px;padding:20px;background:#c9cede">${shots
      .map((shot) => `<img style="border-radius:10px;box-shadow:0 4px 18px rgb(0 0 0/25%)" src="data:image/png;base64,${shot}">`)
      .join("")}`,
  );
  await sheet.waitForTimeout(200);
  await sheet.screenshot({ path: TARGET });
  console.log(TARGET);
} finally {
  await Promise.all(profiles.map((profile) => profile.close()));
  await server.close();
}
