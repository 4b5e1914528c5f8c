//! Taking in deltas: all of them, or nothing.
//!
//! Nearly always each change has all that it follows before it, in the text or among the
//! deltas: then they are taken as they come (`in_order.rs`). Where they are not, or where so
//! many replicas wrote that another order is cheaper to merge, they are ordered first
//! (`ordered.rs`).

mod encoded;
mod error;
mod in_order;
mod offer;
mod ordered;
mod trimmed;

use alloc::vec::Vec;
use core::slice::from_ref;

use super::delta::{Form, TextDelta};
use super::error::InvalidTextOp;
use super::patch::TextPatch;
use super::text::Text;
use crate::causality::Lv;
pub use encoded::ImportError;
pub use error::JoinError;

/// Joining.
impl Text {
    /// Takes in a delta. Changes that are known already change nothing.
    ///
    /// O(log n) for each run of edits that is concurrent to nothing; otherwise see
    /// [`TextStore`](super::TextStore). An editor that shows the text wants
    /// [`join_with_patches`](Self::join_with_patches).
    ///
    /// # Errors
    ///
    /// See [`JoinError`]; nothing is changed.
    pub fn join(&mut self, delta: &TextDelta) -> Result<(), JoinError> {
        if let Form::Edit(edit) = &delta.form
            && self.has_history()
            && self.join_edit(edit)
        {
            return Ok(());
        }
        self.join_all(from_ref(&delta))
    }

    /// As [`join`](Self::join), and returns what changed in the text, in the order in which
    /// an editor applies it.
    ///
    /// Costs the text that changed and two conversions of positions more for each patch.
    ///
    /// # Errors
    ///
    /// See [`JoinError`]; nothing is changed.
    pub fn join_with_patches(&mut self, delta: &TextDelta) -> Result<Vec<TextPatch>, JoinError> {
        self.join_all_with_patches(from_ref(&delta))
    }

    /// Takes in several deltas at once, in any order, all or none: what one of them lacks may
    /// be in another. Several of many replicas cost less than one by one, since a merge then
    /// chooses the order that goes back and forth least.
    ///
    /// # Errors
    ///
    /// See [`JoinError`]; nothing is changed.
    pub fn join_all(&mut self, deltas: &[&TextDelta]) -> Result<(), JoinError> {
        if self.join_line(deltas, None) {
            return Ok(());
        }
        self.load_history()?;
        let before = self.graph.len();
        let in_line = self.log_all(deltas)?;
        self.merge_logged(before, in_line)
    }

    /// As [`join_all`](Self::join_all), and returns what changed in the text; see
    /// [`join_with_patches`](Self::join_with_patches).
    ///
    /// # Errors
    ///
    /// See [`JoinError`]; nothing is changed.
    pub fn join_all_with_patches(
        &mut self,
        deltas: &[&TextDelta],
    ) -> Result<Vec<TextPatch>, JoinError> {
        let mut patches = Vec::new();
        if self.join_line(deltas, Some(&mut patches)) {
            return Ok(patches);
        }
        self.load_history()?;
        let before = self.graph.len();
        self.log_all(deltas)?;
        let staged = self.store.stage_logged(&self.graph, before..self.graph.len());
        let staged = staged.map_err(|refused| self.refuse(before, refused))?;
        Ok(self.store.commit_patches(&staged))
    }

    /// Adds what is new in deltas to the graph and to the log, or nothing. Returns whether each
    /// change follows everything that came before it.
    fn log_all(&mut self, deltas: &[&TextDelta]) -> Result<bool, JoinError> {
        let left = self.without_trimmed(deltas)?;
        let left = left.as_ref();
        let deltas = left.as_ref().map_or(deltas, from_ref);
        let before = self.graph.len();
        if !in_order::are_of_many(deltas) {
            if let Some(in_line) = self.log_in_order(deltas) {
                return Ok(in_line);
            }
            self.forget_logged(before);
        }
        let logged = self.log_ordered(deltas);
        if logged.is_err() {
            self.forget_logged(before);
        }
        logged.map(|()| false)
    }

    /// Changes the text by what was logged from local version `before` on.
    fn merge_logged(&mut self, before: Lv, in_line: bool) -> Result<(), JoinError> {
        let logged = before..self.graph.len();
        if in_line && self.store.apply_in_line(logged.clone()) {
            return Ok(());
        }
        if self.store.is_empty() {
            let filled = self.store.fill(&self.graph, logged);
            return filled.map_err(|refused| self.refuse(before, refused));
        }
        let staged = self.store.stage_logged(&self.graph, logged);
        let staged = staged.map_err(|refused| self.refuse(before, refused))?;
        self.store.commit(&staged);
        Ok(())
    }

    /// Forgets what was logged from local version `before` on, as one of the edits is refused.
    fn refuse(&mut self, before: Lv, (lv, error): (Lv, InvalidTextOp)) -> JoinError {
        let event = self.graph.dot_of(lv);
        self.forget_logged(before);
        JoinError::Edit { event, error }
    }

    fn forget_logged(&mut self, before: Lv) {
        self.graph.truncate(before);
        self.store.roll_back();
    }
}
