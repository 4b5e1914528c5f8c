// Delivers loads in WebAssembly: `node --eval … GLUE MODULE WRITERS ARRIVAL MESSAGES RUNS`. Prints the
// processor time of each run in milliseconds, after one that is not counted (while it runs, the code is
// compiled a second time, and faster), and the checksum that all of them have.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [glue, module, writers, arrival, messages, runs] = process.argv.slice(1);
const { initSync, LoadHandle } = await import(pathToFileURL(glue).href);
initSync({ module: await readFile(module) });
let checksum;
for (let run = 0; run <= Number(runs); run++) {
  const load = new LoadHandle(Number(writers), arrival, Number(messages));
  const before = process.cpuUsage();
  const sum = load.deliver();
  const { user, system } = process.cpuUsage(before);
  load.free();
  checksum ??= sum;
  if (sum !== checksum) throw new Error("runs deliver different things");
  if (run > 0) console.log((user + system) / 1e3);
}
console.log(String(BigInt.asUintN(64, checksum)));
