//! All histories of at most five events, against the axioms.

use crdt_causal::session::Guarantees;
use crdt_sim::history::{Criterion, Event, History, check_all};

use crate::axioms::Axioms;

/// How an event begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    Session,
    Transaction,
    Nothing,
}

/// What an event is.
#[derive(Clone, Copy)]
enum Kind {
    Write,
    Initial,
    ThinAir,
    /// A read of what this event writes.
    Of(usize),
}

/// All histories with so many events, once each but for the names of keys, values and sessions: sessions are
/// in descending order of their sizes, those of one event by what that is, keys in the order of their first
/// use, and each write has its own place for a value.
struct All<'f> {
    events: usize,
    /// Whether transactions that were aborted, and that nobody read from, are in them.
    with_unseen: bool,
    begins: Vec<Begins>,
    committed: Vec<bool>,
    keys: Vec<u64>,
    kinds: Vec<Kind>,
    found: &'f mut dyn FnMut(&History),
}

impl All<'_> {
    fn shapes(&mut self) {
        if self.begins.len() == self.events {
            if self.sessions_descend() {
                self.flags();
            }
            return;
        }
        let options: &[Begins] = if self.begins.is_empty() {
            &[Begins::Session]
        } else {
            &[Begins::Session, Begins::Transaction, Begins::Nothing]
        };
        for begins in options {
            self.begins.push(*begins);
            self.shapes();
            self.begins.pop();
        }
    }

    fn sessions_descend(&self) -> bool {
        let mut sizes = Vec::new();
        for begins in &self.begins {
            match begins {
                Begins::Session => sizes.push(1),
                _ => *sizes.last_mut().unwrap() += 1,
            }
        }
        sizes.windows(2).all(|pair| pair[0] >= pair[1])
    }

    fn flags(&mut self) {
        let transactions = self.begins.iter().filter(|b| **b != Begins::Nothing).count();
        for flags in 0..1_u32 << transactions {
            self.committed = (0..transactions).map(|at| flags >> at & 1 == 0).collect();
            self.events_from(0);
        }
    }

    fn events_from(&mut self, at: usize) {
        if at == self.events {
            self.reads_from(0);
            return;
        }
        let fresh = self.keys.iter().max().map_or(0, |last| last + 1);
        for key in 0..=fresh {
            self.keys.push(key);
            for kind in [Kind::Write, Kind::Initial] {
                self.kinds.push(kind);
                self.events_from(at + 1);
                self.kinds.pop();
            }
            self.keys.pop();
        }
    }

    /// Gives each read one of all values that it could have; so far it has the initial one.
    fn reads_from(&mut self, at: usize) {
        if at == self.events {
            self.emit();
            return;
        }
        self.reads_from(at + 1);
        // What an aborted transaction reads is nobody's business.
        if matches!(self.kinds[at], Kind::Write) || !self.committed[self.transaction(at)] {
            return;
        }
        let writes = (0..self.events)
            .filter(|&w| matches!(self.kinds[w], Kind::Write) && self.keys[w] == self.keys[at]);
        let others: Vec<Kind> = writes.map(Kind::Of).chain([Kind::ThinAir]).collect();
        for kind in others {
            self.kinds[at] = kind;
            self.reads_from(at + 1);
        }
        self.kinds[at] = Kind::Initial;
    }

    fn transaction(&self, at: usize) -> usize {
        self.begins[..=at].iter().filter(|b| **b != Begins::Nothing).count() - 1
    }

    /// Whether each aborted transaction was read from.
    fn all_are_seen(&self) -> bool {
        let seen = |aborted: usize| {
            let of = |kind: &Kind| matches!(kind, Kind::Of(w) if self.transaction(*w) == aborted);
            self.kinds.iter().any(of)
        };
        (0..self.committed.len()).all(|at| self.committed[at] || seen(at))
    }

    /// Whether sessions of one event, which come last, are in the order of what that is.
    fn singles_ascend(&self) -> bool {
        let begins = |at: usize| self.begins.get(at).is_none_or(|b| *b == Begins::Session);
        let singles = (0..self.events).filter(|&at| begins(at) && begins(at + 1)).map(|at| {
            let kind = match self.kinds[at] {
                Kind::Write => 0,
                Kind::Initial => 1,
                Kind::ThinAir => 2,
                Kind::Of(_) => 3,
            };
            (self.committed[self.transaction(at)], kind)
        });
        singles.is_sorted()
    }

    fn emit(&mut self) {
        if !self.singles_ascend() || !self.with_unseen && !self.all_are_seen() {
            return;
        }
        let mut history = History::new();
        let mut committed = self.committed.iter();
        for at in 0..self.events {
            if self.begins[at] == Begins::Session {
                history.begin_session();
            }
            if self.begins[at] != Begins::Nothing {
                history.begin_transaction(*committed.next().unwrap());
            }
            let key = self.keys[at];
            history.push(match self.kinds[at] {
                Kind::Write => Event::Write { key, value: at as u64 + 1 },
                Kind::Initial => Event::Read { key, value: None },
                Kind::ThinAir => Event::Read { key, value: Some(99) },
                Kind::Of(write) => Event::Read { key, value: Some(write as u64 + 1) },
            });
        }
        (self.found)(&history);
    }
}

fn all(events: usize, with_unseen: bool, found: &mut dyn FnMut(&History)) {
    let (begins, committed, keys, kinds) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    All { events, with_unseen, begins, committed, keys, kinds, found }.shapes();
}

/// Compares all answers; how many of them were that it breaks.
pub(crate) fn agree(history: &History, criteria: &[Criterion]) -> u64 {
    let axioms = Axioms::new(history);
    let verdicts = check_all(history, criteria);
    let mut broken = 0;
    for (criterion, verdict) in verdicts {
        let violation = verdict.expect("it is small").violation;
        broken += u64::from(violation.is_some());
        assert_eq!(violation.is_none(), axioms.hold(criterion), "{criterion} of {history:?}");
    }
    broken
}

fn every_criterion() -> Vec<Criterion> {
    let sessions = Guarantees::combinations().map(Criterion::Session);
    let alone = |c: &Criterion| !matches!(c, Criterion::Session(_));
    Criterion::NAMED.into_iter().filter(alone).chain(sessions).collect()
}

#[test]
fn the_axioms_agree_on_all_histories_of_four_events_and_all_criteria() {
    let criteria = every_criterion();
    for events in 0..=4 {
        let (mut count, mut broken) = (0_u64, 0);
        all(events, true, &mut |history| {
            count += 1;
            broken += agree(history, &criteria);
        });
        println!("{count} histories of {events} events, {broken} verdicts against");
    }
}

/// An aborted transaction that nobody read from is as if it were not there: as part of up to four events it is
/// tried above.
#[test]
fn the_axioms_agree_on_all_histories_of_five_events() {
    let (mut count, mut broken) = (0_u64, 0);
    all(5, false, &mut |history| {
        count += 1;
        broken += agree(history, &Criterion::NAMED);
    });
    println!("{count} histories of 5 events, {broken} verdicts against");
    assert!(count > 100_000);
}
