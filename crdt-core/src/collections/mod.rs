//! Maps and sets in the order of their keys, and sorting, for little code.
//!
//! All of this is in the standard library, and quicker there for much at a time. But a document
//! in a browser is downloaded before it is opened, and generic code is paid for once for each
//! type that it is used with.
//!
//! Tables over keys that a peer chooses are ordered, since hashing would need a secret. The
//! standard library's B-tree is that too; but each pair of key and value types costs 4 to 10 KB
//! of code, which for the two dozen pairs in a document is more than the rest of the engine.
//! [`OrderedMap`] costs a fraction of it, and holds small maps, which most are, in one piece of
//! memory. [`sort`] is to the standard library's sorts as this is to its B-tree.

mod entry;
mod few;
mod iter;
mod map;
mod one_or_many;
mod set;
mod sort;

pub use entry::{Entry, OccupiedEntry, VacantEntry};
pub(crate) use few::are_few;
pub use iter::{IntoIter, IntoKeys, Iter, Keys, Range, Values};
pub use map::OrderedMap;
pub(crate) use map::Place;
pub(crate) use one_or_many::OneOrMany;
pub use set::{OrderedSet, SetIntoIter, SetIter};
pub use sort::{sort, sort_by_key, sort_with};
