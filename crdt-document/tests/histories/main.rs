//! Random histories of several replicas over all kinds of container, on documents and on a
//! naive model beside them.
//!
//! `CRDT_CASES` sets the number of cases for each law. With `RUSTFLAGS="--cfg canary"` the
//! document has a planted bug, which has to be found.

mod chains;
mod hostile;
mod laws;
mod model;
mod saved;
mod script;
mod session;
mod trimming;

use crdt_document::{Conflict, Document, Kind, MapView, View};
use std::fmt::Write;

use crdt_core::laws::cases;

/// Everything that can be read of a document, conflicts included; of texts only which
/// characters they have.
pub(crate) fn dump(doc: &Document) -> String {
    let mut out = String::new();
    dump_map(doc.root(), &mut out);
    out
}

fn dump_map(map: MapView<'_>, out: &mut String) {
    out.push('{');
    for key in map.keys() {
        write!(out, "{key}:").unwrap();
        let all = map.conflicts(key);
        if let (true, Some(value)) = (all.is_empty(), map.get(key)) {
            write!(out, "={value}").unwrap();
        }
        for conflict in &all {
            if let Conflict::Value { value, .. } = conflict {
                write!(out, "={value}").unwrap();
            }
        }
        let mut here: Vec<View<'_>> =
            map.containers().filter(|(held, _)| *held == key).map(|(_, view)| view).collect();
        here.sort_by_key(View::kind);
        for view in here {
            match view {
                View::Map(map) => dump_map(map, out),
                View::Set(set) => write!(out, "{}", set.to_value()).unwrap(),
                View::Counter(counter) => write!(out, "#{}", counter.value()).unwrap(),
                View::Text(text) => {
                    let mut chars: Vec<char> = text.chars().collect();
                    chars.sort_unstable();
                    write!(out, "{:?}", chars.into_iter().collect::<String>()).unwrap();
                }
                other => panic!("unexpected {other:?}"),
            }
        }
        out.push(';');
    }
    out.push('}');
}

/// The kinds, in the order of their numbers.
pub(crate) const KINDS: [Kind; 4] = [Kind::Map, Kind::Set, Kind::Counter, Kind::Text];
