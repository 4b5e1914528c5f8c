// The entry point for Node.js, where `fetch` does not read files.

import { readFileSync } from "node:fs";
import { initSync } from "./rebase-wasm.js";

initSync(readFileSync(new URL("./pkg/crdt_wasm_rebase_bg.wasm", import.meta.url)));

export * from "./rebase.js";
