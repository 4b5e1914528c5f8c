//! Stable cuts, horizons and trim cuts against plain computations of them.

mod horizon;
mod random;
mod tracker;
mod trimmer;

use crdt_core::laws::cases;
