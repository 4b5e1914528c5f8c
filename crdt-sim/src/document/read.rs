//! Everything that can be read of a document, in the form in which the model writes it.

use std::fmt::Write;

use crdt_document::{Conflict, Document, MapView, View};

pub(super) fn dump(doc: &Document) -> String {
    let mut out = String::new();
    dump_map(doc.root(), &mut out);
    out
}

fn dump_map(map: MapView<'_>, out: &mut String) {
    out.push('{');
    for key in map.keys() {
        let _ = write!(out, "{key}:");
        let all = map.conflicts(key);
        if let (true, Some(value)) = (all.is_empty(), map.get(key)) {
            let _ = write!(out, "={value}");
        }
        for conflict in &all {
            if let Conflict::Value { value, .. } = conflict {
                let _ = write!(out, "={value}");
            }
        }
        let mut here: Vec<View<'_>> =
            map.containers().filter(|(held, _)| *held == key).map(|(_, view)| view).collect();
        here.sort_by_key(View::kind);
        for view in here {
            let _ = match view {
                View::Map(map) => {
                    dump_map(map, out);
                    Ok(())
                }
                View::Set(set) => write!(out, "{}", set.to_value()),
                View::Counter(counter) => write!(out, "#{}", counter.value()),
                View::Text(text) => write!(out, "{:?}", text.chars().collect::<String>()),
                other => write!(out, "{other:?}"),
            };
        }
        out.push(';');
    }
    out.push('}');
}
