// The types of the package. Positions and lengths in text are UTF-16 units, as everywhere in
// JavaScript; a position inside a surrogate pair and half of a pair are refused.

/** Where the WebAssembly module comes from: its address, its bytes, or the module itself. */
export type WasmSource = string | URL | Request | Response | BufferSource | WebAssembly.Module;

/** Loads the WebAssembly module; `Document.open` does it by itself. */
export function init(source?: WasmSource): Promise<void>;
/** Loads the WebAssembly module from bytes that are already there. */
export function initSync(module: BufferSource | WebAssembly.Module): void;

/** What maps and sets hold. Whole numbers are integers; a `bigint` is one of 64 bits. */
export type Value = null | boolean | number | bigint | string | Uint8Array | readonly Value[] | { readonly [key: string]: Value };

/** The kinds of containers. */
export type Kind = "map" | "set" | "counter" | "text";

/** A container's place in its document: keys, each with the kind of what is there. */
export type Path = readonly { readonly key: string; readonly kind: Kind }[];

/** An error of this package: `name` is "CrdtError", `code` is to branch on. */
export interface CrdtError extends Error {
  readonly code: ErrorCode;
}

/**
 * - `argument`: not something a document can hold, or not of the expected type
 * - `position`: outside of the text, or not a whole number
 * - `surrogate`: half of a surrogate pair, or a position inside one
 * - `overflow`: a counter would leave its range
 * - `transaction`: a transaction cannot begin or end here
 * - `decode`: bytes that are no bundle of changes, or damaged
 * - `missing`: a bundle depends on changes that are not here
 * - `equivocation`: two changes under one name: a restored backup or a cloned profile
 * - `trimmed`: what was done here was done without knowledge of history that is gone where it
 *   would have to be merged; begin anew with the document as it is there, and do your own changes
 *   again by `rebase` of `crdt-wasm/rebase`
 * - `unrelated`: documents of different genesis do not merge
 * - `limit`: more than the document allows
 * - `protocol`: the server said something that the protocol does not allow
 * - `refused`: the server refuses the document
 * - `session`: the session could not be continued with a server, of another realm for example, and
 *   has begun anew
 * - `storage`: the storage failed
 * - `unsupported`: the environment lacks something, or the bytes are of a later version
 * - `closed`: the document was closed
 */
export type ErrorCode =
  | "argument"
  | "position"
  | "surrogate"
  | "overflow"
  | "transaction"
  | "decode"
  | "missing"
  | "equivocation"
  | "trimmed"
  | "unrelated"
  | "limit"
  | "protocol"
  | "refused"
  | "session"
  | "storage"
  | "unsupported"
  | "closed";

export interface OpenOptions {
  /** Where changes are kept: "indexeddb", a storage of your own, or (default) nowhere. */
  storage?: "indexeddb" | Storage;
  /** The server: its `ws:` or `wss:` address, or a network of your own; default none. */
  connect?: string | URL | Network;
  /** What entitles to the document, where the server asks for it. */
  token?: string;
  /** Do not connect before `goOnline()`. */
  offline?: boolean;
  /** Show what other tabs of this origin do; default true in a page or worker. */
  tabs?: boolean;
  /** How long others show this participant's presence after its last sign of life; 30 000 by default, and at most. */
  presenceTtlMs?: number;
  /** Where the WebAssembly module comes from; default: the file beside the glue. */
  wasm?: WasmSource;
}

/** The events of a document. */
export interface DocumentEvents {
  /** What a transaction or an import changed, told after it is complete. */
  change: ChangeEvent;
  /** The connection, or what waits, is no longer as it was. */
  status: Status;
  /** Someone came, went, or changed their state. */
  presence: readonly Participant[];
  /** Something went wrong in the background; the document goes on. */
  error: CrdtError;
}

export interface ChangeEvent {
  /** Whether this `Document` made the change. */
  readonly local: boolean;
  /** What was given to `transact`, for local changes. */
  readonly origin: unknown;
  /** In the order in which they took effect. */
  readonly changes: readonly Change[];
}

export type Change = TextChange | CounterChange | SetChange | MapChange | EveryChange;

interface ChangeBase {
  readonly path: Path;
  /** The replicas that made the change, as UUIDs. */
  readonly by: readonly string[];
}

export interface TextChange extends ChangeBase {
  readonly kind: "text";
  readonly target: Text;
  /** To be applied one after the other. */
  readonly patches: readonly TextPatch[];
}

/** At a position, some UTF-16 units went, and some text came. */
export interface TextPatch {
  readonly at: number;
  readonly deleted: number;
  readonly inserted: string;
}

export interface CounterChange extends ChangeBase {
  readonly kind: "counter";
  readonly target: Counter;
  readonly before: number;
  readonly after: number;
}

export interface SetChange extends ChangeBase {
  readonly kind: "set";
  readonly target: ValueSet;
  readonly added: readonly Value[];
  readonly removed: readonly Value[];
}

export interface MapChange extends ChangeBase {
  readonly kind: "map";
  readonly target: ValueMap;
  /** The keys whose plain value, or its conflicts, are others now. */
  readonly set: readonly string[];
  /** The keys that have no plain value any more. */
  readonly removed: readonly string[];
  /** The containers that have come to exist. */
  readonly appeared: Path;
  /** The containers that have ceased to exist. */
  readonly vanished: Path;
}

/** So much changed at once that only reading anew is of use. */
export interface EveryChange extends ChangeBase {
  readonly kind: "everything";
  readonly target: undefined;
}

export interface Status {
  /**
   * - `none`: opened without a server
   * - `offline`: by `goOffline()`
   * - `connecting`: on the way, or waiting for the next attempt
   * - `online`: the server is there
   * - `refused`: the server refuses; see `error`
   */
  readonly connection: "none" | "offline" | "connecting" | "online" | "refused";
  /** How many changes the server has not acknowledged yet. */
  readonly waiting: number;
  /** How many changes are not stored yet; these are not sent either. */
  readonly unstored: number;
  /** When the next attempt to connect is made, in milliseconds since 1970. */
  readonly retryAt: number | undefined;
  /** Why the server refuses, or why nothing can be stored at the moment. */
  readonly error: CrdtError | undefined;
}

/** A shared document. */
export class Document {
  private constructor();

  /** Opens a document, with what is stored of it; does not wait for the server. */
  static open(name: string, options?: OpenOptions): Promise<Document>;

  readonly name: string;
  readonly presence: Presence;
  readonly session: Session;
  readonly status: Status;
  /** Under which id this tab's changes are made, as a UUID; none before its first change. */
  readonly replica: string | undefined;

  /** The map at the top, in which all others are. */
  readonly root: ValueMap;
  text(key: string): Text;
  counter(key: string): Counter;
  set(key: string): ValueSet;
  map(key: string): ValueMap;

  /**
   * Makes several changes as one: others see all of them or none. If the function throws,
   * nothing has happened. `origin` comes back in the change event. The function must not wait.
   */
  transact<T>(change: (document: this) => T, origin?: unknown): T;

  /** Listens; gives back what ends that. Listeners run after a change, never inside it. */
  on<Name extends keyof DocumentEvents>(name: Name, listener: (event: DocumentEvents[Name]) => void): () => void;

  /** Stores and tells what was changed now, rather than at the end of this turn of the event loop. */
  flush(): void;

  /** The values of all containers as one plain object. */
  toJSON(): { [key: string]: unknown };

  /** The whole document as bytes, to be kept or sent; any document takes them by `import`. */
  encode(): Uint8Array;
  /** Takes in what `encode` gave: all of it, or none if it throws. */
  import(bytes: Uint8Array): void;

  /** Stops sending and receiving; the document can be edited all the same. */
  goOffline(): void;
  goOnline(): void;

  /** Resolves once all changes made so far are stored. */
  stored(): Promise<void>;
  /** Resolves once the server has acknowledged all changes made so far. */
  acknowledged(): Promise<void>;
  /**
   * Resolves once the document has everything that the server had when it was connected last, and the
   * server everything of the document.
   */
  upToDate(): Promise<void>;
  /** What the server is known to have acknowledged, as opaque bytes: for `rebase` of `crdt-wasm/rebase`. */
  acknowledgedVersion(): Uint8Array;

  /**
   * Waits for the storage, leaves the server, and lets go of everything. Rejects, closed all the
   * same, if the storage fails and changes were not stored.
   */
  close(): Promise<void>;
}

/** A text that many edit at once; concurrent insertions do not interleave. */
export interface Text {
  readonly path: Path;
  readonly length: number;
  insert(at: number, text: string): void;
  delete(at: number, length: number): void;
  /** Deletes, then inserts, as one change. */
  splice(at: number, deleteLength: number, text?: string): void;
  /** Makes the text this one, by the smallest single splice. */
  replace(text: string): void;
  clear(): void;
  slice(start: number, end?: number): string;
  toString(): string;
  /**
   * A position that moves with the text, as a string that can be sent and stored.
   * `side` says which neighbour it belongs to: with the one before it, by default, text that
   * is inserted exactly there comes after it.
   */
  anchor(at: number, side?: "before" | "after"): string;
  /** Where an anchor is now; `undefined` if it needs changes that are not here. */
  resolve(anchor: string): number | undefined;
}

/** A counter; concurrent increments add up, and a reset cancels those it has seen. */
export interface Counter {
  readonly path: Path;
  /** Exact up to 2⁵³; see `toBigInt`. */
  readonly value: number;
  increment(by?: number | bigint): void;
  decrement(by?: number | bigint): void;
  reset(): void;
  toBigInt(): bigint;
}

/** A set; an addition wins over a concurrent removal. */
export interface ValueSet extends Iterable<Value> {
  readonly path: Path;
  readonly size: number;
  add(value: Value): void;
  delete(value: Value): void;
  has(value: Value): boolean;
  clear(): void;
  values(): Value[];
}

/** A map; of concurrent values for a key one wins, the others are its conflicts. */
export interface ValueMap extends Iterable<[string, Value]> {
  readonly path: Path;
  readonly size: number;
  set(key: string, value: Value): void;
  get(key: string): Value | undefined;
  has(key: string): boolean;
  /** Removes the value of the key, and every container below it. */
  delete(key: string): void;
  clear(): void;
  keys(): string[];
  entries(): [string, Value][];
  /** The values that were set concurrently with the one that won. */
  conflicts(key: string): Value[];
  text(key: string): Text;
  counter(key: string): Counter;
  set(key: string): ValueSet;
  map(key: string): ValueMap;
}

/**
 * What this participant has read and written, as a token that any server of the realm understands:
 * asked with it, a server answers with at least that, waits for it, names a server that has it, or
 * refuses. All tabs with one storage are one session, and it outlives them there.
 *
 * ```ts
 * import { Document } from "crdt-wasm";
 *
 * const doc = await Document.open("notes", { storage: "indexeddb", connect: location.origin });
 * const sent = doc.session.token;
 * const answer = await fetch("/v1/docs/notes?path=body&level=causal", { headers: { "Session-Token": sent } });
 * doc.session.replace(sent, answer.headers.get("Session-Token"));
 * ```
 */
export interface Session {
  /**
   * The token for a request, or for another device; text of letters, digits, `-` and `_`, never empty.
   * It is another one after each change. What servers have attested goes along as they signed it; changes
   * that no server has attested yet, offline ones above all, are named beside it, unsigned: they are asked
   * for by `ryw` (and so by `session` and `causal`), whoever made them. Reading it
   * throws with the code `limit` where it would exceed 4 KB.
   */
  readonly token: string;
  /**
   * Takes in the token of an answer to a request that had `sent` with it; without one in the answer
   * nothing happens. Answers may overtake each other. Throws with the codes `decode`, `limit`,
   * `unrelated` (of another realm) and `unsupported`, and the session is as it was.
   */
  replace(sent: string, answer: string | null | undefined): void;
  /**
   * Takes in the token of another session, of the same person on another device for example: what that
   * has seen, this one has. Throws as `replace` does.
   */
  join(token: string): void;
  /** Begins anew, after an answer that says so (`urn:crdt-server:session-over`): nothing was read yet. */
  restart(): void;
}

/** Someone who has the document open at the moment. */
export interface Participant {
  readonly id: string;
  readonly state: unknown;
}

/** Who else is here: sent and shown, never stored, and gone when the sign of life stays out. */
export interface Presence {
  /** This participant's state as the others see it: anything that JSON can hold. */
  readonly state: unknown;
  /** Replaces the state; `undefined` leaves. */
  set(state: unknown): void;
  others(): Participant[];
}

// ---------------------------------------------------------------------------------------------
// What providers implement. The package's own are below; others may take their place.

/** The right to write under one replica id. */
export interface Lease {
  readonly id: string;
  readonly replica: Uint8Array;
  /** The number of the last change that was stored under it. */
  readonly sequence: number;
}

export interface StoredEntry {
  readonly key: number;
  readonly bundle: Uint8Array;
}

export interface Stored {
  readonly entries: readonly StoredEntry[];
  readonly lease: Lease;
}

/** A session, as it is kept for the next time. */
export interface SavedSession {
  readonly token: string;
  /** What the token covers of the document. */
  readonly attested: Uint8Array;
}

/** A place for the changes of one document. */
export interface Storage {
  /** Tabs with storages of one name share what is stored. */
  readonly name: string;
  load(): Promise<Stored>;
  /** A lease that nobody has used, at once; `instead` of one that nobody shall use again. */
  mintLease(instead?: Lease): Lease;
  /** Starts its write before it returns; resolves when that is durable. */
  append(bundle: Uint8Array, lease: Lease): Promise<number>;
  /** Puts one bundle in the place of the entries that it covers, all or nothing. */
  replace(bundle: Uint8Array, covered: readonly number[]): Promise<number>;
  loadAcknowledged(server: string): Promise<Uint8Array | undefined>;
  saveAcknowledged(server: string, version: Uint8Array): Promise<void>;
  /** With this and the next one, sessions outlive the page. */
  loadSession?(): Promise<SavedSession | undefined>;
  /** Stores what `update` makes of what is stored, all at once: other tabs do the same. */
  updateSession?(update: (stored: SavedSession | undefined) => SavedSession): Promise<void>;
  close(): void;
}

/** A way to a server. */
export interface Network {
  /** Under which name the document remembers what the server holds. */
  readonly name: string;
  open(document: string, token: string | undefined, peer: NetworkPeer): NetworkChannel;
}

/** What a network tells about a channel. */
export interface NetworkPeer {
  connecting(): void;
  up(): void;
  message(message: Uint8Array): void;
  /** What the server attests of this session: the bytes of a token. */
  attested?(token: Uint8Array): void;
  /** The connection is gone; the next attempt is at this time. */
  down(retryAt: number): void;
  /** The server will not have it; the channel is closed. */
  refused(reason: string, text: string): void;
}

export interface NetworkChannel {
  isWritable(): boolean;
  send(message: Uint8Array): void;
  /** When something last arrived from the server, in milliseconds since 1970. */
  silentSince(): number;
  /** The connection does not answer: make another. */
  reconnect(): void;
  close(): void;
}

/** Other tabs. */
export interface Tabs {
  post(message: TabMessage): void;
  close(): void;
}

/**
 * What tabs tell each other. `stored` comes from a tab with the same storage: what was just
 * written there, under which key, and all that is there. `version` asks for what its sender
 * lacks; `changes` answers.
 */
export type TabMessage =
  | { readonly type: "stored"; readonly key: number; readonly bundle: Uint8Array; readonly version: Uint8Array }
  | { readonly type: "version"; readonly version: Uint8Array; readonly isAnswer: boolean }
  | { readonly type: "changes"; readonly bundle: Uint8Array }
  | { readonly type: "session"; readonly token: string; readonly isNew: boolean }
  | { readonly type: "presence"; readonly update: Uint8Array };

export class IndexedDbStorage implements Storage {
  private constructor();
  static open(document: string, options?: { durability?: "strict" | "relaxed" }): Promise<IndexedDbStorage>;
  /** Deletes what this browser stores of a document. */
  static delete(document: string): Promise<void>;
  readonly name: string;
  load(): Promise<Stored>;
  mintLease(instead?: Lease): Lease;
  append(bundle: Uint8Array, lease: Lease): Promise<number>;
  replace(bundle: Uint8Array, covered: readonly number[]): Promise<number>;
  loadAcknowledged(server: string): Promise<Uint8Array | undefined>;
  saveAcknowledged(server: string, version: Uint8Array): Promise<void>;
  loadSession(): Promise<SavedSession | undefined>;
  updateSession(update: (stored: SavedSession | undefined) => SavedSession): Promise<void>;
  close(): void;
}

export class WebSocketNetwork implements Network {
  constructor(url: string | URL, options?: { random?: () => number });
  /** The page's one connection to a server. */
  static shared(url: string | URL): WebSocketNetwork;
  readonly name: string;
  open(document: string, token: string | undefined, peer: NetworkPeer): NetworkChannel;
}

export class BroadcastTabs implements Tabs {
  constructor(name: string, receive: (message: TabMessage) => void);
  post(message: TabMessage): void;
  close(): void;
}
