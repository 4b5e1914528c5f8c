// The client's half of session tokens against what the servers' implementation makes of the same.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { SessionToken, logTag } from "../../session_token.js";
import { attested } from "../attested.js";

const VECTORS = new URL("../../../../crdt-causal/tests/golden/session_tokens.txt", import.meta.url);

const cases = readFileSync(VECTORS, "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => /** @type {[string, string, string, string, string]} */ (line.split(" ")));

/**
 * @param {string} a
 * @param {string} b
 */
function merged(a, b) {
  const token = SessionToken.parse(a);
  token.merge(SessionToken.parse(b));
  return token.toString();
}

test("tokens are written as they were read", () => {
  assert.equal(cases.length, 64);
  for (const token of cases.flat()) assert.equal(SessionToken.parse(token).toString(), token);
});

test("merged tokens are those that servers make", () => {
  for (const [a, b, both] of cases) {
    assert.equal(merged(a, b), both);
    assert.equal(merged(b, a), both);
    assert.equal(merged(both, a), both);
    assert.equal(merged(both, both), both);
  }
});

test("of two that say the same the greater key stays, then the greater code, and those of two epochs say nothing of each other", () => {
  const text = (/** @type {Buffer} */ token) => token.toString("base64url");
  const held = attested(5, { key: 2, code: 3 });
  for (const less of [attested(4, { key: 9 }), attested(5, { key: 1, code: 9 }), attested(5, { key: 2, code: 2 })]) {
    assert.equal(merged(text(held), text(less)), text(held));
    assert.equal(merged(text(less), text(held)), text(held));
  }
  for (const position of [4, 5, 6]) {
    const other = attested(position, { epoch: 1 });
    const both = Buffer.from(merged(text(held), text(other)), "base64url");
    assert.equal(both.length, held.length + other.length - 11, "two attestations in one frame");
    for (const token of [held, other]) assert.ok(both.includes(token.subarray(6, -5)));
  }
});

test("the order of merging does not matter", () => {
  for (const [index, [a, b]] of cases.entries()) {
    const [c] = /** @type {[string]} */ (/** @type {unknown} */ (cases[(index * 7 + 3) % cases.length]));
    assert.equal(merged(merged(a, b), c), merged(a, merged(b, c)));
  }
});

test("an answer takes the place of what was sent", () => {
  for (const [a, , both, answer, replaced] of cases) {
    const token = SessionToken.parse(both);
    token.replace(SessionToken.parse(a), SessionToken.parse(answer));
    assert.equal(token.toString(), replaced);
  }
});

test("the tag of a log is the checksum of its name", () => {
  assert.equal(logTag("123456789"), "e3069283");
  assert.equal(logTag(""), "00000000");
});

test("damage anywhere is an error with a code", () => {
  for (const [a, , both] of cases.slice(0, 8)) {
    const bytes = SessionToken.parse(both).toBytes();
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ (1 << at % 8);
      assert.throws(() => SessionToken.fromBytes(damaged), { name: "CrdtError", code: at === 0 ? "unsupported" : "decode" });
    }
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => SessionToken.fromBytes(bytes.slice(0, length)), { code: "decode" });
    }
    assert.equal(SessionToken.parse(a).toString(), a);
  }
});

test("what does not go into four kilobytes is refused, and nothing has happened", () => {
  const token = new SessionToken();
  let writers = 0;
  assert.throws(() => {
    for (; ; writers++) {
      const other = new SessionToken();
      other.recordWrite(Uint8Array.from({ length: 16 }, (_, at) => (writers >> (8 * at)) & 255), "00000001", 1n);
      token.merge(other);
    }
  }, { code: "limit" });
  // An id, a count, a tag and a number.
  assert.equal(writers, Math.floor((4096 - 4 - 2 - 2) / 22));
  assert.ok(token.toBytes().length <= 4096);
});
