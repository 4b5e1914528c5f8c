//! What the strong engine keeps in step: registers, and payments that are made once.

use std::collections::BTreeMap;

use crdt_causal::level::engine::Machine;

/// A change at the strong level.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// A register gets a value.
    Put {
        /// Which one.
        key: u64,
        /// The value.
        value: u64,
    },
    /// Somebody pays for an order. The order is the idempotency key: whoever hears nothing asks again
    /// under the same one.
    Pay {
        /// Which order.
        order: u64,
    },
}

/// Registers and payments.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    registers: BTreeMap<u64, u64>,
    /// How often each order was charged.
    charges: BTreeMap<u64, u64>,
    /// Whether it looks at the idempotency key.
    is_idempotent: bool,
}

impl Ledger {
    /// An empty one. One that is not idempotent charges whenever it is asked to.
    #[must_use]
    pub(crate) const fn new(is_idempotent: bool) -> Self {
        Self { registers: BTreeMap::new(), charges: BTreeMap::new(), is_idempotent }
    }

    /// How many charges there were beyond the first of an order.
    #[must_use]
    pub(crate) fn double_charges(&self) -> u64 {
        self.charges.values().map(|count| count - 1).sum()
    }

    /// How many orders were charged.
    #[must_use]
    pub(crate) fn charged(&self) -> u64 {
        self.charges.len() as u64
    }

    /// Whether an order was charged.
    #[must_use]
    pub(crate) fn has_charged(&self, order: u64) -> bool {
        self.charges.contains_key(&order)
    }
}

impl Machine for Ledger {
    type Command = Command;
    /// The value of a register; `None` for the state as a whole.
    type Query = Option<u64>;
    type Answer = Answer;

    fn apply(&mut self, command: &Command) -> Option<Answer> {
        match *command {
            Command::Put { key, value } => {
                self.registers.insert(key, value);
            }
            Command::Pay { order } => {
                let count = self.charges.entry(order).or_default();
                if *count == 0 || !self.is_idempotent {
                    *count += 1;
                }
            }
        }
        Some(Answer::Done)
    }

    fn query(&self, query: &Option<u64>) -> Answer {
        match query {
            Some(key) => Answer::Value(self.registers.get(key).copied()),
            None => Answer::Books(Box::new(self.clone())),
        }
    }
}

/// What a strong operation returns.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// It is done.
    Done,
    /// What a register holds.
    Value(Option<u64>),
    /// Everything, for whoever audits it in the end.
    Books(Box<Ledger>),
}
