//! Causal delivery of anybody's messages.
//!
//! A message carries its [dot](crdt_core::Dot) and its direct parents, and [`CausalBuffer`]
//! holds it back until these were delivered. With that, an answer is never seen before its
//! question, on whatever ways the two have come.
//!
//! Peterson, Buchholz and Schlichting, *Preserving and using context information in
//! interprocess communication* (1989), for the direct parents; Lloyd, Freedman, Kaminsky and
//! Andersen, *Don't settle for eventual* (2011), for the nearest dependencies.

mod batch;
mod buffer;
mod duplicates;
mod equivocation;
mod forsaking;
mod found;
mod holes;
mod invariants;
mod limits;
mod message;
mod near;
mod origin;
mod overflow;
mod parents;
mod pending;
mod recent;
mod request;
mod saved;
mod slots;
mod waiting;
mod wire;

pub use buffer::CausalBuffer;
pub use equivocation::{Digest, Equivocation, Payload};
pub use limits::{Limits, Retry};
pub use message::{Batch, Event, InsertError, Inserted, Message};
pub use parents::Parents;
pub use wire::{BATCH_MAX, BatchDecoder, BatchEncoder, Messages};
