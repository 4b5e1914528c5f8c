use super::lattice::Level;
use crate::session::LogTag;

/// What an operation is about.
///
/// It narrows the client's own offline writes alone: what servers have attested is checked for the
/// whole realm, because positions are given out over all documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// All logs.
    #[default]
    Realm,
    /// One log.
    Log(LogTag),
}

/// What a read, or a write, asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    level: Level,
    floor: Level,
    deadline: Option<u64>,
    scope: Scope,
}

/// What a read asks for.
pub type ReadSpec = Spec;

/// What a write asks for: of the level only the guarantees about writes matter, and whether it is
/// strong.
pub type WriteSpec = Spec;

impl Spec {
    /// This level and nothing less, at once, over the realm.
    pub const fn new(level: Level) -> Self {
        Self { level, floor: level, deadline: None, scope: Scope::Realm }
    }

    /// If the level cannot be had by the deadline, then this will do, as far as it is less.
    #[must_use]
    pub fn or_at_least(mut self, floor: Level) -> Self {
        self.floor = self.level.meet(floor);
        self
    }

    /// Waits until this time, in milliseconds on the clock of the node. Without it, nothing waits.
    #[must_use]
    pub const fn until(mut self, deadline: u64) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// What it is about.
    #[must_use]
    pub const fn about(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// What is asked for.
    pub const fn level(&self) -> Level {
        self.level
    }

    /// What will do.
    pub const fn floor(&self) -> Level {
        self.floor
    }

    /// How long to wait.
    pub const fn deadline(&self) -> Option<u64> {
        self.deadline
    }

    /// What it is about.
    pub const fn scope(&self) -> Scope {
        self.scope
    }
}
