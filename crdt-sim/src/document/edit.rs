//! A user's change, made in the document and said to the model.

use crdt_document::{Document, EditError, Kind, Path, Transaction};

use crate::model::Draft;
use crate::model::document::{At, Do, KINDS, Op, child, contains, text, visible};
use crate::plan::Edit;
use crate::replica::Violation;

/// Makes one transaction of some edits, or of none if it `fails`.
pub(super) fn change(
    doc: &mut Document,
    edits: &[Edit],
    fails: bool,
    mut draft: Draft<'_, Op>,
) -> Result<(), Violation> {
    let violation = |what: String| Err(Violation::new("edits", what));
    let before = fails.then(|| doc.encode());
    let result = doc.transact(|tx| {
        for edit in edits {
            perform(tx, &mut draft, edit)?;
        }
        if fails { Err(EditError::NoReplica) } else { Ok(()) }
    });
    match (result, before) {
        (Ok(()), _) => {
            let _ = draft.commit();
            Ok(())
        }
        (Err(EditError::NoReplica), Some(before)) => {
            draft.give_up();
            if doc.encode() == before {
                return Ok(());
            }
            violation("a change that was given up left something behind".into())
        }
        // A document in which a fork was merged may be anything.
        (Err(_), _) if draft.is_blind() => {
            draft.give_up();
            Ok(())
        }
        (Err(error), _) => {
            draft.give_up();
            violation(format!("an edit that is possible was refused: {error}"))
        }
    }
}

/// Where an edit is: a container of the root, or of a map in it.
fn place(edit: &Edit) -> (Path, At, &'static str, Kind) {
    const KEYS: [&str; 2] = ["a", "b"];
    // Half of the places are texts: they have the most to get wrong.
    let kind = KINDS[[0, 1, 2, 3, 3, 3, 3, 2][usize::from(edit.place) % 8]];
    let key = KEYS[usize::from(edit.place / 8) % 2];
    let (mut path, mut at) = (Path::root(), At::new());
    for step in 0..usize::from(edit.place / 16) % 3 {
        let above = KEYS[step % 2];
        path = path.map(above);
        at = child(&at, above, Kind::Map);
    }
    (path, at, key, kind)
}

/// Makes an edit in the document and, if it is not one without effect, in the model.
fn perform(
    tx: &mut Transaction<'_>,
    draft: &mut Draft<'_, Op>,
    edit: &Edit,
) -> Result<(), EditError> {
    let (path, at, key, kind) = place(edit);
    let number = i64::from(edit.number % 4);
    match edit.what % 32 {
        what @ 0..6 => edit_map(tx, draft, path, at, key, what, number),
        6 => create(tx, draft, path.step(key, kind), &at, key, kind),
        what => {
            let (path, here) = (path.step(key, kind), child(&at, key, kind));
            match kind {
                Kind::Map => edit_map(tx, draft, path, here, "a", what % 6, number),
                Kind::Set => edit_set(tx, draft, path, here, what, number),
                Kind::Counter => edit_counter(tx, draft, path, here, what, number - 2),
                _ => return edit_text(tx, draft, path, here, edit),
            }
        }
    }
    Ok(())
}

fn edit_map(
    tx: &mut Transaction<'_>,
    draft: &mut Draft<'_, Op>,
    path: Path,
    at: At,
    key: &str,
    what: u8,
    number: i64,
) {
    let holds = |draft: &Draft<'_, Op>, key: &str| {
        contains(&visible(draft.history(), draft.known()), &at, key)
    };
    let mut map = tx.at_map(path);
    match what {
        0..4 => {
            map.set(key, number);
            draft.push(Op { at, what: Do::Set(key.into(), number) });
        }
        4 => {
            map.remove(key);
            if holds(draft, key) {
                draft.push(Op { at, what: Do::Remove(key.into()) });
            }
        }
        // Everything goes only now and then.
        _ if number == 0 => {
            map.clear();
            if ["a", "b"].iter().any(|key| holds(draft, key)) {
                draft.push(Op { at, what: Do::Clear });
            }
        }
        _ => {}
    }
}

fn create(
    tx: &mut Transaction<'_>,
    draft: &mut Draft<'_, Op>,
    path: Path,
    at: &At,
    key: &str,
    kind: Kind,
) {
    let op = Op { at: at.clone(), what: Do::Create(key.into(), kind) };
    let created = visible(draft.history(), draft.known()).iter().any(|(_, item)| item.op == op);
    match kind {
        Kind::Map => drop(tx.at_map(path).create()),
        Kind::Set => drop(tx.at_set(path).create()),
        Kind::Counter => drop(tx.at_counter(path).create()),
        _ => drop(tx.at_text(path).create()),
    }
    if !created {
        draft.push(op);
    }
}

/// What is visible in a container, without the dots.
fn inside(draft: &Draft<'_, Op>, at: &At) -> Vec<Do> {
    let visible = visible(draft.history(), draft.known());
    let here = visible.into_iter().filter(|(_, item)| item.op.at == *at);
    here.map(|(_, item)| item.op.what.clone()).collect()
}

fn edit_set(
    tx: &mut Transaction<'_>,
    draft: &mut Draft<'_, Op>,
    path: Path,
    at: At,
    what: u8,
    number: i64,
) {
    let mut set = tx.at_set(path);
    let inside = inside(draft, &at);
    match what {
        7 => {
            set.clear();
            if !inside.is_empty() {
                draft.push(Op { at, what: Do::Clear });
            }
        }
        8..20 => {
            set.add(number);
            draft.push(Op { at, what: Do::Add(number) });
        }
        _ => {
            set.remove(number);
            if inside.contains(&Do::Add(number)) {
                draft.push(Op { at, what: Do::Discard(number) });
            }
        }
    }
}

fn edit_counter(
    tx: &mut Transaction<'_>,
    draft: &mut Draft<'_, Op>,
    path: Path,
    at: At,
    what: u8,
    number: i64,
) {
    let mut counter = tx.at_counter(path);
    if what < 10 {
        counter.reset();
        if !inside(draft, &at).is_empty() {
            draft.push(Op { at, what: Do::Clear });
        }
        return;
    }
    counter.increment(number);
    if number != 0 {
        draft.push(Op { at, what: Do::Increment(number) });
    }
}

fn edit_text(
    tx: &mut Transaction<'_>,
    draft: &mut Draft<'_, Op>,
    path: Path,
    at: At,
    edit: &Edit,
) -> Result<(), EditError> {
    let mut here = tx.at_text(path);
    let (letters, mut tree) = text(draft.history(), draft.known(), &at);
    let len = letters.len();
    let place = usize::from(edit.number) % (len + 1);
    match edit.what % 32 {
        7 => {
            here.clear();
            if len > 0 {
                draft.push(Op { at, what: Do::Clear });
            }
        }
        8..22 => {
            let typed: String = (0..edit.len).map(|at| letter(edit, at)).collect();
            here.insert(place, &typed)?;
            let mut left = place.checked_sub(1).map(|before| letters[before].0);
            for letter in typed.chars() {
                let (dot, place) = (draft.next_dot(), tree.place_after(left));
                tree.insert(dot, place);
                draft.push(Op { at: at.clone(), what: Do::Insert(letter, place) });
                left = Some(dot);
            }
        }
        _ => {
            let end = (place + usize::from(edit.len)).min(len);
            here.delete(place..end)?;
            for (dot, _) in &letters[place..end] {
                draft.push(Op { at: at.clone(), what: Do::Delete(*dot) });
            }
        }
    }
    Ok(())
}

/// Letters of one, two, three and four bytes.
fn letter(edit: &Edit, at: u8) -> char {
    let plane = [0x61, 0x3b1, 0x4e00, 0x1f300][usize::from(edit.number) % 4];
    char::from_u32(plane + u32::from(edit.what / 16 + at)).expect("these are letters")
}
