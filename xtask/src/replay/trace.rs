//! Editing traces: gzipped JSON, sequential or concurrent.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use flate2::read::GzDecoder;
use serde::Deserialize;

/// A history of one document: who typed what, having seen what.
pub struct Trace {
    /// The text at the end, as the trace states it.
    pub end_content: String,
    /// How many writers there are.
    pub agents: usize,
    /// The transactions, each after its parents.
    pub transactions: Vec<Transaction>,
}

/// Edits that one writer made at once.
pub struct Transaction {
    /// The transactions that the writer had merged, without their own parents.
    pub parents: Vec<usize>,
    /// The writer.
    pub agent: usize,
    /// The edits, each in the text that the one before left behind.
    pub patches: Vec<Patch>,
}

/// Replaces `deleted` code points at code point `at` by `inserted`.
#[derive(Clone, Debug, Deserialize)]
pub struct Patch(pub usize, pub usize, pub String);

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
    pub fn read(path: &Path, writers: usize, turn: usize) -> Result<Self> {
        let file = File::open(path).with_context(|| {
            format!("cannot open {}: name a trace, say $CRDT_TRACES/concurrent/friendsforever.json.gz", path.display())
        })?;
        let file: TraceFile = serde_json::from_reader(BufReader::new(GzDecoder::new(BufReader::new(file))))
            .with_context(|| format!("{} is not a gzipped JSON trace", path.display()))?;
        Self::from_file(file, writers, turn).with_context(|| format!("in {}", path.display()))
    }

    fn from_file(file: TraceFile, writers: usize, turn: usize) -> Result<Self> {
        match file.kind.as_deref() {
            None => Ok(Self::sequential(file, writers, turn)),
            Some("concurrent") => {
                ensure!(writers == 1, "--writers is for sequential traces; this one has its own writers");
                Self::concurrent(file)
            }
            Some(kind) => bail!("a trace of the unknown kind {kind:?}"),
        }
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

    fn concurrent(file: TraceFile) -> Result<Self> {
        ensure!(file.start_content.is_empty(), "a concurrent trace starts from nothing");
        let agents = file.num_agents.context("numAgents is missing")?;
        for (index, row) in file.txns.iter().enumerate() {
            ensure!(row.agent < agents, "transaction {index} has an unknown agent");
            ensure!(row.parents.iter().all(|&parent| parent < index), "transaction {index} precedes a parent");
        }
        let transactions = file
            .txns
            .into_iter()
            .map(|row| Transaction { parents: row.parents, agent: row.agent, patches: row.patches })
            .collect();
        Ok(Self { end_content: file.end_content, agents, transactions })
    }

    /// For each transaction, how many transactions of each agent are in its past.
    pub fn pasts(&self) -> Result<Vec<Vec<u32>>> {
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
            ensure!(
                past[transaction.agent] == *own,
                "transaction {index} does not follow its writer's transaction before: \
                 the writer is two replicas"
            );
            *own += 1;
            let mut known = past.clone();
            known[transaction.agent] = *own;
            after.push(known);
            pasts.push(past);
        }
        Ok(pasts)
    }
}
