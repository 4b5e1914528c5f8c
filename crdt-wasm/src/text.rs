//! Texts. Positions are UTF-16 units.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crdt_core::codec::{Decode, Encode, Reader, Writer};
use crdt_document::{Anchor, Kind, Side, TextView, View};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::DocumentHandle;
use crate::error::Thrown;

#[wasm_bindgen]
impl DocumentHandle {
    /// Replaces `deleted` units from `at` on by a text.
    #[wasm_bindgen(js_name = textSplice)]
    pub fn text_splice(
        &mut self,
        number: u32,
        at: u32,
        deleted: u32,
        inserted: &str,
    ) -> Result<(), Thrown> {
        let (mut transaction, path) = self.edit(number)?;
        let range = at as usize..at.saturating_add(deleted) as usize;
        transaction.at_text(path).splice_utf16(range, inserted)?;
        Ok(())
    }

    /// Deletes all of a text.
    #[wasm_bindgen(js_name = textClear)]
    pub fn text_clear(&mut self, number: u32) -> Result<(), Thrown> {
        let (mut transaction, path) = self.edit(number)?;
        transaction.at_text(path).clear();
        Ok(())
    }

    /// How long a text is.
    #[wasm_bindgen(js_name = textLength)]
    pub fn text_length(&self, number: u32) -> Result<u32, Thrown> {
        Ok(self.text(number)?.map_or(0, |text| text.len_utf16() as u32))
    }

    /// All of a text.
    #[wasm_bindgen(js_name = textString)]
    pub fn text_string(&self, number: u32) -> Result<String, Thrown> {
        Ok(self.text(number)?.map_or_else(String::new, |text| text.to_string()))
    }

    /// A part of a text.
    #[wasm_bindgen(js_name = textSlice)]
    pub fn text_slice(&self, number: u32, start: u32, end: u32) -> Result<String, Thrown> {
        match self.text(number)? {
            Some(text) => Ok(text.slice_utf16(start as usize..end as usize)?),
            None if start == 0 && end == 0 => Ok(String::new()),
            None => Err(Thrown::new("position", "the text is empty")),
        }
    }

    /// A place in a text that moves with what is around it, as bytes. It belongs to the
    /// character after it, or to the one before it.
    #[wasm_bindgen(js_name = textAnchor)]
    pub fn text_anchor(&self, number: u32, at: u32, is_after: bool) -> Result<Vec<u8>, Thrown> {
        let side = if is_after { Side::After } else { Side::Before };
        let anchor = self.anchored(number)?.anchor_utf16(at as usize, side)?;
        let mut out = Writer::new();
        anchor.encode(&mut out);
        Ok(out.into_bytes())
    }

    /// Where a place is now; `undefined` if it is in changes that are not held yet, or in no
    /// version of this text.
    #[wasm_bindgen(js_name = textResolve)]
    pub fn text_resolve(&self, number: u32, anchor: &[u8]) -> Result<Option<u32>, Thrown> {
        let mut input = Reader::new(anchor);
        let anchor = Anchor::decode(&mut input)?;
        input.finish()?;
        let place = self.anchored(number)?.resolve_utf16(&anchor);
        Ok(place.ok().map(|at| at as u32))
    }
}

impl DocumentHandle {
    /// A text of which nothing is there yet has anchors too.
    fn anchored(&self, number: u32) -> Result<TextView<'_>, Thrown> {
        let path = self.numbers.path(number)?;
        if path.kind() != Kind::Text {
            return Err(Thrown::new("argument", "this is no text"));
        }
        Ok(self.document.text_at(path))
    }

    fn text(&self, number: u32) -> Result<Option<TextView<'_>>, Thrown> {
        Ok(match self.view(number)? {
            Some(View::Text(text)) => Some(text),
            _ => None,
        })
    }
}
