//! What follows a payment and need not be strong: a notice to the customer, by way of the outbox.

use std::collections::BTreeSet;

use crdt_core::{Dot, ReplicaId};

use super::World;

/// The map of the document in which notices are, by the number of the order.
const NOTICES: &str = "notices";

/// What was noticed, and what is known to be paid.
#[derive(Debug, Default)]
pub(super) struct Notices {
    paid: BTreeSet<u64>,
    /// Of these nobody knows whether some request has paid for them.
    doubtful: BTreeSet<u64>,
    /// Written when nobody knew of the payment.
    early: u64,
}

/// The name of the strong operation that pays for an order.
fn commit(order: u64) -> Dot {
    Dot::new(ReplicaId::from_u128(u128::from(order / 1_000_000) + 1_000), order % 1_000_000)
}

impl World {
    /// A server is about to propose that an order is paid for.
    pub(super) fn prepare_notice(&mut self, server: usize, order: u64) {
        if self.has_outbox {
            // An order that is asked for once more is known already, or was found not to be paid.
            let _known = self.servers[server].outbox.prepare(commit(order), [order]);
        } else {
            self.notify(server, order);
        }
    }

    /// It is paid for.
    pub(super) fn paid(&mut self, server: usize, order: u64, position: u64) {
        self.notices.paid.insert(order);
        let now = self.now;
        let outbox = &mut self.servers[server].outbox;
        // Of one that was paid for before, the effects have left.
        let _told = outbox.committed(commit(order), position);
        while let Some(effect) = self.servers[server].outbox.poll(now) {
            self.notify(server, effect.effect);
            self.servers[server].outbox.acknowledged(effect.id);
        }
        self.servers[server].outbox.check_invariants();
    }

    /// It is not, and will not be by this request. If an earlier one may have paid for it, the effects
    /// stay.
    pub(super) fn not_paid(&mut self, server: usize, order: u64) {
        if !self.notices.doubtful.contains(&order) {
            let _dropped = self.servers[server].outbox.aborted(commit(order));
        }
    }

    /// Nobody knows.
    pub(super) fn perhaps_paid(&mut self, order: u64) {
        self.notices.doubtful.insert(order);
    }

    fn notify(&mut self, server: usize, order: u64) {
        self.notices.early += u64::from(!self.notices.paid.contains(&order));
        self.edit(server, |tx| {
            tx.map(NOTICES).set(&order.to_string(), order as i64);
            Ok(())
        });
    }

    /// How many notices were written of orders that nobody knew to be paid, and how many paid orders
    /// have none in the document of a region.
    pub(crate) fn wrong_notices(&self, server: usize) -> (u64, u64) {
        let notices = self.doc(server).map(NOTICES);
        let missing =
            self.notices.paid.iter().filter(|order| notices.get(&order.to_string()).is_none());
        (self.notices.early, missing.count() as u64)
    }
}
