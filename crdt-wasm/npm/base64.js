// Bytes as text that fits into JSON and into an address.

import { crdtError } from "./errors.js";

/** @param {Uint8Array} bytes a few of them */
export function toBase64Url(bytes) {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * Bits at the end that no byte has room for have to be zero: bytes have one text.
 *
 * @param {unknown} text
 * @param {string} what
 * @returns {Uint8Array}
 */
export function fromBase64Url(text, what) {
  if (typeof text === "string" && /^[\w-]*$/.test(text) && text.length % 4 !== 1) {
    const decoded = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(decoded, (byte) => byte.charCodeAt(0));
    if (toBase64Url(bytes) === text) return bytes;
  }
  throw crdtError("decode", `this is no ${what}`);
}
