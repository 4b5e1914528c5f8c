// Errors have a `code` to branch on; there is no class to compare with `instanceof`,
// which fails as soon as a page holds two copies of a package.

/**
 * @param {import("./index.js").ErrorCode} code
 * @param {string} message
 * @param {unknown} [cause]
 * @returns {import("./index.js").CrdtError}
 */
export function crdtError(code, message, cause) {
  const error = new Error(message, cause === undefined ? undefined : { cause });
  error.name = "CrdtError";
  return Object.assign(error, { code });
}

/**
 * Hands an error of a listener to the page's own error reporting: it is the listener's
 * fault, and neither the document nor the other listeners may suffer from it.
 *
 * @param {unknown} error
 */
export function report(error) {
  if (typeof reportError === "function") reportError(error);
  else queueMicrotask(() => { throw error; });
}
