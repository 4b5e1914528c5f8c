// Randomness comes from the platform; WebAssembly has none of its own.

/** For nonces and for ids that live as long as a page. */
export function randomU64() {
  return crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n;
}
