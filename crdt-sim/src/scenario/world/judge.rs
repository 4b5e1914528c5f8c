//! What clients did and saw, judged from outside.

use std::collections::BTreeMap;

use super::World;
use crate::faults::Fault;
use crate::history::{Criterion, History, check};
use crate::scenario::{Report, Verdict};

impl World {
    /// What clients did and saw at some levels, as a history: a session each. Writes of which nobody
    /// was told are done by nobody in particular. So are strong ones, which the engine orders, and those of which
    /// nothing was promised: an eventual write need not follow what its session has written before.
    pub(crate) fn history(&self, levels: &[&str]) -> History {
        let mut history = History::new();
        let mut apart = Vec::new();
        for client in &self.clients {
            history.begin_session();
            for deed in client.deeds.iter().filter(|deed| deed.is_done) {
                let Some(value) = deed.value.filter(|_| deed.is_write) else {
                    if deed.level.is_some_and(|level| levels.contains(&level)) && !deed.is_write {
                        history.begin_transaction(true);
                        history.read(deed.key, deed.value);
                    }
                    continue;
                };
                match deed.level {
                    None | Some("strong" | "eventual") => apart.push((deed.key, value)),
                    Some(_) => {
                        history.begin_transaction(true);
                        history.write(deed.key, value);
                    }
                }
            }
        }
        for (key, value) in apart {
            history.begin_session();
            history.begin_transaction(true);
            history.write(key, value);
        }
        history
    }

    /// Which criteria of these the history of some levels breaks, each with its reason in words, which is told in the
    /// timeline, too.
    ///
    /// # Panics
    ///
    /// If the history cannot be judged, which would be a bug of the world.
    pub(crate) fn broken(&mut self, levels: &[&str], criteria: &[Criterion]) -> Vec<String> {
        let history = self.history(levels);
        let verdicts = criteria.iter().filter_map(|&criterion| {
            let verdict = check(&history, criterion).expect("values are written once");
            verdict.violation.map(|violation| format!("{criterion}: {violation}"))
        });
        let broken: Vec<String> = verdicts.collect();
        broken.iter().for_each(|reason| self.say(reason));
        broken
    }

    /// How often a client that looked at an order saw it in an earlier step than it had before, at
    /// some levels. Keys from `first` on are orders.
    pub(crate) fn steps_backwards(&self, levels: &[&str], first: u64) -> u64 {
        let mut backwards = 0;
        for client in &self.clients {
            let mut seen: BTreeMap<u64, u64> = BTreeMap::new();
            for deed in &client.deeds {
                let is_read = !deed.is_write && deed.level.is_some_and(|l| levels.contains(&l));
                let Some(value) = deed.value.filter(|_| is_read && deed.key >= first) else {
                    continue;
                };
                let step = value % 8;
                let before = seen.insert(deed.key, step);
                backwards += u64::from(before.is_some_and(|before| before > step));
            }
        }
        backwards
    }

    /// How many events that were made anywhere the document of a region does not hold.
    pub(crate) fn lost_writes(&self, server: usize) -> u64 {
        let made: u64 = self.born.iter().map(|born| born.len() as u64).sum();
        made - self.servers[server].head()
    }

    /// What came of it all.
    pub(crate) fn report(self, verdicts: Vec<Verdict>) -> Report {
        let mut tables = vec![self.meters.table()];
        let faults = self.wires.faults();
        let befell = Fault::ALL.into_iter().filter(|fault| faults.get(*fault) > 0);
        let befell: Vec<String> =
            befell.map(|fault| format!("{fault} {}", faults.get(fault))).collect();
        tables.push(format!(
            "sync sessions sent {} bytes; what befell packets: {}",
            self.sync_bytes,
            if befell.is_empty() { "nothing".to_string() } else { befell.join(", ") }
        ));
        let (timeline, lines, names) = self.wires.into_film();
        Report { timeline, tables, verdicts, lines, names }
    }
}
