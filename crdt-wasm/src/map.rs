//! Maps: their plain values. Containers in them have numbers of their own.

use crdt_document::{Conflict, MapView, View};
use js_sys::Array;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::DocumentHandle;
use crate::convert::{value_from_js, value_to_js};
use crate::error::Thrown;

#[wasm_bindgen]
impl DocumentHandle {
    /// Gives a key a value.
    #[wasm_bindgen(js_name = mapSet)]
    pub fn map_set(&mut self, number: u32, key: &str, value: &JsValue) -> Result<(), Thrown> {
        let value = value_from_js(value)?;
        let (mut transaction, path) = self.edit(number)?;
        transaction.at_map(path).set(key, value);
        Ok(())
    }

    /// Removes what stands under a key: the value, and all containers.
    #[wasm_bindgen(js_name = mapDelete)]
    pub fn map_delete(&mut self, number: u32, key: &str) -> Result<(), Thrown> {
        let (mut transaction, path) = self.edit(number)?;
        transaction.at_map(path).remove(key);
        Ok(())
    }

    /// Removes what stands under all keys.
    #[wasm_bindgen(js_name = mapClear)]
    pub fn map_clear(&mut self, number: u32) -> Result<(), Thrown> {
        let (mut transaction, path) = self.edit(number)?;
        transaction.at_map(path).clear();
        Ok(())
    }

    /// The value of a key; `undefined` if it has none.
    #[wasm_bindgen(js_name = mapGet)]
    pub fn map_get(&self, number: u32, key: &str) -> Result<JsValue, Thrown> {
        let map = self.map(number)?;
        Ok(map.and_then(|map| map.get(key)).map_or(JsValue::UNDEFINED, value_to_js))
    }

    /// How many keys have a value.
    #[wasm_bindgen(js_name = mapSize)]
    pub fn map_size(&self, number: u32) -> Result<u32, Thrown> {
        Ok(self.map(number)?.map_or(0, |map| map.iter().count() as u32))
    }

    /// Each key with its value, one after the other.
    #[wasm_bindgen(js_name = mapEntries)]
    pub fn map_entries(&self, number: u32) -> Result<Array, Thrown> {
        let entries = Array::new();
        for (key, value) in self.map(number)?.iter().flat_map(MapView::iter) {
            entries.push(&key.into());
            entries.push(&value_to_js(value));
        }
        Ok(entries)
    }

    /// The values that were written at the same time as the one of a key, without it.
    #[wasm_bindgen(js_name = mapConflicts)]
    pub fn map_conflicts(&self, number: u32, key: &str) -> Result<Array, Thrown> {
        let conflicts = self.map(number)?.map(|map| map.conflicts(key)).unwrap_or_default();
        let values = conflicts.iter().filter_map(|conflict| match conflict {
            Conflict::Value { value, .. } => Some(value_to_js(value)),
            _ => None,
        });
        // The first is the one that is read.
        Ok(values.skip(1).collect())
    }
}

impl DocumentHandle {
    fn map(&self, number: u32) -> Result<Option<MapView<'_>>, Thrown> {
        Ok(match self.view(number)? {
            Some(View::Map(map)) => Some(map),
            _ => None,
        })
    }
}
