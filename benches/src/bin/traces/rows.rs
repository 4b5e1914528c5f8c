//! The rows of the comparison.

use std::fmt;
use std::str::FromStr;

use benches::Kind;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Row {
    Local,
    Build,
    Merge,
    Load,
    Cycle,
    Save,
    HeapLocal,
    HeapLoad,
    HeapPeak,
}

impl Row {
    pub(crate) const ALL: [Self; 9] = [
        Self::Local,
        Self::Build,
        Self::Merge,
        Self::Load,
        Self::Cycle,
        Self::Save,
        Self::HeapLocal,
        Self::HeapLoad,
        Self::HeapPeak,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Build => "build",
            Self::Merge => "merge",
            Self::Load => "load",
            Self::Cycle => "cycle",
            Self::Save => "save",
            Self::HeapLocal => "heap_local",
            Self::HeapLoad => "heap_load",
            Self::HeapPeak => "heap_peak",
        }
    }

    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Local => "replay as local edits, then the text",
            Self::Build => "one replica a writer, each edit at its parents, then the text",
            Self::Merge => "one remote update with everything, then the text",
            Self::Load => "the saved document, then the text",
            Self::Cycle => "load, type one character, save",
            Self::Save => "the saved document with its whole history",
            Self::HeapLocal => "live heap after the local replay",
            Self::HeapLoad => "live heap after loading and reading",
            Self::HeapPeak => "the most heap at once during the merge",
        }
    }

    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Local | Self::Build | Self::Merge | Self::Load | Self::Cycle => "ms",
            Self::Save => "KiB",
            Self::HeapLocal | Self::HeapLoad | Self::HeapPeak => "MiB",
        }
    }

    /// Whether a trace of this kind has the row.
    pub(crate) fn applies_to(self, kind: Kind) -> bool {
        match self {
            Self::Local | Self::HeapLocal => kind == Kind::Sequential,
            Self::Build | Self::HeapPeak => kind == Kind::Concurrent,
            Self::Merge | Self::Load | Self::Cycle | Self::Save | Self::HeapLoad => true,
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Row {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|row| row.name() == name);
        found.ok_or_else(|| format!("the rows are {}", Self::ALL.map(Self::name).join(", ")))
    }
}
