// Between a document and its storage: hands over each change in the tick in which it was made,
// and tells the document what is durable. Without a storage, what is in memory counts as such.

import { crdtError } from "./errors.js";

/** After so many entries since the last one, the log becomes one entry. */
const ENTRIES_MAX = 256;

/** The pauses after which a failed write is tried again: the first, and the longest. */
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 30_000;

/**
 * @typedef {import("./pkg/crdt_wasm.js").DocumentHandle} DocumentHandle
 * @typedef {import("./index.js").Storage} Storage
 * @typedef {import("./index.js").Lease} Lease
 * @typedef {object} PersistenceHost
 * @property {(key: number | undefined, bundle: Uint8Array, version: Uint8Array) => void} stored
 * @property {() => void} durable more is durable than before
 * @property {() => void} failing whether the storage works has changed
 */

export class Persistence {
  #handle;
  #storage;
  #host;
  /** @type {Lease} */
  #lease = volatileLease();
  /** Whether this document has made a change, and so has the id of its lease. */
  #isInUse = false;
  /** The number of the last change that this document made under its lease. */
  #sequence = 0;
  /** The keys of entries whose changes this document holds. @type {Set<number>} */
  #covered = new Set();
  /** Counts up when writes have failed: what is still under way then counts no more. */
  #generation = 0;
  #failures = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;
  #isCompacting = false;
  #isClosed = false;
  /** @type {import("./index.js").CrdtError | undefined} */
  error;

  /**
   * @param {DocumentHandle} handle
   * @param {Storage | undefined} storage
   * @param {PersistenceHost} host
   */
  constructor(handle, storage, host) {
    this.#handle = handle;
    this.#storage = storage;
    this.#host = host;
  }

  /** Takes in all that is stored. */
  async load() {
    if (this.#storage === undefined) return;
    const { entries, lease } = await this.#storage.load();
    let left = entries;
    // An entry may depend on a later one, where two tabs wrote and one of them compacted.
    for (let before = Infinity; left.length > 0 && left.length < before; ) {
      before = left.length;
      left = left.filter(({ key, bundle }) => !this.#takeIn(key, bundle));
    }
    if (left.length > 0) throw crdtError("storage", `${left.length} stored entries depend on changes that are not stored`);
    this.#handle.setStored(this.#handle.version());
    // The number that the lease vouches for must be the one that is there; otherwise the
    // storage is not what this lease's last holder left, and another id is safe.
    const isContinuous = this.#handle.sequenceOf(lease.replica) === lease.sequence;
    this.#lease = isContinuous ? lease : this.#storage.mintLease(lease);
    this.#sequence = this.#lease.sequence;
    if (this.#covered.size > ENTRIES_MAX) this.#compact();
  }

  /**
   * @param {number} key
   * @param {Uint8Array} bundle
   */
  #takeIn(key, bundle) {
    try {
      this.#handle.import(bundle);
    } catch (error) {
      if (/** @type {{ code?: string }} */ (error).code === "missing") return false;
      throw crdtError("storage", `the stored entry ${key} cannot be read`, error);
    }
    this.#covered.add(key);
    return true;
  }

  /** Gives the document the id under which it writes, before its first change. */
  assumeReplica() {
    if (this.#isInUse) return;
    this.#handle.setReplica(this.#lease.replica);
    this.#isInUse = true;
  }

  /** This document made a change. */
  madeChange() {
    this.#sequence = this.#handle.sequenceOf(this.#lease.replica);
  }

  /**
   * Changes came from outside. If some are under this document's own id, another copy of this
   * profile writes under it too, or the storage has forgotten them: a new id is safe.
   */
  tookChanges() {
    if (this.#handle.sequenceOf(this.#lease.replica) === this.#sequence) return;
    this.#lease = this.#storage?.mintLease(this.#lease) ?? volatileLease();
    this.#sequence = 0;
    if (this.#isInUse) this.#handle.setReplica(this.#lease.replica);
  }

  /** Starts writing what is not being written yet. */
  flush() {
    if (this.#isClosed || this.#retryTimer !== undefined) return;
    const bundle = this.#handle.takeUnstored();
    if (bundle === undefined) return;
    const version = this.#handle.takenVersion();
    if (this.#storage === undefined) {
      this.#handle.setStored(version);
      this.#host.stored(undefined, bundle, version);
      this.#host.durable();
      return;
    }
    const generation = this.#generation;
    this.#lease = { ...this.#lease, sequence: this.#handle.sequenceOf(this.#lease.replica) };
    this.#write(this.#storage, bundle).then(
      (key) => this.#written(generation, key, bundle, version),
      (error) => this.#failed(generation, error),
    );
  }

  /**
   * @param {Storage} storage
   * @param {Uint8Array} bundle
   */
  async #write(storage, bundle) {
    return storage.append(bundle, this.#lease);
  }

  /**
   * @param {number} generation
   * @param {number} key
   * @param {Uint8Array} bundle
   * @param {Uint8Array} version
   */
  #written(generation, key, bundle, version) {
    this.#covered.add(key);
    if (generation !== this.#generation || this.#isClosed) return;
    this.#failures = 0;
    this.#setError(undefined);
    this.#handle.setStored(version);
    this.#host.stored(key, bundle, version);
    this.#host.durable();
    if (this.#covered.size > ENTRIES_MAX) this.#compact();
  }

  /**
   * @param {number} generation
   * @param {unknown} error
   */
  #failed(generation, error) {
    if (generation !== this.#generation || this.#isClosed) return;
    this.#generation += 1;
    this.#handle.forgetTaken();
    const pause = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.flush();
    }, pause);
    this.#setError(crdtError("storage", "changes cannot be stored at the moment", error));
  }

  /** @param {import("./index.js").CrdtError | undefined} error */
  #setError(error) {
    if (this.error === undefined && error === undefined) return;
    this.error = error;
    this.#host.failing();
  }

  /** Another tab has stored something in the storage that this one uses too. @param {number} key */
  cover(key) {
    if (this.#storage !== undefined) this.#covered.add(key);
  }

  /** One entry in the place of all that this document holds. */
  #compact() {
    const storage = this.#storage;
    if (storage === undefined || this.#isCompacting) return;
    this.#isCompacting = true;
    // What is not written yet goes first: its lease is stored with it.
    this.flush();
    const covered = [...this.#covered];
    storage
      .replace(this.#handle.encode(), covered)
      .then(
        (key) => {
          for (const gone of covered) this.#covered.delete(gone);
          this.#covered.add(key);
        },
        // The log is longer than it need be, and complete.
        () => undefined,
      )
      .finally(() => {
        this.#isCompacting = false;
      });
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    this.#storage?.close();
  }
}

/** @returns {Lease} an id that ends with this document */
function volatileLease() {
  return { id: "", replica: crypto.getRandomValues(new Uint8Array(16)), sequence: 0 };
}
