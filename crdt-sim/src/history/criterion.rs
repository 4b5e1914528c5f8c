use std::fmt;
use std::str::FromStr;

use crdt_causal::session::Guarantees;

/// What a history is judged by.
///
/// | criterion | as text | `t2` is visible to `t3` if | costs |
/// |---|---|---|---|
/// | [`Reads`](Self::Reads) | `reads` | (nothing is asked of the order) | O(n log n) |
/// | [`ReadCommitted`](Self::ReadCommitted) | `rc` | `t3` read from it before this read | O(n√n) |
/// | [`Session`](Self::Session) | `ryw+mr` and so on | `t3` read from it, or by the rules below | O(n · k) with `mw`, else O(n · w); with `wfr` and no `mw` up to O(n² · w) |
/// | [`CausalConsistency`](Self::CausalConsistency) | `cc` | it is in `t3`'s causal past; each transaction has an order of its own | O(n · k), and O(n) for each reader in doubt |
/// | [`CausalMemory`](Self::CausalMemory) | `cm` | each session has an order of its own, without those that it does not see | O(n³) |
/// | [`CausalConvergence`](Self::CausalConvergence) | `ccv` | it is in `t3`'s causal past | O(n · k) |
/// | [`ConsistentPrefix`](Self::ConsistentPrefix) | `prefix` | it is committed before something that `t3` saw | NP-complete |
///
/// for n events in k sessions, and w keys that a transaction writes at most. All of them demand that reads are sound by themselves, and that the order of sessions
/// and "was read from" has no cycle. Transactions are seen whole: what is read from one makes all of
/// it visible (but for read committed). Each [guarantee of a session](Guarantees) is a rule by which more
/// becomes visible, as often as it applies:
///
/// | guarantee | as text | rule |
/// |---|---|---|
/// | read your writes | `ryw` | a session's writes are visible to its later transactions |
/// | monotonic reads | `mr` | what is visible to a transaction is so to the session's later ones |
/// | monotonic writes | `mw` | with a write the session's earlier ones are visible |
/// | writes follow reads | `wfr` | with a write that is visible whatever its session had seen when it made it |
///
/// All four together are [`CausalConvergence`](Self::CausalConvergence) (as Brzeziński, Sobaniec and Wawrzyniak
/// show in *From session causality to causal consistency*, 2004), which is what Biswas and Enea, Plume and dbcop call causal
/// consistency; read your writes alone is their *read atomic*. The three causal criteria are those of
/// Bouajjani, Enea, Guerraoui and Hamza, *On verifying causal consistency* (2017), with transactions for
/// operations: convergence and memory each imply the first, and neither the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Criterion {
    /// Each read by itself: nothing out of thin air, aborted, intermediate, of the future, or
    /// other than what the transaction itself wrote last.
    Reads,
    /// What a transaction read first is never older than what it reads later.
    ReadCommitted,
    /// These guarantees of a session, of all sessions.
    Session(Guarantees),
    /// No effect without its cause; replicas may disagree for ever about concurrent writes.
    CausalConsistency,
    /// Each session sees one order, its own.
    CausalMemory,
    /// One order of concurrent writes, in which all agree.
    CausalConvergence,
    /// Everybody reads a prefix of one order.
    ConsistentPrefix,
}

impl Criterion {
    /// Those that have a name of their own, each guarantee alone.
    pub const NAMED: [Self; 10] = [
        Self::Reads,
        Self::ReadCommitted,
        Self::Session(Guarantees::READ_YOUR_WRITES),
        Self::Session(Guarantees::MONOTONIC_READS),
        Self::Session(Guarantees::MONOTONIC_WRITES),
        Self::Session(Guarantees::WRITES_FOLLOW_READS),
        Self::CausalConsistency,
        Self::CausalMemory,
        Self::CausalConvergence,
        Self::ConsistentPrefix,
    ];
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reads => f.write_str("reads"),
            Self::ReadCommitted => f.write_str("rc"),
            Self::Session(guarantees) if guarantees.is_empty() => f.write_str("none"),
            Self::Session(guarantees) => f.write_str(&guarantees.to_string().to_lowercase()),
            Self::CausalConsistency => f.write_str("cc"),
            Self::CausalMemory => f.write_str("cm"),
            Self::CausalConvergence => f.write_str("ccv"),
            Self::ConsistentPrefix => f.write_str("prefix"),
        }
    }
}

/// A word that names no criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CriterionError {
    /// Where it begins in the text, in bytes.
    pub at: usize,
}

impl fmt::Display for CriterionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "there is no such criterion (at byte {}): reads, rc, ra, ryw, mr, mw, wfr or some of these \
             four as in ryw+mr, cc, cm, ccv, causal, prefix",
            self.at
        )
    }
}

impl std::error::Error for CriterionError {}

/// As [`Display`](fmt::Display) writes it; `causal` is `ccv`, and `ra` (read atomic) is `ryw`.
impl FromStr for Criterion {
    type Err = CriterionError;

    fn from_str(text: &str) -> Result<Self, CriterionError> {
        match text {
            "reads" => return Ok(Self::Reads),
            "rc" => return Ok(Self::ReadCommitted),
            "ra" => return Ok(Self::Session(Guarantees::READ_YOUR_WRITES)),
            "none" => return Ok(Self::Session(Guarantees::NONE)),
            "cc" => return Ok(Self::CausalConsistency),
            "cm" => return Ok(Self::CausalMemory),
            "ccv" | "causal" => return Ok(Self::CausalConvergence),
            "prefix" => return Ok(Self::ConsistentPrefix),
            _ => {}
        }
        let (mut guarantees, mut at) = (Guarantees::NONE, 0);
        for word in text.split('+') {
            guarantees = guarantees
                | match word {
                    "ryw" => Guarantees::READ_YOUR_WRITES,
                    "mr" => Guarantees::MONOTONIC_READS,
                    "mw" => Guarantees::MONOTONIC_WRITES,
                    "wfr" => Guarantees::WRITES_FOLLOW_READS,
                    _ => return Err(CriterionError { at }),
                };
            at += word.len() + 1;
        }
        Ok(Self::Session(guarantees))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_as_it_is_written() {
        let sessions = Guarantees::combinations().map(Criterion::Session);
        for criterion in Criterion::NAMED.into_iter().chain(sessions) {
            assert_eq!(criterion.to_string().parse(), Ok(criterion));
        }
        let error = |text: &str| text.parse::<Criterion>().unwrap_err().at;
        assert_eq!((error(""), error("ryw+"), error("ryw+mr+cc")), (0, 4, 7));
    }
}
