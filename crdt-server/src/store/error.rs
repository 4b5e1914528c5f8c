use core::fmt;
use std::io;
use std::path::PathBuf;

/// Why a store could not be opened, written or read.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has the file open.
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a release with another layout.
    UnknownFormat {
        /// The layout's number in the file.
        found: u64,
        /// The layout's number that this release reads and writes.
        expected: u64,
    },
    /// The folder or file could not be made or opened.
    Path {
        /// The folder or file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The storage engine failed, or found the file damaged.
    Engine(Box<redb::Error>),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { path } => {
                write!(f, "{} is in use by another process", path.display())
            }
            Self::UnknownFormat { found, expected } => {
                write!(f, "the store has format {found}; this release reads format {expected}")
            }
            Self::Path { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Engine(error) => write!(f, "storage engine: {error}"),
        }
    }
}

impl core::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Path { source, .. } => Some(source),
            Self::Engine(error) => Some(error),
            Self::InUse { .. } | Self::UnknownFormat { .. } => None,
        }
    }
}

impl From<redb::Error> for StoreError {
    fn from(error: redb::Error) -> Self {
        Self::Engine(Box::new(error))
    }
}

macro_rules! from_engine {
    ($($error:ident),*) => {$(
        impl From<redb::$error> for StoreError {
            fn from(error: redb::$error) -> Self {
                Self::from(redb::Error::from(error))
            }
        }
    )*};
}
from_engine!(TransactionError, TableError, StorageError, CommitError, DatabaseError);
