//! What happened before what: version vectors, frontiers and the event graph.

mod changes;
mod event_graph;
mod frontier;
mod version_vector;

pub use changes::{ChangeReader, ChangeRun, ChangeWriter};
pub use event_graph::{ChangeSpan, EventGraph, GraphError, Lv, ParentsError};
pub use frontier::Frontier;
pub use version_vector::VersionVector;
