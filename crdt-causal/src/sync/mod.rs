//! Keeping two logs of events in step.

mod log;
mod refusal;
mod table;

pub use log::ChangeLog;
pub use refusal::Refusal;
pub use table::{Mark, ReceiveTables, SendTables};
