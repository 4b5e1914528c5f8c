//! The libraries that are compared.

use crate::case::Case;
use crate::measure::{self, Rows};
use crate::ours::Ours;
#[cfg(feature = "peers")]
use crate::peers;

/// What this library is called among the others.
pub(crate) const OURS: &str = "ours";

/// A library, by the rows that it can be measured in.
#[derive(Clone, Copy)]
pub(crate) struct Library {
    pub(crate) name: &'static str,
    pub(crate) measure: fn(&Case<'_>, &mut Rows<'_>),
}

/// This library, and the others if the program was built with them.
pub(crate) const ALL: &[Library] = &[
    Library { name: OURS, measure: measure::whole::<Ours> },
    #[cfg(feature = "peers")]
    Library { name: "diamond-types", measure: measure::whole::<peers::DiamondTypes> },
    #[cfg(feature = "peers")]
    Library { name: "loro", measure: measure::whole::<peers::Loro> },
    #[cfg(feature = "peers")]
    Library { name: "yrs", measure: measure::whole::<peers::Yrs> },
    // Only what is written in bytes differs.
    #[cfg(feature = "peers")]
    Library { name: "yrs-v2", measure: measure::archive::<peers::YrsV2> },
    #[cfg(feature = "peers")]
    Library { name: "automerge", measure: measure::whole::<peers::Automerge> },
    // It keeps positions, no history.
    #[cfg(feature = "peers")]
    Library { name: "cola", measure: measure::editing::<peers::Cola> },
];
