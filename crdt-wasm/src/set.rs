//! Sets.

use crdt_document::{SetView, View};
use js_sys::Array;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::DocumentHandle;
use crate::convert::{value_from_js, value_to_js};
use crate::error::Thrown;

#[wasm_bindgen]
impl DocumentHandle {
    /// Puts a value into a set.
    #[wasm_bindgen(js_name = setAdd)]
    pub fn set_add(&mut self, number: u32, value: &JsValue) -> Result<(), Thrown> {
        let value = value_from_js(value)?;
        let (mut transaction, path) = self.edit(number)?;
        transaction.at_set(path).add(value);
        Ok(())
    }

    /// Takes a value out of a set.
    #[wasm_bindgen(js_name = setDelete)]
    pub fn set_delete(&mut self, number: u32, value: &JsValue) -> Result<(), Thrown> {
        let value = value_from_js(value)?;
        let (mut transaction, path) = self.edit(number)?;
        transaction.at_set(path).remove(value);
        Ok(())
    }

    /// Takes all values out of a set.
    #[wasm_bindgen(js_name = setClear)]
    pub fn set_clear(&mut self, number: u32) -> Result<(), Thrown> {
        let (mut transaction, path) = self.edit(number)?;
        transaction.at_set(path).clear();
        Ok(())
    }

    /// Whether a value is in a set.
    #[wasm_bindgen(js_name = setHas)]
    pub fn set_has(&self, number: u32, value: &JsValue) -> Result<bool, Thrown> {
        let value = value_from_js(value)?;
        Ok(self.set(number)?.is_some_and(|set| set.contains(value)))
    }

    /// How many values are in a set.
    #[wasm_bindgen(js_name = setSize)]
    pub fn set_size(&self, number: u32) -> Result<u32, Thrown> {
        Ok(self.set(number)?.map_or(0, |set| set.len() as u32))
    }

    /// The values of a set.
    #[wasm_bindgen(js_name = setValues)]
    pub fn set_values(&self, number: u32) -> Result<Array, Thrown> {
        let set = self.set(number)?;
        Ok(set.map_or_else(Array::new, |set| set.iter().map(value_to_js).collect()))
    }
}

impl DocumentHandle {
    fn set(&self, number: u32) -> Result<Option<SetView<'_>>, Thrown> {
        Ok(match self.view(number)? {
            Some(View::Set(set)) => Some(set),
            _ => None,
        })
    }
}
