//! A document as somebody sees it who writes in it.

use std::collections::BTreeMap;

use crdt_core::Dot;
use crdt_document::Kind;

use super::document::{At, Do, KINDS, Op, child, is_item, removes, text, visible};
use super::letters::Letters;
use super::{Draft, History, Version};

/// What is visible in a version, kept up by whoever goes on writing at that version.
///
/// A change of many events is made without reading the history again for each: what its maker sees, all of it,
/// is what the next event removes from.
#[derive(Debug, Default)]
pub struct Sight {
    /// Of what.
    version: Version,
    /// The items that nothing has removed, by where they are.
    items: BTreeMap<At, Vec<(Dot, Do)>>,
    /// The texts that were looked at.
    texts: BTreeMap<At, Letters<char>>,
}

impl Sight {
    /// What whoever begins a change sees: what they saw at the end of the last one, if nothing came since.
    #[must_use]
    pub fn at(self, version: &Version, history: &History<Op>) -> Self {
        if self.version == *version {
            return self;
        }
        let mut items: BTreeMap<At, Vec<(Dot, Do)>> = BTreeMap::new();
        for (dot, event) in visible(history, version) {
            let Op { at, what } = &event.op;
            items.entry(at.clone()).or_default().push((dot, what.clone()));
        }
        Self { version: version.clone(), items, texts: BTreeMap::new() }
    }

    /// What is in a container.
    #[must_use]
    pub fn inside(&self, at: &At) -> &[(Dot, Do)] {
        self.items.get(at).map_or(&[], Vec::as_slice)
    }

    /// The text at a path.
    pub fn text(&mut self, draft: &Draft<'_, Op>, at: &At) -> &mut Letters<char> {
        if !self.texts.contains_key(at) {
            let shown = self.inside(at).iter().filter_map(|(dot, what)| match what {
                Do::Insert(letter, _) => Some((*dot, *letter)),
                _ => None,
            });
            let letters = text(draft.history(), draft.known(), at, &shown.collect());
            self.texts.insert(at.clone(), letters);
        }
        self.texts.get_mut(at).expect("it was just put there")
    }

    /// Whether a container has been made at a path, on its own or with something in it.
    fn exists(&self, at: &At) -> bool {
        let Some(((key, kind), above)) = at.split_last() else { return true };
        let create = Do::Create(key.clone(), *kind);
        self.inside(&above.to_vec()).iter().any(|(_, what)| *what == create)
            || self.below(at).any(|(_, items)| !items.is_empty())
    }

    /// Whether there is anything under a key.
    #[must_use]
    pub fn contains(&self, at: &At, key: &str) -> bool {
        let is_value = |(_, what): &(Dot, Do)| matches!(what, Do::Set(k, _) if k == key);
        self.inside(at).iter().any(is_value)
            || KINDS.iter().any(|&kind: &Kind| self.exists(&child(at, key, kind)))
    }

    fn below<'a>(&'a self, at: &'a At) -> impl Iterator<Item = (&'a At, &'a Vec<(Dot, Do)>)> {
        self.items.range(at.clone()..).take_while(|(path, _)| path.starts_with(at))
    }

    /// Its owner does something, which is put into the change and seen from now on.
    pub fn push(&mut self, draft: &mut Draft<'_, Op>, op: Op) {
        let dot = draft.next_dot();
        let paths = self.items.range_mut(op.at.clone()..);
        for (path, items) in paths.take_while(|(path, _)| path.starts_with(&op.at)) {
            let before = items.len();
            items.retain(|(dot, what)| !removes(&op, *dot, path, what));
            let letters = self.texts.get_mut(path).filter(|_| items.len() < before);
            match (letters, &op.what) {
                (None, _) => {}
                (Some(letters), Do::Delete(letter)) => letters.take(*letter),
                (Some(letters), _) => letters.clear(),
            }
        }
        if is_item(&op.what) {
            self.items.entry(op.at.clone()).or_default().push((dot, op.what.clone()));
        }
        draft.push(op);
        self.version.insert(dot.replica, dot.seq);
    }

    /// Types a letter right after another one, or at the beginning.
    pub fn type_after(
        &mut self,
        draft: &mut Draft<'_, Op>,
        at: &At,
        left: Option<Dot>,
        letter: char,
    ) -> Dot {
        let dot = draft.next_dot();
        let place = self.text(draft, at).insert_after(left, dot, letter);
        self.push(draft, Op { at: at.clone(), what: Do::Insert(letter, place) });
        dot
    }
}
