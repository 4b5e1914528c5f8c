// What the package offers for messages of one's own; each name's meaning is in causal.d.ts.

export { CausalBuffer } from "./causal/buffer.js";
export { init, initSync } from "./causal-wasm.js";
