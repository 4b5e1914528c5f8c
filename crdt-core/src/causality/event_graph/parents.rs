//! From the parents that a change names to the parents that it has.

use crate::collections::sort;
use core::fmt;

use smallvec::SmallVec;

use super::{EventGraph, Lv};
use crate::{Dot, ReplicaId};

/// Why the parents that a peer names cannot be those of its next change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParentsError {
    /// An event that is not held.
    Missing(Dot),
    /// An event of the change's own replica: its predecessor is a parent without being named.
    OwnEvent(Dot),
    /// An event that is in the past of another parent.
    Redundant(Dot),
    /// An event that is not the last of its change: changes are seen whole.
    InsideChange(Dot),
    /// The change has not seen all that was trimmed, of which this event is one: it is from before
    /// the graph's [`Base`](super::Base), or concurrent to it.
    BeforeTrim(Dot),
}

impl fmt::Display for ParentsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(dot) => write!(f, "the parent {dot} is not known here"),
            Self::OwnEvent(dot) => write!(f, "the parent {dot} is the replica's own event"),
            Self::Redundant(dot) => write!(f, "the parent {dot} is in another parent's past"),
            Self::InsideChange(dot) => write!(f, "the parent {dot} does not end its change"),
            Self::BeforeTrim(dot) => write!(f, "the change has not seen the trimmed event {dot}"),
        }
    }
}

impl core::error::Error for ParentsError {}

impl EventGraph {
    /// The full parents of `replica`'s next change, from the *explicit* ones that travel: the
    /// frontier at its start without the replica's own predecessor, which is implicit.
    ///
    /// # Errors
    ///
    /// See [`ParentsError`]. One version has one way to be named, so that equal sets of events
    /// have equal bytes; any other way is refused.
    pub fn full_parents(
        &self,
        replica: ReplicaId,
        explicit: &[Dot],
    ) -> Result<SmallVec<[Lv; 2]>, ParentsError> {
        if explicit.is_empty()
            && let Some(run) = self.runs.last()
            && self.issuers[run.replica as usize].id == replica
            && self.len > self.first()
        {
            return Ok(SmallVec::from_slice(&[self.len - 1]));
        }
        let own = self.numbers.get(&replica).copied();
        let mut parents: SmallVec<[Lv; 2]> = SmallVec::new();
        for &dot in explicit {
            if dot.replica == replica {
                return Err(ParentsError::OwnEvent(dot));
            }
            let Some(lv) = self.lv_of(dot) else {
                let trimmed = self.is_trimmed(dot);
                return Err(match trimmed {
                    true => ParentsError::BeforeTrim(dot),
                    false => ParentsError::Missing(dot),
                });
            };
            if !self.is_change_start(lv + 1) {
                return Err(ParentsError::InsideChange(dot));
            }
            parents.push(lv);
        }
        let own = own.and_then(|number| self.last_lv_of_numbered(number));
        let parents = self
            .with_own(own, parents)
            .map_err(|index| ParentsError::Redundant(explicit[index]))?;
        if let Some(base) = self.base()
            && !self.follows_base(&parents)
        {
            let unseen = base.heads().iter().zip(0..).find(|(_, lv)| !parents.contains(lv));
            return Err(ParentsError::BeforeTrim(unseen.expect("not all are parents").0));
        }
        Ok(parents)
    }

    /// The maximal ones of explicit parents and a replica's own last event, or the index of an
    /// explicit one that is not among them.
    fn with_own(
        &self,
        own: Option<Lv>,
        mut explicit: SmallVec<[Lv; 2]>,
    ) -> Result<SmallVec<[Lv; 2]>, usize> {
        // Nearly always it is one other replica's events that have come.
        if let (Some(own), &[other]) = (own, &explicit[..]) {
            let (older, newer) = (own.min(other), own.max(other));
            return match self.contains(&[newer], older) {
                false => Ok(SmallVec::from_slice(&[older, newer])),
                true if newer == other => Ok(explicit),
                true => Err(0),
            };
        }
        let count = explicit.len();
        explicit.extend(own);
        if explicit.len() < 2 {
            return Ok(explicit);
        }
        let maximal = self.maximal(&explicit);
        if maximal.iter().filter(|&&lv| Some(lv) != own).count() == count {
            return Ok(maximal);
        }
        let lost = explicit[..count].iter().position(|lv| !maximal.contains(lv));
        Err(lost.unwrap_or(0))
    }

    /// The parents of the change at `lv` as they travel: without the own predecessor, in
    /// ascending order of dots.
    pub fn explicit_parents(&self, lv: Lv) -> SmallVec<[Dot; 2]> {
        // What goes on after its replica's own event is asked about most.
        if self.runs.last().is_some_and(|run| lv > run.start) {
            return SmallVec::new();
        }
        let index = self.run_index(lv);
        let run = self.runs[index];
        let mut dots: SmallVec<[Dot; 2]> = SmallVec::new();
        if lv == run.start {
            let id = self.issuers[run.replica as usize].id;
            let all = self.runs.parents(index).iter().map(|&parent| self.dot_of(parent));
            dots.extend(all.filter(|dot| dot.replica != id));
            sort(&mut dots);
        }
        dots
    }
}
