//! Edits by position, and when two of them are one run.
//!
//! A run is what a cursor does without jumping: text typed forwards, a key held to delete
//! forwards or backwards. One rule decides whether an edit continues a run, and it looks at
//! single events only, so that a history gives the same runs however it was cut into pieces
//! on its way here. The log and the encoded form both use it.

use super::error::InvalidTextOp;

/// Most events of one text, and most code points of one insertion. Above it lie the
/// walker's names for settled text.
pub const EVENTS_MAX: u32 = (1 << 30) - 1;

/// One edit, or a run of them, at the position it had in the version of its first event.
///
/// Positions count code points. An insertion has one event for each code point; a deletion
/// one for each deleted code point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TextOp<'a> {
    /// Inserts `content` so that it begins at `at`.
    Insert {
        /// Where the first code point goes.
        at: u32,
        /// What is inserted; never empty.
        content: &'a str,
    },
    /// Deletes the `len` code points from `at` on, first to last or last to first.
    Delete {
        /// The lowest position.
        at: u32,
        /// How many code points.
        len: u32,
        /// Whether the first event deletes at the lowest position (the delete key, a
        /// selection) or at the highest (backspace).
        forward: bool,
    },
    /// Deletes all that is visible, `len` times over; each is one event, so that it costs
    /// the same whatever the text holds.
    Clear {
        /// How many events.
        len: u32,
    },
}

impl TextOp<'_> {
    /// How many events the edit has.
    #[must_use]
    pub fn events(&self) -> usize {
        match *self {
            Self::Insert { content, .. } => content.chars().count(),
            Self::Delete { len, .. } | Self::Clear { len } => len as usize,
        }
    }

    /// What is inserted.
    pub(super) fn content(&self) -> &str {
        match *self {
            Self::Insert { content, .. } => content,
            Self::Delete { .. } | Self::Clear { .. } => "",
        }
    }
}

/// The kinds of run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RunKind {
    Insert,
    DeleteForward,
    DeleteBackward,
    Clear,
}

/// An edit without its text: what positions depend on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Run {
    pub(super) kind: RunKind,
    pub(super) at: u32,
    /// Events, at least one.
    pub(super) len: u32,
}

impl Run {
    /// The run of an operation, if it is well formed.
    pub(super) fn of(op: &TextOp<'_>) -> Result<Self, InvalidTextOp> {
        let run = match *op {
            TextOp::Insert { at, content } => {
                let len = content.chars().count();
                let len = u32::try_from(len).map_err(|_| InvalidTextOp::TooLong)?;
                Self { kind: RunKind::Insert, at, len }
            }
            TextOp::Delete { at, len, forward: true } => {
                Self { kind: RunKind::DeleteForward, at, len }
            }
            TextOp::Delete { at, len, forward: false } => {
                Self { kind: RunKind::DeleteBackward, at, len }
            }
            TextOp::Clear { len } => Self { kind: RunKind::Clear, at: 0, len },
        };
        if run.len == 0 {
            return Err(InvalidTextOp::Empty);
        }
        // Below this, no sum of a position and a length overflows.
        if run.len > EVENTS_MAX || run.at > EVENTS_MAX {
            return Err(InvalidTextOp::TooLong);
        }
        Ok(run.normal())
    }

    /// One deletion has no direction; it is written as a forward one.
    fn normal(mut self) -> Self {
        if self.len == 1 && self.kind == RunKind::DeleteBackward {
            self.kind = RunKind::DeleteForward;
        }
        self
    }

    /// How long a text is afterwards that was `length` long at the run's version, if all of the
    /// run is within it.
    pub(super) fn length_after(self, length: u32) -> Option<u32> {
        match self.kind {
            RunKind::Insert => (self.at <= length).then_some(length + self.len),
            RunKind::DeleteForward | RunKind::DeleteBackward => {
                (self.at + self.len <= length).then(|| length - self.len)
            }
            RunKind::Clear => Some(0),
        }
    }

    /// Splits off the events after the first `first`, `0 < first < len`.
    pub(super) fn split(self, first: u32) -> (Self, Self) {
        debug_assert!(0 < first && first < self.len);
        let rest = self.len - first;
        let (left, right) = match self.kind {
            RunKind::Insert => (self.at, self.at + first),
            RunKind::DeleteForward | RunKind::Clear => (self.at, self.at),
            RunKind::DeleteBackward => (self.at + rest, self.at),
        };
        let left = Self { at: left, len: first, ..self };
        (left.normal(), Self { at: right, len: rest, ..self }.normal())
    }

    /// The position that the first event deletes or inserts at.
    fn first_position(self) -> u32 {
        match self.kind {
            RunKind::DeleteBackward => self.at + self.len - 1,
            _ => self.at,
        }
    }

    /// How many of `next`'s events, which follow directly, continue this run; it is
    /// lengthened by them.
    pub(super) fn absorb(&mut self, next: Self) -> u32 {
        let taken = self.absorbed(next);
        if taken == 0 {
            return 0;
        }
        match self.kind {
            RunKind::Insert | RunKind::Clear => {}
            RunKind::DeleteForward | RunKind::DeleteBackward => {
                // One deletion has no direction yet; the second gives it.
                if next.first_position() == self.at {
                    self.kind = RunKind::DeleteForward;
                } else {
                    self.kind = RunKind::DeleteBackward;
                    self.at -= taken;
                }
            }
        }
        self.len += taken;
        taken
    }

    fn absorbed(self, next: Self) -> u32 {
        use RunKind::{Clear, DeleteBackward, DeleteForward, Insert};
        if self.len + next.len > EVENTS_MAX {
            return 0;
        }
        match (self.kind, next.kind) {
            (Insert, Insert) if next.at == self.at + self.len => next.len,
            (Clear, Clear) => next.len,
            (DeleteForward | DeleteBackward, DeleteForward | DeleteBackward) => {
                let first = next.first_position();
                let continues = |kind| self.len == 1 || self.kind == kind;
                let kind = if first == self.at && continues(DeleteForward) {
                    DeleteForward
                } else if first + 1 == self.at && continues(DeleteBackward) {
                    DeleteBackward
                } else {
                    return 0;
                };
                if next.len == 1 || next.kind == kind { next.len } else { 1 }
            }
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::trials;
    use alloc::vec::Vec;

    fn push(runs: &mut Vec<Run>, mut next: Run) {
        if let Some(last) = runs.last_mut() {
            let taken = last.absorb(next);
            if taken == next.len {
                return;
            }
            if taken > 0 {
                next = next.split(taken).1;
            }
        }
        runs.push(next);
    }

    fn delete(at: u32) -> Run {
        Run { kind: RunKind::DeleteForward, at, len: 1 }
    }

    /// However a sequence of single deletions is cut into runs on its way, it ends as
    /// the runs that a greedy pass over the single events gives.
    #[test]
    fn runs_do_not_depend_on_the_pieces() {
        fn law(steps: Vec<(u8, bool)>) -> bool {
            let mut position = 100;
            let mut whole = Vec::new();
            let mut pieces: Vec<Vec<Run>> = alloc::vec![Vec::new()];
            for (step, cut) in steps {
                match step % 4 {
                    0 => {}
                    1 | 2 => position -= u32::from(position > 0),
                    _ => position += 2,
                }
                push(&mut whole, delete(position));
                if cut {
                    pieces.push(Vec::new());
                }
                push(pieces.last_mut().expect("never empty"), delete(position));
            }
            let mut joined = Vec::new();
            for run in pieces.into_iter().flatten() {
                push(&mut joined, run);
            }
            whole == joined
        }
        trials().quickcheck(law as fn(_) -> _);
    }

    #[test]
    fn splitting_keeps_each_event_where_it_was() {
        let back = Run { kind: RunKind::DeleteBackward, at: 3, len: 4 };
        let (first, rest) = back.split(1);
        assert_eq!((first.at, first.len), (6, 1));
        assert_eq!((rest.at, rest.len), (3, 3));
        let insert = Run { kind: RunKind::Insert, at: 3, len: 4 };
        assert_eq!(insert.split(3).1, Run { kind: RunKind::Insert, at: 6, len: 1 });
    }
}
