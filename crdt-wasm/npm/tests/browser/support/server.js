// A real crdt-server with a folder of its own: killed without warning, and started again.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package that pages load: as it is written, or another form of it. */
const PACKAGE = process.env.CRDT_PACKAGE ?? fileURLToPath(new URL("../../../", import.meta.url));

/** How long a server may take until it answers. */
const START_MS_MAX = 20_000;

export class Server {
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #process;
  #program;
  #folder;
  #port;
  #options;

  /**
   * @param {string} program
   * @param {string} folder
   * @param {number} port
   * @param {string[]} options
   */
  constructor(program, folder, port, options) {
    this.#program = program;
    this.#folder = folder;
    this.#port = port;
    this.#options = options;
  }

  /**
   * @param {(folder: string, origin: string) => string[]} [options] beside those that every test's server has
   * @param {"CRDT_SERVER" | "CRDT_SERVER_BY_HAND"} [variable] which names the program
   */
  static async start(options, variable = "CRDT_SERVER") {
    const program = process.env[variable];
    if (program === undefined) throw new Error(`${variable} must name the server's program`);
    const folder = await mkdtemp(join(tmpdir(), "crdt-server-"));
    // The same port after a restart, since the pages know no other.
    const port = await freePort();
    const server = new Server(program, folder, port, options?.(folder, originOf(port)) ?? []);
    await server.run();
    return server;
  }

  get origin() {
    return originOf(this.#port);
  }

  get port() {
    return this.#port;
  }

  async run() {
    const process = spawn(
      this.#program,
      ["--listen", `127.0.0.1:${this.#port}`, "--data", this.#folder, "--assets", PACKAGE, "--log", "warn", ...this.#options],
      { stdio: ["pipe", "ignore", "inherit"] },
    );
    this.#process = process;
    const giveUpAt = Date.now() + START_MS_MAX;
    while (Date.now() < giveUpAt) {
      if (process.exitCode !== null) throw new Error(`the server ended at its start: ${process.exitCode}`);
      const answer = await fetch(`${this.origin}/healthz`).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error("the server did not answer");
  }

  /**
   * Lets days pass where the clock is set by hand, in steps that a server with a horizon of a month believes.
   *
   * @param {number} days
   */
  async days(days) {
    for (let hours = 0; hours < 24 * days; hours += 3) {
      const before = await this.trimming();
      this.#process?.stdin?.write("3\n");
      const giveUpAt = Date.now() + START_MS_MAX;
      while ((await this.trimming()).looked_at === before.looked_at) {
        if (Date.now() > giveUpAt) throw new Error("the server did not look at its clock");
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }

  /**
   * What the server has forgotten of its history.
   *
   * @returns {Promise<{ looked_at: number, floor: number, trimmed_documents: number, trimmed_events: number }>}
   */
  async trimming() {
    const answer = await fetch(`${this.origin}/healthz`);
    return (await answer.json()).trimming;
  }

  /** As a power cut would, for the program at least. */
  async kill() {
    const process = this.#process;
    if (process === undefined || process.exitCode !== null || process.signalCode !== null) return;
    const exit = once(process, "exit");
    process.kill("SIGKILL");
    await exit;
  }

  async close() {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** @param {number} port */
function originOf(port) {
  return `http://127.0.0.1:${port}`;
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
