//! What can go wrong, and how often it did.

use std::fmt::{self, Display};

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub enum Fault {
    /// A packet that never arrived.
    Loss,
    /// A packet that arrived twice.
    Duplication,
    /// A packet that others overtook.
    Reordering,
    /// A packet that was held up, with those behind it.
    Delay,
    /// A link whose packets waited and came all at once.
    Clog,
    /// A packet lost between two sides that were apart.
    SymmetricPartition,
    /// A packet lost on the one way that was cut.
    AsymmetricPartition,
    /// A packet lost on one of some links that were cut.
    PartialPartition,
    /// A connection that ended.
    Disconnect,
    /// A process that stood still.
    Pause,
    /// A process that ended without warning.
    Crash,
    /// A write that a crash took.
    LostWrite,
    /// A write of which a crash left a part.
    TornWrite,
    /// A write that a crash left with a wrong bit.
    FlippedWrite,
    /// A write that landed elsewhere.
    MisdirectedWrite,
    /// A wrong bit in what had been synced.
    BitRot,
    /// A clock that was set.
    ClockStep,
    /// A clock that was made fast or slow.
    ClockDrift,
    /// A disk that was copied to another machine.
    ClonedReplica,
    /// A disk that was replaced by an older copy of it.
    RestoredBackup,
    /// A hostile peer whose numbers leapt.
    Jump,
    /// One that claimed what there is not.
    Boast,
    /// One that used a dot twice.
    Equivocation,
    /// One that sent too much.
    Flood,
    /// One that never acknowledged.
    Mute,
    /// One that greeted with what was long out of date.
    StaleSummary,
    /// A peer of another version of the protocol.
    OtherProtocol,
    /// A machine that came back after what it would have to know was trimmed.
    ReturnAfterTrimming,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 28] = [
        Self::Loss,
        Self::Duplication,
        Self::Reordering,
        Self::Delay,
        Self::Clog,
        Self::SymmetricPartition,
        Self::AsymmetricPartition,
        Self::PartialPartition,
        Self::Disconnect,
        Self::Pause,
        Self::Crash,
        Self::LostWrite,
        Self::TornWrite,
        Self::FlippedWrite,
        Self::MisdirectedWrite,
        Self::BitRot,
        Self::ClockStep,
        Self::ClockDrift,
        Self::ClonedReplica,
        Self::RestoredBackup,
        Self::Jump,
        Self::Boast,
        Self::Equivocation,
        Self::Flood,
        Self::Mute,
        Self::StaleSummary,
        Self::OtherProtocol,
        Self::ReturnAfterTrimming,
    ];
}

/// In `snake_case`, for lines that programs read.
impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{self:?}");
        for (at, letter) in name.char_indices() {
            if letter.is_ascii_uppercase() && at > 0 {
                f.write_str("_")?;
            }
            write!(f, "{}", letter.to_ascii_lowercase())?;
        }
        Ok(())
    }
}

/// How often each fault happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters([u64; Fault::ALL.len()]);

impl Counters {
    /// One more.
    pub fn count(&mut self, fault: Fault) {
        self.0[fault as usize] += 1;
    }

    /// How often it happened.
    #[must_use]
    pub fn get(&self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }

    /// Adds those of another run.
    pub fn add(&mut self, other: &Self) {
        for (here, there) in self.0.iter_mut().zip(other.0) {
            *here += there;
        }
    }

    /// Those that never happened.
    pub fn missing(&self) -> impl Iterator<Item = Fault> + '_ {
        Fault::ALL.into_iter().filter(|fault| self.get(*fault) == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_listed_in_the_order_of_their_numbers() {
        for (index, fault) in Fault::ALL.into_iter().enumerate() {
            assert_eq!(fault as usize, index);
        }
        assert_eq!(Fault::ALL[Fault::ALL.len() - 1], Fault::ReturnAfterTrimming);
        assert_eq!(Fault::SymmetricPartition.to_string(), "symmetric_partition");
    }
}
