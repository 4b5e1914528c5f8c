//! Policies: the rows C11 to C19, C21 to C23, C26 and C28 of the situations that they are for.

mod bytes;
mod degrade;
mod layers;
mod offline;
mod outbox;
#[path = "../levels/random.rs"]
mod random;
mod rules;
mod saga;

use crdt_core::laws::cases;
