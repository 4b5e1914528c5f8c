//! A bounded stock that several servers sell from.

use crdt_core::{BoundedCounter, GCounter, ReplicaId, Writer};

/// One server's part of the stock.
///
/// With escrow each server sells from rights of its own, and asks for more from whoever it knows to have
/// most. Without, each sells as long as it believes that something is left: what every shop does that
/// looks at a number and then writes it.
pub(crate) struct Stock {
    id: ReplicaId,
    state: StockState,
    rights_writer: Writer,
    sales_writer: Writer,
    has_escrow: bool,
    pub(crate) sold: u64,
    pub(crate) refused: u64,
    /// Refused although others had some.
    pub(crate) refused_though_left: u64,
    total: u64,
}

/// What servers tell each other: who may sell how many, and who has sold how many.
#[derive(Clone, Debug)]
pub(crate) struct StockState {
    rights: BoundedCounter,
    sales: GCounter,
}

impl Stock {
    /// The stock of all servers, of equal parts; the first few have one more where it does not divide.
    ///
    /// # Panics
    ///
    /// If there are no servers.
    pub(crate) fn split(total: u64, servers: usize, has_escrow: bool) -> Vec<Self> {
        let count = servers as u64;
        let id = |server: u64| ReplicaId::from_u128(u128::from(server) + 1);
        let mut counter = BoundedCounter::new();
        for server in 0..count {
            let part = total / count + u64::from(server < total % count);
            let mut writer = counter.writer(id(server));
            let _all_know = counter.increment(part, &mut writer).expect("far from the end");
        }
        let each = |server| Self {
            id: id(server),
            rights_writer: counter.writer(id(server)),
            sales_writer: GCounter::new().writer(id(server)),
            state: StockState { rights: counter.clone(), sales: GCounter::new() },
            has_escrow,
            sold: 0,
            refused: 0,
            refused_though_left: 0,
            total,
        };
        (0..count).map(each).collect()
    }

    /// Takes one, if that is allowed here.
    pub(crate) fn sell(&mut self) -> bool {
        let is_sold = if self.has_escrow {
            self.state.rights.decrement(1, &mut self.rights_writer).is_ok()
        } else {
            self.state.sales.value() < u128::from(self.total)
        };
        if is_sold {
            self.sold += 1;
            // Others are told the whole state.
            let _told =
                self.state.sales.increment(1, &mut self.sales_writer).expect("far from the end");
        } else {
            self.refused += 1;
            self.refused_though_left += u64::from(self.has_escrow && self.left() > 0);
        }
        is_sold
    }

    /// What others are told.
    pub(crate) const fn state(&self) -> &StockState {
        &self.state
    }

    /// How many are left, as far as is known here.
    pub(crate) fn left(&self) -> u64 {
        u64::try_from(self.state.rights.value()).unwrap_or(u64::MAX)
    }

    /// How many it may still sell by itself.
    pub(crate) fn rights(&self) -> u64 {
        u64::try_from(self.state.rights.rights_of(self.id)).unwrap_or(u64::MAX)
    }

    /// Takes in what another one told.
    pub(crate) fn merge(&mut self, other: &StockState) {
        self.state.rights.join(other.rights.clone());
        self.state.sales.join(other.sales.clone());
        self.state.rights.check_invariants();
    }

    /// Whom to ask for how many, if it has fewer than it wants: whoever is known to have most, half
    /// of it.
    pub(crate) fn wants(&self, low: u64) -> Option<(usize, u64)> {
        if !self.has_escrow || self.rights() >= low {
            return None;
        }
        let others = self.state.rights.rights().filter(|(id, _)| *id != self.id);
        let (richest, rights) = others.max_by_key(|(id, rights)| (*rights, *id))?;
        let half = u64::try_from(rights.div_ceil(2)).unwrap_or(u64::MAX);
        (half > 0).then(|| ((richest.as_u128() - 1) as usize, half))
    }

    /// Gives another server so many of its rights, half of them at most, and never the last one: where
    /// all are short of rights, that would go round for ever and never be sold.
    pub(crate) fn give(&mut self, to: usize, amount: u64) {
        let amount = amount.min(self.rights() / 2);
        let to = ReplicaId::from_u128(to as u128 + 1);
        let _told = self
            .state
            .rights
            .transfer(amount, to, &mut self.rights_writer)
            .expect("it has so many");
    }
}
