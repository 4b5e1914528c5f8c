// The document as the application sees it: containers, transactions, events, and the parts
// that store, send and show. One object in WebAssembly stands behind it; what merges is there.

import { wellFormed } from "./check.js";
import { Containers } from "./containers.js";
import { Emitter } from "./emitter.js";
import { crdtError } from "./errors.js";
import { shapeChange } from "./events.js";
import { Persistence } from "./persistence.js";
import { DocumentHandle } from "./pkg/crdt_wasm.js";
import { Presence } from "./presence.js";
import { BroadcastTabs } from "./providers/broadcast.js";
import { IndexedDbStorage } from "./providers/indexeddb.js";
import { WebSocketNetwork } from "./providers/websocket.js";
import { randomU64 } from "./random.js";
import { RECEIVED_CHANGES, RECEIVED_PRESENCE, Replication } from "./replication.js";
import { Session } from "./session.js";
import { TabSync } from "./tab_sync.js";
import { init } from "./wasm.js";

/**
 * How long what the server acknowledged, and what it attests, may stay unsaved: the one is for display
 * only, and in the place of the other a later token names the changes themselves.
 */
const KNOWN_MS = 500;

const PRESENCE_TTL_MS = 30_000;

/**
 * @typedef {import("./index.js").OpenOptions} OpenOptions
 * @typedef {import("./index.js").DocumentEvents} DocumentEvents
 * @typedef {import("./index.js").ChangeEvent} ChangeEvent
 * @typedef {import("./index.js").Status} Status
 */

export class Document {
  #handle;
  #isClosed = false;
  #isInTransaction = false;
  #isTickDue = false;
  /** @type {Emitter<DocumentEvents>} */
  #emitter = new Emitter();
  /** @type {ChangeEvent[]} */
  #events = [];
  #containers = new Containers({
    handle: () => this.#open(),
    write: (change) => this.transact(() => change(this.#handle)),
  });
  #persistence;
  /** @type {Replication | undefined} */
  #replication;
  /** @type {TabSync | undefined} */
  #tabs;
  #storage;
  #network;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #knownTimer;
  /** Whether the session has begun anew since it was saved. */
  #isSessionNew = false;
  /** @type {Status} */
  #status = { connection: "none", waiting: 0, unstored: 0, retryAt: undefined, error: undefined };
  /** Told after each tick, until they say that they have seen enough. @type {Set<() => boolean>} */
  #waiters = new Set();
  #wasOnline = false;

  name;
  presence;
  session;

  /**
   * @param {string} name
   * @param {import("./index.js").Storage | undefined} storage
   * @param {import("./index.js").Network | undefined} network
   * @param {OpenOptions} options
   * @private
   */
  constructor(name, storage, network, options) {
    this.name = name;
    this.#handle = new DocumentHandle(randomU64(), options.presenceTtlMs ?? PRESENCE_TTL_MS);
    this.#storage = storage;
    this.#network = network;
    this.#persistence = new Persistence(this.#handle, storage, {
      stored: (key, bundle, version) => this.#tabs?.stored(key, bundle, version),
      durable: () => {
        this.#replication?.pump();
        this.#tick();
      },
      failing: () => this.#tick(),
    });
    this.presence = new Presence(() => this.#open(), options.presenceTtlMs ?? PRESENCE_TTL_MS, {
      send: (update) => {
        this.#handle.presenceSend(update);
        this.#replication?.pump();
        this.#tabs?.presence(update);
      },
      changed: () => this.#emitter.emit("presence", this.presence.others()),
    });
    this.session = new Session(() => this.#open(), name, {
      changed: (token, isNew) => {
        this.#isSessionNew ||= isNew;
        this.#saveKnownSoon();
        this.#tabs?.session(token, isNew);
      },
    });
    if (network !== undefined) {
      this.#replication = new Replication(this.#handle, network, name, options.token, {
        received: (received) => this.#received(received),
        up: () => this.presence.announce(),
        attested: (token) => this.#attested(token),
        changed: () => this.#tick(),
      });
    }
    // Outside of a page or worker there are no tabs, and the channel would keep Node alive.
    if (options.tabs ?? (typeof location !== "undefined" && typeof BroadcastChannel !== "undefined")) {
      this.#tabs = new TabSync(this.#handle, (receive) => new BroadcastTabs(tabsName(name, storage), receive), {
        covered: (key) => this.#persistence.cover(key),
        changed: () => this.#received(RECEIVED_CHANGES),
        session: () => this.session.shared(),
        sessionChanged: (token, isNew) => {
          this.session.told(token, isNew);
          this.#saveKnownSoon();
        },
        presenceChanged: () => this.presence.changed(),
        newcomer: () => this.presence.announce(),
        stored: () => this.stored(),
        failed: (error) => this.#emitter.emit("error", error),
      });
    }
  }

  /**
   * @param {string} name
   * @param {OpenOptions} [options]
   * @returns {Promise<Document>}
   */
  static async open(name, options = {}) {
    wellFormed(name, "the name of a document");
    if (name === "") throw crdtError("argument", "a document needs a name");
    const network = openNetwork(options.connect);
    const storage = await openStorage(name, options);
    const document = new Document(name, storage, network, options);
    try {
      await document.#load();
    } catch (error) {
      document.#letGo();
      throw error;
    }
    if (options.offline) document.#tick();
    else document.goOnline();
    return document;
  }

  async #load() {
    // What was there at the beginning is no event.
    this.#handle.recordEvents(false);
    await this.#persistence.load();
    await this.#loadKnown();
    this.#tabs?.start();
    this.#handle.recordEvents(true);
    if (typeof addEventListener === "function") {
      addEventListener("pagehide", this.#leavePage);
      addEventListener("pageshow", this.#returnToPage);
    }
  }

  async #loadKnown() {
    const [acknowledged, session] = await Promise.all([
      this.#network && this.#storage?.loadAcknowledged(this.#network.name),
      this.#storage?.loadSession?.(),
    ]);
    if (acknowledged !== undefined) this.#handle.setAcknowledged(acknowledged);
    try {
      if (session !== undefined) this.session.load(session);
    } catch {
      // Of a later version of the package, perhaps. Who has lost the token begins a new session.
    }
  }

  get status() {
    return this.#status;
  }

  get replica() {
    return this.#open().replica();
  }

  get root() {
    return this.#containers.root;
  }

  /** @param {string} key */
  text(key) {
    return this.root.text(key);
  }

  /** @param {string} key */
  counter(key) {
    return this.root.counter(key);
  }

  /** @param {string} key */
  set(key) {
    return this.root.set(key);
  }

  /** @param {string} key */
  map(key) {
    return this.root.map(key);
  }

  /**
   * @template T
   * @param {(document: this) => T} change
   * @param {unknown} [origin]
   * @returns {T}
   */
  transact(change, origin) {
    const handle = this.#open();
    // One inside another is a part of it.
    if (this.#isInTransaction) return change(this);
    this.#persistence.assumeReplica();
    handle.begin();
    this.#isInTransaction = true;
    let result;
    try {
      result = change(this);
      if (isThenable(result)) throw crdtError("transaction", "a transaction cannot wait: its function must not be async");
      handle.commit();
    } catch (error) {
      handle.rollback();
      throw error;
    } finally {
      this.#isInTransaction = false;
    }
    this.#persistence.madeChange();
    this.#changed(true, origin);
    return result;
  }

  /**
   * @template {keyof DocumentEvents} Name
   * @param {Name} name
   * @param {(event: DocumentEvents[Name]) => void} listener
   */
  on(name, listener) {
    return this.#emitter.on(name, listener);
  }

  /** @returns {{ [key: string]: unknown }} */
  toJSON() {
    return this.#open().toValue();
  }

  encode() {
    return this.#open().encode();
  }

  /** @param {Uint8Array} bytes */
  import(bytes) {
    if (!(bytes instanceof Uint8Array)) throw crdtError("argument", "a bundle of changes is a Uint8Array");
    this.#open().import(bytes);
    this.#received(RECEIVED_CHANGES);
  }

  flush() {
    this.#open();
    if (this.#isInTransaction) throw crdtError("transaction", "a transaction is not over: there is nothing to tell yet");
    this.#isTickDue = false;
    this.#persistence.flush();
    // A listener may close the document, or flush again: each event is told once, in order.
    for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) {
      this.#emitter.emit("change", event);
    }
    if (!this.#isClosed) this.#tellStatus();
  }

  goOffline() {
    this.#open();
    this.#replication?.stop();
  }

  goOnline() {
    this.#open();
    this.#replication?.start();
    this.#tick();
  }

  stored() {
    const version = this.#open().version();
    return this.#until(() => this.#handle.isStored(version));
  }

  acknowledged() {
    const version = this.#open().version();
    return this.#until(() => this.#handle.isAcknowledged(version));
  }

  /** What `rebase` need not do again. */
  acknowledgedVersion() {
    return this.#open().acknowledged();
  }

  upToDate() {
    this.#open();
    return this.#until(() => this.#network === undefined || this.#handle.isUpToDate());
  }

  async close() {
    if (this.#isClosed) return;
    const version = this.#handle.version();
    const isStored = () => this.#handle.isStored(version);
    // A storage that fails may fail for ever: nobody shall wait for that.
    await this.#until(() => isStored() || this.#persistence.error !== undefined);
    if (this.#isClosed) return;
    const failure = isStored() ? undefined : this.#persistence.error;
    this.presence.set(undefined);
    await this.#saveKnown();
    this.#letGo();
    if (failure !== undefined) throw failure;
  }

  #letGo() {
    this.#isClosed = true;
    clearTimeout(this.#knownTimer);
    this.presence.close();
    this.#replication?.stop();
    this.#tabs?.close();
    this.#persistence.close();
    this.#emitter.clear();
    for (const isDone of this.#waiters) isDone();
    if (typeof removeEventListener === "function") {
      removeEventListener("pagehide", this.#leavePage);
      removeEventListener("pageshow", this.#returnToPage);
    }
    this.#handle.free();
  }

  #open() {
    if (this.#isClosed) throw crdtError("closed", `the document "${this.name}" was closed`);
    return this.#handle;
  }

  // What happens after a change.

  /** @param {number} received */
  #received(received) {
    if (received & RECEIVED_CHANGES) {
      this.#persistence.tookChanges();
      this.#changed(false, undefined);
    }
    if (received & RECEIVED_PRESENCE) this.presence.changed();
    this.#tick();
  }

  /** @param {Uint8Array} token */
  #attested(token) {
    try {
      this.session.attest(token);
    } catch (error) {
      this.#emitter.emit("error", /** @type {import("./index.js").CrdtError} */ (error));
    }
  }

  /**
   * @param {boolean} local
   * @param {unknown} origin
   */
  #changed(local, origin) {
    const drained = this.#handle.drainEvents();
    if (drained.length > 0) {
      const changes = drained.map((row) => shapeChange(row, this.#containers));
      this.#events.push({ local, origin, changes });
    }
    this.#tick();
  }

  /** Everything of one turn of the event loop together: one write, then the events. */
  #tick() {
    if (this.#isTickDue) return;
    this.#isTickDue = true;
    queueMicrotask(() => {
      if (this.#isTickDue && !this.#isClosed) this.flush();
    });
  }

  #tellStatus() {
    /** @type {Status} */
    const status = {
      connection: this.#replication?.state ?? "none",
      waiting: this.#network === undefined ? 0 : this.#handle.waiting(),
      unstored: this.#handle.unstored(),
      retryAt: this.#replication?.retryAt,
      error: this.#replication?.error ?? this.#persistence.error,
    };
    for (const isDone of [...this.#waiters]) if (isDone()) this.#waiters.delete(isDone);
    if (isSame(status, this.#status)) return;
    if (status.waiting !== this.#status.waiting) this.#saveKnownSoon();
    this.#status = status;
    this.#emitter.emit("status", status);
  }

  /**
   * @param {() => boolean} condition
   * @returns {Promise<void>}
   */
  #until(condition) {
    if (condition()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.add(() => {
        if (this.#isClosed) reject(crdtError("closed", `the document "${this.name}" was closed`));
        else if (condition()) resolve();
        else return false;
        return true;
      });
    });
  }

  #saveKnownSoon() {
    this.#knownTimer ??= setTimeout(() => this.#saveKnown(), KNOWN_MS);
  }

  /**
   * So that a page that opens without a connection knows how much is waiting, and goes on with its
   * session.
   */
  async #saveKnown() {
    clearTimeout(this.#knownTimer);
    this.#knownTimer = undefined;
    const storage = this.#storage;
    if (storage === undefined || this.#isClosed) return;
    const session = this.session.save();
    const isNew = this.#isSessionNew;
    this.#isSessionNew = false;
    await Promise.allSettled([
      // For display only: if this fails, the count starts from zero known.
      this.#network && storage.saveAcknowledged(this.#network.name, this.#handle.acknowledged()),
      // What an older one says is true too: its token names more of the changes that are stored.
      storage.updateSession?.((stored) => (isNew ? session : Session.joined(session, stored))),
    ]);
  }

  #leavePage = () => {
    this.#wasOnline = this.#replication !== undefined && this.#replication.state !== "offline";
    this.presence.withdraw();
    this.#replication?.stop();
    void this.#saveKnown();
  };

  /** @param {PageTransitionEvent} event */
  #returnToPage = (event) => {
    if (!event.persisted) return;
    if (this.#wasOnline) this.#replication?.start();
    this.presence.announce();
  };
}

/**
 * Opens the storage while the module is loading.
 *
 * @param {string} name
 * @param {OpenOptions} options
 * @returns {Promise<import("./index.js").Storage | undefined>}
 */
async function openStorage(name, { storage, wasm }) {
  const [opened, loaded] = await Promise.allSettled([
    storage === "indexeddb" ? IndexedDbStorage.open(name) : storage,
    init(wasm),
  ]);
  if (opened.status === "rejected") throw opened.reason;
  if (loaded.status === "fulfilled") return opened.value;
  opened.value?.close();
  throw loaded.reason;
}

/**
 * @param {OpenOptions["connect"]} connect
 * @returns {import("./index.js").Network | undefined}
 */
function openNetwork(connect) {
  return typeof connect === "string" || connect instanceof URL ? WebSocketNetwork.shared(connect) : connect;
}

/**
 * Tabs understand each other's messages only if they store in the same place.
 *
 * @param {string} name
 * @param {import("./index.js").Storage | undefined} storage
 */
function tabsName(name, storage) {
  return storage === undefined ? `crdt-memory/${name}` : `crdt-stored/${storage.name}`;
}

/** @param {unknown} value */
function isThenable(value) {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/**
 * @param {Status} a
 * @param {Status} b
 */
function isSame(a, b) {
  return (
    a.connection === b.connection &&
    a.waiting === b.waiting &&
    a.unstored === b.unstored &&
    a.retryAt === b.retryAt &&
    a.error === b.error
  );
}
