use core::fmt;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::{Access, Owner};
use crate::frame::{TOKEN_BYTES_MAX, is_valid_document_name};

/// Which token covers which documents, for reading or for writing.
///
/// A text file with one grant per line: the token, the document, and `read`, `write` or `peer`,
/// separated by blanks. The document is a name, a prefix followed by `*`, or `*` for all;
/// a token may have several lines, and the most that one of them grants counts. Empty lines
/// and lines that start with `#` are skipped. `peer` makes the holder another server of the
/// realm; it takes `*` for the document.
///
/// ```text
/// # token                          document      access
/// 5rkO2ZlnrDqYAnCz9WmS4w           notes         write
/// 5rkO2ZlnrDqYAnCz9WmS4w           teams/blue/*  write
/// mC1sJbQ8jGkVhW3oG0m1Vg           *             read
/// o2vLw8m7XkqT3bYc9HfRdA           *             peer
/// ```
///
/// Make a token with, for example, `openssl rand -base64 24`.
///
/// ```
/// use crdt_server::auth::{Access, TokenTable};
///
/// let table = TokenTable::parse("5rkO2ZlnrDqYAnCz9WmS4w teams/* read")?;
/// assert_eq!(table.access("5rkO2ZlnrDqYAnCz9WmS4w", "teams/blue"), Some(Access::Read));
/// assert_eq!(table.access("5rkO2ZlnrDqYAnCz9WmS4w", "notes"), None);
/// # Ok::<(), crdt_server::auth::TokenFileError>(())
/// ```
#[derive(Debug, Default)]
pub struct TokenTable {
    grants: BTreeMap<Owner, Vec<Grant>>,
}

/// Why a token file was not accepted.
#[derive(Debug)]
#[non_exhaustive]
pub enum TokenFileError {
    /// The file could not be read.
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is not a single token in it.
    NoToken,
    /// A line does not have its three parts.
    Incomplete {
        /// The line, from 1.
        line: usize,
    },
    /// The third part is none of `read`, `write` and `peer`.
    UnknownAccess {
        /// The line, from 1.
        line: usize,
    },
    /// The document is neither a name, a prefix with `*` behind it, nor `*`; or it is not `*`
    /// where that is asked for.
    InvalidDocument {
        /// The line, from 1.
        line: usize,
    },
    /// A token is so short that it could be guessed, or longer than the protocol allows.
    TokenLength {
        /// The line, from 1.
        line: usize,
    },
}

#[derive(Debug)]
struct Grant {
    documents: Documents,
    access: Access,
}

#[derive(Debug)]
enum Documents {
    Named(String),
    WithPrefix(String),
}

/// Sixteen base64 characters hold 96 bits.
const TOKEN_BYTES_MIN: usize = 16;

impl TokenTable {
    /// Reads a token file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is not in the format above; the message tells the line
    /// and never repeats a token.
    pub fn read(path: &Path) -> Result<Self, TokenFileError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| TokenFileError::Read { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    /// Parses the text of a token file.
    ///
    /// # Errors
    ///
    /// If the text is not in the format above.
    pub fn parse(text: &str) -> Result<Self, TokenFileError> {
        let mut table = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line_number = index + 1;
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (token, grant) = Grant::parse(line, line_number)?;
            table.grants.entry(Owner::of(token)).or_default().push(grant);
        }
        if table.grants.is_empty() { Err(TokenFileError::NoToken) } else { Ok(table) }
    }

    /// Whether the token occurs at all.
    pub fn knows(&self, token: &str) -> bool {
        self.grants.contains_key(&Owner::of(token))
    }

    /// Whether the token makes its holder another server.
    pub fn is_peer(&self, token: &str) -> bool {
        let grants = self.grants.get(&Owner::of(token));
        grants.is_some_and(|grants| grants.iter().any(|grant| grant.access == Access::Peer))
    }

    /// The most that the token grants on the document; `None` is nothing.
    pub fn access(&self, token: &str, document: &str) -> Option<Access> {
        let grants = self.grants.get(&Owner::of(token))?;
        grants.iter().filter(|grant| grant.covers(document)).map(|grant| grant.access).max()
    }
}

impl Grant {
    fn parse(line: &str, line_number: usize) -> Result<(&str, Self), TokenFileError> {
        // A document's name may hold blanks; a token and an access do not.
        let incomplete = TokenFileError::Incomplete { line: line_number };
        let Some((token, rest)) = line.split_once(char::is_whitespace) else {
            return Err(incomplete);
        };
        let Some((document, access)) = rest.trim().rsplit_once(char::is_whitespace) else {
            return Err(incomplete);
        };
        if !(TOKEN_BYTES_MIN..=TOKEN_BYTES_MAX).contains(&token.len()) {
            return Err(TokenFileError::TokenLength { line: line_number });
        }
        let access = match access {
            "read" => Access::Read,
            "write" => Access::Write,
            "peer" => Access::Peer,
            _ => return Err(TokenFileError::UnknownAccess { line: line_number }),
        };
        let document = document.trim();
        let documents = match document.strip_suffix('*') {
            Some(prefix) if prefix.is_empty() || is_valid_document_name(prefix) => {
                Documents::WithPrefix(prefix.to_owned())
            }
            None if is_valid_document_name(document) => Documents::Named(document.to_owned()),
            _ => return Err(TokenFileError::InvalidDocument { line: line_number }),
        };
        if access == Access::Peer && document != "*" {
            return Err(TokenFileError::InvalidDocument { line: line_number });
        }
        Ok((token, Self { documents, access }))
    }

    fn covers(&self, document: &str) -> bool {
        match &self.documents {
            Documents::Named(name) => name == document,
            Documents::WithPrefix(prefix) => document.starts_with(prefix),
        }
    }
}

impl fmt::Display for TokenFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, source } => write!(f, "{}: {source}", path.display()),
            Self::NoToken => f.write_str("the token file holds no token"),
            Self::Incomplete { line } => {
                write!(f, "line {line}: expected `token document read|write`")
            }
            Self::UnknownAccess { line } => {
                write!(f, "line {line}: the third part must be `read`, `write` or `peer`")
            }
            Self::InvalidDocument { line } => write!(
                f,
                "line {line}: the document must be a name, a prefix followed by `*`, or `*`; for \
                 `peer` it must be `*`"
            ),
            Self::TokenLength { line } => {
                write!(f, "line {line}: a token has {TOKEN_BYTES_MIN} to {TOKEN_BYTES_MAX} bytes")
            }
        }
    }
}

impl core::error::Error for TokenFileError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Read { source, .. } => Some(source),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "one-token-of-length";
    const TWO: &str = "two-token-of-length";

    #[test]
    fn grants_add_up() {
        let text = format!(
            "# who may what\n\n{ONE} notes read\n{ONE}\tteams/*   write\n  {TWO} * read\n{TWO} my notes write\n"
        );
        let table = TokenTable::parse(&text).expect("the file is well-formed");
        for (token, document, expected) in [
            (ONE, "notes", Some(Access::Read)),
            (ONE, "notes/more", None),
            (ONE, "teams/", Some(Access::Write)),
            (ONE, "teams/a/b", Some(Access::Write)),
            (ONE, "team", None),
            (TWO, "anything", Some(Access::Read)),
            (TWO, "my notes", Some(Access::Write)),
            ("unknown-token-of-length", "notes", None),
            ("", "notes", None),
        ] {
            assert_eq!(table.access(token, document), expected, "{token} {document}");
        }
        assert!(table.knows(ONE) && table.knows(TWO) && !table.knows("one-token"));
        let peers = TokenTable::parse(&format!("{ONE} * write\n{TWO} * peer\n")).expect("a file");
        assert!(!peers.is_peer(ONE) && peers.is_peer(TWO) && !peers.is_peer("one-token"));
    }

    #[test]
    fn a_malformed_file_is_refused_with_its_line() {
        let message = |text: &str| TokenTable::parse(text).expect_err(text).to_string();
        assert_eq!(message("# nothing\n"), "the token file holds no token");
        for (text, part) in [
            (ONE, "line 1: expected"),
            ("\none-token-of-length write", "line 2: expected"),
            ("one-token-of-length notes admin", "`read`, `write` or `peer`"),
            ("one-token-of-length notes peer", "for `peer` it must be `*`"),
            ("one-token-of-length no*tes read", "the document must be"),
            ("short notes read", "a token has 16 to 512 bytes"),
        ] {
            let message = message(text);
            assert!(message.contains(part), "{message}");
            assert!(!message.contains(ONE), "a token leaked: {message}");
        }
    }
}
