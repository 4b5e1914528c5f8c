// The time for the machines in WebAssembly: it goes on when someone sets the system's clock.

/** Milliseconds since some moment. */
export function now() {
  return Math.floor(performance.now());
}
