use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crdt_core::causality::{GraphError, Lv};
use crdt_core::sequence::TextPatch;
use crdt_core::{Dot, DotRange, ReplicaId, SEQ_MAX};

use crate::container::Content;
use crate::edit::{CounterEdit, MapEdit, SetEdit, TextEdit};
use crate::error::EditError;
use crate::event::{Events, Origin, TextChange};
use crate::journal::Journal;
use crate::op::Op;
use crate::path::PATH_STEPS_MAX;
use crate::state::{Cause, Past, State};
use crate::{Document, Path, Value};

/// Changes under way: what is done here is visible at once, and becomes one change of the
/// document, or nothing, in the end.
///
/// ```
/// use crdt_document::{Document, EditError, ReplicaId};
///
/// let mut doc = Document::new(ReplicaId::from_u128(1));
/// doc.transact(|tx| {
///     tx.text("body").insert(0, "hello")?;
///     tx.counter("views").increment(1);
///     tx.set("tags").add("crdt");
///     tx.map("settings").map("editor").set("theme", "dark");
///     Ok(())
/// })?;
/// assert_eq!(doc.text("body"), "hello");
/// # Ok::<(), EditError>(())
/// ```
///
/// Only edits of texts can fail at once, for their positions can be wrong. Whatever else
/// goes wrong, such as a container that a later release wrote, is remembered, makes every
/// later step of the transaction a step into nothing, and comes out as the error of the
/// whole.
#[derive(Debug)]
pub struct Transaction<'a> {
    state: &'a mut State,
    open: &'a mut Open,
}

/// A transaction that has begun.
#[derive(Debug)]
pub(crate) struct Open {
    replica: ReplicaId,
    /// The local version and the dot's number of the next event, if there is room for it.
    lv: Lv,
    seq: u64,
    lamport: u64,
    events: u32,
    containers: u32,
    journal: Journal,
    failed: Option<EditError>,
    /// How many events the graph has room for.
    room: u32,
}

impl Open {
    pub(crate) fn new(state: &State, replica: ReplicaId) -> Self {
        let graph = &state.graph;
        let tips = graph.frontier().iter();
        let lamport = tips.map(|&tip| graph.lamport(tip)).max().unwrap_or(0);
        let seq = graph.version().get(replica);
        // The greatest local version is no event; see `EventGraph`.
        let room = u64::from(state.room()).min(SEQ_MAX - seq) as u32;
        Self {
            replica,
            lv: graph.len(),
            seq: seq + 1,
            lamport: lamport + 1,
            events: 0,
            containers: state.containers.len(),
            journal: Journal::default(),
            failed: None,
            room,
        }
    }

    /// Ends the transaction: either all of it becomes a change, or, if something failed,
    /// nothing does.
    pub(crate) fn commit(
        mut self,
        state: &mut State,
        events: &mut Events,
    ) -> Result<Option<DotRange>, EditError> {
        if let Some(error) = self.failed.take() {
            self.roll_back(state);
            return Err(error);
        }
        if self.events == 0 {
            // Nothing was changed, but for containers that were looked for.
            self.roll_back(state);
            return Ok(None);
        }
        let tips = state.graph.frontier().to_vec();
        let pushed = state.graph.push(self.replica, self.events, 1, &tips);
        pushed.expect("there was room for every event");
        for &number in self.journal.touched.keys() {
            if let Content::Text(text) = &mut state.containers[number].content {
                text.keep();
            }
        }
        let dots = DotRange::new(self.replica, self.seq - u64::from(self.events), self.seq - 1);
        state.extend_chain(&dots);
        events.record(&state.containers, self.journal, Origin::Local);
        Ok(Some(dots))
    }

    /// Leaves the document as it was before.
    pub(crate) fn roll_back(self, state: &mut State) {
        let start = self.lv - self.events;
        let touched: Vec<u32> = self.journal.touched.keys().copied().collect();
        self.journal.undo(&mut state.containers);
        for number in touched {
            state.containers[number].log.truncate(start);
        }
        state.containers.truncate(self.containers);
        state.owners.truncate(start);
    }
}

impl<'a> Transaction<'a> {
    pub(crate) const fn new(state: &'a mut State, open: &'a mut Open) -> Self {
        Self { state, open }
    }

    /// The root map, for plain values at the top.
    pub fn root(&mut self) -> MapEdit<'_> {
        self.at_map(Path::root())
    }

    /// The map at a key of the root.
    pub fn map(&mut self, key: &str) -> MapEdit<'_> {
        self.at_map(Path::root().map(key))
    }

    /// The set at a key of the root.
    pub fn set(&mut self, key: &str) -> SetEdit<'_> {
        SetEdit::new(self.reborrow(), Path::root().set(key))
    }

    /// The counter at a key of the root.
    pub fn counter(&mut self, key: &str) -> CounterEdit<'_> {
        CounterEdit::new(self.reborrow(), Path::root().counter(key))
    }

    /// The text at a key of the root.
    pub fn text(&mut self, key: &str) -> TextEdit<'_> {
        TextEdit::new(self.reborrow(), Path::root().text(key))
    }

    /// The map at a path.
    ///
    /// # Panics
    ///
    /// If the path ends at another kind of container; so do the other methods of this name.
    pub fn at_map(&mut self, path: Path) -> MapEdit<'_> {
        MapEdit::new(self.reborrow(), path)
    }

    /// The set at a path.
    pub fn at_set(&mut self, path: Path) -> SetEdit<'_> {
        SetEdit::new(self.reborrow(), path)
    }

    /// The counter at a path.
    pub fn at_counter(&mut self, path: Path) -> CounterEdit<'_> {
        CounterEdit::new(self.reborrow(), path)
    }

    /// The text at a path.
    pub fn at_text(&mut self, path: Path) -> TextEdit<'_> {
        TextEdit::new(self.reborrow(), path)
    }

    /// The replica that the changes will be of.
    pub const fn replica(&self) -> ReplicaId {
        self.open.replica
    }

    fn reborrow(&mut self) -> Transaction<'_> {
        Transaction { state: self.state, open: self.open }
    }

    pub(crate) const fn state(&self) -> &State {
        self.state
    }

    /// The container at a path, if it was ever used.
    pub(crate) fn find(&self, path: &Path) -> Option<u32> {
        self.state.containers.find(path)
    }

    /// The container at a path, made if need be, or the reason why it cannot be changed.
    pub(crate) fn enter(&mut self, path: &Path) -> Result<u32, EditError> {
        if let Some(error) = &self.open.failed {
            return Err(error.clone());
        }
        if path.steps().len() > PATH_STEPS_MAX {
            return Err(EditError::PathTooLong);
        }
        let number = self.state.containers.enter(path);
        if self.state.containers[number].unsupported {
            return Err(EditError::Unsupported(path.clone()));
        }
        Ok(number)
    }

    /// Remembers that a step failed, so that the whole does.
    pub(crate) fn fail(&mut self, error: EditError) {
        self.open.failed.get_or_insert(error);
    }

    /// Makes an event that is not an edit of a text.
    pub(crate) fn apply(&mut self, path: &Path, op: Op) {
        if let Err(error) = self.try_apply(path, &op) {
            self.fail(error);
        }
    }

    fn try_apply(&mut self, path: &Path, op: &Op) -> Result<(), EditError> {
        let number = self.enter(path)?;
        self.check_room(1)?;
        let cause = self.cause();
        let mut texts = Vec::new();
        self.state.texts_below(number, op, &mut texts);
        for text in texts {
            self.clear_text(text)?;
        }
        self.state.apply(number, op, 1, &cause, &mut self.open.journal);
        self.advance(number, 1);
        Ok(())
    }

    /// Clears a text by the next event, which is another container's.
    fn clear_text(&mut self, number: u32) -> Result<(), EditError> {
        let cause = self.cause();
        self.open.journal.touch(&self.state.containers, number, self.open.replica);
        let Content::Text(text) = &mut self.state.containers[number].content else { return Ok(()) };
        if text.is_empty() {
            return Ok(());
        }
        let (deleted, deleted_utf16) = (text.len_chars(), text.rope().len_utf16());
        text.clear(self.open.lv)?;
        let patch =
            TextPatch { at: 0, deleted, inserted: String::new(), at_utf16: 0, deleted_utf16 };
        self.open.journal.text(number, [TextChange::new(patch, self.open.replica)]);
        self.state.refresh(number, &cause, &mut self.open.journal);
        Ok(())
    }

    /// Replaces `len` code points of a text at `at`, in at most as many events as that
    /// deletes and inserts.
    pub(crate) fn splice(
        &mut self,
        path: &Path,
        at: u32,
        len: u32,
        content: &str,
    ) -> Result<(), EditError> {
        let number = self.enter(path)?;
        let chars = u32::try_from(content.chars().count()).unwrap_or(u32::MAX);
        self.check_room(len.saturating_add(chars))?;
        let cause = self.cause();
        let replica = self.open.replica;
        let State { containers, .. } = &mut *self.state;
        self.open.journal.touch(containers, number, replica);
        let Content::Text(text) = &mut containers[number].content else {
            panic!("{path} is not the path of a text");
        };
        let utf16 = |at: u32, text: &crdt_core::sequence::TextStore| text.rope().char_to_utf16(at);
        let (from, to) = (utf16(at, text), utf16(at.saturating_add(len), text));
        let made = text.delete(self.open.lv, at, len)?;
        debug_assert_eq!(made, len);
        let inserted = match text.insert(self.open.lv + made, at, content) {
            Ok(inserted) => inserted,
            Err(error) => {
                // The deletion stays in the text until the whole is rolled back, which it
                // has to be now.
                self.advance(number, made);
                self.fail(error.into());
                return Err(error.into());
            }
        };
        if made + inserted == 0 {
            return Ok(());
        }
        let at_utf16 = from.expect("the position was checked");
        let patch = TextPatch {
            at,
            deleted: made,
            inserted: content.to_owned(),
            at_utf16,
            deleted_utf16: to.expect("the position was checked") - at_utf16,
        };
        self.open.journal.text(number, [TextChange::new(patch, replica)]);
        self.state.refresh(number, &cause, &mut self.open.journal);
        self.advance(number, made + inserted);
        Ok(())
    }

    /// Clears a text by an event of its own.
    pub(crate) fn clear_own(&mut self, path: &Path) -> Result<(), EditError> {
        let number = self.enter(path)?;
        self.check_room(1)?;
        if self.state.containers[number].text().is_some_and(|text| !text.is_empty()) {
            self.clear_text(number)?;
            self.advance(number, 1);
        }
        Ok(())
    }

    /// Adds to a counter.
    pub(crate) fn count(&mut self, path: &Path, amount: i64) -> Result<(), EditError> {
        let number = self.enter(path)?;
        // What `apply` expects to fit.
        let mut afterwards = match &self.state.containers[number].content {
            Content::Counter(counter) => counter.clone(),
            _ => panic!("{path} is not the path of a counter"),
        };
        if amount == i64::MIN || afterwards.increment(self.open.replica, amount, 1).is_err() {
            return Err(EditError::CounterOverflow(path.clone()));
        }
        self.try_apply(path, &Op::Increment { amount })
    }

    fn cause(&self) -> Cause<'static> {
        Cause {
            lv: self.open.lv,
            dot: Dot::new(self.open.replica, self.open.seq),
            lamport: self.open.lamport,
            past: Past::All,
        }
    }

    fn check_room(&self, events: u32) -> Result<(), EditError> {
        if events > self.open.room {
            return Err(EditError::Full(GraphError::TooManyEvents));
        }
        Ok(())
    }

    fn advance(&mut self, number: u32, events: u32) {
        self.state.owners.push(number, events);
        self.open.lv += events;
        self.open.seq += u64::from(events);
        self.open.lamport += u64::from(events);
        self.open.events += events;
        self.open.room -= events;
    }
}

/// Rolls an open transaction back when a panic passes through.
pub(crate) struct Guard<'a>(pub(crate) &'a mut Document);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.rollback();
    }
}

/// A value that is not nested too deep.
pub(crate) fn checked(value: Value) -> Result<Arc<Value>, EditError> {
    if value.is_shallow() { Ok(Arc::new(value)) } else { Err(EditError::ValueTooDeep) }
}
