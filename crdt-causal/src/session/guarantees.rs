use core::fmt;
use core::ops::{BitAnd, BitOr, Sub};

/// Which of the four session guarantees.
///
/// | | promises the session |
/// |---|---|
/// | [`READ_YOUR_WRITES`](Self::READ_YOUR_WRITES) | a read shows every write that the session made before |
/// | [`MONOTONIC_READS`](Self::MONOTONIC_READS) | a read shows every write that an earlier read showed |
/// | [`MONOTONIC_WRITES`](Self::MONOTONIC_WRITES) | wherever a write of the session is, its earlier ones are |
/// | [`WRITES_FOLLOW_READS`](Self::WRITES_FOLLOW_READS) | wherever a write of the session is, the writes are that it had read |
///
/// They are independent: each can be asked for without the others. The first two are about what this
/// session reads; the last two are about what *everyone* sees of what it writes.
///
/// Terry, Demers, Petersen, Spreitzer, Theimer and Welch, *Session guarantees for weakly consistent
/// replicated data* (1994).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Guarantees(u8);

impl Guarantees {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// RYW.
    pub const READ_YOUR_WRITES: Self = Self(1);
    /// MR.
    pub const MONOTONIC_READS: Self = Self(2);
    /// MW.
    pub const MONOTONIC_WRITES: Self = Self(4);
    /// WFR.
    pub const WRITES_FOLLOW_READS: Self = Self(8);
    /// All four.
    pub const ALL: Self = Self(15);

    const NAMES: [(Self, &'static str); 4] = [
        (Self::READ_YOUR_WRITES, "RYW"),
        (Self::MONOTONIC_READS, "MR"),
        (Self::MONOTONIC_WRITES, "MW"),
        (Self::WRITES_FOLLOW_READS, "WFR"),
    ];

    /// Whether all of `other` are among them.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These and those of `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These but those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Those that are in both.
    #[must_use]
    pub const fn shared_with(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// All sixteen combinations, none first.
    pub fn combinations() -> impl Iterator<Item = Self> {
        (0..=Self::ALL.0).map(Self)
    }
}

impl BitOr for Guarantees {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.with(other)
    }
}

impl BitAnd for Guarantees {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.shared_with(other)
    }
}

impl Sub for Guarantees {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.without(other)
    }
}

/// Set inclusion: more guarantees are greater.
impl PartialOrd for Guarantees {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        use core::cmp::Ordering::{Equal, Greater, Less};
        match (self.contains(*other), other.contains(*self)) {
            (true, true) => Some(Equal),
            (true, false) => Some(Greater),
            (false, true) => Some(Less),
            (false, false) => None,
        }
    }
}

/// The usual abbreviations: `RYW+MR`; `none`.
impl fmt::Display for Guarantees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (guarantee, name) in Self::NAMES {
            if self.contains(guarantee) {
                write!(f, "{separator}{name}")?;
                separator = "+";
            }
        }
        if self.is_empty() { f.write_str("none") } else { Ok(()) }
    }
}

impl fmt::Debug for Guarantees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
