//! A log for the tests: changes of strings, each under a key.

use std::collections::BTreeMap;
use std::fmt;

use crdt_causal::sync::{ChainHash, ChangeLog, ReceiveTables, Refusal, SendTables};
use crdt_core::causality::{ChangeReader, ChangeRun, ChangeWriter, EventGraph, Lv};
use crdt_core::codec::{DecodeError, Reader, Writer};
use crdt_core::{Dot, DotRange, Frontier, ReplicaId, VersionVector};

/// A key and a text.
pub(crate) type Payload = (String, String);

#[derive(Clone, Debug, Default)]
pub(crate) struct TestLog {
    pub(crate) genesis: [u8; 16],
    graph: EventGraph,
    /// By local version.
    payloads: Vec<Payload>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TestError {
    Decode(DecodeError),
    Parents(Dot),
    Gap(ReplicaId),
    Equivocation(Dot),
}

impl fmt::Display for TestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for TestError {}

impl From<DecodeError> for TestError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl TestLog {
    pub(crate) fn len(&self) -> Lv {
        self.graph.len()
    }

    /// Issues one change of `replica` after everything that is held.
    pub(crate) fn change(&mut self, replica: ReplicaId, payloads: &[Payload]) {
        let parents = self.graph.frontier().to_vec();
        self.graph.push(replica, payloads.len() as u32, 1, &parents).unwrap();
        self.payloads.extend_from_slice(payloads);
    }

    pub(crate) fn write(&mut self, replica: ReplicaId, text: &str) {
        self.change(replica, &[("body".into(), text.into())]);
    }

    /// The maximal events of what was held before the first event of `replica` came.
    pub(crate) fn version_before(&self, replica: ReplicaId) -> Frontier {
        let first = self.graph.lv_of(Dot::new(replica, 1)).expect("the replica wrote");
        let earlier: Vec<Lv> = (0..first).collect();
        self.graph.dots(&self.graph.maximal(&earlier))
    }

    /// Loses what was learned after the first `len` events, as a crash does.
    pub(crate) fn truncate(&mut self, len: Lv) {
        self.graph.truncate(len);
        self.payloads.truncate(len as usize);
    }

    /// Where changes end after `from`, up to `to`.
    pub(crate) fn change_ends(&self, from: Lv, to: Lv) -> Vec<Lv> {
        (from + 1..=to).filter(|lv| self.graph.is_change_start(*lv)).collect()
    }

    /// The version of the first `len` events.
    pub(crate) fn version_at(&self, len: Lv) -> VersionVector {
        let dots = (0..len).map(|lv| self.graph.dot_of(lv));
        dots.map(|dot| (dot.replica, dot.seq)).collect()
    }

    /// Everything, independent of the order of arrival.
    pub(crate) fn contents(&self) -> BTreeMap<Dot, (Vec<Dot>, Payload)> {
        (0..self.graph.len())
            .map(|lv| {
                let mut parents: Vec<Dot> =
                    self.graph.parents_of(lv).iter().map(|lv| self.graph.dot_of(*lv)).collect();
                parents.sort();
                (self.graph.dot_of(lv), (parents, self.payloads[lv as usize].clone()))
            })
            .collect()
    }

    fn read_change(
        &mut self,
        headers: &mut ChangeReader,
        body: &mut Reader<'_>,
        tables: &mut ReceiveTables,
    ) -> Result<DotRange, TestError> {
        let run = headers.read(&mut tables.replicas, body)?;
        let mut payloads = Vec::new();
        for _ in 0..run.events() {
            let (key, _) = tables.keys.read(0, body)?;
            let key = tables.keys.get(key).expect("it was just read").clone();
            payloads.push((String::from_utf8(key).unwrap_or_default(), body.string()?.to_owned()));
        }
        let range = DotRange::new(run.replica, run.seq, run.last().seq);
        let known = self.graph.version().get(run.replica);
        if run.last().seq <= known {
            for (seq, payload) in (range.first..=range.last).zip(&payloads) {
                let dot = Dot::new(run.replica, seq);
                let lv = self.graph.lv_of(dot).unwrap();
                if self.payloads[lv as usize] != *payload {
                    return Err(TestError::Equivocation(dot));
                }
            }
            return Ok(range);
        }
        if run.seq <= known {
            // A change that ends elsewhere than the one that is held.
            return Err(TestError::Equivocation(run.first()));
        }
        if run.seq != known + 1 || run.count != 1 {
            return Err(TestError::Gap(run.replica));
        }
        let parents = self
            .graph
            .full_parents(run.replica, &run.parents)
            .map_err(|_| TestError::Parents(run.first()))?;
        self.graph
            .push(run.replica, run.change_len, 1, &parents)
            .map_err(|_| TestError::Gap(run.replica))?;
        self.payloads.append(&mut payloads);
        Ok(range)
    }
}

impl ChangeLog for TestLog {
    type Error = TestError;

    fn genesis(&self) -> [u8; 16] {
        self.genesis
    }

    fn version(&self) -> &VersionVector {
        self.graph.version()
    }

    fn frontier(&self) -> Frontier {
        self.graph.frontier_dots()
    }

    fn frontier_of(&self, version: &VersionVector) -> Option<Frontier> {
        (version == self.version()).then(|| self.frontier())
    }

    fn knows(&self, frontier: &Frontier) -> bool {
        frontier.iter().all(|dot| self.version().contains(dot))
    }

    fn version_of(&self, frontier: &Frontier) -> Option<VersionVector> {
        let lvs = self.graph.local(frontier).ok()?;
        Some(self.graph.version_vector(&self.graph.maximal(&lvs)))
    }

    // Nothing is ever trimmed here.
    fn closed(&self, claimed: VersionVector) -> VersionVector {
        claimed
    }

    fn serves(&self, _known: &VersionVector) -> bool {
        true
    }

    fn chain(&self, dot: Dot) -> Option<ChainHash> {
        let mut chain = ChainHash::START;
        for seq in 1..=dot.seq {
            let lv = self.graph.lv_of(Dot::new(dot.replica, seq))?;
            let (key, text) = &self.payloads[lv as usize];
            chain = chain.bytes(key.as_bytes()).bytes(text.as_bytes());
            for parent in &self.graph.dots(&self.graph.parents_of(lv)) {
                chain = chain.bytes(&parent.replica.to_bytes()).word(parent.seq);
            }
        }
        Some(chain)
    }

    fn follows(&self, ranges: &[DotRange]) -> Vec<Dot> {
        let mut follows = Vec::new();
        for range in ranges {
            for seq in range.first..=range.last {
                let dot = Dot::new(range.replica, seq);
                let lv = self.graph.lv_of(dot).expect("it is held");
                follows.extend(dot.previous());
                follows.extend(self.graph.parents_of(lv).iter().map(|lv| self.graph.dot_of(*lv)));
            }
        }
        follows
    }

    fn encode_changes(
        &self,
        known: &VersionVector,
        upto: &VersionVector,
        bytes_max: usize,
        tables: &mut SendTables,
        body: &mut Writer,
    ) -> Vec<DotRange> {
        let mut ranges = Vec::new();
        let mut headers = ChangeWriter::new();
        if known.dominates(upto) {
            // What is not sent must leave no trace in the tables.
            let nothing = format!("nothing after {}", self.graph.len());
            tables.keys.write(&nothing.into_bytes(), 0, 0, body);
            return ranges;
        }
        for span in self.graph.changes(0..self.graph.len()) {
            for change in 0..span.count {
                let lv = span.lvs.start + change * span.change_len;
                let first = self.graph.dot_of(lv);
                let last = Dot::new(first.replica, first.seq + u64::from(span.change_len) - 1);
                if known.contains(last) || !upto.contains(last) {
                    continue;
                }
                if body.len() >= bytes_max {
                    return ranges;
                }
                let run = ChangeRun {
                    replica: first.replica,
                    seq: first.seq,
                    change_len: span.change_len,
                    count: 1,
                    parents: self.graph.explicit_parents(lv),
                };
                headers.write(&run, &mut tables.replicas, body);
                for (key, text) in &self.payloads[lv as usize..][..span.change_len as usize] {
                    tables.keys.write(&key.as_bytes().to_vec(), 0, 0, body);
                    body.string(text);
                }
                ranges.push(DotRange::new(first.replica, first.seq, last.seq));
            }
        }
        ranges
    }

    fn import_changes(
        &mut self,
        body: &mut Reader<'_>,
        tables: &mut ReceiveTables,
    ) -> Result<Vec<DotRange>, TestError> {
        let before = self.graph.len();
        let mut headers = ChangeReader::new();
        let mut ranges = Vec::new();
        while !body.is_empty() {
            match self.read_change(&mut headers, body, tables) {
                Ok(range) => ranges.push(range),
                Err(error) => {
                    self.truncate(before);
                    return Err(error);
                }
            }
        }
        Ok(ranges)
    }

    fn refusal(error: &TestError) -> Refusal {
        match error {
            TestError::Equivocation(dot) => Refusal::Equivocation { replica: dot.replica },
            _ => Refusal::InvalidChanges,
        }
    }
}
