//! Who writes what after having received what: a trace as its writers lived it.

use benches::Trace;

/// The steps in which the writers of a trace write it, each on a replica of its own.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) writers: usize,
    /// One for each transaction, in order.
    pub(crate) steps: Vec<Step>,
    /// For each writer, the transactions that it still lacks at the end.
    pub(crate) lacking: Vec<Vec<u32>>,
}

/// A transaction.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) writer: usize,
    /// What the writer receives before, each after those that it follows.
    pub(crate) receives: Vec<u32>,
}

impl Plan {
    /// An agent who begins anew somewhere in the past is another writer from there on:
    /// what a replica knows never shrinks.
    pub(crate) fn new(trace: &Trace) -> Self {
        let mut writers = Writers::default();
        let mut of_agent: Vec<Vec<usize>> = vec![Vec::new(); trace.agents];
        let mut known_after: Vec<Vec<u32>> = Vec::with_capacity(trace.transactions.len());
        let mut steps = Vec::with_capacity(trace.transactions.len());
        for (index, transaction) in (0..).zip(&trace.transactions) {
            let mut past = Vec::new();
            for &parent in &transaction.parents {
                extend(&mut past, &known_after[parent]);
            }
            let agents = &mut of_agent[transaction.agent];
            let same =
                agents.iter().copied().find(|&writer| writers.has_seen_itself(writer, &past));
            let writer = same.unwrap_or_else(|| {
                agents.push(writers.add());
                writers.written.len() - 1
            });
            let receives = writers.receive(writer, &past);
            writers.written[writer].push(index);
            let mut known = past;
            extend(&mut known, &writers.own(writer));
            writers.known[writer].clone_from(&known);
            known_after.push(known);
            steps.push(Step { writer, receives });
        }
        if writers.written.is_empty() {
            writers.add();
        }
        let everything: Vec<u32> =
            writers.written.iter().map(|written| written.len() as u32).collect();
        let count = writers.written.len();
        let lacking = (0..count).map(|writer| writers.receive(writer, &everything)).collect();
        Self { writers: count, steps, lacking }
    }

    /// Who wrote the last transaction.
    pub(crate) fn last_writer(&self) -> usize {
        self.steps.last().map_or(0, |step| step.writer)
    }
}

/// What each writer wrote and knows.
#[derive(Default)]
struct Writers {
    /// The transactions of each.
    written: Vec<Vec<u32>>,
    /// For each, how many transactions of each it knows.
    known: Vec<Vec<u32>>,
}

impl Writers {
    fn add(&mut self) -> usize {
        self.written.push(Vec::new());
        self.known.push(Vec::new());
        self.written.len() - 1
    }

    /// Whether a past has everything that a writer has written.
    fn has_seen_itself(&self, writer: usize, past: &[u32]) -> bool {
        past.get(writer).copied().unwrap_or(0) as usize == self.written[writer].len()
    }

    /// What a writer has written, as a version.
    fn own(&self, writer: usize) -> Vec<u32> {
        let mut version = vec![0; writer + 1];
        version[writer] = self.written[writer].len() as u32;
        version
    }

    /// The transactions of `version` that a writer does not know.
    fn receive(&self, writer: usize, version: &[u32]) -> Vec<u32> {
        let known = &self.known[writer];
        let mut news = Vec::new();
        for (other, (&upto, written)) in version.iter().zip(&self.written).enumerate() {
            let from = known.get(other).copied().unwrap_or(0);
            news.extend_from_slice(&written[from as usize..upto as usize]);
        }
        news.sort_unstable();
        news
    }
}

/// Raises `version` to hold `other` too.
fn extend(version: &mut Vec<u32>, other: &[u32]) {
    if version.len() < other.len() {
        version.resize(other.len(), 0);
    }
    for (count, &other) in version.iter_mut().zip(other) {
        *count = (*count).max(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use benches::{Kind, Transaction};

    fn plan(transactions: &[(usize, &[usize])]) -> Plan {
        let transactions = transactions.iter().map(|&(agent, parents)| Transaction {
            parents: parents.to_vec(),
            agent,
            patches: Vec::new(),
        });
        Plan::new(&Trace {
            kind: Kind::Concurrent,
            end_content: String::new(),
            agents: 2,
            transactions: transactions.collect(),
        })
    }

    fn steps(plan: &Plan) -> Vec<(usize, &[u32])> {
        plan.steps.iter().map(|step| (step.writer, step.receives.as_slice())).collect()
    }

    #[test]
    fn a_writer_receives_what_it_lacks_of_its_parents_past() {
        let plan = plan(&[(0, &[]), (0, &[0]), (1, &[0]), (1, &[1, 2]), (0, &[1])]);
        assert_eq!(steps(&plan), [(0, &[][..]), (0, &[]), (1, &[0]), (1, &[1]), (0, &[])]);
        assert_eq!(plan.lacking, [vec![2, 3], vec![4]]);
    }

    #[test]
    fn an_agent_that_begins_anew_is_another_writer() {
        let plan = plan(&[(0, &[]), (0, &[]), (0, &[0]), (1, &[1, 2])]);
        assert_eq!(steps(&plan), [(0, &[][..]), (1, &[]), (0, &[]), (2, &[0, 1, 2])]);
        assert_eq!(plan.last_writer(), 2);
    }

    #[test]
    fn without_a_transaction_there_is_a_writer_all_the_same() {
        assert_eq!(plan(&[]).lacking, [Vec::<u32>::new()]);
    }
}
