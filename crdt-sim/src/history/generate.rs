use std::collections::BTreeMap;

use super::History;
use crate::random::Random;

/// What a generated history is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many sessions there are: each at a replica of its own.
    pub sessions: usize,
    /// How many events there are in all; the last transaction may add a few.
    pub events: usize,
    /// How many events a transaction has at most, and on average half as many.
    pub transaction_events_max: usize,
    /// How many keys there are.
    pub keys: u64,
    /// How many of a thousand events are reads.
    pub reads_permille: u64,
    /// How far a replica lags behind: before each of its transactions it applies so many of others, at most.
    pub applied_max: u64,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            sessions: 50,
            events: 1_000_000,
            transaction_events_max: 20,
            keys: 5_000,
            reads_permille: 500,
            applied_max: 200,
        }
    }
}

/// One replica: what it has applied of each session, and what that makes of each key.
struct Replica {
    applied: Vec<usize>,
    state: BTreeMap<u64, Stamped>,
}

/// A value, with its Lamport time and session: the greatest is shown.
type Stamped = (u64, usize, u64);

/// A transaction as it travels.
struct Effect {
    /// What its replica had applied of each session before it.
    past: Vec<usize>,
    writes: Vec<(u64, Stamped)>,
}

/// A history of a store that converges causally, as a seed draws it: each session at its own replica, which
/// applies the transactions of others after their causes, and shows the last writer's value by Lamport
/// time. So it is causally convergent; how far the replicas are apart is what makes it work for a checker.
///
/// O(t · k²) for t transactions in k sessions, since each replica applies each of them after a look at its past.
///
/// # Panics
///
/// If there are no sessions, keys, or events in a transaction.
#[must_use]
pub fn generate(shape: &Shape, seed: u64) -> History {
    let mut random = Random::new(seed, 0x4869_7374);
    let new = || Replica { applied: vec![0; shape.sessions], state: BTreeMap::new() };
    let mut replicas: Vec<Replica> = (0..shape.sessions).map(|_| new()).collect();
    let mut logs: Vec<Vec<Effect>> = (0..shape.sessions).map(|_| Vec::new()).collect();
    let mut done: Vec<Vec<Vec<super::Event>>> = vec![Vec::new(); shape.sessions];
    let (mut events, mut value, mut time) = (0, 0, vec![0_u64; shape.sessions]);
    while events < shape.events {
        let session = random.below(shape.sessions as u64) as usize;
        let replica = &mut replicas[session];
        for _ in 0..random.below(shape.applied_max + 1) {
            let other = random.below(shape.sessions as u64) as usize;
            apply_next(replica, &logs, session, other, &mut time[session]);
        }
        let mut transaction = Vec::new();
        let mut own: BTreeMap<u64, u64> = BTreeMap::new();
        for _ in 0..random.between(1, shape.transaction_events_max as u64) {
            let key = random.below(shape.keys);
            if random.permille(shape.reads_permille) {
                let shown = || replica.state.get(&key).map(|stamped| stamped.2);
                let value = own.get(&key).copied().or_else(shown);
                transaction.push(super::Event::Read { key, value });
            } else {
                value += 1;
                own.insert(key, value);
                transaction.push(super::Event::Write { key, value });
            }
        }
        events += transaction.len();
        done[session].push(transaction);
        time[session] += 1;
        let past = replica.applied.clone();
        let stamped = |(key, value)| (key, (time[session], session, value));
        let writes: Vec<(u64, Stamped)> = own.into_iter().map(stamped).collect();
        for (key, stamped) in &writes {
            show(&mut replica.state, *key, *stamped);
        }
        replica.applied[session] += 1;
        logs[session].push(Effect { past, writes });
    }
    let mut history = History::new();
    for session in done {
        history.begin_session();
        for transaction in session {
            history.begin_transaction(true);
            transaction.into_iter().for_each(|event| history.push(event));
        }
    }
    history
}

/// Applies the next transaction of another session, if its causes are there.
fn apply_next(
    replica: &mut Replica,
    logs: &[Vec<Effect>],
    own: usize,
    other: usize,
    time: &mut u64,
) {
    if own == other {
        return;
    }
    let Some(effect) = logs[other].get(replica.applied[other]) else { return };
    if effect.past.iter().zip(&replica.applied).any(|(past, applied)| past > applied) {
        return;
    }
    for (key, stamped) in &effect.writes {
        *time = (*time).max(stamped.0);
        show(&mut replica.state, *key, *stamped);
    }
    replica.applied[other] += 1;
}

fn show(state: &mut BTreeMap<u64, Stamped>, key: u64, stamped: Stamped) {
    let shown = state.entry(key).or_insert(stamped);
    *shown = (*shown).max(stamped);
}
