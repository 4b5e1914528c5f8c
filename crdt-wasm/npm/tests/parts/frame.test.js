// The frames of `crdt-server/src/frame.rs`; the bytes below are those of its own tests.

import assert from "node:assert/strict";
import { test } from "node:test";
import { closeFrame, openFrame, readFrame, sessionFrame } from "../../frame.js";

test("bytes are as documented", () => {
  assert.deepEqual(openFrame(1, "n", "t"), [1, 0, 0, 1, 0x6e, 1, 1, 0x74]);
  assert.deepEqual(openFrame(0x80, "ä"), [0x80, 1, 0, 0, 2, 0xc3, 0xa4, 0]);
  assert.deepEqual([...sessionFrame(3, new TextEncoder().encode("bytes"))], [3, 1, ...new TextEncoder().encode("bytes")]);
  assert.deepEqual(closeFrame(5), [5, 2, 0, 0]);
});

test("what a server sends is read", () => {
  assert.deepEqual(readFrame(Uint8Array.of(0x80, 1, 2, 2, 2, 0x6e, 0x6f)), {
    channel: 0x80,
    kind: 2,
    reason: "unauthorized",
    text: "no",
    retry: false,
  });
  assert.deepEqual(readFrame(Uint8Array.of(7, 1, 1, 2)), { channel: 7, kind: 1, message: Uint8Array.of(1, 2) });
  assert.equal(/** @type {any} */ (readFrame(Uint8Array.of(0, 2, 1, 0))).retry, true);
  assert.equal(/** @type {any} */ (readFrame(Uint8Array.of(0, 2, 99, 0))).reason, "unknown");
});

test("what is no frame is told apart", () => {
  for (const bytes of [[], [0x80], [0x80, 0x80, 0x80, 1, 1], [0], [0, 0, 0], [0, 3], [0, 2], [0, 2, 0], [0, 2, 0, 2, 0x6e], [0, 2, 0, 0, 0]]) {
    assert.equal(readFrame(Uint8Array.from(bytes)), undefined, String(bytes));
  }
});
