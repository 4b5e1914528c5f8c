//! A history made ready for questions: dense numbers, who read from whom, who wrote what.

use crdt_core::canary::is_planted;

use super::anomaly::{Misread, ReadAnomaly};
use super::check::Unusable;
use super::{Event, History};

/// The transaction that wrote the initial values: before all others, and in no list.
pub(super) const INITIAL: u32 = u32::MAX;

/// Lists of lists, side by side.
#[derive(Debug)]
pub(super) struct Lists<T> {
    items: Vec<T>,
    ends: Vec<u32>,
}

impl<T> Lists<T> {
    const fn new() -> Self {
        Self { items: Vec::new(), ends: Vec::new() }
    }

    /// Pairs of a list and an item, sorted by the list.
    pub(super) fn from_sorted(lists: usize, pairs: impl IntoIterator<Item = (u32, T)>) -> Self {
        let mut made = Self::new();
        for (list, item) in pairs {
            while made.ends.len() < list as usize {
                made.end();
            }
            made.items.push(item);
        }
        while made.ends.len() < lists {
            made.end();
        }
        made
    }

    fn push(&mut self, item: T) {
        self.items.push(item);
    }

    /// Ends the list that the last items are in.
    fn end(&mut self) {
        self.ends.push(self.items.len() as u32);
    }

    pub(super) fn get(&self, list: u32) -> &[T] {
        let begin = if list == 0 { 0 } else { self.ends[list as usize - 1] };
        &self.items[begin as usize..self.ends[list as usize] as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }
}

/// A read from another transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Read {
    pub(super) key: u32,
    /// The transaction that it read from, or [`INITIAL`].
    pub(super) source: u32,
}

/// The writers of a key in one session: a part of the list of all its writers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) session: u32,
    begin: u32,
    end: u32,
}

/// Committed transactions, counted from 0 through all sessions; sessions and keys are counted likewise.
#[derive(Debug)]
pub(super) struct Index<'h> {
    history: &'h History,
    keys: Vec<u64>,
    /// Its number in the history, of each transaction.
    names: Vec<u32>,
    session: Vec<u32>,
    /// The first transaction of each session, and the end.
    firsts: Vec<u32>,
    /// Of each transaction what it read from others, in the order in which it did.
    reads: Lists<Read>,
    /// The same, sorted and without repetition.
    facts: Lists<Read>,
    /// Of each transaction the others that it read from, without the initial one.
    sources: Lists<u32>,
    /// Of each transaction those that read from it.
    readers: Lists<u32>,
    /// Of each transaction the keys that it wrote, sorted.
    writes: Lists<u32>,
    /// Of each key those that wrote it, in their order.
    writers: Lists<u32>,
    groups: Lists<Group>,
}

/// A write, to be found by what it wrote.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Write {
    key: u64,
    value: u64,
    event: u32,
}

impl<'h> Index<'h> {
    /// The index, or the first read that is wrong by itself.
    pub(super) fn new(history: &'h History) -> Result<Result<Self, ReadAnomaly>, Unusable> {
        let events = history.events();
        let counts = [events.len(), history.transactions(), history.sessions()];
        if counts.into_iter().any(|count| count >= u32::MAX as usize) {
            return Err(Unusable::TooLarge { what: "events", max: u64::from(u32::MAX) - 1 });
        }
        let written = differentiated(history)?;
        let owners = owners(history);
        let is_final = finals(history);
        let mut keys: Vec<u64> = events.iter().map(|event| key_of(*event)).collect();
        keys.sort_unstable();
        keys.dedup();
        let dense = |key: u64| keys.binary_search(&key).expect("all keys are there") as u32;

        // Which committed transaction each one is.
        let mut number_of = vec![INITIAL; history.transactions()];
        let (mut names, mut session, mut firsts) = (Vec::new(), Vec::new(), Vec::new());
        for of in 0..history.sessions() {
            firsts.push(names.len() as u32);
            for transaction in history.transactions_of(of) {
                if history.is_committed(transaction) {
                    number_of[transaction] = names.len() as u32;
                    names.push(transaction as u32);
                    session.push(of as u32);
                }
            }
        }
        firsts.push(names.len() as u32);

        let mut reads = Lists::new();
        let mut writes = Lists::new();
        let mut own: Vec<(u64, u32)> = Vec::new();
        for &name in &names {
            let range = history.events_of(name as usize);
            own.clear();
            for at in range.clone() {
                if let Event::Write { key, .. } = events[at] {
                    own.push((key, at as u32));
                }
            }
            own.sort_unstable();
            let from = writes.items.len();
            writes.items.extend(own.iter().map(|&(key, _)| dense(key)));
            let mut distinct = writes.items.split_off(from);
            distinct.dedup();
            writes.items.append(&mut distinct);
            writes.end();
            for at in range {
                let Event::Read { key, value } = events[at] else { continue };
                let before = own.partition_point(|&write| write < (key, at as u32));
                let own_last = before.checked_sub(1).map(|i| own[i]).filter(|own| own.0 == key);
                let write = value.and_then(|value| find(&written, key, value));
                let write_owner = write.map(|write| owners[write as usize]);
                let misread = match (own_last, write, write_owner) {
                    (_, None, _) if value.is_some() => Some(Misread::ThinAir),
                    (Some((_, last)), Some(write), _) if last == write => continue,
                    (_, Some(write), Some(owner)) if owner == name => Some(if write > at as u32 {
                        Misread::Future
                    } else {
                        Misread::NotLastOwnWrite
                    }),
                    (Some(_), _, _) => Some(Misread::NotOwnWrite),
                    (None, Some(_), Some(owner)) if !history.is_committed(owner as usize) => {
                        (!is_planted("believe-the-aborted")).then_some(Misread::Aborted)
                    }
                    (None, Some(write), _) if !is_final[write as usize] => {
                        (!is_planted("believe-the-intermediate")).then_some(Misread::Intermediate)
                    }
                    _ => None,
                };
                if let Some(kind) = misread {
                    let (read, write) = (history.event_id(at), write.map(|w| w as usize));
                    let write = write.map(|write| history.event_id(write));
                    return Ok(Err(ReadAnomaly { kind, read, write, key, value }));
                }
                let source = write_owner.map_or(INITIAL, |owner| number_of[owner as usize]);
                reads.push(Read { key: dense(key), source });
            }
            reads.end();
        }
        let count = names.len();
        let facts = sorted(&reads, count, |read| Some(*read));
        let sources = sorted(&reads, count, |read| (read.source != INITIAL).then_some(read.source));
        let readers = inverted(&sources, count, count);
        let writers = inverted(&writes, count, keys.len());
        let groups = grouped(&writers, keys.len(), &session);
        Ok(Ok(Self {
            history,
            keys,
            names,
            session,
            firsts,
            reads,
            facts,
            sources,
            readers,
            writes,
            writers,
            groups,
        }))
    }

    pub(super) fn len(&self) -> u32 {
        self.names.len() as u32
    }

    pub(super) fn sessions(&self) -> usize {
        self.firsts.len() - 1
    }

    pub(super) fn keys(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn session(&self, transaction: u32) -> u32 {
        self.session[transaction as usize]
    }

    /// The transactions of a session.
    pub(super) fn of_session(&self, session: u32) -> std::ops::Range<u32> {
        self.firsts[session as usize]..self.firsts[session as usize + 1]
    }

    /// Which of its session's transactions it is, from 1.
    pub(super) fn position(&self, transaction: u32) -> u32 {
        transaction - self.firsts[self.session(transaction) as usize] + 1
    }

    /// The one after it in its session.
    pub(super) fn next(&self, transaction: u32) -> Option<u32> {
        let next = transaction + 1;
        (next < self.firsts[self.session(transaction) as usize + 1]).then_some(next)
    }

    pub(super) fn reads(&self, transaction: u32) -> &[Read] {
        self.reads.get(transaction)
    }

    pub(super) fn facts(&self, transaction: u32) -> &[Read] {
        self.facts.get(transaction)
    }

    pub(super) fn sources(&self, transaction: u32) -> &[u32] {
        self.sources.get(transaction)
    }

    pub(super) fn readers(&self, transaction: u32) -> &[u32] {
        self.readers.get(transaction)
    }

    pub(super) fn writes(&self, transaction: u32) -> &[u32] {
        self.writes.get(transaction)
    }

    pub(super) fn is_writer(&self, transaction: u32) -> bool {
        !self.writes(transaction).is_empty()
    }

    pub(super) fn writers(&self, key: u32) -> &[u32] {
        self.writers.get(key)
    }

    pub(super) fn groups(&self, key: u32) -> &[Group] {
        self.groups.get(key)
    }

    /// Of a key's writers in one session the last that is among its session's first transactions.
    pub(super) fn last_within(&self, key: u32, group: &Group, transactions: u32) -> Option<u32> {
        let end = self.firsts[group.session as usize] + transactions;
        let writers = &self.writers(key)[group.begin as usize..group.end as usize];
        let within = writers.partition_point(|&writer| writer < end);
        within.checked_sub(1).map(|last| writers[last])
    }

    /// The first of the keys that `to` read from `from`.
    pub(super) fn read_from(&self, from: u32, to: u32) -> Option<u32> {
        self.facts(to).iter().find(|fact| fact.source == from).map(|fact| fact.key)
    }

    /// The key as the history has it.
    pub(super) fn key(&self, key: u32) -> u64 {
        self.keys[key as usize]
    }

    pub(super) fn id(&self, transaction: u32) -> super::TransactionId {
        self.history.transaction_id(self.names[transaction as usize] as usize)
    }
}

const fn key_of(event: Event) -> u64 {
    match event {
        Event::Read { key, .. } | Event::Write { key, .. } => key,
    }
}

/// All writes, sorted; or two that are not told apart.
fn differentiated(history: &History) -> Result<Vec<Write>, Unusable> {
    let events = history.events().iter().zip(0..);
    let mut written: Vec<Write> = events
        .filter_map(|(event, at)| match *event {
            Event::Write { key, value } => Some(Write { key, value, event: at }),
            Event::Read { .. } => None,
        })
        .collect();
    written.sort_unstable();
    let same = |pair: &&[Write]| (pair[0].key, pair[0].value) == (pair[1].key, pair[1].value);
    match written.windows(2).find(same) {
        Some(pair) => Err(Unusable::WrittenTwice {
            key: pair[0].key,
            value: pair[0].value,
            first: history.event_id(pair[0].event as usize),
            second: history.event_id(pair[1].event as usize),
        }),
        None => Ok(written),
    }
}

fn find(written: &[Write], key: u64, value: u64) -> Option<u32> {
    let found = written.binary_search_by(|write| (write.key, write.value).cmp(&(key, value)));
    found.ok().map(|at| written[at].event)
}

/// The transaction of each event.
fn owners(history: &History) -> Vec<u32> {
    let mut owners = vec![0; history.events().len()];
    for transaction in 0..history.transactions() {
        owners[history.events_of(transaction)].fill(transaction as u32);
    }
    owners
}

/// Whether each event is the last write of its transaction to its key.
fn finals(history: &History) -> Vec<bool> {
    let events = history.events();
    let mut is_final = vec![false; events.len()];
    let mut own: Vec<(u64, usize)> = Vec::new();
    for transaction in 0..history.transactions() {
        own.clear();
        for at in history.events_of(transaction) {
            if let Event::Write { key, .. } = events[at] {
                own.push((key, at));
            }
        }
        own.sort_unstable();
        for (at, &(key, event)) in own.iter().enumerate() {
            is_final[event] = own.get(at + 1).is_none_or(|next| next.0 != key);
        }
    }
    is_final
}

/// Something of each read, sorted and without repetition.
fn sorted<T: Copy + Ord>(
    reads: &Lists<Read>,
    count: usize,
    what: impl Fn(&Read) -> Option<T>,
) -> Lists<T> {
    let mut made = Lists::new();
    let mut some: Vec<T> = Vec::new();
    for transaction in 0..count {
        some.clear();
        some.extend(reads.get(transaction as u32).iter().filter_map(&what));
        some.sort_unstable();
        some.dedup();
        some.iter().for_each(|item| made.push(*item));
        made.end();
    }
    made
}

/// Of each item the lists that it is in.
fn inverted(lists: &Lists<u32>, count: usize, items: usize) -> Lists<u32> {
    let mut pairs: Vec<(u32, u32)> = (0..count as u32)
        .flat_map(|list| lists.get(list).iter().map(move |&item| (item, list)))
        .collect();
    pairs.sort_unstable();
    Lists::from_sorted(items, pairs)
}

/// The writers of each key, by session.
fn grouped(writers: &Lists<u32>, keys: usize, session: &[u32]) -> Lists<Group> {
    let mut groups = Lists::new();
    for key in 0..keys as u32 {
        let mut begin = 0;
        let all = writers.get(key);
        for (at, &writer) in all.iter().enumerate() {
            let of = session[writer as usize];
            if all.get(at + 1).is_none_or(|&next| session[next as usize] != of) {
                groups.push(Group { session: of, begin, end: at as u32 + 1 });
                begin = at as u32 + 1;
            }
        }
        groups.end();
    }
    groups
}
