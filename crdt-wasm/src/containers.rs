//! Containers have numbers at the border, so that a path crosses it once.

use alloc::vec;
use alloc::vec::Vec;

use crdt_core::collections::OrderedMap;
use crdt_document::{Kind, Path};

use crate::error::Thrown;

/// The paths that JavaScript has asked for, or was told about, by number. The root is 0.
///
/// Numbers are given up only with the document: an application uses a bounded number of
/// places, and holds on to the objects that stand for them.
#[derive(Debug)]
pub(crate) struct Numbers {
    paths: Vec<Path>,
    numbers: OrderedMap<Path, u32>,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { paths: vec![Path::root()], numbers: OrderedMap::from([(Path::root(), 0)]) }
    }
}

impl Numbers {
    pub(crate) fn path(&self, number: u32) -> Result<&Path, Thrown> {
        self.paths.get(number as usize).ok_or_else(unknown)
    }

    /// The number of a path, given now if it has none.
    pub(crate) fn number(&mut self, path: &Path) -> u32 {
        if let Some(&number) = self.numbers.get(path) {
            return number;
        }
        let number = self.paths.len() as u32;
        self.paths.push(path.clone());
        self.numbers.insert(path.clone(), number);
        number
    }
}

/// The number of each kind in JavaScript (`containers.js`).
const KINDS: [Kind; 4] = [Kind::Map, Kind::Set, Kind::Counter, Kind::Text];

pub(crate) fn kind_from_js(kind: u8) -> Result<Kind, Thrown> {
    KINDS.get(usize::from(kind)).copied().ok_or_else(unknown)
}

/// `None` for a kind that JavaScript knows nothing of.
pub(crate) fn kind_to_js(kind: Kind) -> Option<u8> {
    KINDS.iter().position(|known| *known == kind).map(|index| index as u8)
}

fn unknown() -> Thrown {
    Thrown::new("argument", "there is no such container")
}
