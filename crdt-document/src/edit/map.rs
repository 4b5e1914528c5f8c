use super::{CounterEdit, SetEdit, TextEdit, create, expect};
use crate::op::Op;
use crate::transaction::{Transaction, checked};
use crate::view::MapView;
use crate::{Kind, Path, Value};

/// A map in a transaction.
///
/// Containers below it are reached by `map`, `set`, `counter` and `text`, which go on from
/// this handle: `tx.map("a").map("b").text("c").insert(0, "…")`.
#[derive(Debug)]
pub struct MapEdit<'a> {
    tx: Transaction<'a>,
    path: Path,
}

impl<'a> MapEdit<'a> {
    pub(crate) fn new(tx: Transaction<'a>, path: Path) -> Self {
        expect(&path, Kind::Map);
        Self { tx, path }
    }

    /// Gives a key a plain value. Of concurrent values the one written at the greatest
    /// (Lamport time, replica) is read, and the others stay readable as its conflicts.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        match checked(value.into()) {
            Ok(value) => self.tx.apply(&self.path, Op::Set { key: key.into(), value }),
            Err(error) => self.tx.fail(error),
        }
        self
    }

    /// Removes what stands under a key: the plain value, and every container with all that
    /// is below it. What others write there at the same time stays (update wins).
    pub fn remove(&mut self, key: &str) -> &mut Self {
        if self.view().contains(key) || self.is_unsupported() {
            self.tx.apply(&self.path, Op::Remove { key: key.into() });
        }
        self
    }

    /// Removes what stands under all keys, by one event.
    pub fn clear(&mut self) -> &mut Self {
        if !self.view().is_empty() || self.is_unsupported() {
            self.tx.apply(&self.path, Op::Clear);
        }
        self
    }

    /// Makes the map exist, even empty.
    pub fn create(&mut self) -> &mut Self {
        create(&mut self.tx, &self.path);
        self
    }

    /// The map at a key.
    pub fn map(self, key: &str) -> Self {
        let path = self.path.map(key);
        Self { tx: self.tx, path }
    }

    /// The set at a key.
    pub fn set_at(self, key: &str) -> SetEdit<'a> {
        SetEdit::new(self.tx, self.path.set(key))
    }

    /// The counter at a key.
    pub fn counter(self, key: &str) -> CounterEdit<'a> {
        CounterEdit::new(self.tx, self.path.counter(key))
    }

    /// The text at a key.
    pub fn text(self, key: &str) -> TextEdit<'a> {
        TextEdit::new(self.tx, self.path.text(key))
    }

    /// The plain value of a key as it is now.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.view().get(key)
    }

    /// The map as it is now.
    pub fn view(&self) -> MapView<'_> {
        MapView::new(self.tx.state(), self.tx.find(&self.path))
    }

    /// Then the step is refused, rather than passed over.
    fn is_unsupported(&self) -> bool {
        !self.view().is_supported()
    }
}
