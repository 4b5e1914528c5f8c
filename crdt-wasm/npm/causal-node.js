// The entry point for Node.js, where `fetch` does not read files.

import { readFileSync } from "node:fs";
import { initSync } from "./causal-wasm.js";

initSync(readFileSync(new URL("./pkg/crdt_wasm_causal_bg.wasm", import.meta.url)));

export * from "./causal.js";
