use alloc::collections::{BTreeMap, VecDeque};

use crate::cut::{Admission, Cut, Slot};
use crate::session::Guarantees;

/// An answer that broke a promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Whose answer it was.
    pub session: u64,
    /// Who answered.
    pub server: Slot,
    /// When.
    pub at: u64,
    /// What was broken. *Read your writes* and *monotonic reads* are the session's own; *monotonic writes* and *writes
    /// follow reads* say that a write was shown, of whatever session, without what it depends on.
    pub broken: Guarantees,
    /// What the answer should have had, and had not: the first of it.
    pub lacking: Admission,
}

/// The guarantees of sessions, and with them causality, judged while it happens.
///
/// It is told of each write where it was admitted, and of each answer the cut that was shown; it keeps, for each session, what that
/// has written and seen, and for each write what it depends on. An answer is right if it has what its session
/// has written (RYW) and seen (MR), and with every write that it shows the earlier ones of that write's session (MW) and
/// what these had seen (WFR): Terry and others, *Session guarantees for weakly consistent replicated data* (1994).
/// Whoever wants fewer guarantees ignores the others.
///
/// **Cost.** For S servers and w writes that are kept, a write is O(S). An answer is O(S), and O(S + log w) more
/// for each server of whose writes it shows more than the last right answer of the same server did: nothing of it depends on how
/// many operations there were, so it is O(1) amortised for a given group. [`examined`](Self::examined) counts.
///
/// **Memory.** O((s + w) · S) for s sessions: at most as many as [`new`](Self::new) says, of which the one
/// that was heard of longest ago is forgotten first; then it counts as a new one, and nothing is said that is wrong. A
/// write that is forgotten is not looked for any more.
#[derive(Clone, Debug)]
pub struct SessionMonitor {
    sessions: BTreeMap<u64, Session>,
    /// Which session was heard of when: the oldest first.
    heard: BTreeMap<u64, u64>,
    /// What the writes of each server depend on.
    logs: BTreeMap<Slot, Log>,
    /// The last right answer of each server.
    right: BTreeMap<Slot, Cut>,
    sessions_max: usize,
    writes_max: usize,
    clock: u64,
    examined: u64,
}

#[derive(Clone, Debug, Default)]
struct Session {
    written: Cut,
    seen: Cut,
    heard: u64,
}

/// Positions of writes, ascending, with what all up to there depend on.
#[derive(Clone, Debug, Default)]
struct Log(VecDeque<(u64, Needs)>);

#[derive(Clone, Debug, Default)]
struct Needs {
    written: Cut,
    seen: Cut,
}

impl SessionMonitor {
    /// Keeps at most so many sessions, and so many writes of each server.
    ///
    /// # Panics
    ///
    /// If either is 0.
    #[must_use]
    pub fn new(sessions_max: usize, writes_max: usize) -> Self {
        assert!(sessions_max > 0 && writes_max > 0, "nothing could be noticed");
        Self {
            sessions: BTreeMap::new(),
            heard: BTreeMap::new(),
            logs: BTreeMap::new(),
            right: BTreeMap::new(),
            sessions_max,
            writes_max,
            clock: 0,
            examined: 0,
        }
    }

    /// A write of a session was admitted. To be told in the order of admissions at each server; one that comes later is
    /// taken for the last.
    pub fn wrote(&mut self, session: u64, at: Admission) {
        let here = self.session(session);
        let needs = Needs { written: here.written.clone(), seen: here.seen.clone() };
        here.written.observe(at.slot, at.position);
        self.examined += needs.written.len() as u64 + needs.seen.len() as u64;
        // Whoever has shown it already is looked at again.
        self.right
            .values_mut()
            .filter(|right| right.contains(at))
            .for_each(|right| *right = Cut::new());
        let Log(log) = self.logs.entry(at.slot).or_default();
        let mut all = log.back().map(|(_, needs)| needs.clone()).unwrap_or_default();
        all.written.join(&needs.written);
        all.seen.join(&needs.seen);
        let position = log.back().map_or(at.position, |(last, _)| at.position.max(last + 1));
        log.push_back((position, all));
        if log.len() > self.writes_max {
            log.pop_front();
        }
    }

    /// A server has shown a session a state; says what is wrong with it.
    pub fn answered(
        &mut self,
        session: u64,
        server: Slot,
        shown: &Cut,
        now: u64,
    ) -> Option<Violation> {
        let here = self.session(session);
        let mut wrong = Wrong::default();
        wrong.unless_shown(&here.written, shown, Guarantees::READ_YOUR_WRITES);
        wrong.unless_shown(&here.seen, shown, Guarantees::MONOTONIC_READS);
        here.seen.join(shown);
        let before = self.right.entry(server).or_default();
        // Where it shows less than before, what it had may be gone: all of it is looked at.
        let is_further = shown.dominates(before);
        let own = wrong.broken;
        let (mut looked, all) = (0, shown.len() as u64);
        for (slot, position) in shown {
            if is_further && before.get(slot) == position {
                continue;
            }
            let Some(needs) = self.logs.get(&slot).and_then(|log| log.up_to(position)) else {
                continue;
            };
            looked += 1 + needs.written.len() as u64 + needs.seen.len() as u64;
            wrong.unless_shown(&needs.written, shown, Guarantees::MONOTONIC_WRITES);
            wrong.unless_shown(&needs.seen, shown, Guarantees::WRITES_FOLLOW_READS);
        }
        if wrong.broken == own {
            before.clone_from(shown);
        }
        self.examined += all + looked;
        let lacking = wrong.lacking?;
        Some(Violation { session, server, at: now, broken: wrong.broken, lacking })
    }

    /// Entries of cuts that were looked at so far.
    #[must_use]
    pub const fn examined(&self) -> u64 {
        self.examined
    }

    /// How many sessions are known.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    fn session(&mut self, session: u64) -> &mut Session {
        self.clock += 1;
        if let Some(known) = self.sessions.get(&session) {
            self.heard.remove(&known.heard);
        } else if self.sessions.len() >= self.sessions_max
            && let Some((_, oldest)) = self.heard.pop_first()
        {
            self.sessions.remove(&oldest);
        }
        self.heard.insert(self.clock, session);
        let here = self.sessions.entry(session).or_default();
        here.heard = self.clock;
        here
    }
}

impl Log {
    /// What the writes up to a position depend on, as far as they are kept.
    fn up_to(&self, position: u64) -> Option<&Needs> {
        let after = self.0.partition_point(|(at, _)| *at <= position);
        self.0.get(after.checked_sub(1)?).map(|(_, needs)| needs)
    }
}

/// What an answer lacks.
#[derive(Default)]
struct Wrong {
    broken: Guarantees,
    lacking: Option<Admission>,
}

impl Wrong {
    fn unless_shown(&mut self, needed: &Cut, shown: &Cut, guarantee: Guarantees) {
        if shown.dominates(needed) {
            return;
        }
        self.broken = self.broken | guarantee;
        let lacks = |&(slot, position): &(Slot, u64)| shown.get(slot) < position;
        let first = needed.iter().find(lacks);
        self.lacking =
            self.lacking.or(first.map(|(slot, position)| Admission::new(slot, position)));
    }
}
