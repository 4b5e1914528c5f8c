//! One file per surface: `run` takes any bytes, `seeds` is what an honest peer would send.

pub mod add_wins_set;
pub mod bounded_counter;
pub mod causal_context;
pub mod changes;
pub mod counters;
pub mod delivery;
pub mod delivery_saved;
pub mod delivery_wire;
pub mod document;
pub mod document_saved;
pub mod document_sync;
pub mod flags;
pub mod frame;
pub mod histories;
pub mod list;
pub mod lww_map;
pub mod lww_register;
pub mod membership;
pub mod models;
pub mod multi_value_register;
pub mod observed_remove_map;
pub mod peer_message;
pub mod plain_lattices;
pub mod policy;
pub mod presence;
pub mod primitives;
pub mod rebase;
pub mod reconcile;
pub mod redactable_register;
pub mod remove_wins_set;
pub mod session_token;
pub mod sync_message;
pub mod sync_session;
pub mod text;
pub mod text_ops;
pub mod tree;
pub mod value;
pub mod version_vector;

use crdt_core::ReplicaId;

/// A few replicas whose ids differ in their first and in their last bytes.
fn replicas() -> [ReplicaId; 3] {
    [1, 2, 0xfedc_ba98_7654_3210_0123_4567_89ab_cdef].map(ReplicaId::from_u128)
}
