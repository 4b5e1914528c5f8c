//! Why a command cannot go on, and the command that mends it, in one line.

use std::fmt;

/// What a command returns.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// One line for a person: what is wrong and, where we know it, what to type.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    mend: Option<String>,
}

impl Failure {
    /// A failure that no single command mends.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), mend: None }
    }

    /// Adds the command that mends it, unless one is named already: the place closest to
    /// the cause knows best.
    pub(crate) fn mend(mut self, command: impl Into<String>) -> Self {
        self.mend.get_or_insert_with(|| command.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "xtask: {}", self.what)?;
        match &self.mend {
            Some(command) => write!(f, "; to mend it: {command}"),
            None => Ok(()),
        }
    }
}
