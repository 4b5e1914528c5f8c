use super::ConfigError;
use crate::frame::SYNC_PATH;

/// The address of another server: `wss://HOST:PORT`, or `ws://HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerAddress {
    authority: String,
    is_encrypted: bool,
}

impl PeerAddress {
    /// Reads an address: `wss://`, `https://`, `ws://` or `http://`, and a host with or without a port.
    /// The path of the protocol may follow.
    ///
    /// # Errors
    ///
    /// [`ConfigError::InvalidPeer`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let invalid = || ConfigError::InvalidPeer { url: text.to_owned() };
        let (scheme, rest) = text.split_once("://").ok_or_else(invalid)?;
        let is_encrypted = match scheme {
            "wss" | "https" => true,
            "ws" | "http" => false,
            _ => return Err(invalid()),
        };
        let authority = rest.strip_suffix(SYNC_PATH).unwrap_or(rest);
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let is_valid = !authority.is_empty()
            && authority.parse::<axum::http::uri::Authority>().is_ok()
            && !authority.contains('@');
        if is_valid {
            Ok(Self { authority: authority.to_owned(), is_encrypted })
        } else {
            Err(invalid())
        }
    }

    /// Where to dial.
    pub fn url(&self) -> String {
        let scheme = if self.is_encrypted { "wss" } else { "ws" };
        format!("{scheme}://{}{SYNC_PATH}", self.authority)
    }

    /// The host, with its port if it has one, and whether it is reached over TLS.
    pub(crate) fn host(&self) -> (&str, bool) {
        (&self.authority, self.is_encrypted)
    }

    /// Where clients may reach it, unless it says otherwise.
    pub fn public_url(&self) -> String {
        let scheme = if self.is_encrypted { "https" } else { "http" };
        format!("{scheme}://{}", self.authority)
    }
}
