// Bytes as text that fits into JSON and into an address.

import { crdtError } from "./errors.js";

/** @param {Uint8Array} bytes a few of them */
export function toBase64Url(bytes) {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * @param {unknown} text
 * @returns {Uint8Array}
 */
export function fromBase64Url(text) {
  if (typeof text !== "string" || !/^[\w-]*$/.test(text) || text.length % 4 === 1) {
    throw crdtError("decode", "this is no anchor");
  }
  const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(bytes, (byte) => byte.charCodeAt(0));
}
