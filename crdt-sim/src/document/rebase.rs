//! What was done without knowledge of what was trimmed, done again: by the document, and said to the model.
//!
//! Which events the document has made is read from it. That they are the right ones is judged by what the model says was
//! to be seen before and after.

use std::collections::{BTreeMap, BTreeSet};

use crdt_core::{Dot, ReplicaId};
use crdt_document::{Deed, Document, Path, Value};

use crate::model::document::{At, Do, Op, visible};
use crate::model::sight::Sight;
use crate::model::{Draft, History, Version, includes, version};
use crate::replica::Violation;

/// Does again in `copy` what it lacks of `old`.
pub(super) fn again(
    old: &Document,
    copy: &mut Document,
    sight: &mut Sight,
    mut draft: Draft<'_, Op>,
) -> Result<(), Violation> {
    let violation = |what: String| Err(Violation::new("rebase", what));
    // No id is forgotten here, so the copy itself tells what it has.
    let mut known = old.version().clone();
    known.meet(copy.version());
    let there = draft.known().clone();
    let is_blind = draft.is_blind();
    let shown = |history: &History<Op>, version: &Version| Shown::of(history, version);
    let before = (!is_blind).then(|| {
        let history = draft.history();
        [&version(&known), &version(old.version()), &there].map(|seen| shown(history, seen))
    });
    let done = match old.rebase(copy, &known) {
        Ok(done) => done,
        Err(error) => {
            draft.give_up();
            return violation(format!("what was done could not be done again: {error}"));
        }
    };
    let Some(range) = done else {
        draft.give_up();
        let is_nothing_lost =
            before.is_none_or(|[then, now, there]| now.is_kept(&then, &there, &there).is_ok());
        return if is_nothing_lost { Ok(()) } else { violation("nothing was done again".into()) };
    };
    let mut seen = Sight::default().at(draft.known(), draft.history());
    let deeds = copy.deeds(range);
    if deeds.len() as u64 != range.last - range.first + 1 || draft.next_dot().seq != range.first {
        draft.give_up();
        return violation(format!("{range:?} is told as {} deeds", deeds.len()));
    }
    for (path, deed) in deeds {
        tell(&mut seen, &mut draft, &path, deed)?;
    }
    let after = draft.known().clone();
    if let Some([then, now, there]) = before {
        let after = shown(draft.history(), &after);
        if let Err(what) = now.is_kept(&then, &there, &after) {
            draft.give_up();
            return violation(what);
        }
    }
    debug_assert!(includes(&after, &there));
    let _ = draft.commit();
    *sight = seen;
    Ok(())
}

/// Tells the model of one event.
fn tell(
    seen: &mut Sight,
    draft: &mut Draft<'_, Op>,
    path: &Path,
    deed: Deed,
) -> Result<(), Violation> {
    let step = |step: &crdt_document::Step| Some((step.key()?.to_owned(), step.kind()));
    let at: Option<At> = path.steps().iter().map(step).collect();
    let unknown =
        || Violation::new("rebase", format!("nobody does {path}: what it says is unknown"));
    let at = at.ok_or_else(unknown)?;
    let number = |value: &Value| match value {
        Value::Int(number) => Ok(*number),
        _ => Err(unknown()),
    };
    let what = match deed {
        Deed::Set { key, value } => Do::Set(key.to_string(), number(&value)?),
        Deed::Remove { key } => Do::Remove(key.to_string()),
        Deed::Create { key, kind } => Do::Create(key.to_string(), kind),
        Deed::Add(element) => Do::Add(number(&element)?),
        Deed::Discard(element) => Do::Discard(number(&element)?),
        Deed::Increment(amount) => Do::Increment(amount),
        Deed::Clear => Do::Clear,
        Deed::Insert(place, letter) => {
            let left = seen.text(draft, &at).before(place as usize);
            seen.type_after(draft, &at, left, letter);
            return Ok(());
        }
        Deed::Delete(place) => {
            let letter = seen.text(draft, &at).before(place as usize + 1);
            Do::Delete(letter.ok_or_else(unknown)?)
        }
        _ => return Err(unknown()),
    };
    seen.push(draft, Op { at, what });
    Ok(())
}

/// What is to be seen at a version, without an order of letters.
#[derive(Default)]
struct Shown {
    values: BTreeMap<(At, String), (u64, ReplicaId, i64)>,
    elements: BTreeSet<(At, i64)>,
    sums: BTreeMap<At, i64>,
    letters: BTreeMap<(At, char), i64>,
}

impl Shown {
    fn of(history: &History<Op>, version: &Version) -> Self {
        let mut shown = Self::default();
        for (Dot { replica, .. }, event) in visible(history, version) {
            let at = event.op.at.clone();
            match &event.op.what {
                Do::Set(key, value) => {
                    let write = (event.lamport, replica, *value);
                    let last = shown.values.entry((at, key.clone())).or_insert(write);
                    *last = write.max(*last);
                }
                Do::Add(element) => drop(shown.elements.insert((at, *element))),
                Do::Increment(amount) => *shown.sums.entry(at).or_default() += amount,
                Do::Insert(letter, _) => *shown.letters.entry((at, *letter)).or_default() += 1,
                _ => {}
            }
        }
        shown
    }

    /// What was done between `then` and this is still there `after`, and nothing else was done to what was `there`.
    fn is_kept(&self, then: &Self, there: &Self, after: &Self) -> Result<(), String> {
        for (key, value) in &self.values {
            let value_of = |shown: &Self| shown.values.get(key).map(|(_, _, value)| *value);
            if value_of(then) != Some(value.2) && value_of(after) != Some(value.2) {
                return Err(format!(
                    "{key:?} was set to {}, and is {:?}",
                    value.2,
                    value_of(after)
                ));
            }
        }
        for element in self.elements.difference(&then.elements) {
            if !after.elements.contains(element) {
                return Err(format!("{element:?} was added, and is not there"));
            }
        }
        for element in then.elements.difference(&self.elements) {
            if after.elements.contains(element) {
                return Err(format!("{element:?} was removed, and is still there"));
            }
        }
        let sum = |shown: &Self, at: &At| shown.sums.get(at).copied().unwrap_or(0);
        for at in self.sums.keys().chain(there.sums.keys()).chain(then.sums.keys()) {
            let [then, now, there, after] = [then, self, there, after].map(|shown| sum(shown, at));
            if after - there != now - then {
                return Err(format!(
                    "{at:?} was {then} and then {now}; there it was {there}, and is {after}"
                ));
            }
        }
        let count =
            |shown: &Self, letter: &(At, char)| shown.letters.get(letter).copied().unwrap_or(0);
        for letter in self.letters.keys() {
            let all = [then, self, there, after];
            let [then, now, there, after] = all.map(|shown| count(shown, letter));
            // What was deleted may have been gone there already; what was typed is there.
            if after < there + now - then {
                return Err(format!(
                    "{letter:?} was there {then} times, and then {now}; there {there}, and now {after}"
                ));
            }
        }
        Ok(())
    }
}
