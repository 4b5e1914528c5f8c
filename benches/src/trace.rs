//! One editing trace.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use flate2::read::GzDecoder;
use serde::Deserialize;

/// A history of one document: who typed what, having seen what.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Whether writers typed at the same time.
    pub kind: Kind,
    /// The text at the end, as the trace states it.
    pub end_content: String,
    /// How many writers there are.
    pub agents: usize,
    /// The transactions, each after its parents.
    pub transactions: Vec<Transaction>,
}

/// What kind of history a trace is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Every transaction follows the one before.
    Sequential,
    /// Every transaction names its parents.
    Concurrent,
}

/// Edits that one writer made at once.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// The transactions that the writer had merged, without their own parents.
    pub parents: Vec<usize>,
    /// The writer.
    pub agent: usize,
    /// The edits, each in the text that the one before left behind.
    pub patches: Vec<Patch>,
}

/// Replaces `1` code points at code point `0` by the text `2`.
#[derive(Clone, Debug, Deserialize)]
pub struct Patch(pub u32, pub u32, pub String);

/// Why a file is no trace.
#[non_exhaustive]
#[derive(Debug)]
pub enum TraceError {
    /// It cannot be read, or is not gzipped.
    Io(io::Error),
    /// It is not the JSON of a trace.
    Json(serde_json::Error),
    /// It is of a kind that is not known.
    Kind(String),
    /// A concurrent trace has a text before its first transaction.
    StartContent,
    /// A transaction names an agent beyond the last.
    Agent {
        /// Its index.
        transaction: usize,
    },
    /// A transaction comes before one of its parents.
    Parent {
        /// Its index.
        transaction: usize,
    },
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Json(error) => error.fmt(f),
            Self::Kind(kind) => write!(f, "its kind {kind:?} is unknown"),
            Self::StartContent => f.write_str("a concurrent trace starts from nothing"),
            Self::Agent { transaction } => {
                write!(f, "transaction {transaction} has an unknown agent")
            }
            Self::Parent { transaction } => {
                write!(f, "transaction {transaction} comes before one of its parents")
            }
        }
    }
}

impl std::error::Error for TraceError {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TraceFile {
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    start_content: String,
    end_content: String,
    #[serde(default)]
    num_agents: usize,
    txns: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    parents: Vec<usize>,
    #[serde(default)]
    agent: usize,
    patches: Vec<Patch>,
}

impl Trace {
    /// Reads a gzipped file.
    ///
    /// # Errors
    ///
    /// [`TraceError`].
    pub fn read(path: &Path) -> Result<Self, TraceError> {
        let file = File::open(path).map_err(TraceError::Io)?;
        let json = BufReader::new(GzDecoder::new(BufReader::new(file)));
        let file: TraceFile = serde_json::from_reader(json).map_err(TraceError::Json)?;
        match file.kind.as_deref() {
            None | Some("sequential") => Ok(Self::sequential(file)),
            Some("concurrent") => Self::concurrent(file),
            Some(kind) => Err(TraceError::Kind(kind.to_owned())),
        }
    }

    fn sequential(file: TraceFile) -> Self {
        let mut all: Vec<Vec<Patch>> = file.txns.into_iter().map(|row| row.patches).collect();
        if !file.start_content.is_empty() {
            all.insert(0, vec![Patch(0, 0, file.start_content)]);
        }
        let transactions = all
            .into_iter()
            .enumerate()
            .map(|(index, patches)| Transaction {
                parents: index.checked_sub(1).into_iter().collect(),
                agent: 0,
                patches,
            })
            .collect();
        Self { kind: Kind::Sequential, end_content: file.end_content, agents: 1, transactions }
    }

    fn concurrent(file: TraceFile) -> Result<Self, TraceError> {
        if !file.start_content.is_empty() {
            return Err(TraceError::StartContent);
        }
        for (transaction, row) in file.txns.iter().enumerate() {
            if row.agent >= file.num_agents {
                return Err(TraceError::Agent { transaction });
            }
            if row.parents.iter().any(|&parent| parent >= transaction) {
                return Err(TraceError::Parent { transaction });
            }
        }
        let transactions = file
            .txns
            .into_iter()
            .map(|row| Transaction { parents: row.parents, agent: row.agent, patches: row.patches })
            .collect();
        Ok(Self {
            kind: Kind::Concurrent,
            end_content: file.end_content,
            agents: file.num_agents,
            transactions,
        })
    }

    /// The trace appended to itself until it is there `times` times.
    ///
    /// A copy's roots follow the last transaction of the copy before; positions stay as they
    /// are, so that each copy is typed in front of the text of the earlier ones.
    #[must_use]
    pub fn times(&self, times: usize) -> Self {
        let length = self.transactions.len();
        let mut transactions = Vec::with_capacity(length * times);
        for first in (0..times).map(|copy| copy * length) {
            transactions.extend(self.transactions.iter().map(|transaction| {
                let parents = if transaction.parents.is_empty() {
                    first.checked_sub(1).into_iter().collect()
                } else {
                    transaction.parents.iter().map(|parent| first + parent).collect()
                };
                Transaction { parents, ..transaction.clone() }
            }));
        }
        Self { transactions, end_content: self.end_content.repeat(times), ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Trace, TraceError> {
        let file: TraceFile = serde_json::from_str(json).expect("the shape is right");
        if file.kind.is_some() { Trace::concurrent(file) } else { Ok(Trace::sequential(file)) }
    }

    fn parents(trace: &Trace) -> Vec<&[usize]> {
        trace.transactions.iter().map(|transaction| transaction.parents.as_slice()).collect()
    }

    #[test]
    fn what_was_there_at_the_start_is_typed_first() {
        let trace = r#"{"startContent":"ab","endContent":"b","txns":[{"patches":[[0,1,""]]}]}"#;
        let trace = read(trace).unwrap();
        assert_eq!(parents(&trace), [&[][..], &[0]]);
        assert_eq!(trace.transactions[0].patches[0].2, "ab");
    }

    #[test]
    fn the_roots_of_a_copy_follow_the_copy_before() {
        let trace = r#"{"kind":"concurrent","endContent":"ab","numAgents":2,"txns":[
            {"parents":[],"agent":0,"patches":[[0,0,"a"]]},
            {"parents":[],"agent":1,"patches":[[0,0,"b"]]},
            {"parents":[0,1],"agent":1,"patches":[]}]}"#;
        let trace = read(trace).unwrap().times(2);
        assert_eq!(parents(&trace), [&[][..], &[], &[0, 1], &[2], &[2], &[3, 4]]);
        assert_eq!(trace.end_content, "abab");
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for (parents, agent) in [("[0]", 0), ("[]", 1)] {
            let trace = format!(
                r#"{{"kind":"concurrent","endContent":"","numAgents":1,
                     "txns":[{{"parents":{parents},"agent":{agent},"patches":[]}}]}}"#
            );
            assert!(read(&trace).is_err(), "{trace}");
        }
    }
}
