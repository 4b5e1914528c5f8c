//! What happened before what: version vectors, frontiers and the event graph.

mod causal_context;
mod changes;
mod dot_cloud;
mod event_graph;
mod frontier;
pub mod order;
mod version_vector;

pub use causal_context::CausalContext;
pub use changes::{ChangeReader, ChangeRun, ChangeWriter};
pub use dot_cloud::DotCloud;
pub use event_graph::{Base, ChangeSpan, EventGraph, GraphError, Lv, ParentsError, advance_tips};
pub(crate) use event_graph::{Chain, ChainCursor};
pub use frontier::Frontier;
pub use version_vector::VersionVector;
