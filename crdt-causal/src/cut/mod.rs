//! How much of what the servers of a realm have admitted: slots, positions and cuts.
//!
//! A *realm* is all documents of a group of servers. Each server has a [`Slot`], a small integer
//! that is its own for a membership [`Epoch`], and numbers the events that it admits over all
//! documents: 1, 2, 3, … So an [`Admission`], a slot and a position, names an event by where it came
//! in, as a [`Dot`](crdt_core::Dot) names it by who wrote it, and a [`Cut`] says in a few bytes how
//! far something has got with everything: what a server has applied, what a client has seen, what is
//! stable.
//!
//! Dots would say it too, but there is a replica id for each storage lease of each browser that ever
//! wrote. Browsers, however many, never lengthen a cut.

mod codec;
mod positions;
mod slot;

pub use positions::{Cut, Iter};
pub use slot::{Admission, Admissions, Epoch, POSITION_MAX, Slot};
