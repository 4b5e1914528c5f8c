use super::{create, expect};
use crate::op::Op;
use crate::transaction::{Transaction, checked};
use crate::view::SetView;
use crate::{Kind, Path, Value};

/// An add-wins set in a transaction.
#[derive(Debug)]
pub struct SetEdit<'a> {
    tx: Transaction<'a>,
    path: Path,
}

impl<'a> SetEdit<'a> {
    pub(crate) fn new(tx: Transaction<'a>, path: Path) -> Self {
        expect(&path, Kind::Set);
        Self { tx, path }
    }

    /// Puts an element in. Added here and removed elsewhere at the same time, it is in.
    pub fn add(&mut self, element: impl Into<Value>) -> &mut Self {
        match checked(element.into()) {
            Ok(element) => self.tx.apply(&self.path, Op::Add { element }),
            Err(error) => self.tx.fail(error),
        }
        self
    }

    /// Takes an element out; does nothing if it is not in.
    pub fn remove(&mut self, element: impl Into<Value>) -> &mut Self {
        let element = element.into();
        if self.view().contains(element.clone()) || self.is_unsupported() {
            self.tx.apply(&self.path, Op::Discard { element: element.into() });
        }
        self
    }

    /// Takes all elements out by one event.
    pub fn clear(&mut self) -> &mut Self {
        if !self.view().is_empty() || self.is_unsupported() {
            self.tx.apply(&self.path, Op::Clear);
        }
        self
    }

    /// Makes the set exist, even empty.
    pub fn create(&mut self) -> &mut Self {
        create(&mut self.tx, &self.path);
        self
    }

    /// The set as it is now.
    pub fn view(&self) -> SetView<'_> {
        SetView::new(self.tx.state(), self.tx.find(&self.path))
    }

    /// Then the step is refused, rather than passed over.
    fn is_unsupported(&self) -> bool {
        !self.view().is_supported()
    }
}
