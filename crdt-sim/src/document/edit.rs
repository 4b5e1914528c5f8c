//! A user's change, made in the document and said to the model.

use crdt_core::Dot;
use crdt_document::{Document, EditError, Kind, Path, Transaction};

use crate::model::Draft;
use crate::model::document::{At, Do, KINDS, Op, child};
use crate::model::sight::Sight;
use crate::plan::Edit;
use crate::replica::Violation;

/// Makes one transaction of some edits, or of none if it `fails`.
pub(super) fn change(
    doc: &mut Document,
    sight: &mut Sight,
    edits: &[Edit],
    fails: bool,
    draft: Draft<'_, Op>,
) -> Result<(), Violation> {
    let violation = |what: String| Err(Violation::new("edits", what));
    let before = fails.then(|| doc.encode());
    // What is seen in a change that comes to nothing is seen by nobody.
    let mut author =
        Author { sight: core::mem::take(sight).at(draft.known(), draft.history()), draft };
    let result = doc.transact(|tx| {
        for edit in edits {
            author.perform(tx, edit)?;
        }
        if fails { Err(EditError::NoReplica) } else { Ok(()) }
    });
    let draft = author.draft;
    match (result, before) {
        (Ok(()), _) => {
            *sight = author.sight;
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

/// The map of the registers, in which nothing else is done.
pub(super) const REGISTERS: &str = "registers";

/// Writes into a register, and says whether that was possible: after a fork it may not be.
pub(super) fn put(
    doc: &mut Document,
    sight: &mut Sight,
    register: u8,
    value: u64,
    draft: Draft<'_, Op>,
) -> Result<bool, Violation> {
    let at = child(&At::new(), REGISTERS, Kind::Map);
    let (key, value) = (register.to_string(), value as i64);
    let mut author =
        Author { sight: core::mem::take(sight).at(draft.known(), draft.history()), draft };
    author.push(at, Do::Set(key.clone(), value));
    let Author { draft, sight: seen } = author;
    let written = doc.transact(|tx| {
        tx.map(REGISTERS).set(&key, value);
        Ok(())
    });
    match written {
        Ok(()) => {
            *sight = seen;
            let _ = draft.commit();
            Ok(true)
        }
        Err(error) => {
            let is_blind = draft.is_blind();
            draft.give_up();
            let what = format!("a register was not written: {error}");
            if is_blind { Ok(false) } else { Err(Violation::new("edits", what)) }
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

/// Somebody who makes a change, here and in the model.
struct Author<'a> {
    draft: Draft<'a, Op>,
    sight: Sight,
}

impl Author<'_> {
    fn push(&mut self, at: At, what: Do) {
        self.sight.push(&mut self.draft, Op { at, what });
    }

    /// Makes an edit in the document and, if it is not one without effect, in the model.
    fn perform(&mut self, tx: &mut Transaction<'_>, edit: &Edit) -> Result<(), EditError> {
        let (path, at, key, kind) = place(edit);
        let number = i64::from(edit.number % 4);
        match edit.what % 32 {
            what @ 0..6 => self.edit_map(tx, path, at, key, what, number),
            6 => self.create(tx, path.step(key, kind), at, key, kind),
            what => {
                let (path, here) = (path.step(key, kind), child(&at, key, kind));
                match kind {
                    Kind::Map => self.edit_map(tx, path, here, "a", what % 6, number),
                    Kind::Set => self.edit_set(tx, path, here, what, number),
                    Kind::Counter => self.edit_counter(tx, path, here, what, number - 2),
                    _ => return self.edit_text(tx, path, here, edit),
                }
            }
        }
        Ok(())
    }

    fn edit_map(
        &mut self,
        tx: &mut Transaction<'_>,
        path: Path,
        at: At,
        key: &str,
        what: u8,
        number: i64,
    ) {
        let mut map = tx.at_map(path);
        match what {
            0..4 => {
                map.set(key, number);
                self.push(at, Do::Set(key.into(), number));
            }
            4 => {
                map.remove(key);
                if self.sight.contains(&at, key) {
                    self.push(at, Do::Remove(key.into()));
                }
            }
            // Everything goes only now and then; but what clients write is judged as a history, in which nothing goes.
            _ if number == 0 && !self.sight.contains(&at, REGISTERS) => {
                map.clear();
                if ["a", "b"].iter().any(|key| self.sight.contains(&at, key)) {
                    self.push(at, Do::Clear);
                }
            }
            _ => {}
        }
    }

    fn create(&mut self, tx: &mut Transaction<'_>, path: Path, at: At, key: &str, kind: Kind) {
        match kind {
            Kind::Map => drop(tx.at_map(path).create()),
            Kind::Set => drop(tx.at_set(path).create()),
            Kind::Counter => drop(tx.at_counter(path).create()),
            _ => drop(tx.at_text(path).create()),
        }
        let create = Do::Create(key.into(), kind);
        if self.sight.inside(&at).iter().all(|(_, what)| *what != create) {
            self.push(at, create);
        }
    }

    fn edit_set(&mut self, tx: &mut Transaction<'_>, path: Path, at: At, what: u8, number: i64) {
        let mut set = tx.at_set(path);
        match what {
            7 => {
                set.clear();
                if !self.sight.inside(&at).is_empty() {
                    self.push(at, Do::Clear);
                }
            }
            8..20 => {
                set.add(number);
                self.push(at, Do::Add(number));
            }
            _ => {
                set.remove(number);
                if self.sight.inside(&at).iter().any(|(_, what)| *what == Do::Add(number)) {
                    self.push(at, Do::Discard(number));
                }
            }
        }
    }

    fn edit_counter(
        &mut self,
        tx: &mut Transaction<'_>,
        path: Path,
        at: At,
        what: u8,
        number: i64,
    ) {
        let mut counter = tx.at_counter(path);
        if what < 10 {
            counter.reset();
            if !self.sight.inside(&at).is_empty() {
                self.push(at, Do::Clear);
            }
            return;
        }
        counter.increment(number);
        if number != 0 {
            self.push(at, Do::Increment(number));
        }
    }

    fn edit_text(
        &mut self,
        tx: &mut Transaction<'_>,
        path: Path,
        at: At,
        edit: &Edit,
    ) -> Result<(), EditError> {
        let mut here = tx.at_text(path);
        let letters: Vec<Dot> =
            self.sight.text(&self.draft, &at).shown().map(|(dot, _)| dot).collect();
        let len = letters.len();
        let place = edit.position(len);
        match edit.what % 32 {
            7 => {
                here.clear();
                if len > 0 {
                    self.push(at, Do::Clear);
                }
            }
            8..22 => {
                let typed: String = (0..edit.len).map(|at| letter(edit, at)).collect();
                here.insert(place, &typed)?;
                let mut left = place.checked_sub(1).map(|before| letters[before]);
                for letter in typed.chars() {
                    left = Some(self.sight.type_after(&mut self.draft, &at, left, letter));
                }
            }
            _ => {
                let end = (place + usize::from(edit.len)).min(len);
                here.delete(place..end)?;
                for dot in &letters[place..end] {
                    self.push(at.clone(), Do::Delete(*dot));
                }
            }
        }
        Ok(())
    }
}

/// Letters of one, two, three and four bytes.
fn letter(edit: &Edit, at: u8) -> char {
    // Only so many of them: what is typed in one go goes round.
    let at = at % 32;
    let plane = [0x61, 0x3b1, 0x4e00, 0x1f300][usize::from(edit.number) % 4];
    char::from_u32(plane + u32::from(edit.what / 16 + at)).expect("these are letters")
}
