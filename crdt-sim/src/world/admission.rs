//! What servers have made durable, in which order: what positions, cuts and tokens are about.
//!
//! A server has this list in its store. The laboratory keeps it, with the times, and so knows what a cut means and what a
//! server could have known when.

use crdt_core::Dot;

use super::World;
use crate::model::{Version, covers};
use crate::replica::Replica;

/// An event that has become durable at a server: its position is its place in the list, counted from 1.
pub(super) struct Admitted {
    pub(super) dot: Dot,
    pub(super) at: u64,
    /// What the clock of each server showed then.
    pub(super) shown: Vec<u64>,
}

/// What became durable at each server, in order.
#[derive(Default)]
pub(super) struct Admissions {
    pub(super) at: Vec<Vec<Admitted>>,
    /// The same as versions.
    noted: Vec<Version>,
}

impl Admissions {
    pub(super) fn new(servers: usize) -> Self {
        let at = (0..servers).map(|_| Vec::new()).collect();
        Self { at, noted: vec![Version::new(); servers] }
    }

    pub(super) const fn servers(&self) -> usize {
        self.at.len()
    }

    /// How far the events of each server are among the known ones, without gaps; from where it was before.
    pub(super) fn advance(&self, has: &mut [u64], known: &Version) {
        for (has, admitted) in has.iter_mut().zip(&self.at) {
            let rest = admitted[*has as usize..].iter();
            *has += rest.take_while(|one| covers(known, one.dot)).count() as u64;
        }
    }
}

impl<R: Replica> World<'_, R> {
    pub(super) const fn is_server(&self, node: usize) -> bool {
        node < self.admissions.servers()
    }

    /// What became durable at a server, in an order that causality allows.
    pub(super) fn note_admitted(&mut self, node: usize) {
        if !self.is_server(node) || self.is_forked() {
            return;
        }
        let truth = &self.nodes[node].truth;
        let before = core::mem::replace(&mut self.admissions.noted[node], truth.clone());
        if before == *truth {
            return;
        }
        let new = self.history.known(truth).filter(|(dot, _)| !covers(&before, *dot));
        let mut new: Vec<(u64, Dot)> = new.map(|(dot, event)| (event.lamport, dot)).collect();
        new.sort_unstable();
        let at = self.now;
        // Nobody looks at the clocks for this.
        let servers = &self.nodes[..self.admissions.servers()];
        let shown: Vec<u64> = servers.iter().map(|node| node.clock.clone().read(at)).collect();
        let new = new.into_iter().map(|(_, dot)| Admitted { dot, at, shown: shown.clone() });
        self.admissions.at[node].extend(new);
    }
}
