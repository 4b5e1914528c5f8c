// Plays seeds in WebAssembly: `node --eval … GLUE MODULE FIRST COUNT`. Prints a line for each.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [glue, module, first, count] = process.argv.slice(1);
const { initSync, line } = await import(pathToFileURL(glue).href);
initSync({ module: await readFile(module) });
for (let seed = 0n; seed < BigInt(count); seed++) {
  console.log(line(BigInt(first) + seed));
}
