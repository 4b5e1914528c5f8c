//! Versions as vectors: for each replica that is active in the window, how far it is known.
//!
//! A replica's events ascend in local versions, so that a bound for each replica is a version.
//! The vectors are kept for the chains of events that a later event may follow directly; that
//! of a new chain is the greatest of its parents'. The graph is asked for parents only.

use alloc::vec::Vec;
use core::ops::Range;

use super::TooWide;
use crate::canary::is_planted;
use crate::causality::{self, Lv};

/// How many slots a version has: one for each active replica, and one for what is settled.
pub(super) const SLOTS: usize = if cfg!(test) { 5 } else { 16 };

/// The slot of what is settled. A version that has the beginning of the window holds
/// [`Lv::MAX`] there, so that all settled elements are in it.
pub(super) const SETTLED: u8 = (SLOTS - 1) as u8;

/// The slot of a replica that has none.
const NONE: u8 = u8::MAX;

/// So many chains are remembered at most.
const CHAINS_MAX: usize = if cfg!(test) { 24 } else { 1024 };

/// A replica that has done nothing for so many chains may be left out of the base.
const PATIENCE: u32 = if cfg!(test) { 4 } else { 32 };

/// For each slot, its events before this local version are in the version.
pub(super) type Version = [Lv; SLOTS];

/// Whether `greater` has all that `lesser` has.
pub(super) fn covers(greater: &Version, lesser: &Version) -> bool {
    greater.iter().zip(lesser).all(|(a, b)| a >= b)
}

fn join(version: &mut Version, other: &Version) {
    for (a, b) in version.iter_mut().zip(other) {
        *a = (*a).max(*b);
    }
}

fn meet(version: &mut Version, other: &Version) {
    for (a, b) in version.iter_mut().zip(other) {
        *a = (*a).min(*b);
    }
}

/// Consecutive events, each the only parent of the next.
#[derive(Clone, Debug)]
struct Chain {
    start: Lv,
    end: Lv,
    writer: u8,
    /// What the first event follows.
    version: Version,
}

#[derive(Clone, Debug)]
struct Writer {
    /// Its number in the graph.
    replica: u32,
    /// Its newest event's version.
    known: Version,
    /// When it wrote last, counted in chains.
    tick: u32,
    /// Whether the base waits for it.
    awaited: bool,
}

/// See the module's documentation.
#[derive(Clone, Debug)]
pub(super) struct Versions {
    /// The newest event before the window.
    critical: Option<Lv>,
    writers: Vec<Writer>,
    /// In local order, without those that no later event will need.
    chains: Vec<Chain>,
    /// Where each slot's newest edit ends.
    tip: Version,
    /// What every later event is taken to have in its past.
    base: Version,
    tick: u32,
}

impl Versions {
    pub(super) fn new(critical: Option<Lv>) -> Self {
        let mut base = [0; SLOTS];
        base[usize::from(SETTLED)] = Lv::MAX;
        Self { critical, writers: Vec::new(), chains: Vec::new(), tip: base, base, tick: 0 }
    }

    pub(super) fn base(&self) -> &Version {
        &self.base
    }

    pub(super) fn chains(&self) -> usize {
        self.chains.len()
    }

    /// Takes in a chain of events, and writes the first event's version into `version`. Returns
    /// the replica's slot, which whoever edits the text has.
    ///
    /// # Errors
    ///
    /// [`TooWide`] if there is no slot for an edit.
    pub(super) fn arrive(
        &mut self,
        chain: &causality::Chain<'_>,
        edits: bool,
        version: &mut Version,
    ) -> Result<u8, TooWide> {
        let Range { start, end } = chain.lvs;
        if let Some(last) = self.chains.last_mut()
            && last.end == start
            && chain.goes_on_from(start - 1)
            && let Some(writer) = self.writers.get_mut(usize::from(last.writer))
            && writer.replica == chain.replica
        {
            last.end = end;
            let slot = usize::from(last.writer);
            writer.known[slot] = end;
            if edits {
                self.tip[slot] = end;
            }
            *version = last.version;
            version[slot] = start;
            return Ok(last.writer);
        }
        *version = [0; SLOTS];
        if self.critical.is_none() {
            version[usize::from(SETTLED)] = Lv::MAX;
        }
        let parents = chain.parents();
        let seen = if is_planted("fold_order") { parents.len().min(1) } else { parents.len() };
        for &parent in &parents[..seen] {
            if Some(parent) == self.critical {
                version[usize::from(SETTLED)] = Lv::MAX;
            } else if let Some(chain) = self.chain_of(parent) {
                join(version, &chain.version);
                if let Some(seen) = version.get_mut(usize::from(chain.writer)) {
                    *seen = (*seen).max(parent + 1);
                }
            }
        }
        let slot = self.slot_of(chain.replica, edits)?;
        if let Some(writer) = self.writers.get_mut(usize::from(slot)) {
            self.tick += 1;
            writer.tick = self.tick;
            writer.awaited = true;
            writer.known = *version;
            writer.known[usize::from(slot)] = end;
            if edits {
                self.tip[usize::from(slot)] = end;
            }
        } else if let Some(last) = self.chains.last_mut()
            && (last.writer, last.end, last.version) == (NONE, start, *version)
        {
            last.end = end;
            return Ok(slot);
        }
        self.chains.push(Chain { start, end, writer: slot, version: *version });
        Ok(slot)
    }

    /// The chain that holds an event, unless that is settled.
    fn chain_of(&self, lv: Lv) -> Option<&Chain> {
        let index = self.chains.partition_point(|chain| chain.start <= lv).checked_sub(1)?;
        let chain = &self.chains[index];
        (lv < chain.end).then_some(chain)
    }

    fn slot_of(&mut self, replica: u32, edits: bool) -> Result<u8, TooWide> {
        if let Some(slot) = self.writers.iter().position(|writer| writer.replica == replica) {
            return Ok(slot as u8);
        }
        if self.writers.len() + 1 == SLOTS {
            return if edits { Err(TooWide) } else { Ok(NONE) };
        }
        self.writers.push(Writer { replica, known: [0; SLOTS], tick: 0, awaited: true });
        Ok((self.writers.len() - 1) as u8)
    }

    /// The first event that `version` lacks, unless it has all edits.
    pub(super) fn first_unseen(&self, version: &Version) -> Option<Lv> {
        if covers(version, &self.tip) {
            return None;
        }
        self.chains.iter().find_map(|chain| {
            let seen = *version.get(usize::from(chain.writer))?;
            (seen < chain.end).then_some(seen.max(chain.start))
        })
    }

    /// Raises the base to what all replicas that it waits for are known to have.
    pub(super) fn raise_base(&mut self) {
        let mut all: Option<Version> = None;
        for writer in self.writers.iter().filter(|writer| writer.awaited) {
            match &mut all {
                Some(all) => meet(all, &writer.known),
                None => all = Some(writer.known),
            }
        }
        if let Some(all) = all {
            join(&mut self.base, &all);
        }
        let (base, slots) = (&self.base, self.writers.len());
        let is_low = base[..slots].iter().all(|&base| base == 0);
        self.chains.retain(|chain| match base.get(usize::from(chain.writer)) {
            Some(&base) => chain.end >= base,
            // Of use only where it alone may bring a version up to the base.
            None => is_low || (0..slots).any(|s| base[s] > 0 && chain.version[s] >= base[s]),
        });
    }

    /// Leaves out the replica that has been silent longest; false if all wrote lately.
    pub(super) fn wait_for_one_less(&mut self) -> bool {
        let tick = self.tick;
        let silent = self.writers.iter_mut().filter(|writer| writer.awaited);
        let longest = silent.min_by_key(|writer| writer.tick);
        match longest.filter(|writer| tick - writer.tick > PATIENCE) {
            Some(writer) => {
                writer.awaited = false;
                true
            }
            None => false,
        }
    }

    pub(super) fn is_crowded(&self) -> bool {
        self.chains.len() > CHAINS_MAX
    }

    pub(super) fn writers(&self) -> usize {
        self.writers.len()
    }

    /// Panics when the structure is broken.
    pub(super) fn check_invariants(&self) {
        assert!(self.writers.len() < SLOTS);
        assert!(self.chains.windows(2).all(|pair| pair[0].end <= pair[1].start));
        for chain in &self.chains {
            assert!(chain.start < chain.end);
            assert!(chain.writer == NONE || usize::from(chain.writer) < self.writers.len());
        }
        for (slot, writer) in self.writers.iter().enumerate() {
            assert!(self.tip[slot] <= writer.known[slot] && self.base[slot] <= writer.known[slot]);
        }
    }
}
