//! What came of a scenario.

use std::fmt;

use super::verdict::Verdict;
use crate::trace::Line;

/// What came of one run of a scenario: a function of its name and its options.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What happened when, in words.
    pub timeline: Vec<(u64, String)>,
    /// What was measured, in tables and lines.
    pub tables: Vec<String>,
    /// What was claimed, and measured of it.
    pub verdicts: Vec<Verdict>,
    /// What is drawn.
    pub lines: Vec<Line>,
    /// The names of the machines that are drawn.
    pub names: Vec<String>,
}

impl Report {
    /// How many claims do not hold.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.verdicts.iter().filter(|verdict| !verdict.holds()).count()
    }
}

/// The timeline, the tables and the verdicts.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at_ms, what) in &self.timeline {
            let (seconds, ms) = (at_ms / 1_000, at_ms % 1_000);
            let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
            writeln!(f, "{hours:02}:{minutes:02}:{seconds:02}.{ms:03}  {what}")?;
        }
        for table in &self.tables {
            writeln!(f, "\n{}", table.trim_end())?;
        }
        writeln!(f)?;
        for verdict in &self.verdicts {
            writeln!(f, "{verdict}")?;
        }
        Ok(())
    }
}
