//! What can be seen from above, and no server knows.

use crdt_core::ReplicaId;

use super::World;
use crate::scenario::stock::Stock;

impl World {
    /// The truth about what a server does not show: how old the oldest such event is, and how many there are.
    pub(super) fn staleness(&self, server: usize) -> (u64, u64) {
        let version = self.servers[server].doc.version();
        let (mut age, mut lacking) = (0, 0);
        for (origin, born) in self.born.iter().enumerate() {
            let held = version.get(ReplicaId::from_u128(origin as u128 + 1)) as usize;
            if let Some(at) = born.get(held) {
                age = age.max(self.now - at);
                lacking += (born.len() - held) as u64;
            }
        }
        (age, lacking)
    }

    /// The document of a region.
    pub(crate) fn doc(&self, server: usize) -> &crdt_document::Document {
        &self.servers[server].doc
    }

    /// The parts of the stock.
    pub(crate) fn stocks(&self) -> impl Iterator<Item = &Stock> {
        self.servers.iter().filter_map(|server| server.stock.as_ref())
    }

    /// Whether all regions hold the same events.
    pub(crate) fn is_converged(&self) -> bool {
        let first = self.servers[0].doc.version();
        self.servers.iter().all(|server| server.doc.version() == first)
    }

    /// Lets time pass until all hold the same, or for so long; how long it took, if it came to that.
    pub(crate) fn converge(&mut self, ms_max: u64) -> Option<u64> {
        let since = self.now;
        while !self.is_converged() {
            if self.now - since >= ms_max {
                return None;
            }
            self.run_for(1);
        }
        Some(self.now - since)
    }

    /// How many different documents there are, byte by byte.
    pub(crate) fn different_documents(&self) -> u64 {
        let mut all: Vec<Vec<u8>> = self.servers.iter().map(|server| server.doc.encode()).collect();
        all.sort_unstable();
        all.dedup();
        all.len() as u64
    }
}
