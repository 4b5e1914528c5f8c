//! Who else is here: states as texts, which JavaScript fills with JSON.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use js_sys::Array;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::DocumentHandle;
use crate::error::Thrown;

#[wasm_bindgen]
impl DocumentHandle {
    /// Sets this participant's state, or takes it away; gives the update to send.
    #[wasm_bindgen(js_name = presenceSet)]
    pub fn presence_set(
        &mut self,
        state: Option<String>,
        now: f64,
    ) -> Result<Option<Vec<u8>>, Thrown> {
        let now = now as u64;
        match state {
            Some(state) => Ok(Some(self.presence.set(self.client, state.as_bytes(), now)?)),
            None => Ok(self.presence.leave(self.client, now)),
        }
    }

    /// Takes in an update of another participant; whether it changed anything.
    #[wasm_bindgen(js_name = presenceReceive)]
    pub fn presence_receive(&mut self, update: &[u8], now: f64) -> bool {
        // What cannot be read is nobody's presence.
        self.presence.apply(update, now as u64).is_ok_and(|news| !news.is_empty())
    }

    /// The others who are here at this time: the id and the state of each.
    #[wasm_bindgen(js_name = presenceOthers, unchecked_return_type = "string[]")]
    pub fn presence_others(&mut self, now: f64) -> Array {
        self.presence.expire(now as u64);
        let others = Array::new();
        for (client, state) in self.presence.iter().filter(|&(client, _)| client != self.client) {
            let Ok(state) = core::str::from_utf8(state) else { continue };
            others.push(&client.to_string().into());
            others.push(&state.into());
        }
        others
    }

    /// When someone's time may be up, if nothing is heard before.
    #[wasm_bindgen(js_name = presenceTimeout)]
    pub fn presence_timeout(&self) -> Option<f64> {
        self.presence.poll_timeout().map(|at| at as f64)
    }
}
