//! Keeping two logs of events in step.

mod error;
mod event;
mod handshake;
mod hello;
mod inbox;
mod limits;
mod log;
mod message;
mod outbox;
mod presence;
mod refusal;
mod session;
mod summary;
mod table;
mod timer;
mod window;

pub use error::SessionError;
pub use event::Event;
pub use hello::{Hello, RelativeVector, Summary};
pub use limits::{Config, HELLO_BYTES_MAX, Limits, Retry, WRITERS_MAX};
pub use log::ChangeLog;
pub use message::{Acknowledgement, Content, Last, Message};
pub use presence::PresenceTooLarge;
pub use refusal::Refusal;
pub use session::Session;
pub use table::{Mark, ReceiveTables, SendTables};
