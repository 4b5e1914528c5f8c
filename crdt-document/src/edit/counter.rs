use super::{create, expect};
use crate::op::Op;
use crate::transaction::Transaction;
use crate::view::CounterView;
use crate::{Kind, Path};

/// A counter in a transaction.
#[derive(Debug)]
pub struct CounterEdit<'a> {
    tx: Transaction<'a>,
    path: Path,
}

impl<'a> CounterEdit<'a> {
    pub(crate) fn new(tx: Transaction<'a>, path: Path) -> Self {
        expect(&path, Kind::Counter);
        Self { tx, path }
    }

    /// Adds an amount, which may be negative. Concurrent increments add up.
    pub fn increment(&mut self, amount: i64) -> &mut Self {
        if amount != 0
            && let Err(error) = self.tx.count(&self.path, amount)
        {
            self.tx.fail(error);
        }
        self
    }

    /// Cancels every increment made so far. One that is concurrent stays: 5, then a reset
    /// concurrent with +1, is 1.
    pub fn reset(&mut self) -> &mut Self {
        let number = self.tx.find(&self.path);
        if number.is_some_and(|number| self.tx.state().containers[number].has_content()) {
            self.tx.apply(&self.path, Op::Clear);
        }
        self
    }

    /// Makes the counter exist, even at zero.
    pub fn create(&mut self) -> &mut Self {
        create(&mut self.tx, &self.path);
        self
    }

    /// The counter as it is now.
    pub fn view(&self) -> CounterView<'_> {
        CounterView::new(self.tx.state(), self.tx.find(&self.path))
    }

    /// The value as it is now.
    pub fn value(&self) -> i128 {
        self.view().value()
    }
}
