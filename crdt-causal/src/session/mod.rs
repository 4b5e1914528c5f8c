//! Sessions: what a client has seen and done, in a token that it carries from server to server.
//!
//! A session is a sequence of reads and writes that belong together: a person on a device, a tab, a
//! chain of requests. Its [token](SessionToken) says what it depends on, and a server that is asked
//! with it [decides](crate::level::decide) whether it knows enough to answer. No server keeps
//! anything for a session, and no two of them talk about one.
//!
//! 1. The client sends its token; the server [verifies](SessionToken::verify) it.
//! 2. The server decides. If it may answer, it does, and notes in the [`VerifiedToken`] what the answer
//!    [showed](VerifiedToken::observe_read) or [wrote](VerifiedToken::observe_write).
//! 3. It [attests](VerifiedToken::attest) the token of the answer, and the client
//!    [replaces](SessionToken::replace) its own by that.
//!
//! **Scope.** A session covers all documents of a realm. **Carrier.** The guarantees live in the token:
//! who loses it begins a new session. **Durability.** They hold across crashes of the client as far as
//! it has stored the token, and across those of servers as far as positions are given out for what is
//! durable alone.

mod attested;
mod authenticator;
mod base64url;
mod error;
mod footprint;
mod guarantees;
mod offline;
mod realm;
mod token;
mod verified;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

pub use authenticator::{Authenticator, KeyId, Mac};
pub use error::TokenError;
pub use guarantees::Guarantees;
pub use offline::OfflineWrites;
pub use realm::{LogTag, Realm};
pub use token::{SessionToken, TOKEN_BYTES_MAX};
pub use verified::VerifiedToken;
