use alloc::vec::Vec;

use crate::level::Level;

/// Levels from the strongest to the weakest, each promising less than the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    rungs: Vec<Level>,
}

impl Ladder {
    /// These levels; `None` if there is none, or one does not promise less than the one before.
    #[must_use]
    pub fn new(rungs: Vec<Level>) -> Option<Self> {
        let descends = rungs.windows(2).all(|pair| pair[1] < pair[0]);
        (descends && !rungs.is_empty()).then_some(Self { rungs })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.rungs.len()
    }

    pub(super) fn get(&self, rung: usize) -> Level {
        self.rungs[rung]
    }

    /// The first that promises no more than this; the last if all do.
    pub(super) fn rung_of(&self, level: Level) -> usize {
        let found = self.rungs.iter().position(|&rung| level.promises(rung));
        found.unwrap_or(self.rungs.len() - 1)
    }
}

/// Strong, causal, session, eventual.
impl Default for Ladder {
    fn default() -> Self {
        let session = Level::session(crate::session::Guarantees::ALL);
        Self { rungs: [Level::STRONG, Level::CAUSAL, session, Level::EVENTUAL].into() }
    }
}
