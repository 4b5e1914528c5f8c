use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;

use super::recent::Recent;
use crate::cut::{Admission, Cut, Slot};
use crate::session::Guarantees;

/// An answer that broke a promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Whose answer it was, by the number that the monitor was told; without one, of a session that came with a token.
    pub session: Option<u64>,
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
/// **Memory.** O((s + w) · S) for s sessions: at most as many as [`new`](Self::new) says, of which
/// one that was not heard of for long makes room for another; then it counts as a new one, and nothing is said that is wrong. A
/// write that is forgotten is not looked for any more.
#[derive(Clone, Debug)]
pub struct SessionMonitor {
    sessions: Recent<Session>,
    /// What the writes of each server depend on.
    logs: BTreeMap<Slot, Log>,
    /// The last right answer of each server.
    right: BTreeMap<Slot, Arc<Cut>>,
    writes_max: usize,
    examined: u64,
}

#[derive(Clone, Debug, Default)]
struct Session {
    written: Cut,
    /// Mostly one that others were shown too.
    seen: Arc<Cut>,
    /// Whether what it has written is in what it has seen.
    has_seen_its_own: bool,
}

/// What the writes of one server depend on.
#[derive(Clone, Debug, Default)]
struct Log {
    /// The last write's position.
    last: u64,
    /// Positions, ascending, from which on more is needed, with what all writes up to the next one depend on.
    needs: VecDeque<(u64, Needs)>,
}

/// What a write depends on, but for earlier writes of the same server: who shows it shows these.
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
            sessions: Recent::new(sessions_max),
            logs: BTreeMap::new(),
            right: BTreeMap::new(),
            writes_max,
            examined: 0,
        }
    }

    /// A write of a session was admitted. To be told in the order of admissions at each server; one that comes later is
    /// taken for the last.
    pub fn wrote(&mut self, session: u64, at: Admission) {
        let here = self.sessions.touch(session);
        self.examined += here.written.len() as u64 + here.seen.len() as u64;
        // Whoever has shown it already is looked at again.
        self.right
            .values_mut()
            .filter(|right| right.contains(at))
            .for_each(|right| *right = Arc::default());
        let log = self.logs.entry(at.slot).or_default();
        log.push(at, here);
        if log.needs.len() > self.writes_max {
            log.needs.pop_front();
        }
        here.written.observe(at.slot, at.position);
        here.has_seen_its_own = false;
    }

    /// A server has shown a session a state; says what is wrong with it.
    pub fn answered(
        &mut self,
        session: u64,
        server: Slot,
        shown: &Cut,
        now: u64,
    ) -> Option<Violation> {
        let here = self.sessions.touch(session);
        let right = self.right.entry(server).or_default();
        self.examined += shown.len() as u64;
        if here.has_seen_its_own && Arc::ptr_eq(&here.seen, right) && **right == *shown {
            return None;
        }
        let mut wrong = Wrong::default();
        wrong.unless_shown(&here.written, shown, Guarantees::READ_YOUR_WRITES);
        wrong.unless_shown(&here.seen, shown, Guarantees::MONOTONIC_READS);
        let is_right_so_far = wrong.lacking.is_none();
        if *shown != **right {
            // Where it shows less than before, what it had may be gone: all of it is looked at.
            let is_further = shown.dominates(right);
            let own = wrong.broken;
            for (slot, position) in shown {
                if is_further && right.get(slot) == position {
                    continue;
                }
                let Some(needs) = self.logs.get(&slot).and_then(|log| log.up_to(position)) else {
                    continue;
                };
                self.examined += 1 + needs.written.len() as u64 + needs.seen.len() as u64;
                wrong.unless_shown(&needs.written, shown, Guarantees::MONOTONIC_WRITES);
                wrong.unless_shown(&needs.seen, shown, Guarantees::WRITES_FOLLOW_READS);
            }
            if wrong.broken == own {
                *right = Arc::new(shown.clone());
            }
        }
        here.has_seen_its_own |= is_right_so_far;
        if is_right_so_far && **right == *shown {
            here.seen = Arc::clone(right);
        } else {
            Arc::make_mut(&mut here.seen).join(shown);
        }
        let lacking = wrong.lacking?;
        Some(Violation { session: Some(session), server, at: now, broken: wrong.broken, lacking })
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
}

impl Log {
    /// A session writes.
    fn push(&mut self, at: Admission, session: &Session) {
        let position = at.position.max(self.last + 1);
        self.last = position;
        let is_needed = |slot, needed| slot != at.slot || needed > position;
        let (newest, nothing) = (self.needs.back(), Needs::default());
        let known = newest.map_or(&nothing, |(_, needs)| needs);
        let brings = |more: &Cut, known: &Cut| {
            more.iter().any(|(slot, needed)| is_needed(slot, needed) && known.get(slot) < needed)
        };
        // Mostly it knows of other servers what those before it knew.
        if newest.is_some()
            && !brings(&session.written, &known.written)
            && !brings(&session.seen, &known.seen)
        {
            return;
        }
        let mut needs = known.clone();
        needs.written.join(&session.written);
        needs.seen.join(&session.seen);
        for cut in [&mut needs.written, &mut needs.seen] {
            if !is_needed(at.slot, cut.get(at.slot)) {
                cut.set(at.slot, 0);
            }
        }
        self.needs.push_back((position, needs));
    }

    /// What the writes up to a position depend on, as far as they are kept.
    fn up_to(&self, position: u64) -> Option<&Needs> {
        let after = self.needs.partition_point(|(at, _)| *at <= position);
        self.needs.get(after.checked_sub(1)?).map(|(_, needs)| needs)
    }
}

/// What an answer lacks.
#[derive(Default)]
pub(super) struct Wrong {
    pub(super) broken: Guarantees,
    pub(super) lacking: Option<Admission>,
}

impl Wrong {
    pub(super) fn unless_shown(&mut self, needed: &Cut, shown: &Cut, guarantee: Guarantees) {
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
