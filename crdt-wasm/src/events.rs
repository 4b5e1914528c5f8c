//! What changed, as flat lists: JavaScript makes objects of them (`events.js`).

use alloc::string::ToString;

use crdt_document::{Change, Event, MapChange, Path, Step};
use js_sys::Array;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::DocumentHandle;
use crate::containers::{Numbers, kind_to_js};
use crate::convert::value_to_js;

#[wasm_bindgen]
impl DocumentHandle {
    /// Whether changes are recorded for `drain_events` from now on.
    #[wasm_bindgen(js_name = recordEvents)]
    pub fn record_events(&mut self, recorded: bool) {
        self.document.record_events(recorded);
    }

    /// What changed since the last call: for each container a list of its number, the ids of
    /// the replicas that did it, and details that depend on its kind. The number -1 stands for
    /// all containers.
    #[wasm_bindgen(js_name = drainEvents, unchecked_return_type = "[number, string[], ...any[]][]")]
    pub fn drain_events(&mut self) -> Array {
        let events = self.document.drain_events();
        events.iter().filter_map(|event| row(event, &mut self.numbers)).collect()
    }
}

fn row(event: &Event, numbers: &mut Numbers) -> Option<Array> {
    let by: Array = event.by.iter().map(|replica| JsValue::from(replica.to_string())).collect();
    if event.change == Change::Everything {
        return Some(Array::of2(&(-1).into(), &by));
    }
    // JavaScript has no object for a place of a kind that it does not know.
    if !event.path.steps().iter().all(is_known) {
        return None;
    }
    let row = Array::of2(&number(&event.path, numbers), &by);
    match &event.change {
        Change::Map(changes) => map_details(changes, &row),
        Change::Set { added, removed } => {
            for values in [added, removed] {
                row.push(&values.iter().map(value_to_js).collect::<Array>());
            }
        }
        Change::Counter { before, after } => {
            row.push(&(*before as f64).into());
            row.push(&(*after as f64).into());
        }
        Change::Text(changes) => {
            for change in changes {
                row.push(&change.patch.at_utf16.into());
                row.push(&change.patch.deleted_utf16.into());
                row.push(&change.patch.inserted.as_str().into());
            }
        }
        // What cannot be read here has nothing to tell.
        _ => return None,
    }
    Some(row)
}

/// Four lists: keys with another value, keys without one, and the key and kind of each
/// container that came to exist, or ceased to.
fn map_details(changes: &[MapChange], row: &Array) {
    let [set, removed, appeared, vanished] = [(); 4].map(|()| Array::new());
    for change in changes {
        match change {
            MapChange::Set { key, .. } => {
                set.push(&key.into());
            }
            MapChange::Removed { key } => {
                removed.push(&key.into());
            }
            MapChange::Appeared { key, kind } | MapChange::Vanished { key, kind } => {
                let Some(kind) = kind_to_js(*kind) else { continue };
                let came = matches!(change, MapChange::Appeared { .. });
                let list = if came { &appeared } else { &vanished };
                list.push(&key.into());
                list.push(&kind.into());
            }
            _ => {}
        }
    }
    for list in [&set, &removed, &appeared, &vanished] {
        row.push(list);
    }
}

fn number(path: &Path, numbers: &mut Numbers) -> JsValue {
    numbers.number(path).into()
}

fn is_known(step: &Step) -> bool {
    step.key().is_some() && kind_to_js(step.kind()).is_some()
}
