// A causal delivery buffer for messages of your own: each comes out once, after everything that it
// follows, in whatever order they came in.

import type { CrdtError, ErrorCode, WasmSource } from "./index.js";

export type { CrdtError, ErrorCode, WasmSource };

/** Loads the WebAssembly module, which is not that of documents. In Node.js it is loaded already. */
export function init(source?: WasmSource): Promise<void>;
/** Loads the module from bytes that are already there, without waiting. */
export function initSync(module: BufferSource | WebAssembly.Module): void;

/** The name of a message: whose it is, and the how-many-th of theirs, from 1. */
export interface Dot {
  /** A name of 1 to 256 UTF-16 units that nobody else uses. Whoever has lost their state takes a new one. */
  readonly replica: string;
  readonly seq: number;
}

/** The messages of one replica from one number to another, both included. */
export interface DotRange {
  readonly replica: string;
  readonly first: number;
  readonly last: number;
}

/** A message with its place in the causal order. The buffer keeps this object, and gives it out again. */
export interface CausalMessage<T> extends Dot {
  /** The messages of others that it directly follows; the one before it of the same replica is understood. */
  readonly parents?: readonly Dot[];
  /** Bytes, or any value that `JSON.stringify` can write. It must not change any more. */
  readonly payload: T;
}

/** Bounds of a buffer. What is beyond them is dropped, said to be, and asked for again: nothing is lost for good. */
export interface CausalOptions {
  /** Under which name `write` makes messages. */
  readonly replica?: string;
  /** Milliseconds of a clock that does not go back. Default: `performance.now`. */
  readonly now?: () => number;
  /** Messages that may wait, in all and of one replica. Default: 1,048,576 and 262,144. */
  readonly pendingMax?: number;
  readonly replicaPendingMax?: number;
  /** Bytes that may wait, in all and of one replica. Default: 64 MiB and 16 MiB. */
  readonly pendingBytesMax?: number;
  readonly replicaPendingBytesMax?: number;
  /** How far the number of a message may be ahead of what was delivered of its replica. Default: 2^24. */
  readonly gapMax?: number;
  /** Parents of one message. Default: 1,024. */
  readonly parentsMax?: number;
  /** Replicas that are told apart. Default: 262,144. */
  readonly replicasMax?: number;
  /** Delivered messages of each replica that are still told from forgeries. Default: 64. */
  readonly digestsMax?: number;
  /** How long a gap may fill by itself before `missing` names it. Default: 20. */
  readonly patienceMs?: number;
  /** How long an answer may take; it doubles with each one that does not come, up to the second. Default: 500 and 60,000. */
  readonly intervalMs?: number;
  readonly intervalMsMax?: number;
  /** Ranges that `missing` names at once. Default: 256. */
  readonly rangesMax?: number;
}

/** Why a message was not taken. */
export type RefusalReason =
  | "invalid"
  | "cyclic"
  | "parents"
  | "gap"
  | "bytes"
  | "replicas"
  | "quarantined"
  | "equivocation"
  | "forsaken";

/** An error about one message of a batch. For an equivocation it holds both digests: the proof. */
export interface Refused extends CrdtError, Dot {
  readonly reason: RefusalReason;
  readonly held?: string;
  readonly offered?: string;
}

/** What became of a batch. */
export interface Batch {
  /** Messages that could be delivered on arrival. */
  readonly ready: number;
  /** Messages that had to wait; later ones of the batch may have made them ready. */
  readonly pending: number;
  /** Messages that were here before. */
  readonly duplicates: number;
  /** Messages for which there was no room now. */
  readonly dropped: number;
  readonly refused: readonly Refused[];
}

export type CausalEvent =
  /** A replica used a dot for two messages. From there on nothing of it is delivered, until `adopt`. */
  | { readonly type: "equivocation"; readonly replica: string; readonly seq: number; readonly held: string; readonly offered: string }
  /** There was no room for messages in this range; they are asked for again. */
  | { readonly type: "dropped"; readonly replica: string; readonly first: number; readonly last: number }
  /** These were given up, and now passed over: what comes after them is delivered without them. */
  | { readonly type: "forsaken"; readonly replica: string; readonly first: number; readonly last: number };

/** All that a buffer holds, as a value that IndexedDB can store, and JSON if the payloads are JSON. */
export interface SavedBuffer<T> {
  readonly version: readonly (readonly [replica: string, seq: number])[];
  readonly heads: readonly Dot[];
  readonly ready: readonly CausalMessage<T>[];
  readonly pending: readonly CausalMessage<T>[];
  readonly forsaken?: readonly DotRange[];
}

/**
 * Holds messages back until everything that they follow was delivered.
 *
 * `T` is the type of the payloads. Errors are `CrdtError`s: of `insert` and `write` with the codes
 * `argument`, `surrogate` (half of a pair in a name) and `limit` (a batch of more than 65,536 messages
 * or 64 MiB); then nothing of the batch was taken.
 */
export class CausalBuffer<T = unknown> {
  constructor(options?: CausalOptions);
  /** Goes on from what an earlier page has saved. Quarantines are not saved: a fork is noticed again. */
  static restore<T>(saved: SavedBuffer<T>, options?: CausalOptions): CausalBuffer<T>;
  /** Takes in messages, in any order. Many at once cost much less than one after the other. */
  insert(messages: CausalMessage<T> | readonly CausalMessage<T>[]): Batch;
  /** Makes the next message of this replica, which follows all that was delivered. Send it when `save()` is stored. */
  write(payload: T): CausalMessage<T>;
  /** The messages that have become ready since the last call, in a causal order. */
  deliver(): CausalMessage<T>[];
  /** What else has happened since the last call. */
  events(): CausalEvent[];
  /** What others should be asked for now. Waits longer from one unanswered request to the next. */
  missing(): DotRange[];
  /** In how many milliseconds `missing` may have something to name; `undefined` while nothing is missing. */
  readonly timeout: number | undefined;
  /** How many messages wait, and the bytes that are counted for them. */
  readonly pending: number;
  readonly pendingBytes: number;
  /** The number of the last message that was delivered, or can be, of each replica. */
  version(): [replica: string, seq: number][];
  /** Follows the branch that is held of a replica that used a dot twice. Whether it was quarantined. */
  adopt(replica: string): boolean;
  /**
   * Gives up on what is missing of a range: its only copy is gone. What waits for it is delivered without it,
   * when it is its turn, and an answer may then be seen without its question. Returns what was given up: what is
   * known to exist and is not here. A decision of this replica alone: where all have to see the same, let one
   * decide, and let the decision be a message.
   */
  forsake(range: DotRange): DotRange[];
  /** What was given up and did not come. After `restore`, of it what was not passed over. */
  forsaken(): DotRange[];
  save(): SavedBuffer<T>;
}
