//! From the text at one version to the text at another, by what lies between them.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::anchor::complement;
use super::held_version::HeldVersion;
use super::merge::first_edit;
use super::patch::TextPatch;
use super::rope::Rope;
use super::saved::HistoryError;
use super::text::Text;
use super::text_store::TextStore;
use super::walker::Walker;
use crate::causality::Lv;
use crate::{EventGraph, Frontier};

impl Text {
    /// The text as it was at a version.
    ///
    /// Takes the edits since the newest critical version before the first that is not in it, or a
    /// replay of all that are, whichever are fewer; the latter also where text has to come back
    /// that was older than that critical version.
    ///
    /// # Errors
    ///
    /// [`HistoryError`], also for an event of the version that is not known, and for a version from
    /// before the [cut](Self::trim).
    pub fn text_at(&self, version: &Frontier) -> Result<String, HistoryError> {
        if *version == self.frontier() {
            return Ok(self.to_string());
        }
        let text = self.with_history()?;
        Ok(text.store.text_at(&text.graph, &HeldVersion::local(&text.graph, version)?).to_string())
    }

    /// The patches that change the text at version `from` into the text at version `to`, in the
    /// order in which they apply. The two may be any versions: one in the other's past, or neither.
    ///
    /// Takes the edits since the newest critical version before the first event that only one of
    /// them has, and as long as [`text_at`](Self::text_at) takes for `from`. Where text comes back
    /// that was older, it has to be looked for by a replay of the edits up to there.
    ///
    /// ```
    /// use crdt_core::{ReplicaId, Text};
    ///
    /// let mut text = Text::new();
    /// let mut anna = text.writer(ReplicaId::from_u128(1));
    /// let _delta = text.insert(0, "HELLO", &mut anna)?;
    /// let before = text.frontier();
    /// let _delta = text.splice(1, 3, "i", &mut anna)?;
    ///
    /// let [patch] = &text.diff(&before, &text.frontier())?[..] else { panic!("one change") };
    /// assert_eq!((patch.at, patch.deleted, &*patch.inserted), (1, 3, "i"));
    /// let [back] = &text.diff(&text.frontier(), &before)?[..] else { panic!("one change") };
    /// assert_eq!((back.at, back.deleted, &*back.inserted), (1, 1, "ELL"));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`text_at`](Self::text_at).
    pub fn diff(&self, from: &Frontier, to: &Frontier) -> Result<Vec<TextPatch>, HistoryError> {
        if from == to {
            return Ok(Vec::new());
        }
        let text = self.with_history()?;
        let (graph, store) = (&text.graph, &text.store);
        let (from, to) = (HeldVersion::local(graph, from)?, HeldVersion::local(graph, to)?);
        let mut rope = store.text_at(graph, &from);
        let changes = store.changes_between(graph, &from, &to);
        Ok(changes.into_iter().map(|change| change.apply(&mut rope)).collect())
    }
}

/// Something else in the place of some code points.
#[derive(Default)]
struct Change {
    at: u32,
    deleted: u32,
    inserted: String,
}

impl Change {
    fn apply(self, rope: &mut Rope) -> TextPatch {
        let Self { at, deleted, inserted } = self;
        let utf16 = |rope: &Rope, at| rope.char_to_utf16(at).expect("changes fit the text");
        let at_utf16 = utf16(rope, at);
        let deleted_utf16 = utf16(rope, at + deleted) - at_utf16;
        rope.remove(at, deleted);
        rope.insert(at, &inserted);
        TextPatch { at, deleted, inserted, at_utf16, deleted_utf16 }
    }
}

impl TextStore {
    /// The text as it was at a version: from the tip back to it, or all its edits again,
    /// whichever are fewer.
    #[must_use]
    pub fn text_at(&self, graph: &EventGraph, version: &[Lv]) -> Rope {
        let (later, _) = graph.diff(graph.frontier(), version);
        let Some(first) = first_edit(self.log(), &later) else { return self.rope().clone() };
        let (log, start) = (self.log(), self.base_of(first).start);
        if log.run_at(log.end()) - log.run_at(start) > log.run_at(start) {
            return self.replay(graph, version);
        }
        let mut rope = self.rope().clone();
        for change in self.changes_between(graph, graph.frontier(), version) {
            change.apply(&mut rope);
        }
        rope
    }

    /// Where a walker may begin for all edits from `first` on.
    fn base_of(&self, first: Lv) -> Base {
        let base = self.merge_state().critical_before(first);
        base.map_or(Base { critical: None, length: 0, start: 0 }, |(lv, length)| Base {
            critical: Some(lv),
            length,
            start: lv + 1,
        })
    }

    /// What changes the text at `from` into the one at `to`, from left to right.
    fn changes_between(&self, graph: &EventGraph, from: &[Lv], to: &[Lv]) -> Vec<Change> {
        let (only_from, only_to) = graph.diff(from, to);
        let firsts = [&only_from, &only_to].map(|ranges| first_edit(self.log(), ranges));
        let Some(first) = firsts.into_iter().flatten().min() else { return Vec::new() };
        // An edit that all later ones have in their past is in both versions, if it comes before
        // all that only one of them has.
        let Base { critical, length, start } = self.base_of(first);
        let mut walker = Walker::new(critical, length);
        let either = graph.maximal(&[from, to].concat());
        let (in_neither, _) = graph.diff(graph.frontier(), &either);
        let end = self.log().end();
        let parts = complement(&in_neither, start..end);
        let history = self.history(graph, &parts);
        walker.feed_again(&history, start..end);
        // Going there once splits what has another fate in one of them.
        walker.go_to(&history, from);
        walker.go_to(&history, to);
        walker.go_to(&history, from);
        let before: Vec<bool> = walker.fates().map(|fate| fate.visible).collect();
        walker.go_to(&history, to);
        let mut changes: Vec<Change> = Vec::new();
        let (mut at, mut open, mut base_text) = (0, false, None);
        for (fate, was_visible) in walker.fates().zip(before) {
            if was_visible == fate.visible {
                open &= !fate.visible;
                at += if fate.visible { fate.len } else { 0 };
                continue;
            }
            if !open {
                changes.push(Change { at, ..Change::default() });
                open = true;
            }
            let change = changes.last_mut().expect("one is open");
            if was_visible {
                change.deleted += fate.len;
            } else {
                match fate.settled() {
                    None => self.log().pieces(fate.id..fate.id + fate.len).for_each(|piece| {
                        change.inserted.push_str(self.log().text(piece.text));
                    }),
                    // It was deleted since: nobody knows it but those who inserted it.
                    Some(place) => base_text
                        .get_or_insert_with(|| self.replay(graph, critical.as_slice()))
                        .slice_into(place, fate.len, &mut change.inserted),
                }
                at += fate.len;
            }
        }
        changes
    }
}

/// A critical edit, the length of the text after it, and the next local version.
struct Base {
    critical: Option<Lv>,
    length: u32,
    start: Lv,
}
