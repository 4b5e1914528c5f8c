//! What is stored, as the storage provider reports it, and what it is to store next.
//!
//! Bundles are *taken* to be stored, in order, before the earlier ones are reported as *stored*;
//! if one fails, what was taken after it proves nothing, and all of it is taken anew.

use alloc::vec::Vec;

use crdt_core::VersionVector;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::DocumentHandle;
use crate::convert::version_to_js;
use crate::error::Thrown;
use crate::given::version_from_js;

/// How far the storage is.
#[derive(Debug, Default)]
pub(crate) struct Storage {
    /// What was handed over to be stored, or is stored.
    taken: VersionVector,
    /// What is stored for certain.
    pub(crate) stored: VersionVector,
}

#[wasm_bindgen]
impl DocumentHandle {
    /// The changes that were not handed over yet, as a bundle to store; `undefined` if there
    /// are none.
    #[wasm_bindgen(js_name = takeUnstored)]
    pub fn take_unstored(&mut self) -> Option<Vec<u8>> {
        let version = self.document.version();
        if self.storage.taken.dominates(version) {
            return None;
        }
        let bundle = self.document.changes_since(&self.storage.taken);
        self.storage.taken.join(version);
        Some(bundle)
    }

    /// The version up to which changes were handed over: what is stored once the bundle that
    /// was taken last, and those before it, are.
    #[wasm_bindgen(js_name = takenVersion)]
    pub fn taken_version(&self) -> Vec<u8> {
        version_to_js(&self.storage.taken)
    }

    /// A bundle could not be stored: what is not stored for certain is taken again.
    #[wasm_bindgen(js_name = forgetTaken)]
    pub fn forget_taken(&mut self) {
        self.storage.taken = self.storage.stored.clone();
    }

    /// All changes up to a version are stored, and may be sent.
    #[wasm_bindgen(js_name = setStored)]
    pub fn set_stored(&mut self, version: &[u8]) -> Result<(), Thrown> {
        let version = version_from_js(version)?;
        self.advance_stored(&version);
        Ok(())
    }

    /// All changes up to a version are stored, by someone else, in the storage of this
    /// document: those of them that it holds are stored for it too.
    #[wasm_bindgen(js_name = setStoredElsewhere)]
    pub fn set_stored_elsewhere(&mut self, version: &[u8]) -> Result<(), Thrown> {
        let mut version = version_from_js(version)?;
        version.meet(self.document.version());
        self.advance_stored(&version);
        Ok(())
    }

    /// How many changes are not stored yet.
    pub fn unstored(&self) -> f64 {
        missing(self.document.version(), &self.storage.stored)
    }

    /// Whether all changes up to a version are stored.
    #[wasm_bindgen(js_name = isStored)]
    pub fn is_stored(&self, version: &[u8]) -> Result<bool, Thrown> {
        Ok(self.storage.stored.dominates(&version_from_js(version)?))
    }
}

impl DocumentHandle {
    fn advance_stored(&mut self, version: &VersionVector) {
        self.storage.stored.join(version);
        self.storage.taken.join(version);
        self.tell_session_what_is_stored();
    }
}

/// How many events of `version` are not in `known`.
pub(crate) fn missing(version: &VersionVector, known: &VersionVector) -> f64 {
    version.missing_from(known).map(|range| range.len()).fold(0, u64::saturating_add) as f64
}
