//! What the session token has to tell of this document beside what servers attest.
//!
//! The token itself is JavaScript's (`session_token.js`): attestations are opaque to clients, and to
//! join them takes no document. Here is what is known of versions: which changes the attestations
//! cover, and which have to be named in the token's unsigned tail.

use alloc::vec::Vec;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::DocumentHandle;
use crate::convert::version_to_js;
use crate::error::Thrown;
use crate::given::{replica_from_js, version_from_js};

#[wasm_bindgen]
impl DocumentHandle {
    /// The server attests what it has acknowledged before. `is_new`: and nothing that was attested
    /// earlier counts any more.
    pub fn attest(&mut self, is_new: bool) {
        if is_new {
            self.server.attested.clone_from(&self.server.acknowledged);
        } else {
            self.server.attested.join(&self.server.acknowledged);
        }
    }

    /// What is attested of this document, to be kept with the token.
    pub fn attested(&self) -> Vec<u8> {
        version_to_js(&self.server.attested)
    }

    /// What was attested when the token was kept.
    #[wasm_bindgen(js_name = setAttested)]
    pub fn set_attested(&mut self, version: &[u8]) -> Result<(), Thrown> {
        self.server.attested = version_from_js(version)?;
        Ok(())
    }

    /// The number of the last change of a replica, given by its 16 bytes, that is attested.
    #[wasm_bindgen(js_name = attestedOf)]
    pub fn attested_of(&self, replica: &[u8]) -> Result<f64, Thrown> {
        Ok(self.server.attested.get(replica_from_js(replica)?) as f64)
    }

    /// The last change of each replica of whose changes some are not attested; with `unsent`, of those
    /// alone of which the server is not known to hold some: 16 bytes of an id, and 8 of a number, low
    /// ones first.
    pub fn unattested(&self, unsent: bool) -> Vec<u8> {
        let mut known = self.server.attested.clone();
        if unsent {
            known.join(&self.server.acknowledged);
        }
        let version = self.document.version();
        let mut flat = Vec::new();
        for range in version.missing_from(&known) {
            flat.extend_from_slice(&range.replica.to_bytes());
            flat.extend_from_slice(&version.get(range.replica).to_le_bytes());
        }
        flat
    }
}
