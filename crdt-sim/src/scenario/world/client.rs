//! A client with its token, and what it does all day.

use crdt_causal::session::SessionToken;

use super::packet::{Request, What};

/// What a client does again and again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    /// Reads one of so many registers, from the first.
    Read {
        /// The first.
        first: u64,
        /// How many.
        count: u64,
    },
    /// Writes one of so many registers.
    Write {
        /// The first.
        first: u64,
        /// How many.
        count: u64,
    },
    /// Takes one of its own orders, of which each is a register, one step further.
    Advance {
        /// The register of the first order of the first client.
        first: u64,
    },
    /// Looks at an order that somebody is taking through its steps.
    Look {
        /// As for `Advance`.
        first: u64,
    },
    /// Pays for a new order.
    Pay,
    /// Takes a unit of the stock, and pays for it if there was one.
    Buy,
}

/// A habit: what is done, how often in comparison with the others, and how long an answer is of use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habit {
    pub(crate) class: &'static str,
    pub(crate) does: Does,
    pub(crate) weight: u64,
    pub(crate) within_ms: u64,
}

/// What a client saw or did, for whoever judges it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deed {
    pub(crate) key: u64,
    /// What was read, or written.
    pub(crate) value: Option<u64>,
    pub(crate) is_write: bool,
    /// The level that the answer names; nothing while there is no answer.
    pub(crate) level: Option<&'static str>,
    /// A server has done it.
    pub(crate) is_done: bool,
}

pub(crate) struct Client {
    /// The server of its region.
    pub(crate) home: usize,
    /// The server that it asks: another one than its own where it roams.
    pub(crate) asks: usize,
    pub(crate) roams: bool,
    pub(crate) habits: Vec<Habit>,
    pub(crate) every_ms: u64,
    pub(super) token: SessionToken,
    pub(super) number: u64,
    pub(super) under_way: Option<UnderWay>,
    pub(crate) deeds: Vec<Deed>,
    /// How many steps its present order has taken, and which it is.
    pub(super) order: (u64, u64),
    /// Bought, and not paid for yet.
    pub(super) to_pay: Vec<u64>,
    pub(super) orders_made: u64,
    /// When it wants to do the next thing.
    pub(super) next_at: u64,
}

/// A request that is not answered yet.
pub(super) struct UnderWay {
    pub(super) request: Request,
    /// The level that would be best.
    pub(super) preferred: &'static str,
    /// The phase in which it was made.
    pub(super) phase: usize,
    pub(super) server: usize,
    /// Where in the deeds it is.
    pub(super) deed: Option<usize>,
    pub(super) attempts: u64,
}

impl Client {
    pub(crate) const fn new(home: usize, every_ms: u64, habits: Vec<Habit>) -> Self {
        Self {
            home,
            asks: home,
            roams: false,
            habits,
            every_ms,
            token: SessionToken::new(),
            number: 0,
            under_way: None,
            deeds: Vec::new(),
            order: (0, 0),
            to_pay: Vec::new(),
            orders_made: 0,
            next_at: 0,
        }
    }

    /// The same, and asks any server.
    pub(crate) const fn roaming(mut self) -> Self {
        self.roams = true;
        self
    }

    /// Whether the request under way only reads.
    pub(super) fn is_reading(&self) -> bool {
        self.under_way
            .as_ref()
            .is_some_and(|under_way| matches!(under_way.request.what, What::Read(_)))
    }
}
