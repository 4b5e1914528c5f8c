// Session tokens made by hand, as docs/format.md describes them.

/** CRC-32C, from its definition. @param {Uint8Array} bytes */
export function checksum(bytes) {
  let state = 0xffffffff;
  for (const byte of bytes) {
    state = (state ^ byte) >>> 0;
    for (let bit = 0; bit < 8; bit++) state = ((state >>> 1) ^ ((state & 1) === 1 ? 0x82f63b78 : 0)) >>> 0;
  }
  return (~state) >>> 0;
}

/** What is in a token, with its checksum. @param {number[]} body */
export function sealed(body) {
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(checksum(Uint8Array.from(body)));
  return Buffer.concat([Buffer.from(body), sum]);
}

/**
 * A token as a server of a realm attests it, of numbers below 128: it has shown what the server of slot 0
 * has admitted up to a position.
 *
 * @param {number} position
 * @param {{ realm?: number, key?: number, epoch?: number, code?: number }} [more]
 */
export function attested(position, { realm = 7, key = 1, epoch = 0, code = position } = {}) {
  const attestation = [key, epoch, 0, 0, 0, 1, 0, position, ...Array(16).fill(code)];
  return sealed([0, 1, realm, 0, 0, 0, ...attestation, 0]);
}
