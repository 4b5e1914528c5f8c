//! Counters.

use crdt_document::View;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::DocumentHandle;
use crate::error::Thrown;

#[wasm_bindgen]
impl DocumentHandle {
    /// Adds to a counter, or takes away from it.
    #[wasm_bindgen(js_name = counterAdd)]
    pub fn counter_add(&mut self, number: u32, amount: i64) -> Result<(), Thrown> {
        let (mut transaction, path) = self.edit(number)?;
        transaction.at_counter(path).increment(amount);
        Ok(())
    }

    /// Sets a counter back to zero.
    #[wasm_bindgen(js_name = counterReset)]
    pub fn counter_reset(&mut self, number: u32) -> Result<(), Thrown> {
        let (mut transaction, path) = self.edit(number)?;
        transaction.at_counter(path).reset();
        Ok(())
    }

    /// The value of a counter.
    #[wasm_bindgen(js_name = counterValue)]
    pub fn counter_value(&self, number: u32) -> Result<i128, Thrown> {
        Ok(match self.view(number)? {
            Some(View::Counter(counter)) => counter.value(),
            _ => 0,
        })
    }
}
