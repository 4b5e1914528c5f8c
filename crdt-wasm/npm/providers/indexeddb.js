// The storage of a browser: one IndexedDB database per document, shared by all tabs.
//
// A document is a log of bundles under ascending keys; loading imports them all, in any
// number and order, since importing twice changes nothing. Each tab appends what it wrote and
// what it received. Compaction replaces bundles that one tab has taken in by one bundle that
// holds them all, in one transaction; entries that it has not seen stay. So tabs need no
// agreement about the log.
//
// A tab that writes holds a *lease*: a replica id, an exclusive Web Lock of that name, and the
// number of the last change written under it, stored in the transaction that stores the change.
// The next tab to win the lock may go on under the same id, because nothing is sent before it
// is stored. Where there are no Web Locks each opening takes a new id.

import { crdtError } from "../errors.js";

const CHANGES = "changes";
const LEASES = "leases";
const ACKNOWLEDGED = "acknowledged";

/** The key of the session among what is known of servers, whose keys are addresses. */
const SESSION = "session";

/**
 * @typedef {import("../index.js").Storage} Storage
 * @typedef {import("../index.js").Lease} Lease
 * @typedef {import("../index.js").Stored} Stored
 * @typedef {import("../index.js").SavedSession} SavedSession
 */

/** @implements {Storage} */
export class IndexedDbStorage {
  #database;
  #durability;
  #closed = false;
  /** @type {Set<() => void>} */
  #releases = new Set();

  /**
   * @param {IDBDatabase} database
   * @param {"strict" | "relaxed"} durability
   */
  constructor(database, durability) {
    this.#database = database;
    this.#durability = durability;
  }

  /**
   * Opens the database of a document, so that a later write need not wait for that.
   *
   * `durability: "strict"` (the default) reports a change as stored when it is on the disk;
   * `"relaxed"` when the system has it, which survives the browser but not the machine.
   *
   * @param {string} document
   * @param {{ durability?: "strict" | "relaxed" }} [options]
   * @returns {Promise<IndexedDbStorage>}
   */
  static async open(document, options = {}) {
    if (typeof indexedDB === "undefined") throw crdtError("storage", "this environment has no IndexedDB");
    const opening = indexedDB.open(databaseName(document), 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore(CHANGES, { autoIncrement: true });
      opening.result.createObjectStore(LEASES);
      opening.result.createObjectStore(ACKNOWLEDGED);
    };
    const database = await result(opening);
    // Another tab that deletes the database must not be kept waiting by this one.
    database.onversionchange = () => database.close();
    return new IndexedDbStorage(database, options.durability ?? "strict");
  }

  /**
   * Deletes what this browser stores of a document. Tabs that have it open can store no more.
   *
   * @param {string} document
   */
  static async delete(document) {
    await result(indexedDB.deleteDatabase(databaseName(document)));
  }

  /** The name that tabs with this storage have in common. */
  get name() {
    return this.#database.name;
  }

  /** @returns {Promise<Stored>} */
  async load() {
    // The lock first: what is read afterwards includes all that its last holder wrote.
    const lease = await this.#winLease();
    const transaction = this.#database.transaction([CHANGES, LEASES], "readonly");
    const store = transaction.objectStore(CHANGES);
    const [keys, bundles, sequence] = await Promise.all([
      result(store.getAllKeys()),
      result(store.getAll()),
      result(transaction.objectStore(LEASES).get(lease.id)),
    ]);
    return {
      entries: bundles.map((bundle, index) => ({ key: Number(keys[index]), bundle })),
      lease: { ...lease, sequence: sequence ?? 0 },
    };
  }

  /**
   * A lease under which nothing was written yet.
   *
   * @param {Lease} [instead] the lease that it replaces, which nobody shall take again
   * @returns {Lease}
   */
  mintLease(instead) {
    if (instead !== undefined) {
      // If this fails, its next holder finds the same reason to give it up.
      this.#forget(instead.id).catch(() => undefined);
    }
    const replica = crypto.getRandomValues(new Uint8Array(16));
    const id = hex(replica);
    void this.#lock(id);
    return { id, replica, sequence: 0 };
  }

  /**
   * Appends a bundle. The write starts before this returns; it is stored when the promise
   * resolves, with the key of its entry.
   *
   * @param {Uint8Array} bundle
   * @param {Lease} lease
   * @returns {Promise<number>}
   */
  async append(bundle, lease) {
    const transaction = this.#write([CHANGES, LEASES], this.#durability);
    const adding = transaction.objectStore(CHANGES).add(bundle);
    // Without locks nobody could prove that a lease is free.
    if (lease.sequence > 0 && locks() !== undefined) {
      transaction.objectStore(LEASES).put(lease.sequence, lease.id);
    }
    await committed(transaction);
    return Number(adding.result);
  }

  /**
   * Puts one bundle in the place of the entries that it covers.
   *
   * @param {Uint8Array} bundle
   * @param {readonly number[]} covered
   * @returns {Promise<number>}
   */
  async replace(bundle, covered) {
    const transaction = this.#write([CHANGES], this.#durability);
    const store = transaction.objectStore(CHANGES);
    const adding = store.add(bundle);
    for (const key of covered) store.delete(key);
    await committed(transaction);
    return Number(adding.result);
  }

  /**
   * What a server was last known to hold: for the count of waiting changes after a reload.
   *
   * @param {string} server
   * @returns {Promise<Uint8Array | undefined>}
   */
  async loadAcknowledged(server) {
    return result(this.#database.transaction([ACKNOWLEDGED], "readonly").objectStore(ACKNOWLEDGED).get(server));
  }

  /**
   * @param {string} server
   * @param {Uint8Array} version
   */
  async saveAcknowledged(server, version) {
    const transaction = this.#write([ACKNOWLEDGED], "relaxed");
    transaction.objectStore(ACKNOWLEDGED).put(version, server);
    await committed(transaction);
  }

  /** The session that this document was last used in. @returns {Promise<SavedSession | undefined>} */
  async loadSession() {
    return result(this.#database.transaction([ACKNOWLEDGED], "readonly").objectStore(ACKNOWLEDGED).get(SESSION));
  }

  /**
   * Other tabs keep the same session: what one writes is made of what is there.
   *
   * @param {(stored: SavedSession | undefined) => SavedSession} update
   */
  async updateSession(update) {
    const transaction = this.#write([ACKNOWLEDGED], "relaxed");
    const store = transaction.objectStore(ACKNOWLEDGED);
    store.put(update(await result(store.get(SESSION))), SESSION);
    await committed(transaction);
  }

  /** @param {string} id */
  async #forget(id) {
    const transaction = this.#write([LEASES], "relaxed");
    transaction.objectStore(LEASES).delete(id);
    await committed(transaction);
  }

  close() {
    this.#closed = true;
    this.#database.close();
    for (const release of this.#releases) release();
    this.#releases.clear();
  }

  /**
   * @param {string[]} stores
   * @param {"strict" | "relaxed"} durability
   */
  #write(stores, durability) {
    try {
      return this.#database.transaction(stores, "readwrite", { durability });
    } catch (error) {
      throw crdtError("storage", "the database is closed", error);
    }
  }

  /** @returns {Promise<{ id: string, replica: Uint8Array }>} */
  async #winLease() {
    const transaction = this.#database.transaction([LEASES], "readonly");
    const known = await result(transaction.objectStore(LEASES).getAllKeys());
    for (const id of known.map(String)) {
      if (await this.#lock(id)) return { id, replica: bytes(id) };
    }
    return this.mintLease();
  }

  /**
   * Holds the lock of a lease until `close`, if nobody else holds it.
   *
   * @param {string} id
   * @returns {Promise<boolean>}
   */
  #lock(id) {
    const manager = locks();
    if (manager === undefined) return Promise.resolve(false);
    return new Promise((resolve) => {
      manager
        .request(`${this.name}/${id}`, { ifAvailable: true }, (lock) => {
          resolve(lock !== null);
          if (lock === null || this.#closed) return undefined;
          return new Promise((release) => this.#releases.add(() => release(undefined)));
        })
        // A page that may not lock at all is a page that takes new ids.
        .catch(() => resolve(false));
    });
  }
}

/** @returns {LockManager | undefined} only in a secure context */
function locks() {
  return typeof navigator === "undefined" ? undefined : navigator.locks;
}

/** @param {string} document */
function databaseName(document) {
  return `crdt/${document}`;
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(crdtError("storage", "the database could not be read", request.error));
  });
}

/**
 * Commits at once, without a turn of the event loop in which the page could go away.
 *
 * @param {IDBTransaction} transaction
 * @returns {Promise<void>}
 */
function committed(transaction) {
  transaction.commit();
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(crdtError("storage", "the change could not be stored", transaction.error));
  });
}

/** @param {Uint8Array} replica */
function hex(replica) {
  return Array.from(replica, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} id */
function bytes(id) {
  return Uint8Array.from(id.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
