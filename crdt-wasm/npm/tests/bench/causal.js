// What the delivery buffer does in a second here: the histories, orders of arrival and batches of
// `cargo bench -p benches --bench causal`, whose rows are the native figures.
// `npm run bench` prints millions of messages per second of processor time, the best of three runs.

import { CausalBuffer } from "crdt-wasm/causal";

const COUNT = Number(process.env.CRDT_MESSAGES ?? 1_000_000);
const BATCH = 64 << 10;

const BOUNDLESS = {
  pendingMax: 2 ** 31,
  replicaPendingMax: 2 ** 31,
  pendingBytesMax: 2 ** 32 - 1,
  replicaPendingBytesMax: 2 ** 32 - 1,
  gapMax: 2 ** 31,
};

/** @typedef {import("crdt-wasm/causal").CausalMessage<Uint8Array>} Message */

/** @param {number} seed xorshift32 */
function random(seed) {
  let state = seed | 1;
  return (/** @type {number} */ below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 2 ** 32) * below);
  };
}

/**
 * @param {number} replicas
 * @param {number} mixed in so many of 100 cases a message follows another replica's last one, too
 */
function history(replicas, mixed) {
  const draw = random(COUNT);
  const last = new Array(replicas).fill(0);
  /** @type {Message[]} */
  const messages = [];
  for (let number = 0; number < COUNT; number++) {
    const writer = draw(replicas);
    const seq = ++last[writer];
    const other = draw(replicas);
    const follows = draw(100) < mixed && other !== writer && last[other] > 0;
    const parents = follows ? [{ replica: `replica ${other}`, seq: last[other] }] : undefined;
    const payload = new Uint8Array(16);
    new DataView(payload.buffer).setUint32(0, number, true);
    messages.push({ replica: `replica ${writer}`, seq, payload, ...(parents && { parents }) });
  }
  return messages;
}

/** @param {Message[]} messages */
function shuffled(messages) {
  const draw = random(5);
  const list = [...messages];
  for (let at = list.length - 1; at > 0; at--) {
    const other = draw(at + 1);
    const message = /** @type {Message} */ (list[at]);
    list[at] = /** @type {Message} */ (list[other]);
    list[other] = message;
  }
  return list;
}

/** @param {Message[]} messages */
function speed(messages) {
  const buffer = new CausalBuffer(BOUNDLESS);
  const since = process.cpuUsage();
  let delivered = 0;
  for (let at = 0; at < messages.length; at += BATCH) {
    buffer.insert(messages.slice(at, at + BATCH));
    delivered += buffer.deliver().length;
  }
  const { user, system } = process.cpuUsage(since);
  if (delivered !== messages.length) throw new Error(`${delivered} of ${messages.length} were delivered`);
  return messages.length / (user + system);
}

for (const [name, replicas, mixed] of /** @type {const} */ ([
  ["1 writer", 1, 0],
  ["8 writers, apart", 8, 0],
  ["8 writers, mixing", 8, 100],
  ["1,000 writers, mixing", 1000, 100],
])) {
  const told = history(replicas, mixed);
  for (const [arrival, messages] of /** @type {const} */ ([
    ["in order", told],
    ["reverse", told.toReversed()],
    ["shuffled", shuffled(told)],
  ])) {
    const best = Math.max(...[1, 2, 3].map(() => speed(messages)));
    console.log(`${name.padEnd(22)} ${`${arrival}, batches`.padEnd(20)} ${best.toFixed(2).padStart(10)} M/s`);
  }
}
