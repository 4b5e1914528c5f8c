//! A store double whose sync the test withholds.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use crdt_server::store::{
    EmbeddedStore, Held, LogEntry, RealmNote, RealmState, Store, StoreError, StoredDocument,
    VersionDigest, Write,
};

/// A store in memory. A commit waits until the test lets it through, or makes it fail.
#[derive(Debug)]
pub struct GatedStore {
    store: EmbeddedStore,
    state: Mutex<State>,
    changed: Condvar,
}

impl Default for GatedStore {
    fn default() -> Self {
        let store = EmbeddedStore::with_backend(super::medium::Medium::default());
        let store = store.expect("a new store");
        Self { store, state: Mutex::default(), changed: Condvar::default() }
    }
}

#[derive(Debug, Default)]
struct State {
    groups: Vec<usize>,
    waiting: bool,
    closed: bool,
    fails: bool,
}

impl GatedStore {
    /// From now on commits wait.
    pub fn withhold(&self) {
        self.state().closed = true;
    }

    /// Lets commits through, those that wait and those to come.
    pub fn release(&self) {
        self.state().closed = false;
        self.changed.notify_all();
    }

    /// Lets commits through, to fail.
    pub fn fail(&self) {
        let mut state = self.state();
        (state.closed, state.fails) = (false, true);
        drop(state);
        self.changed.notify_all();
    }

    /// Returns once a commit waits.
    pub fn until_a_commit_waits(&self) {
        let state = self.state();
        drop(self.changed.wait_while(state, |state| !state.waiting).expect("no panic"));
    }

    /// How many writes each commit had.
    pub fn groups(&self) -> Vec<usize> {
        self.state().groups.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic under the lock")
    }
}

impl Store for GatedStore {
    fn commit(
        &self,
        writes: &[Write],
        log: &[LogEntry],
        stratum: Option<u64>,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        state.waiting = true;
        self.changed.notify_all();
        state = self.changed.wait_while(state, |state| state.closed).expect("no panic");
        state.waiting = false;
        if state.fails {
            let source = std::io::Error::other("the sync failed");
            return Err(StoreError::Path { path: "double".into(), source });
        }
        state.groups.push(writes.len());
        self.store.commit(writes, log, stratum)
    }

    fn load(&self, document: &str) -> Result<StoredDocument, StoreError> {
        self.store.load(document)
    }

    fn realm(&self) -> Result<RealmState, StoreError> {
        self.store.realm()
    }

    fn note(&self, note: &RealmNote) -> Result<(), StoreError> {
        self.store.note(note)
    }

    fn admissions(&self, after: u64, max: usize) -> Result<Vec<LogEntry>, StoreError> {
        self.store.admissions(after, max)
    }

    fn documents(
        &self,
        after: &str,
        max: usize,
    ) -> Result<Vec<(Arc<str>, VersionDigest)>, StoreError> {
        self.store.documents(after, max)
    }

    fn digest(&self, document: &str) -> Result<Option<VersionDigest>, StoreError> {
        self.store.digest(document)
    }

    fn keep_held(&self, keep: bool) -> Result<(), StoreError> {
        self.store.keep_held(keep)
    }

    fn held(&self, document: &str) -> Result<Vec<Held>, StoreError> {
        self.store.held(document)
    }

    fn older_documents(
        &self,
        after: &str,
        position: u64,
        max: usize,
    ) -> Result<Vec<Arc<str>>, StoreError> {
        self.store.older_documents(after, position, max)
    }
}
