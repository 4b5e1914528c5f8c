//! Editing traces: gzipped JSON, sequential or concurrent.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use flate2::read::GzDecoder;
use serde::Deserialize;

use crate::failure::{Failure, Outcome};

/// A history of one document: who typed what, having seen what.
pub(super) struct Trace {
    /// The text at the end, as the trace states it.
    pub(super) end_content: String,
    /// How many writers there are.
    pub(super) agents: usize,
    /// The transactions, each after its parents.
    pub(super) transactions: Vec<Transaction>,
}

/// Edits that one writer made at once.
pub(super) struct Transaction {
    /// The transactions that the writer had merged, without their own parents.
    pub(super) parents: Vec<usize>,
    /// The writer.
    pub(super) agent: usize,
    /// The edits, each in the text that the one before left behind.
    pub(super) patches: Vec<Patch>,
}

/// Replaces `deleted` code points at code point `at` by `inserted`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Patch(pub(super) usize, pub(super) usize, pub(super) String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TraceFile {
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    start_content: String,
    end_content: String,
    #[serde(default)]
    num_agents: Option<usize>,
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
    /// Reads a trace; a sequential one becomes `writers` writers who take turns of `turn`
    /// transactions.
    pub(super) fn read(path: &Path, writers: usize, turn: usize) -> Outcome<Self> {
        let name = path.display();
        let file = File::open(path).map_err(|error| {
            Failure::new(format!("{name} cannot be opened ({error})"))
                .mend("cargo xtask replay $CRDT_TRACES/concurrent/friendsforever.json.gz")
        })?;
        let json = BufReader::new(GzDecoder::new(BufReader::new(file)));
        let file: TraceFile = serde_json::from_reader(json)
            .map_err(|error| Failure::new(format!("{name} is no gzipped JSON trace: {error}")))?;
        let trace = match file.kind.as_deref() {
            None => Ok(Self::sequential(file, writers, turn)),
            Some("concurrent") if writers == 1 => Self::concurrent(file),
            Some("concurrent") => Err("it has writers of its own; leave --writers out".to_owned()),
            Some(kind) => Err(format!("its kind {kind:?} is unknown")),
        };
        trace.map_err(|reason| Failure::new(format!("{name} cannot be replayed: {reason}")))
    }

    fn sequential(file: TraceFile, writers: usize, turn: usize) -> Self {
        let mut rows = file.txns;
        if !file.start_content.is_empty() {
            let first = Patch(0, 0, file.start_content);
            rows.insert(0, Row { parents: Vec::new(), agent: 0, patches: vec![first] });
        }
        let transactions = rows
            .into_iter()
            .enumerate()
            .map(|(index, row)| Transaction {
                parents: index.checked_sub(1).into_iter().collect(),
                agent: index / turn % writers,
                patches: row.patches,
            })
            .collect();
        Self { end_content: file.end_content, agents: writers, transactions }
    }

    fn concurrent(file: TraceFile) -> Result<Self, String> {
        if !file.start_content.is_empty() {
            return Err("a concurrent trace starts from nothing".to_owned());
        }
        let agents = file.num_agents.ok_or("numAgents is missing")?;
        for (index, row) in file.txns.iter().enumerate() {
            if row.agent >= agents {
                return Err(format!("transaction {index} has an unknown agent"));
            }
            if row.parents.iter().any(|&parent| parent >= index) {
                return Err(format!("transaction {index} comes before one of its parents"));
            }
        }
        let transactions = file
            .txns
            .into_iter()
            .map(|row| Transaction { parents: row.parents, agent: row.agent, patches: row.patches })
            .collect();
        Ok(Self { end_content: file.end_content, agents, transactions })
    }

    /// For each transaction, how many transactions of each agent are in its past.
    pub(super) fn pasts(&self) -> Outcome<Vec<Vec<u32>>> {
        let mut counts = vec![0u32; self.agents];
        // How many of each agent's are known after the transaction.
        let mut after: Vec<Vec<u32>> = Vec::with_capacity(self.transactions.len());
        let mut pasts = Vec::with_capacity(self.transactions.len());
        for (index, transaction) in self.transactions.iter().enumerate() {
            let mut past = vec![0u32; self.agents];
            for &parent in &transaction.parents {
                for (known, theirs) in past.iter_mut().zip(&after[parent]) {
                    *known = (*known).max(*theirs);
                }
            }
            let own = &mut counts[transaction.agent];
            if past[transaction.agent] != *own {
                return Err(Failure::new(format!(
                    "transaction {index} does not follow the one that its writer made before: \
                     such a writer is two replicas"
                )));
            }
            *own += 1;
            let mut known = past.clone();
            known[transaction.agent] = *own;
            after.push(known);
            pasts.push(past);
        }
        Ok(pasts)
    }
}
