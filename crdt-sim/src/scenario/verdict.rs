//! What a scenario claims, what was measured, and whether the two agree.

use std::fmt;

/// What a measured number has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// No more than that.
    AtMost(u64),
    /// No less than that.
    AtLeast(u64),
    /// This and no other.
    Exactly(u64),
}

impl Bound {
    /// Whether a number keeps to it.
    #[must_use]
    pub const fn holds(self, measured: u64) -> bool {
        match self {
            Self::AtMost(most) => measured <= most,
            Self::AtLeast(least) => measured >= least,
            Self::Exactly(value) => measured == value,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(most) => write!(f, "at most {most}"),
            Self::AtLeast(least) => write!(f, "at least {least}"),
            Self::Exactly(value) => write!(f, "exactly {value}"),
        }
    }
}

/// One claim of one row of the talks' table, with what a run measured of it.
///
/// Whether it holds is not stored but follows from the two numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The row, as `T2`.
    pub row: &'static str,
    /// What is claimed, in words.
    pub claim: String,
    /// What was measured in this run.
    pub measured: u64,
    /// What it has to be.
    pub bound: Bound,
}

impl Verdict {
    /// A time that did not come.
    pub const NEVER: u64 = u64::MAX;

    /// A claim and its measurement.
    pub fn new(row: &'static str, claim: impl Into<String>, measured: u64, bound: Bound) -> Self {
        Self { row, claim: claim.into(), measured, bound }
    }

    /// Whether what was measured is what was claimed.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.bound.holds(self.measured)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { row, claim, measured, bound } = self;
        let holds = if self.holds() { "holds" } else { "FAILED" };
        write!(f, "{row:<4} {holds:<7} {claim}: ")?;
        match *measured {
            Self::NEVER => write!(f, "never ({bound})"),
            measured => write!(f, "{measured} ({bound})"),
        }
    }
}
