use crdt_causal::cut::{Cut, Epoch, Slot};

use super::{Place, Realm, SLOT_UNMET};

/// Why a server does not work with another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mismatch {
    Realm,
    Epoch {
        theirs: Epoch,
    },
    SameSlot,
    /// Its slot had another admission log before.
    OtherLog,
    /// Its positions have gone back: its store is an older copy.
    TheyWentBack {
        known: u64,
    },
    /// It has left the realm for good.
    Retired,
    /// One of the two forgets history earlier than the other.
    Horizon {
        theirs_ms: u64,
    },
    /// Ours have.
    WeWentBack {
        known: u64,
    },
}

/// How many servers are known, at most: with a slot each, and only those that have linked up.
const OTHERS_MAX: usize = 1024;

impl Realm {
    /// Checks that the two may work together, and takes in what the other one is and has.
    pub(crate) fn meet(
        &self,
        theirs: &Place,
        log_id: u64,
        applied: &Cut,
        logs: &[(Slot, u64)],
        horizon_ms: u64,
    ) -> Result<(), Mismatch> {
        if theirs.realm != self.place.realm {
            return Err(Mismatch::Realm);
        }
        if theirs.epoch != self.place.epoch {
            return Err(Mismatch::Epoch { theirs: theirs.epoch });
        }
        if theirs.slot == self.place.slot || theirs.slot == SLOT_UNMET {
            return Err(Mismatch::SameSlot);
        }
        if self.retired.contains(&theirs.slot) {
            return Err(Mismatch::Retired);
        }
        if horizon_ms != self.horizon_ms() {
            return Err(Mismatch::Horizon { theirs_ms: horizon_ms });
        }
        let mut state = self.state();
        // What it says of positions of ours has to be about positions of this log.
        let ours = applied.get(self.place.slot);
        if logs.iter().any(|&(slot, log)| slot == self.place.slot && log != self.log_id) {
            return Err(Mismatch::OtherLog);
        }
        if ours > self.store.head() {
            return Err(Mismatch::WeWentBack { known: ours });
        }
        let held = state.progress.applied().get(theirs.slot);
        if let Some(known) = state.others.get(&theirs.slot) {
            if known.log_id != log_id {
                return Err(Mismatch::OtherLog);
            }
            let known = known.head.0.max(held);
            if applied.get(theirs.slot) < known {
                return Err(Mismatch::TheyWentBack { known });
            }
        } else if state.others.len() >= OTHERS_MAX {
            return Err(Mismatch::SameSlot);
        }
        let other = state.others.entry(theirs.slot).or_default();
        other.log_id = log_id;
        other.applied = applied.clone();
        other.acknowledged = ours;
        state.is_dirty = true;
        state.set_others();
        drop(state);
        if let Some(trimming) = &self.trimming {
            trimming.join(theirs.slot);
        }
        Ok(())
    }
}
