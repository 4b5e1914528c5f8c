//! Where documents are never opened without their history, it is always at hand: what
//! `saved/asleep.rs` asks of a state, with nothing to be asked.
#![expect(clippy::needless_pass_by_ref_mut, reason = "where states sleep, these change them")]

use crdt_core::causality::Lv;
use crdt_core::{Frontier, ReplicaId};

use crate::Document;
use crate::state::State;

impl State {
    pub(crate) const fn awake(&self) -> &Self {
        self
    }

    pub(crate) const fn forget_woken(&mut self) {}

    pub(crate) fn last_of(&self, replica: ReplicaId) -> u64 {
        self.graph.version().get(replica)
    }

    pub(crate) fn len(&self) -> Lv {
        self.graph.len()
    }

    pub(crate) fn room(&self) -> Lv {
        self.graph.room()
    }

    pub(crate) const fn reaches(&self, _: &Frontier) -> bool {
        true
    }
}

impl Document {
    pub(crate) const fn wake(&mut self) {}

    pub(crate) const fn prepare_writing(&mut self, _: ReplicaId) {}

    pub(crate) const fn has_history(&self) -> bool {
        true
    }
}
