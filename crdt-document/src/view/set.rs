use alloc::sync::Arc;

use crdt_core::set::AddWinsStore;

use super::{exists, is_supported};
use crate::Value;
use crate::container::Content;
use crate::state::State;

/// An add-wins set, for reading. One that was never used is empty.
#[derive(Clone, Copy, Debug)]
pub struct SetView<'a> {
    state: &'a State,
    number: Option<u32>,
}

impl<'a> SetView<'a> {
    pub(crate) const fn new(state: &'a State, number: Option<u32>) -> Self {
        Self { state, number }
    }

    /// Whether the element is in.
    pub fn contains(&self, element: impl Into<Value>) -> bool {
        self.content().is_some_and(|set| set.contains_key(&element.into()))
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.content().map_or(0, AddWinsStore::len)
    }

    /// Whether no element is in.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.content().into_iter().flat_map(|set| set.keys()).map(|element| &**element)
    }

    /// Whether the set has an element, or was created explicitly.
    pub fn exists(&self) -> bool {
        exists(self.state, self.number)
    }

    /// Whether this release can read it; one that it cannot reads as empty.
    pub fn is_supported(&self) -> bool {
        is_supported(self.state, self.number)
    }

    /// The elements as a list, in ascending order.
    pub fn to_value(&self) -> Value {
        Value::List(self.iter().cloned().collect())
    }

    fn content(&self) -> Option<&'a AddWinsStore<Arc<Value>>> {
        let container = &self.state.containers[self.number?];
        match &container.content {
            Content::Set(set) if !container.unsupported => Some(set),
            _ => None,
        }
    }
}
