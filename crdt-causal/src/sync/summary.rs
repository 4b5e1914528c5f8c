//! From a version to its summary, and from a summary to the version it stands for.

use alloc::vec::Vec;

use crdt_core::{Dot, Frontier, VersionVector};

use super::chain;
use super::hello::{FRONTIER_DOTS_MAX, RelativeVector, Summary};
use super::log::ChangeLog;

/// A greeting without a base gives the whole vector up to this many entries, though its
/// frontier may do, so that peers without a common base need no second round trip.
const INLINE_ENTRIES_MAX: usize = 64;
/// With a base it gives up to this many.
const RELATIVE_ENTRIES_MAX: usize = 1024;
/// The longest entry of a vector: a replica id and a number.
const ENTRY_BYTES_MAX: usize = 16 + 9;
/// And of a dot of a frontier, with its running hash.
const HEAD_BYTES_MAX: usize = ENTRY_BYTES_MAX + 8;

impl Summary {
    /// Describes `version`, which `log` holds, to a peer that may know one of `bases`.
    pub(super) fn of<'a, L: ChangeLog>(
        version: &VersionVector,
        log: &L,
        bases: impl IntoIterator<Item = &'a Frontier>,
    ) -> Self {
        let frontier =
            log.frontier_of(version).filter(|frontier| frontier.len() <= FRONTIER_DOTS_MAX);
        let mut bases = bases
            .into_iter()
            .filter(|base| (1..=FRONTIER_DOTS_MAX).contains(&base.len()))
            .peekable();
        // Whoever knows the base knows the frontier then, and there is nothing beyond it.
        let vector = if bases.peek().is_some_and(|base| Some(*base) == frontier.as_ref()) {
            None
        } else {
            bases.find_map(|base| RelativeVector::beyond(base, version, log)).or_else(|| {
                let fits = version.len() <= INLINE_ENTRIES_MAX;
                fits.then(|| RelativeVector::whole(version.clone()))
            })
        };
        Self { frontier, vector, chains: Vec::new() }.with_chains(log)
    }

    /// Describes `version` by as much of its whole vector as `bytes_max` has room for.
    pub(super) fn whole<L: ChangeLog>(version: &VersionVector, log: &L, bytes_max: usize) -> Self {
        let frontier =
            log.frontier_of(version).filter(|frontier| frontier.len() <= FRONTIER_DOTS_MAX);
        let dots = frontier.as_ref().map_or(0, Frontier::len);
        let room = bytes_max.saturating_sub(dots * HEAD_BYTES_MAX) / ENTRY_BYTES_MAX;
        // A part of the vector promises less than there is, which is safe: the peer then
        // sends what is held here already.
        let vector = Some(RelativeVector::whole(version.iter().take(room).collect()));
        Self { frontier, vector, chains: Vec::new() }.with_chains(log)
    }

    /// Adds the running hashes of all dots, if they are known.
    fn with_chains<L: ChangeLog>(mut self, log: &L) -> Self {
        let empty = Frontier::new();
        let base = self.vector.as_ref().map_or(&empty, |vector| &vector.base);
        let heads = chain::of(self.frontier.as_ref().unwrap_or(&empty), log);
        if let (Some(heads), Some(base)) = (heads, chain::of(base, log)) {
            self.chains = heads;
            if let Some(vector) = &mut self.vector {
                vector.chains = base;
            }
        }
        self
    }

    /// Compares the running hashes in it with those of `log`: `Err` names a dot under which the
    /// two sides hold different events, `Ok` the version up to which they hold the same.
    pub(super) fn compare<L: ChangeLog>(&self, log: &L) -> Result<VersionVector, Dot> {
        let base = self.vector.as_ref().map(|vector| (&vector.base, &vector.chains));
        let heads = self.frontier.as_ref().map(|frontier| (frontier, &self.chains));
        let mut same = VersionVector::new();
        for (dots, chains) in base.into_iter().chain(heads) {
            if chain::compare(dots, chains, log)? {
                same.join(&log.version_of(dots).unwrap_or_default());
            }
        }
        Ok(same)
    }

    /// The version that the summary stands for, or `None` if it builds on events that `log`
    /// does not hold.
    pub(super) fn resolve<L: ChangeLog>(&self, log: &L) -> Option<VersionVector> {
        let by_frontier =
            self.frontier.as_ref().filter(|frontier| log.knows(frontier)).and_then(|frontier| {
                if frontier.is_empty() {
                    Some(VersionVector::new())
                } else {
                    log.version_of(frontier)
                }
            });
        by_frontier.or_else(|| {
            let RelativeVector { base, beyond, .. } = self.vector.as_ref()?;
            if base.is_empty() {
                return Some(log.closed(beyond.clone()));
            }
            if !log.knows(base) {
                return None;
            }
            let mut version = log.version_of(base)?;
            version.join(beyond);
            Some(log.closed(version))
        })
    }
}

impl RelativeVector {
    fn whole(version: VersionVector) -> Self {
        Self { base: Frontier::new(), chains: Vec::new(), beyond: version }
    }

    /// `version` relative to `base`, if it has the base in it.
    fn beyond<L: ChangeLog>(base: &Frontier, version: &VersionVector, log: &L) -> Option<Self> {
        if !log.knows(base) {
            return None;
        }
        let settled = log.version_of(base)?;
        if !version.dominates(&settled) {
            return None;
        }
        let beyond: VersionVector =
            version.missing_from(&settled).map(|range| (range.replica, range.last)).collect();
        let fits = beyond.len() <= RELATIVE_ENTRIES_MAX;
        fits.then(|| Self { base: base.clone(), chains: Vec::new(), beyond })
    }
}
