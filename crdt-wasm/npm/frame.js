// What travels in a WebSocket message: one frame of one channel, as `crdt-server/src/frame.rs`
// documents it. The session's messages inside are made and read in WebAssembly.
//
//   frame   = channel kind payload
//   open    = protocol document flag [token]     kind 0
//   session = the bytes of one session message   kind 1
//   close   = reason text                        kind 2
//   token   = the bytes of a session token       kind 4

export const PROTOCOL_VERSION = 0;
export const SYNC_PATH = "/v1/sync";
export const CHANNEL_MAX = (1 << 21) - 1;

export const KIND_OPEN = 0;
export const KIND_SESSION = 1;
export const KIND_CLOSE = 2;
export const KIND_TOKEN = 4;

/** Names of the close reasons, by their number on the wire. */
const CLOSE_REASONS = /** @type {const} */ ([
  "done",
  "going-away",
  "unauthorized",
  "protocol-version",
  "protocol-violation",
  "limit-exceeded",
  "refused",
  "internal",
  "invalid-name",
]);

/** After these, opening the document again, after a pause, may go better. */
const WORTH_A_RETRY = new Set(["done", "going-away", "limit-exceeded", "internal"]);

/**
 * @typedef {typeof CLOSE_REASONS[number] | "unknown"} CloseReason
 * @typedef {{ channel: number, kind: 1, message: Uint8Array }} SessionFrame
 * @typedef {{ channel: number, kind: 4, message: Uint8Array }} TokenFrame
 * @typedef {{ channel: number, kind: 2, reason: CloseReason, text: string, retry: boolean }} CloseFrame
 */

/**
 * @param {number} channel
 * @param {string} document
 * @param {string} [token]
 */
export function openFrame(channel, document, token) {
  return [
    ...varint(channel),
    KIND_OPEN,
    ...varint(PROTOCOL_VERSION),
    ...string(document),
    ...(token === undefined ? [0] : [1, ...string(token)]),
  ];
}

/**
 * @param {number} channel
 * @param {Uint8Array} message
 */
export function sessionFrame(channel, message) {
  const head = [...varint(channel), KIND_SESSION];
  const frame = new Uint8Array(head.length + message.length);
  frame.set(head);
  frame.set(message, head.length);
  return frame;
}

/** @param {number} channel */
export function closeFrame(channel) {
  return [...varint(channel), KIND_CLOSE, ...varint(0), ...string("")];
}

/**
 * Reads a frame that a server sent; `undefined` where it is none that a server sends.
 *
 * @param {Uint8Array} bytes
 * @returns {SessionFrame | TokenFrame | CloseFrame | undefined}
 */
export function readFrame(bytes) {
  const channel = readVarint(bytes, 0);
  if (channel === undefined || channel.value > CHANNEL_MAX) return undefined;
  const kind = bytes[channel.end];
  const payload = channel.end + 1;
  if (kind === KIND_SESSION || kind === KIND_TOKEN) {
    return { channel: channel.value, kind, message: bytes.subarray(payload) };
  }
  if (kind !== KIND_CLOSE) return undefined;
  const code = readVarint(bytes, payload);
  const length = code && readVarint(bytes, code.end);
  if (code === undefined || length === undefined || length.end + length.value !== bytes.length) return undefined;
  const reason = CLOSE_REASONS[code.value] ?? "unknown";
  const text = new TextDecoder().decode(bytes.subarray(length.end));
  return { channel: channel.value, kind, reason, text, retry: WORTH_A_RETRY.has(reason) };
}

/** @param {number} value a number below 2^32 */
function varint(value) {
  const bytes = [];
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

/** @param {string} text */
function string(text) {
  const bytes = new TextEncoder().encode(text);
  return [...varint(bytes.length), ...bytes];
}

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 * @returns {{ value: number, end: number } | undefined}
 */
function readVarint(bytes, at) {
  // Five groups of seven bits hold every number that is used here.
  for (let value = 0, group = 0; group < 5; group += 1) {
    const byte = bytes[at + group];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * group);
    if (byte < 0x80) return value < 2 ** 32 ? { value, end: at + group + 1 } : undefined;
  }
  return undefined;
}
