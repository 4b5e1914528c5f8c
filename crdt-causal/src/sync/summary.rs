//! From a version to its summary, and from a summary to the version it stands for.

use crdt_core::{Frontier, VersionVector};

use super::hello::{RelativeVector, Summary};
use super::log::ChangeLog;

/// A greeting without a base gives the whole vector up to this many entries, though its
/// frontier may do, so that peers without a common base need no second round trip.
const INLINE_ENTRIES_MAX: usize = 64;
/// With a base it gives up to this many.
const RELATIVE_ENTRIES_MAX: usize = 1024;
/// A frontier of more dots than this is left out: the vector tells as much.
const FRONTIER_DOTS_MAX: usize = 256;
/// The longest entry of a vector: a replica id and a number.
const ENTRY_BYTES_MAX: usize = 16 + 9;

impl Summary {
    /// Describes `version`, which `log` holds, to a peer that may know one of `bases`.
    pub(super) fn of<'a, L: ChangeLog>(
        version: &VersionVector,
        log: &L,
        bases: impl IntoIterator<Item = &'a Frontier>,
    ) -> Self {
        let frontier =
            log.frontier_of(version).filter(|frontier| frontier.len() <= FRONTIER_DOTS_MAX);
        let vector = bases
            .into_iter()
            .filter(|base| (1..=FRONTIER_DOTS_MAX).contains(&base.len()))
            .find_map(|base| RelativeVector::beyond(base, version, log))
            .or_else(|| {
                let fits = version.len() <= INLINE_ENTRIES_MAX;
                fits.then(|| RelativeVector { base: Frontier::new(), beyond: version.clone() })
            });
        Self { frontier, vector }
    }

    /// Describes `version` by as much of its whole vector as `bytes_max` has room for.
    pub(super) fn whole<L: ChangeLog>(version: &VersionVector, log: &L, bytes_max: usize) -> Self {
        let frontier =
            log.frontier_of(version).filter(|frontier| frontier.len() <= FRONTIER_DOTS_MAX);
        let dots = frontier.as_ref().map_or(0, Frontier::len);
        let room = bytes_max.saturating_sub(dots * ENTRY_BYTES_MAX) / ENTRY_BYTES_MAX;
        let vector = RelativeVector {
            base: Frontier::new(),
            // A part of the vector promises less than there is, which is safe: the peer then
            // sends what is held here already.
            beyond: version.iter().take(room).collect(),
        };
        Self { frontier, vector: Some(vector) }
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
            let RelativeVector { base, beyond } = self.vector.as_ref()?;
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
        (beyond.len() <= RELATIVE_ENTRIES_MAX).then(|| Self { base: base.clone(), beyond })
    }
}
