//! Violations, in words.

use std::fmt;

use super::TransactionId;
use super::anomaly::{Because, Cycle, Misread, ReadAnomaly, Step, Violation};

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(anomaly) => write!(f, "{anomaly}"),
            Self::Cycle(cycle) => write!(f, "{cycle}"),
            Self::NoOrder(transactions) => {
                write!(f, "no order of these {} transactions explains", transactions.len())?;
                f.write_str(" what they read:")?;
                transactions.iter().try_for_each(|id| write!(f, "\n  {id}"))
            }
        }
    }
}

impl fmt::Display for ReadAnomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, read, key, .. } = self;
        match self.value {
            Some(value) => write!(f, "{kind}: {read} read {value} from key {key}")?,
            None => write!(f, "{kind}: {read} read the initial value of key {key}")?,
        }
        match self.write {
            Some(write) => write!(f, ", which {write} wrote"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ThinAir => "a read out of thin air",
            Self::Aborted => "a read of what was aborted",
            Self::Future => "a read of the transaction's own future",
            Self::NotOwnWrite => "a read that misses the transaction's own write",
            Self::NotLastOwnWrite => "a read that misses the transaction's own last write",
            Self::Intermediate => "a read of an intermediate value",
        })
    }
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_shortest { "the shortest circle" } else { "a circle" };
        write!(f, "{what} has {} steps:", self.steps.len())?;
        self.steps.iter().try_for_each(|step| write!(f, "\n  {step}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = (Named(self.before), Named(self.after));
        match &self.because {
            Because::Session => write!(f, "{before} comes before {after}: the same session"),
            Because::Initial => write!(f, "{before} come before {after}, as before everything"),
            Because::ReadFrom(key) => {
                write!(f, "{before} comes before {after}, which read key {key} from it")
            }
            Because::Overwritten { reader, key, visible } => {
                write!(
                    f,
                    "{before} must come before {after}: both wrote key {key}, {reader} read it from the \
                     latter, and the former is visible to it:"
                )?;
                let mut separator = "";
                for hop in visible {
                    let to = Named(hop.after);
                    match hop.because {
                        Because::ReadFrom(key) => {
                            write!(f, "{separator} {to} read key {key} from it")?;
                        }
                        Because::Overwritten { reader, key, .. } => write!(
                            f,
                            "{separator} {to} must come after it, as both wrote key {key} and {reader} read it \
                             from the latter"
                        )?,
                        Because::Session | Because::Initial => {
                            write!(f, "{separator} {to} is later in its session")?;
                        }
                    }
                    separator = ", and";
                }
                Ok(())
            }
        }
    }
}

struct Named(Option<TransactionId>);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(id) => write!(f, "{id}"),
            None => f.write_str("the initial values"),
        }
    }
}
