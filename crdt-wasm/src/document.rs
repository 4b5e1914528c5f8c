//! The document itself: bytes in and out, ids, transactions, places.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crdt_document::{Document, Path, Presence, PresenceLimits, Transaction, View};
use js_sys::Array;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::containers::{Numbers, kind_from_js, kind_to_js};
use crate::convert::{value_to_js, version_to_js};
use crate::error::Thrown;
use crate::given::{replica_from_js, version_from_js};
use crate::session::Server;
use crate::storage::Storage;

/// A document, and what belongs to its being open: the one object that stands behind an open
/// document in JavaScript.
#[wasm_bindgen]
#[derive(Debug)]
pub struct DocumentHandle {
    pub(crate) document: Document,
    pub(crate) numbers: Numbers,
    pub(crate) storage: Storage,
    pub(crate) server: Server,
    pub(crate) presence: Presence,
    /// Under which id this participant's presence is sent.
    pub(crate) client: u64,
}

#[wasm_bindgen]
impl DocumentHandle {
    /// An empty document without a replica id. `client` is drawn at random; `presence_ttl_ms`
    /// is how long a participant's sign of life lasts.
    #[wasm_bindgen(constructor)]
    pub fn new(client: u64, presence_ttl_ms: f64) -> Self {
        let mut limits = PresenceLimits::default();
        limits.lifetime_ms = presence_ttl_ms as u64;
        Self {
            document: Document::reader(),
            numbers: Numbers::default(),
            storage: Storage::default(),
            server: Server::default(),
            presence: Presence::new(limits),
            client,
        }
    }

    /// Takes in a bundle of changes, or all of a document: all of it, or none.
    pub fn import(&mut self, bytes: &[u8]) -> Result<(), Thrown> {
        self.document.import(bytes)?;
        Ok(())
    }

    /// The whole document as bytes.
    pub fn encode(&self) -> Vec<u8> {
        self.document.encode()
    }

    /// The whole document as plain values.
    #[wasm_bindgen(js_name = toValue)]
    pub fn to_value(&self) -> JsValue {
        value_to_js(&self.document.to_value())
    }

    /// All changes that the document holds, as opaque bytes.
    pub fn version(&self) -> Vec<u8> {
        version_to_js(self.document.version())
    }

    /// Whether the document holds all changes of a version.
    pub fn dominates(&self, version: &[u8]) -> Result<bool, Thrown> {
        Ok(self.document.version().dominates(&version_from_js(version)?))
    }

    /// The changes that a version lacks, as a bundle; `undefined` if it lacks none.
    #[wasm_bindgen(js_name = changesSince)]
    pub fn changes_since(&self, version: &[u8]) -> Result<Option<Vec<u8>>, Thrown> {
        let version = version_from_js(version)?;
        let lacks = !version.dominates(self.document.version());
        Ok(lacks.then(|| self.document.changes_since(&version)))
    }

    /// The id under which changes are made from now on, as 16 bytes.
    #[wasm_bindgen(js_name = setReplica)]
    pub fn set_replica(&mut self, replica: &[u8]) -> Result<(), Thrown> {
        Ok(self.document.set_replica(replica_from_js(replica)?)?)
    }

    /// The id under which changes are made, as a UUID; `undefined` before the first.
    pub fn replica(&self) -> Option<String> {
        self.document.replica().map(|replica| replica.to_string())
    }

    /// The number of the last change that is held of a replica, given by its 16 bytes.
    #[wasm_bindgen(js_name = sequenceOf)]
    pub fn sequence_of(&self, replica: &[u8]) -> Result<f64, Thrown> {
        Ok(self.document.version().get(replica_from_js(replica)?) as f64)
    }

    /// Begins a transaction: what is done from now on is one change, or none.
    pub fn begin(&mut self) -> Result<(), Thrown> {
        Ok(self.document.begin()?)
    }

    /// Ends the transaction. After an error nothing of it has happened.
    pub fn commit(&mut self) -> Result<(), Thrown> {
        self.document.commit()?;
        Ok(())
    }

    /// Ends the transaction, if one is open, as if it had never begun.
    pub fn rollback(&mut self) {
        self.document.rollback();
    }

    /// The number of the container of a kind at a key of another container.
    pub fn container(&mut self, parent: u32, kind: u8, key: &str) -> Result<u32, Thrown> {
        let path = self.numbers.path(parent)?.clone().step(key, kind_from_js(kind)?);
        Ok(self.numbers.number(&path))
    }

    /// Where a container is: the number of the one above it, its kind, and its key.
    #[wasm_bindgen(js_name = containerPlace, unchecked_return_type = "[number, number, string]")]
    pub fn container_place(&mut self, number: u32) -> Result<Array, Thrown> {
        let path = self.numbers.path(number)?.clone();
        let kind = kind_to_js(path.kind()).map_or(JsValue::UNDEFINED, JsValue::from);
        let key = path.key().map_or(JsValue::UNDEFINED, JsValue::from);
        let above = path.steps().split_last().map_or(&[][..], |(_, above)| above);
        let parent = above.iter().fold(Path::root(), |parent, step| {
            parent.step(step.key().unwrap_or_default(), step.kind())
        });
        Ok(Array::of3(&self.numbers.number(&parent).into(), &kind, &key))
    }
}

impl DocumentHandle {
    /// The open transaction and the path of a container, to do something to it.
    pub(crate) fn edit(&mut self, number: u32) -> Result<(Transaction<'_>, Path), Thrown> {
        let path = self.numbers.path(number)?.clone();
        Ok((self.document.transaction()?, path))
    }

    /// A container as it is now; `None` if nothing is there.
    pub(crate) fn view(&self, number: u32) -> Result<Option<View<'_>>, Thrown> {
        Ok(self.document.view(self.numbers.path(number)?))
    }
}
