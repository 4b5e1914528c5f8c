//! Versions by name, where a part of the history may have been trimmed.

use smallvec::SmallVec;

use super::saved::HistoryError;
use crate::causality::Lv;
use crate::collections::sort;
use crate::{Dot, EventGraph, Frontier};

/// What a frontier is among the events that are held.
pub(super) enum HeldVersion {
    /// The maximal ones of its events, ascending: it has all that was trimmed in its past.
    Held(SmallVec<[Lv; 2]>),
    /// It lacks something that was trimmed, or is in its past: this event, for one.
    Trimmed(Dot),
}

impl HeldVersion {
    /// Looks a frontier up.
    ///
    /// # Errors
    ///
    /// An event that is not known, or of a writer who was forgotten.
    pub(super) fn find(graph: &EventGraph, version: &Frontier) -> Result<Self, Dot> {
        let (held, trimmed) = held_events(graph, version)?;
        if let Some(dot) = trimmed {
            return Ok(Self::Trimmed(dot));
        }
        let held = graph.maximal(&held);
        // Whatever is not a head has all heads in its past.
        let heads = 0..graph.first();
        if held.last().is_none_or(|&last| last < heads.end) && held.len() < heads.len() {
            let seen = heads.zip(&held).take_while(|(head, seen)| head == *seen).count();
            return Ok(Self::Trimmed(graph.dot_of(seen as Lv)));
        }
        Ok(Self::Held(held))
    }

    /// The local versions of a frontier that is not from before the trim.
    ///
    /// # Errors
    ///
    /// [`HistoryError::Missing`] and [`HistoryError::BeforeTrim`].
    pub(super) fn local(
        graph: &EventGraph,
        version: &Frontier,
    ) -> Result<SmallVec<[Lv; 2]>, HistoryError> {
        match Self::find(graph, version)? {
            Self::Held(held) => Ok(held),
            Self::Trimmed(dot) => Err(HistoryError::BeforeTrim(dot)),
        }
    }
}

/// The events of a frontier that are held, and one of those that were trimmed, unless another
/// has all of those in its past.
///
/// # Errors
///
/// An event that is neither.
pub(super) fn held_events(
    graph: &EventGraph,
    version: &Frontier,
) -> Result<(SmallVec<[Lv; 2]>, Option<Dot>), Dot> {
    let (mut held, mut trimmed) = (SmallVec::new(), None);
    for dot in version {
        match graph.lv_of(dot) {
            Some(lv) => held.push(lv),
            None if graph.is_trimmed(dot) => trimmed = Some(dot),
            None => return Err(dot),
        }
    }
    if held.iter().any(|&lv| lv >= graph.first()) {
        trimmed = None;
    }
    sort(&mut held);
    Ok((held, trimmed))
}
