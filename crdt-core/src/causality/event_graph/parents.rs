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
}

impl fmt::Display for ParentsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(dot) => write!(f, "the parent {dot} is not known here"),
            Self::OwnEvent(dot) => write!(f, "the parent {dot} is the replica's own event"),
            Self::Redundant(dot) => write!(f, "the parent {dot} is in another parent's past"),
            Self::InsideChange(dot) => write!(f, "the parent {dot} does not end its change"),
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
        let mut parents: SmallVec<[Lv; 2]> = SmallVec::new();
        for &dot in explicit {
            if dot.replica == replica {
                return Err(ParentsError::OwnEvent(dot));
            }
            let lv = self.lv_of(dot).ok_or(ParentsError::Missing(dot))?;
            if !self.is_change_start(lv + 1) {
                return Err(ParentsError::InsideChange(dot));
            }
            parents.push(lv);
        }
        let own = self.lv_of(Dot::new(replica, self.version().get(replica)));
        parents.extend(own);
        if parents.len() > 1 {
            let maximal = self.maximal(&parents);
            let kept = maximal.iter().filter(|&&lv| Some(lv) != own).count();
            if kept < explicit.len() {
                let (dot, _) = explicit
                    .iter()
                    .zip(&parents)
                    .find(|&(_, lv)| !maximal.contains(lv))
                    .unwrap_or((&explicit[0], &parents[0]));
                return Err(ParentsError::Redundant(*dot));
            }
            return Ok(maximal);
        }
        Ok(parents)
    }

    /// The parents of the change at `lv` as they travel: without the own predecessor, in
    /// ascending order of dots.
    pub fn explicit_parents(&self, lv: Lv) -> SmallVec<[Dot; 2]> {
        let run = self.run_of(lv);
        let mut dots: SmallVec<[Dot; 2]> = SmallVec::new();
        if lv == run.start {
            let replica = self.replicas[run.replica as usize];
            let all = run.parents.iter().map(|&parent| self.dot_of(parent));
            dots.extend(all.filter(|dot| dot.replica != replica));
            sort(&mut dots);
        }
        dots
    }
}
