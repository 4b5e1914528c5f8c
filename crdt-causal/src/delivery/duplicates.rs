//! What a delivery buffer does with a dot that it knows.

use alloc::vec::Vec;

use crdt_core::canary::is_planted;
use crdt_core::{Dot, ReplicaId};

use super::buffer::CausalBuffer;
use super::equivocation::{Digest, Equivocation, Payload};
use super::message::{InsertError, Inserted, Message};
use super::slots::NONE;

impl<P: Payload> CausalBuffer<P> {
    /// Follows the branch that is held of a replica that used a dot twice: what comes after the
    /// fork is taken again, and asked for. Returns whether the replica was quarantined.
    pub fn adopt(&mut self, replica: ReplicaId, now: u64) -> bool {
        let Some(index) = self.origins.find(replica) else { return false };
        let origin = &mut self.origins[index];
        let was = origin.quarantined_from.take().is_some();
        origin.request.noticed(origin.horizon, &self.retry, now);
        origin.is_gapped = true;
        self.gapped.insert(index);
        // What is after the fork may have been given up before it was found.
        self.pass_over(index);
        self.settle();
        self.enforce_limits(index);
        was
    }

    /// Compares with what is known under the same dot.
    pub(super) fn check_known(
        &mut self,
        index: u32,
        message: &Message<P>,
    ) -> Result<Option<Inserted>, InsertError> {
        let Message { dot, parents, payload } = message;
        let origin = &self.origins[index];
        let held = if dot.seq <= origin.delivered() {
            if origin.holes.contains(dot.seq) {
                return Err(InsertError::Forsaken(*dot));
            }
            match origin.digest(dot.seq) {
                Some(held) => held,
                None => return Ok(Some(Inserted::Duplicate)),
            }
        } else if origin.quarantined_from.is_some_and(|from| dot.seq >= from) {
            return Err(InsertError::Quarantined(*dot));
        } else {
            match origin.slots.get(dot.seq).message {
                NONE => return Ok(None),
                handle => self.digest(handle),
            }
        };
        let offered = payload.digest(*dot, parents);
        // A planted bug: what comes under a known dot is taken for what is known.
        if held == offered || is_planted("trust-the-name") {
            return Ok(Some(Inserted::Duplicate));
        }
        let equivocation = Equivocation { dot: *dot, held, offered };
        self.quarantine(index, equivocation);
        Err(InsertError::Equivocation(equivocation))
    }

    fn digest(&self, handle: u32) -> Digest {
        let pending = self.arena.get(handle);
        let parents: Vec<Dot> =
            self.arena.parents(handle).map(|dot| self.origins.dot(dot)).collect();
        pending.payload().digest(self.origins.dot(pending.dot()), &parents)
    }

    /// Takes nothing of a replica any more from the fork on.
    fn quarantine(&mut self, index: u32, equivocation: Equivocation) {
        let origin = &mut self.origins[index];
        if origin.quarantined_from.is_none() {
            self.equivocations.push_back(equivocation);
        }
        let fork = equivocation.dot.seq.max(origin.delivered() + 1);
        let from = origin.quarantined_from.map_or(fork, |from| from.min(fork));
        origin.quarantined_from = Some(from);
        let later: Vec<u32> = origin
            .slots
            .iter()
            .filter(|(seq, slot)| *seq >= from && slot.message != NONE)
            .map(|(_, slot)| slot.message)
            .collect();
        for handle in later {
            self.discard(handle);
        }
    }
}
