//! The criteria from their definitions, by trying all orders. Nothing in here is shared with the checker
//! or with the theorems that it rests on.

use crdt_causal::session::Guarantees;
use crdt_sim::history::{Criterion, Event, History};

/// A committed transaction.
struct Transaction {
    session: usize,
    /// What it read from others: where in it, the key, and from whom; `None` is the initial value.
    reads: Vec<(usize, u64, Option<usize>)>,
    writes: Vec<u64>,
}

/// A relation between transactions.
type Relation = Vec<Vec<bool>>;

/// A history, ready to be tried.
pub(crate) struct Axioms {
    are_reads_sound: bool,
    transactions: Vec<Transaction>,
    /// Earlier in the same session.
    session: Relation,
    /// Was read by.
    read: Relation,
    /// The transitive closure of both.
    causal: Relation,
    /// All orders that contain both.
    orders: Vec<Vec<usize>>,
}

impl Axioms {
    pub(crate) fn new(history: &History) -> Self {
        let mut committed: Vec<(usize, Vec<Event>)> = Vec::new();
        for session in 0..history.sessions() {
            for transaction in history.transactions_of(session) {
                if history.is_committed(transaction) {
                    let events = history.events()[history.events_of(transaction)].to_vec();
                    committed.push((session, events));
                }
            }
        }
        let mut are_reads_sound = true;
        let mut transactions = Vec::new();
        for (own, (session, events)) in committed.iter().enumerate() {
            let mut reads = Vec::new();
            for (at, event) in events.iter().enumerate() {
                let Event::Read { key, value } = *event else { continue };
                if let Some(own_write) = last_write(&events[..at], key) {
                    are_reads_sound &= value == Some(own_write);
                    continue;
                }
                let Some(value) = value else {
                    reads.push((at, key, None));
                    continue;
                };
                let mut others = (0..committed.len()).filter(|&other| other != own);
                match others.find(|&other| last_write(&committed[other].1, key) == Some(value)) {
                    Some(source) => reads.push((at, key, Some(source))),
                    None => are_reads_sound = false,
                }
            }
            let writes = events.iter().filter_map(|event| match event {
                Event::Write { key, .. } => Some(*key),
                Event::Read { .. } => None,
            });
            transactions.push(Transaction { session: *session, reads, writes: writes.collect() });
        }
        let count = transactions.len();
        let relation = |holds: &dyn Fn(usize, usize) -> bool| -> Relation {
            (0..count).map(|a| (0..count).map(|b| holds(a, b)).collect()).collect()
        };
        let session = relation(&|a, b| a < b && transactions[a].session == transactions[b].session);
        let read =
            relation(&|a, b| transactions[b].reads.iter().any(|(_, _, source)| *source == Some(a)));
        let mut causal = relation(&|a, b| session[a][b] || read[a][b]);
        for via in 0..count {
            for a in 0..count {
                for b in 0..count {
                    causal[a][b] |= causal[a][via] && causal[via][b];
                }
            }
        }
        let mut orders = Vec::new();
        if are_reads_sound {
            let all: Vec<usize> = (0..count).collect();
            extend(&causal, &all, &mut Vec::new(), &mut orders);
        }
        Self { are_reads_sound, transactions, session, read, causal, orders }
    }

    pub(crate) fn hold(&self, criterion: Criterion) -> bool {
        if !self.are_reads_sound {
            return false;
        }
        match criterion {
            Criterion::Reads => true,
            Criterion::ReadCommitted => self.some_order(|order| self.is_read_committed(order)),
            Criterion::Session(guarantees) => {
                let visible = self.visible(guarantees);
                self.some_order(|order| self.axiom(order, |a, b| visible[a][b]))
            }
            Criterion::CausalConvergence => {
                self.some_order(|order| self.axiom(order, |a, b| self.causal[a][b]))
            }
            Criterion::ConsistentPrefix => self.some_order(|order| {
                let at = positions(order);
                self.axiom(order, |a, b| {
                    (0..order.len()).any(|seen| {
                        (self.session[seen][b] || self.read[seen][b]) && at[a] <= at[seen]
                    })
                })
            }),
            Criterion::CausalConsistency => self.each_is_explained(|a, b| a == b),
            Criterion::CausalMemory => self.each_is_explained(|a, b| a == b || self.session[a][b]),
            other => panic!("{other} has no axiom in here"),
        }
    }

    fn some_order(&self, holds: impl Fn(&[usize]) -> bool) -> bool {
        self.orders.iter().any(|order| holds(order))
    }

    /// If `t3` reads `x` from `t1`, and `t2` writes `x` and is visible to `t3`, then `t2` is before `t1`.
    fn axiom(&self, order: &[usize], visible: impl Fn(usize, usize) -> bool) -> bool {
        let at = positions(order);
        self.transactions.iter().enumerate().all(|(t3, reader)| {
            reader.reads.iter().all(|&(_, key, t1)| {
                (0..order.len()).all(|t2| {
                    let applies = Some(t2) != t1
                        && t2 != t3
                        && self.transactions[t2].writes.contains(&key)
                        && visible(t2, t3);
                    !applies || t1.is_some_and(|t1| at[t2] < at[t1])
                })
            })
        })
    }

    /// The same where `t2` is visible to a read if something was read from it before.
    fn is_read_committed(&self, order: &[usize]) -> bool {
        let at = positions(order);
        self.transactions.iter().all(|reader| {
            reader.reads.iter().all(|&(place, key, t1)| {
                reader.reads.iter().filter(|(earlier, _, _)| *earlier < place).all(|&(_, _, t2)| {
                    match t2 {
                        Some(t2) if Some(t2) != t1 => {
                            !self.transactions[t2].writes.contains(&key)
                                || t1.is_some_and(|t1| at[t2] < at[t1])
                        }
                        _ => true,
                    }
                })
            })
        })
    }

    /// What the guarantees make visible: rule by rule, until nothing more follows.
    fn visible(&self, guarantees: Guarantees) -> Relation {
        let count = self.transactions.len();
        let has = |guarantee| guarantees.contains(guarantee);
        let is_writer = |t: usize| !self.transactions[t].writes.is_empty();
        let mut visible = self.read.clone();
        loop {
            let before = visible.clone();
            for w in (0..count).filter(|&w| is_writer(w)) {
                for t in 0..count {
                    let own = has(Guarantees::READ_YOUR_WRITES) && self.session[w][t];
                    let read = has(Guarantees::MONOTONIC_READS)
                        && (0..count).any(|a| before[w][a] && self.session[a][t]);
                    let earlier = has(Guarantees::MONOTONIC_WRITES)
                        && (0..count).any(|v| is_writer(v) && self.session[w][v] && before[v][t]);
                    let followed = has(Guarantees::WRITES_FOLLOW_READS)
                        && (0..count).any(|v| {
                            is_writer(v)
                                && before[v][t]
                                && (0..count)
                                    .any(|a| before[w][a] && (a == v || self.session[a][v]))
                        });
                    visible[w][t] |= own || read || earlier || followed;
                }
            }
            if visible == before {
                return visible;
            }
        }
    }

    /// For each transaction there is an order of its causal past in which those that `count` see the last
    /// write before them.
    fn each_is_explained(&self, counts: impl Fn(usize, usize) -> bool) -> bool {
        let is_circle = (0..self.transactions.len()).any(|t| self.causal[t][t]);
        !is_circle
            && (0..self.transactions.len()).all(|of| {
                let past: Vec<usize> = (0..self.transactions.len())
                    .filter(|&t| t == of || self.causal[t][of])
                    .collect();
                let mut orders = Vec::new();
                extend(&self.causal, &past, &mut Vec::new(), &mut orders);
                orders.iter().any(|order| {
                    order.iter().enumerate().filter(|(_, t)| counts(**t, of)).all(|(at, &t)| {
                        self.transactions[t].reads.iter().all(|&(_, key, source)| {
                            let writes = |w: &&usize| self.transactions[**w].writes.contains(&key);
                            order[..at].iter().rev().find(writes).copied() == source
                        })
                    })
                })
            })
    }
}

fn last_write(events: &[Event], of: u64) -> Option<u64> {
    events.iter().rev().find_map(|event| match *event {
        Event::Write { key, value } if key == of => Some(value),
        _ => None,
    })
}

fn positions(order: &[usize]) -> Vec<usize> {
    let mut at = vec![0; order.len()];
    order.iter().enumerate().for_each(|(place, &t)| at[t] = place);
    at
}

/// All orders of these that contain the relation.
fn extend(relation: &Relation, of: &[usize], order: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
    if order.len() == of.len() {
        found.push(order.clone());
        return;
    }
    for &next in of {
        let free = !order.contains(&next)
            && of.iter().all(|&before| order.contains(&before) || !relation[before][next]);
        if free {
            order.push(next);
            extend(relation, of, order, found);
            order.pop();
        }
    }
}
