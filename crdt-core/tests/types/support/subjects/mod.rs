//! The types under test, each with its sequential specification.
//!
//! The specifications know operations and what happened before what, and nothing of dots,
//! contexts or joins.

mod counters;
mod flags;
mod maps;
mod registers;
mod sets;

pub(crate) use counters::{GrowOnly, Stock, StockOp, UpAndDown};
pub(crate) use flags::{DisableWins, EnableWins};
pub(crate) use maps::{Map, MapOp, SeenWrite};
pub(crate) use registers::{Assign, Greatest, Least, Redacting, Register, Siblings};
pub(crate) use sets::{GrowOnlyElements, RemoveWins, Set, SetOp, TwoPhase};
