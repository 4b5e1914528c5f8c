use alloc::boxed::Box;
use alloc::sync::Arc;

use crate::Value;
use crate::numbering::Numbering;

/// What the rows of a log call by number: the keys of a map, or the elements of a set.
#[derive(Clone, Debug, Default)]
pub(super) enum Names {
    #[default]
    None,
    Keys(Box<Numbering<Arc<str>>>),
    Elements(Box<Numbering<Arc<Value>>>),
}

impl Names {
    pub(super) fn key_number(&mut self, key: &Arc<str>) -> (u32, bool) {
        if matches!(self, Self::None) {
            *self = Self::Keys(Box::default());
        }
        match self {
            Self::Keys(keys) => keys.number(key),
            _ => unreachable!("a set has no keys"),
        }
    }

    pub(super) fn element_number(&mut self, element: &Arc<Value>) -> (u32, bool) {
        if matches!(self, Self::None) {
            *self = Self::Elements(Box::default());
        }
        match self {
            Self::Elements(elements) => elements.number(element),
            _ => unreachable!("a map has no elements"),
        }
    }

    pub(super) fn key(&self, number: u32) -> Arc<str> {
        match self {
            Self::Keys(keys) => keys.name(number).clone(),
            _ => unreachable!("a row names keys that were given a number"),
        }
    }

    pub(super) fn element(&self, number: u32) -> Arc<Value> {
        match self {
            Self::Elements(elements) => elements.name(number).clone(),
            _ => unreachable!("a row names elements that were given a number"),
        }
    }

    /// Forgets the `count` newest names.
    pub(super) fn forget(&mut self, count: usize) {
        match self {
            Self::None => {}
            Self::Keys(keys) => keys.forget(count),
            Self::Elements(elements) => elements.forget(count),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Keys(keys) => keys.len(),
            Self::Elements(elements) => elements.len(),
        }
    }
}
