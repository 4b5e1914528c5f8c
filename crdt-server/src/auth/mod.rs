//! Who may do what: tokens, origins, and the owners of replica ids.
//!
//! * A [`TokenTable`] says which token covers which documents, for reading or for writing.
//! * An [`OriginPolicy`] keeps other sites' pages out: browsers attach no cookie-like
//!   authority here, but a page of any site may open a WebSocket to `localhost`
//!   (CWE-1385), so the origin is checked before the upgrade.
//! * An [`Owner`] is a token's digest: it is what the store keeps to bind a replica id to
//!   the token that first wrote with it.

mod origin;
mod owner;
mod tokens;

pub use origin::{OriginPolicy, OriginRefusal};
pub use owner::{Identity, Owner};
pub use tokens::{TokenFileError, TokenTable};

/// What a token, or the lack of a token file, permits on one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// To receive changes and presence, and to send presence.
    Read,
    /// To send changes as well.
    Write,
    /// To be another server of the realm: trusted with changes under any replica id, with what
    /// it says of the owners of ids, and with every document.
    Peer,
}

/// Who is on a channel, and what they may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Whom replica ids are bound to.
    pub identity: Identity,
    /// What they may do.
    pub access: Access,
}

/// How permissions are found.
#[derive(Debug)]
pub enum Authorization {
    /// No token file: everyone who reaches the server may write everything. The server then
    /// listens on a loopback address only.
    Open,
    /// A token file: nothing without a token, from wherever.
    Tokens(TokenTable),
}

impl Authorization {
    /// Whether a connection may come in with this token; the documents are checked when
    /// they are opened. A connection without a token may bring one with each document.
    pub fn admits(&self, token: Option<&str>) -> bool {
        match (self, token) {
            (Self::Open, _) | (Self::Tokens(_), None) => true,
            (Self::Tokens(table), Some(token)) => table.knows(token),
        }
    }

    /// Who comes with this token as another server; `None` if it does not make one.
    ///
    /// Without tokens every program on this machine may write everything, and may be a server.
    pub fn peer(&self, token: Option<&str>) -> Option<Identity> {
        match self {
            Self::Open => Some(Identity::Anonymous),
            Self::Tokens(table) => {
                let token = token.filter(|token| table.is_peer(token))?;
                Some(Identity::Token(Owner::of(token)))
            }
        }
    }

    /// What `token` permits on `document`; `None` is nothing.
    pub fn permission(&self, token: Option<&str>, document: &str) -> Option<Permission> {
        match self {
            Self::Open => Some(Permission { identity: Identity::Anonymous, access: Access::Write }),
            Self::Tokens(table) => {
                let token = token?;
                let access = table.access(token, document)?;
                Some(Permission { identity: Identity::Token(Owner::of(token)), access })
            }
        }
    }
}
