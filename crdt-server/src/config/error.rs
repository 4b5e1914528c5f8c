use core::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::auth::TokenFileError;
use crate::tls::RootsError;

/// Why the command line does not amount to a configuration.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// The address is open to other machines, and there is no token file.
    OpenToOthers {
        /// The address.
        listen: SocketAddr,
    },
    /// An allowed origin is not one.
    InvalidOrigin {
        /// What was given.
        origin: String,
    },
    /// The token file is missing or malformed.
    TokenFile(TokenFileError),
    /// The address of another server is not one.
    InvalidPeer {
        /// What was given.
        url: String,
    },
    /// The address for clients is not one.
    InvalidPublicUrl {
        /// What was given.
        url: String,
    },
    /// The server's own slot is among those that have retired.
    Retired {
        /// The slot.
        slot: u16,
    },
    /// The authority for strong operations is among the servers that have retired.
    RetiredAuthority {
        /// Its slot.
        slot: u16,
    },
    /// More servers have retired than the epoch allows for.
    EpochTooSmall {
        /// How many have.
        retired: usize,
    },
    /// The certificates for other servers cannot be used.
    PeerRoots(RootsError),
    /// The file with the token for other servers cannot be read, or holds no token.
    PeerToken {
        /// The file.
        path: PathBuf,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenToOthers { listen } => write!(
                f,
                "refusing to listen on {listen} without --token-file: other machines could read \
                 and write every document"
            ),
            Self::InvalidOrigin { origin } => write!(
                f,
                "--allow-origin {origin}: expected a scheme and a host, such as \
                 https://app.example.org"
            ),
            Self::TokenFile(error) => write!(f, "--token-file: {error}"),
            Self::InvalidPeer { url } => {
                write!(
                    f,
                    "--peer {url}: expected ws:// or wss:// and a host, such as wss://b.example.org"
                )
            }
            Self::InvalidPublicUrl { url } => write!(
                f,
                "--public-url {url}: expected a scheme and a host, such as https://a.example.org"
            ),
            Self::Retired { slot } => {
                write!(f, "--retired {slot}: this server has that --slot itself")
            }
            Self::RetiredAuthority { slot } => {
                write!(f, "--strong-authority {slot}: that server has retired (--retired {slot})")
            }
            Self::EpochTooSmall { retired } => write!(
                f,
                "--retired: {retired} servers have retired, so --epoch is {retired} or more, the \
                 same on all servers"
            ),
            Self::PeerRoots(error) => write!(f, "--peer-ca: {error}"),
            Self::PeerToken { path } => {
                write!(f, "--peer-token-file {}: expected one line with a token", path.display())
            }
        }
    }
}

impl core::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::TokenFile(error) => Some(error),
            Self::PeerRoots(error) => Some(error),
            _ => None,
        }
    }
}

impl From<TokenFileError> for ConfigError {
    fn from(error: TokenFileError) -> Self {
        Self::TokenFile(error)
    }
}
