//! Who the servers of a realm are: joining, retiring, and what slots meant when.
//!
//! A cut says `(slot 3, position 700)`. Which server that is depends on when it was said: servers leave,
//! and their slots are given to others. So each cut, token and admission names the
//! [`Epoch`](crate::cut::Epoch) that it is of, and [`Membership`] reads it by that.
//!
//! Others have pruned the entries of servers that left after a *time*, with the risk that a copy from
//! before came back later, unpruned, and was merged as something new (Akka Distributed Data says so of
//! itself). Here nothing depends on how long somebody was away: what is of an older epoch is translated
//! where that is exact, and otherwise refused.
//!
//! Writers, of which there are many more, retire by a rule of their own: [`WriterTable`].

mod change;
mod codec;
mod error;
mod member;
mod tenure;
mod view;
mod writers;

pub use change::Change;
pub use error::{ChangeError, Refused};
pub use member::{MemberId, Standing};
pub use view::{Admitted, Membership};
pub use writers::{LastWrite, WriterStanding, WriterTable};
