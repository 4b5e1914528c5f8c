// The entry point for Node.js, where `fetch` does not read files.

import { readFileSync } from "node:fs";
import { initSync } from "./wasm.js";

initSync(readFileSync(new URL("./pkg/crdt_wasm_bg.wasm", import.meta.url)));

export * from "./index.js";
