//! A store double whose sync the test withholds.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard};

use crdt_server::store::{Content, Store, StoreError, StoredDocument, Write};

/// A store in memory. A commit waits until the test lets it through, or makes it fail.
#[derive(Debug, Default)]
pub struct GatedStore {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    documents: BTreeMap<String, StoredDocument>,
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
    fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
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
        for write in writes {
            let stored = state.documents.entry(write.document.to_string()).or_default();
            match &write.content {
                Content::Changes(bytes) => stored.log.push(bytes.clone()),
                Content::Snapshot(bytes) => {
                    stored.snapshot = Some(bytes.clone());
                    stored.log.clear();
                }
            }
            stored.owners.extend(write.owners.iter().copied());
        }
        Ok(())
    }

    fn load(&self, document: &str) -> Result<StoredDocument, StoreError> {
        Ok(self.state().documents.get(document).cloned().unwrap_or_default())
    }
}
