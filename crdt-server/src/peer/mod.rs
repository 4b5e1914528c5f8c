//! Keeping the servers of a realm in step.
//!
//! A *link* is one WebSocket between two servers, dialled by either of them. The documents on it are
//! channels with ordinary sync sessions, opened by whichever side has something that the other lacks, and
//! closed when both have been quiet for a while; beside them the two tell each other, in frames
//! of their own:
//!
//! 1. who they are and what they hold;
//! 2. where the admission log no longer says what the other one lacks, how their collections of
//!    documents differ: one exchange for all of them ([`crdt_causal::reconcile`]);
//! 3. that the other side holds everything of a cut, once the sessions have acknowledged it as
//!    durable; and once a second, where all servers are that they know of;
//! 4. who owns replica ids, before the first events under them.
//!
//! A server takes from another whatever it forwards: its token says that it may. The link trusts it
//! with content, not with resources: everything that it can make grow is bounded.

mod channels;
mod compare;
mod dial;
mod greet;
mod link;
mod links;
mod progress;
mod socket;
mod words;

pub(crate) use dial::keep_dialling;
pub(crate) use greet::accept;
pub(crate) use links::Links;
pub(crate) use progress::Watch;
pub(crate) use socket::Wire;
