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
#[derive(Default)]
struct Replica {
    /// How many transactions of which session; of most sessions none, where there are many.
    applied: BTreeMap<usize, usize>,
    /// What of that came since its own last transaction.
    news: BTreeMap<usize, usize>,
    state: BTreeMap<u64, Stamped>,
}

impl Replica {
    fn applied(&self, session: usize) -> usize {
        self.applied.get(&session).copied().unwrap_or(0)
    }
}

/// A value, with its Lamport time and session: the greatest is shown.
type Stamped = (u64, usize, u64);

/// A transaction as it travels.
struct Effect {
    /// What its replica had applied since the transaction before, which comes first anyway: how many of which
    /// session.
    needs: Vec<(usize, usize)>,
    writes: Vec<(u64, Stamped)>,
}

/// A history of a store that converges causally, as a seed draws it: each session at its own replica, which
/// applies the transactions of others after their causes, and shows the last writer's value by Lamport
/// time. So it is causally convergent; how far the replicas are apart is what makes it work for a checker.
///
/// O(e + t · a² · log k) for e events in t transactions and k sessions, where a replica applies a transactions of
/// others before one of its own ([`applied_max`](Shape::applied_max)): each is applied after a look at what its replica had
/// learned since the one before, which is in the past anyhow.
///
/// # Panics
///
/// If there are no sessions, keys, or events in a transaction.
#[must_use]
pub fn generate(shape: &Shape, seed: u64) -> History {
    let mut random = Random::new(seed, 0x4869_7374);
    let mut replicas: Vec<Replica> = (0..shape.sessions).map(|_| Replica::default()).collect();
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
        let needs = core::mem::take(&mut replica.news).into_iter().collect();
        let stamped = |(key, value)| (key, (time[session], session, value));
        let writes: Vec<(u64, Stamped)> = own.into_iter().map(stamped).collect();
        for (key, stamped) in &writes {
            show(&mut replica.state, *key, *stamped);
        }
        *replica.applied.entry(session).or_default() += 1;
        logs[session].push(Effect { needs, writes });
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
    let number = replica.applied(other);
    let Some(effect) = logs[other].get(number) else { return };
    if effect.needs.iter().any(|(session, count)| replica.applied(*session) < *count) {
        return;
    }
    for (key, stamped) in &effect.writes {
        *time = (*time).max(stamped.0);
        show(&mut replica.state, *key, *stamped);
    }
    replica.applied.insert(other, number + 1);
    replica.news.insert(other, number + 1);
}

fn show(state: &mut BTreeMap<u64, Stamped>, key: u64, stamped: Stamped) {
    let shown = state.entry(key).or_insert(stamped);
    *shown = (*shown).max(stamped);
}
