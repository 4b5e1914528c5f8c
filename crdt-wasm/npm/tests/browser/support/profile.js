// A browser profile of its own: its own storage, as of another person on another machine.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

/** What a test does not want Chromium to do besides showing a page. */
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Waiting for something that must come; generous, since machines are slow at times. */
export const PATIENCE_MS = 120_000;

export class Profile {
  #folder;
  #context;
  /** What went wrong inside the pages. @type {string[]} */
  errors = [];

  /**
   * @param {string} folder
   * @param {import("playwright-core").BrowserContext} context
   */
  constructor(folder, context) {
    this.#folder = folder;
    this.#context = context;
    context.setDefaultTimeout(PATIENCE_MS);
    context.on("weberror", (error) => void this.errors.push(String(error.error())));
  }

  static async open() {
    const folder = await mkdtemp(join(tmpdir(), "crdt-profile-"));
    const context = await chromium.launchPersistentContext(folder, {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      headless: true,
      args: QUIET,
      viewport: { width: 1080, height: 720 },
    });
    return new Profile(folder, context);
  }

  /**
   * @param {string} address
   * @returns {Promise<DemoPage>}
   */
  async visit(address) {
    const page = await this.#context.newPage();
    await page.goto(address);
    const demo = new DemoPage(page);
    await demo.ready();
    return demo;
  }

  /**
   * A page that can load what the server serves, and does nothing of itself.
   *
   * @param {string} origin
   */
  async blank(origin) {
    const page = await this.#context.newPage();
    await page.goto(`${origin}/healthz`);
    return page;
  }

  async close() {
    await this.#context.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The demo page, driven as a person drives it. */
export class DemoPage {
  page;

  /** @param {import("playwright-core").Page} page */
  constructor(page) {
    this.page = page;
  }

  /** Until the document is open. */
  async ready() {
    await this.page.locator("#text:enabled").waitFor();
  }

  async reload() {
    await this.page.reload();
    await this.ready();
  }

  /** @param {boolean} isOffline */
  async workOffline(isOffline) {
    await this.page.locator("#offline").setChecked(isOffline, { force: true });
  }

  /** @param {string} text */
  async typeAtEnd(text) {
    await this.page.locator("#text").focus();
    await this.page.keyboard.press("Control+End");
    await this.page.keyboard.type(text);
  }

  /** @param {number} times */
  async increment(times) {
    for (let done = 0; done < times; done += 1) await this.page.locator("#increment").click();
  }

  /** @param {string} tag */
  async addTag(tag) {
    await this.page.locator("#add-tag input").fill(tag);
    await this.page.locator("#add-tag button").click();
  }

  /** @param {string} tag */
  async removeTag(tag) {
    await this.page.getByLabel(`Remove the tag ${tag}`).click();
  }

  /**
   * @param {string} key
   * @param {string} value
   */
  async setSetting(key, value) {
    await this.page.locator("#add-setting [name=key]").fill(key);
    await this.page.locator("#add-setting [name=value]").fill(value);
    await this.page.locator("#add-setting button").click();
  }

  /** What the page shows, as its reader sees it. */
  async shown() {
    return this.page.evaluate(() => {
      /** @param {string} selector */
      const all = (selector) => [...document.querySelectorAll(selector)];
      /** @param {string} selector */
      const one = (selector) => /** @type {HTMLTextAreaElement} */ (document.querySelector(selector));
      return {
        text: one("#text").value,
        counter: one("#counter").textContent,
        tags: all("#tags span").map((tag) => tag.textContent),
        settings: Object.fromEntries(
          all("#settings li").map((row) => [row.querySelector("label")?.textContent, row.querySelector("input")?.value]),
        ),
      };
    });
  }

  /** What the document of the page holds. */
  async content() {
    return this.page.evaluate(() => JSON.stringify(/** @type {any} */ (globalThis).doc.toJSON()));
  }

  /** @returns {Promise<import("../../../index.js").Status>} */
  async status() {
    return this.page.evaluate(() => /** @type {any} */ (globalThis).doc.status);
  }

  /**
   * Waits until something is so in the page.
   *
   * @template T
   * @param {(argument: T) => unknown} condition
   * @param {T} argument
   */
  async until(condition, argument) {
    await this.page.waitForFunction(/** @type {any} */ (condition), argument, { timeout: PATIENCE_MS, polling: 50 });
  }

  /** Until the server has everything of this page, and this page is connected. */
  async untilSent() {
    await this.until(() => {
      const { connection, waiting, unstored } = /** @type {any} */ (globalThis).doc.status;
      return connection === "online" && waiting === 0 && unstored === 0;
    }, undefined);
  }

  /** @param {string} text */
  async untilText(text) {
    await this.until((expected) => /** @type {any} */ (document.querySelector("#text")).value === expected, text);
  }
}

/**
 * Until all pages show the same.
 *
 * @param {DemoPage[]} pages
 */
export async function untilSame(pages) {
  const giveUpAt = Date.now() + PATIENCE_MS;
  for (;;) {
    const contents = await Promise.all(pages.map(async (page) => JSON.stringify([await page.content(), await page.shown()])));
    if (contents.every((content) => content === contents[0])) return;
    if (Date.now() > giveUpAt) throw new Error(`the pages differ:\n${contents.join("\n")}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
