//! Forgetting the history that everybody has.

use alloc::string::ToString;

use super::delta::TextDelta;
use super::held_version::HeldVersion;
use super::run::EVENTS_MAX;
use super::saved::HistoryError;
use super::text::Text;
use super::text_store::TextStore;
use crate::causality::Base;
use crate::{Dot, EventGraph, ReplicaId, VersionVector};

/// Trimming.
impl Text {
    /// What stands for the history that was trimmed, if any was.
    #[must_use]
    pub fn base(&self) -> Option<&Base> {
        match &self.past {
            Some(past) => past.base(),
            None => self.graph.base(),
        }
    }

    /// Forgets the history that lies in `stable`, as far as everything later has it in its past,
    /// and returns how many events that were. What is left is the text as it was there (the
    /// [`Base`]) and all later events.
    ///
    /// The text stays as it is, and so does everything that asks for later versions: the base's
    /// own is the first of them. A replica that has the same history trims it at the same place
    /// for the same `stable`, and replicas that are trimmed at different places, or not at all,
    /// go on exchanging deltas, as long as all that is not here yet has in its past what was
    /// trimmed here: that is what makes events *stable*. What comes from before the cut
    /// nevertheless is refused ([`JoinError::BeforeTrim`](super::JoinError::BeforeTrim)).
    ///
    /// `keep` chooses which writers stay in the [version](Self::version) of whom no event is left:
    /// the ids of the others cost nothing any more, and whatever they may still write is refused.
    /// Who has retired may be forgotten once its last event is stable; its id is not used again.
    ///
    /// O(history). (A text of more than 2³⁰ bytes is not trimmed.)
    ///
    /// ```
    /// use crdt_core::{ReplicaId, Text};
    ///
    /// let mut text = Text::new();
    /// let mut anna = text.writer(ReplicaId::from_u128(1));
    /// let _delta = text.insert(0, "HELLO", &mut anna)?;
    /// let (mut peer, stable) = (text.clone(), text.version().clone());
    ///
    /// let later = text.insert(5, "!", &mut anna)?;
    /// assert_eq!(text.trim(&stable, |_| true)?, 5);
    /// assert_eq!(text.to_string(), "HELLO!");
    /// peer.join(&later)?;
    /// let mut bela = peer.writer(ReplicaId::from_u128(2));
    /// text.join(&peer.delete(0, 1, &mut bela)?)?;
    /// assert_eq!(text.to_string(), "ELLO!");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`HistoryError`], if the history of a text that was loaded is damaged; nothing is changed.
    pub fn trim(
        &mut self,
        stable: &VersionVector,
        keep: impl Fn(ReplicaId) -> bool,
    ) -> Result<u32, HistoryError> {
        self.load_history()?;
        let (graph, store) = (&self.graph, &self.store);
        let (first, cut) = (graph.first(), graph.trim_point(&graph.closed(stable)));
        if cut == first && !forgets(graph, &keep) {
            return Ok(0);
        }
        let base = graph.base_before(cut, keep);
        let text = match HeldVersion::local(graph, base.heads()) {
            Ok(heads) => store.text_at(graph, &heads),
            Err(_) => unreachable!("the heads are held"),
        };
        if text.len_bytes() > EVENTS_MAX {
            return Ok(0);
        }
        let graph = EventGraph::with_base(base);
        let store = TextStore::with_base(&graph, &text.to_string());
        let mut trimmed = Self { graph, store, past: None };
        let whole = cut..self.graph.len();
        let later = TextDelta::export(&self.graph, &self.store, core::slice::from_ref(&whole));
        trimmed.join(&later).expect("all that is later follows the base");
        debug_assert_eq!(trimmed.rope(), self.rope());
        *self = trimmed;
        Ok(cut - first)
    }
}

/// Whether there is someone to forget of whom nothing is left but the name.
fn forgets(graph: &EventGraph, keep: &impl Fn(ReplicaId) -> bool) -> bool {
    graph.base().is_some_and(|base| {
        let is_left = |(replica, seq)| {
            let (last, dot) = (graph.version().get(replica), Dot::new(replica, seq));
            last > seq || base.heads().contains(dot) || keep(replica)
        };
        !base.writers().iter().all(is_left)
    })
}
