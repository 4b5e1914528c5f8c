//! Joining bytes, without a delta in between.

use core::fmt;

use super::error::JoinError;
use super::in_order::MANY;
use crate::causality::{ChangeReader, Lv};
use crate::codec::{DecodeError, ReceiveTable};
use crate::sequence::{Text, TextDelta};

/// Why an encoded delta was not taken in. Nothing was changed.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ImportError {
    /// The bytes are no delta.
    Bytes(DecodeError),
    /// They are one, which cannot be joined.
    Join(JoinError),
}

impl From<DecodeError> for ImportError {
    fn from(error: DecodeError) -> Self {
        Self::Bytes(error)
    }
}

impl From<JoinError> for ImportError {
    fn from(error: JoinError) -> Self {
        Self::Join(error)
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(error) => error.fmt(f),
            Self::Join(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ImportError {}

/// What the graph needs for the changes of a row, which bounds what a declared number reserves.
const SPAN_SIZE: usize = 24;

impl Text {
    /// Takes in an encoded delta: [`TextDelta::decode`] and [`join`](Self::join) in one.
    ///
    /// Where nothing of it is known yet, it goes from the bytes straight into the history, and the
    /// delta, which takes as much memory as the history that is made of it, never exists.
    ///
    /// # Errors
    ///
    /// See [`ImportError`]; nothing is changed.
    ///
    /// ```
    /// use crdt_core::{ReplicaId, Text, VersionVector};
    ///
    /// let mut here = Text::new();
    /// let mut writer = here.writer(ReplicaId::from_u128(1));
    /// let _sent_elsewhere = here.insert(0, "Grüße", &mut writer)?;
    /// let bytes = here.delta_since(&VersionVector::new())?.encode();
    ///
    /// let mut there = Text::new();
    /// there.join_encoded(&bytes)?;
    /// assert_eq!(there.to_string(), "Grüße");
    /// assert!(there.join_encoded(&bytes[1..]).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join_encoded(&mut self, bytes: &[u8]) -> Result<(), ImportError> {
        if self.has_history() && self.graph.base().is_none() {
            let before = self.graph.len();
            if let Some(in_line) = self.log_encoded(bytes) {
                return Ok(self.merge_logged(before, in_line)?);
            }
            self.forget_logged(before);
        }
        Ok(self.join(&TextDelta::decode(bytes)?)?)
    }

    /// Adds the changes to the graph and to the log, if all of them are new, each comes after all
    /// that it follows, and they are of few replicas; else, or if anything is wrong with them, a
    /// part of them may be in the graph, or in both. Returns whether each follows everything that
    /// came before it.
    fn log_encoded(&mut self, bytes: &[u8]) -> Option<bool> {
        let (mut input, rows) = TextDelta::open(bytes).ok()?;
        let (mut table, mut reader) = (ReceiveTable::new(), ChangeReader::new());
        let before = self.graph.len();
        self.graph.reserve(input.capacity(rows, SPAN_SIZE));
        let mut in_line = true;
        for _ in 0..rows {
            let run = reader.read(&mut table, &mut input).ok()?;
            if run.seq != self.graph.last_of(run.replica) + 1 || table.len() >= MANY {
                return None;
            }
            let parents = self.graph.full_parents(run.replica, &run.parents).ok()?;
            in_line &= parents[..] == *self.graph.frontier();
            self.graph.push(run.replica, run.change_len, run.count, &parents).ok()?;
        }
        drop((table, reader));
        let events: Lv = self.graph.len() - before;
        self.store.log_encoded(events, before, &mut input).ok()?;
        input.finish().ok()?;
        Some(in_line)
    }
}
