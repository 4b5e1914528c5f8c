// The documents that the rebase is tested with are what crdt-document writes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { rebase } from "../../pkg/crdt_wasm_rebase.js";
import "../../rebase-node.js";
import * as documents from "../trimmed.js";

/** @param {string} name */
function golden(name) {
  const file = new URL(`../../../../crdt-document/tests/golden/${name}.hex`, import.meta.url);
  return new Uint8Array(Buffer.from(readFileSync(file, "utf8").replaceAll("\n", ""), "hex"));
}

test("they are the golden files", () => {
  assert.deepEqual(documents.document, golden("document"));
  assert.deepEqual(documents.trimmed, golden("trimmed"));
});

test("bytes that are none of them are errors with codes", () => {
  const replica = new Uint8Array(16).fill(7);
  const { document, trimmed, version } = documents;
  assert.equal(rebase(document, version, trimmed, replica), undefined, "all of it is there");
  assert.notEqual(rebase(document, Uint8Array.of(0), trimmed, replica), undefined);
  assert.throws(() => rebase(document, version, trimmed, replica.subarray(1)), { name: "CrdtError", code: "argument" });
  assert.throws(() => rebase(golden("named"), version, trimmed, replica), { name: "CrdtError", code: "unrelated" });
  for (let at = 0; at < version.length; at++) {
    assert.throws(() => rebase(document, version.subarray(0, at), trimmed, replica), { name: "CrdtError" });
  }
  for (const [which, bytes] of [document, trimmed].entries()) {
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 16;
      const given = which === 0 ? [damaged, trimmed] : [document, damaged];
      assert.throws(() => rebase(/** @type {Uint8Array} */ (given[0]), version, /** @type {Uint8Array} */ (given[1]), replica), { name: "CrdtError" });
    }
  }
});
