//! What JavaScript calls.

use wasm_bindgen::prelude::wasm_bindgen;

use crate::history::history;
use crate::load::{Arrival, Load};

/// A load that waits to be delivered.
#[wasm_bindgen]
#[derive(Debug)]
pub struct LoadHandle {
    load: Option<Load>,
    messages: usize,
}

#[wasm_bindgen]
impl LoadHandle {
    /// So many messages of so many writers that mix, as they arrive.
    ///
    /// # Panics
    ///
    /// If there is no such order of arrival.
    #[wasm_bindgen(constructor)]
    pub fn new(writers: u32, arrival: &str, messages: u32) -> Self {
        let arrival = Arrival::named(arrival).expect("the name of an order of arrival");
        let told = history(messages as usize, writers as usize, 100);
        Self { load: Some(Load::new(&told, arrival)), messages: told.len() }
    }

    /// Delivers everything. Returns the checksum.
    ///
    /// # Panics
    ///
    /// If not everything comes out, or if it did before.
    pub fn deliver(&mut self) -> u64 {
        let delivered = self.load.take().expect("it is delivered once").deliver();
        assert_eq!(delivered.messages, self.messages, "everything is delivered once");
        delivered.checksum
    }
}
