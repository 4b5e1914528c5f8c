use alloc::collections::VecDeque;

use super::objectives::{Missed, Objectives, Thresholds};
use super::sessions::{SessionMonitor, Violation, Wrong};
use crate::cut::{Admission, Cut, Slot};
use crate::session::{Guarantees, VerifiedToken};

/// What a monitor keeps, and when it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MonitorConfig {
    /// Of how many sessions something is known at one time.
    pub sessions_max: usize,
    /// Of how many writes of each server it is known what they depend on.
    pub writes_max: usize,
    /// How many alerts wait to be polled; more are counted and dropped.
    pub alerts_max: usize,
    /// When objectives are missed.
    pub thresholds: Thresholds,
}

/// 10,000 sessions and writes, 1,000 alerts, the thresholds' own defaults.
impl Default for MonitorConfig {
    fn default() -> Self {
        Self {
            sessions_max: 10_000,
            writes_max: 10_000,
            alerts_max: 1_000,
            thresholds: Thresholds::default(),
        }
    }
}

/// Something that an operator wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Alert {
    /// Critical: a promise was broken. One answer is one violation.
    Violation(Violation),
    /// A warning: an objective begins to be missed.
    Missed(Missed),
}

/// [`SessionMonitor`] and [`Objectives`] together, with one queue of alerts.
#[derive(Clone, Debug)]
pub struct Monitor {
    sessions: SessionMonitor,
    objectives: Objectives,
    alerts: VecDeque<Alert>,
    alerts_max: usize,
    dropped: u64,
}

impl Monitor {
    /// Nothing was heard of yet.
    #[must_use]
    pub fn new(config: MonitorConfig) -> Self {
        Self {
            sessions: SessionMonitor::new(config.sessions_max, config.writes_max),
            objectives: Objectives::new(config.thresholds),
            alerts: VecDeque::new(),
            alerts_max: config.alerts_max,
            dropped: 0,
        }
    }

    /// A session's write was admitted.
    pub fn wrote(&mut self, session: u64, at: Admission, now: u64) {
        self.sessions.wrote(session, at);
        self.taken(now);
    }

    /// A server has shown a state to a session whose token, as it came with the request, says what it has written and seen.
    /// The answer has promised the session these guarantees; what it says of others is not looked at.
    ///
    /// It takes no memory, and follows a session from server to server. What writes of *other* sessions depend on is in no
    /// token: that is noticed by [`answered`](Self::answered) alone.
    pub fn answered_by_token(
        &mut self,
        token: &VerifiedToken,
        promised: Guarantees,
        server: Slot,
        shown: &Cut,
        now: u64,
    ) {
        let (own, others) = (Guarantees::READ_YOUR_WRITES, Guarantees::MONOTONIC_READS);
        self.judge(token, promised, [own, others], server, shown, now);
    }

    /// A write of such a session was admitted by a server that had applied so much.
    pub fn wrote_by_token(
        &mut self,
        token: &VerifiedToken,
        promised: Guarantees,
        server: Slot,
        applied: &Cut,
        now: u64,
    ) {
        let (own, others) = (Guarantees::MONOTONIC_WRITES, Guarantees::WRITES_FOLLOW_READS);
        self.judge(token, promised, [own, others], server, applied, now);
        self.taken(now);
    }

    /// A write was admitted, of a session of which nothing is known.
    pub fn taken(&mut self, now: u64) {
        let missed = self.objectives.write(false, now);
        self.raise(missed.map(Alert::Missed));
    }

    /// A session's write was refused.
    pub fn refused(&mut self, now: u64) {
        let missed = self.objectives.write(true, now);
        self.raise(missed.map(Alert::Missed));
    }

    /// A server has shown a session a state.
    pub fn answered(&mut self, session: u64, server: Slot, shown: &Cut, now: u64) {
        let violation = self.sessions.answered(session, server, shown, now);
        self.raise(violation.map(Alert::Violation));
    }

    /// A server is behind by so much.
    pub fn lag(&mut self, server: Slot, lag_ms: u64, now: u64) {
        let missed = self.objectives.lag(server, lag_ms, now);
        self.raise(missed.map(Alert::Missed));
    }

    /// A server can be reached, or cannot.
    pub fn reach(&mut self, server: Slot, reached: bool, now: u64) {
        let missed = self.objectives.reach(server, reached, now);
        self.raise(missed.map(Alert::Missed));
    }

    /// The next alert, the oldest first.
    pub fn poll_alert(&mut self) -> Option<Alert> {
        self.alerts.pop_front()
    }

    /// How many alerts nobody polled in time.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// What is missed at present.
    #[must_use]
    pub const fn objectives(&self) -> &Objectives {
        &self.objectives
    }

    /// What is known of sessions.
    #[must_use]
    pub const fn sessions(&self) -> &SessionMonitor {
        &self.sessions
    }

    /// Whether there is what a token's session has written, and what it has seen, as far as that was promised.
    fn judge(
        &mut self,
        token: &VerifiedToken,
        promised: Guarantees,
        [own, others]: [Guarantees; 2],
        server: Slot,
        there: &Cut,
        at: u64,
    ) {
        let mut wrong = Wrong::default();
        for (guarantee, needed) in [(own, token.written()), (others, token.read())] {
            if promised.contains(guarantee) {
                wrong.unless_shown(needed, there, guarantee);
            }
        }
        let Wrong { broken, lacking } = wrong;
        let violation = |lacking| Violation { session: None, server, at, broken, lacking };
        self.raise(lacking.map(violation).map(Alert::Violation));
    }

    fn raise(&mut self, alert: Option<Alert>) {
        let Some(alert) = alert else { return };
        if self.alerts.len() < self.alerts_max {
            self.alerts.push_back(alert);
        } else {
            self.dropped += 1;
        }
    }
}
