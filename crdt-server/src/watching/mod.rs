//! The server watches itself: which promises it keeps, which objectives it misses, and what it does all day.
//!
//! A [`Monitor`] is told of every answer and every write; once a second it is told how far behind this server is and of
//! which others it has heard. What it has to say is logged, and counted for `GET /metrics`. It takes no part in any
//! decision: an answer that [`crdt_causal::level::decide`] let through by mistake is noticed here.

mod metrics;
mod request;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crdt_causal::cut::{Cut, Slot};
use crdt_causal::observe::{Alert, Missed, Monitor, MonitorConfig, Objective, Violation};
use crdt_causal::session::{Guarantees, VerifiedToken};
use tracing::{error, info, warn};

pub(crate) use request::{Operation, Request};

use crate::realm::Standing;
use crate::server::Shared;
use crate::store::unix_ms;
pub(crate) use metrics::By;
use metrics::Metrics;

/// What a server knows of itself.
pub(crate) struct Watching {
    own: Slot,
    /// Time as the monitor counts it: from a clock that nobody sets.
    started: (u64, Instant),
    monitor: Mutex<Monitor>,
    metrics: Metrics,
}

impl Watching {
    pub(crate) fn new(own: Slot, config: MonitorConfig) -> Self {
        Self {
            own,
            started: (unix_ms(), Instant::now()),
            monitor: Mutex::new(Monitor::new(config)),
            metrics: Metrics::new(),
        }
    }

    /// A session was shown a state, with these guarantees.
    pub(crate) fn answered(&self, token: &VerifiedToken, promised: Guarantees, shown: &Cut) {
        self.monitor().answered_by_token(token, promised, self.own, shown, self.now());
    }

    /// A session's write was admitted by HTTP, with these guarantees, where so much was applied.
    pub(crate) fn wrote(&self, token: &VerifiedToken, promised: Guarantees, applied: &Cut) {
        self.monitor().wrote_by_token(token, promised, self.own, applied, self.now());
        self.metrics.write(By::Http, true);
    }

    /// A client's write was taken whose session is not looked at here: by a sync session, or by an engine.
    pub(crate) fn took(&self, by: By) {
        self.monitor().taken(self.now());
        self.metrics.write(by, true);
    }

    /// A client's write was turned away that could have been taken at another time.
    pub(crate) fn turned_away(&self, by: By) {
        self.monitor().refused(self.now());
        self.metrics.write(by, false);
    }

    /// How old the state was that an answer showed, as far as that is known.
    pub(crate) fn showed(&self, age_ms: u64) {
        self.metrics.staleness(age_ms);
    }

    /// What [`Metrics`] says, in the text format of OpenMetrics.
    pub(crate) fn metrics(&self, shared: &Shared) -> String {
        let (missed, dropped) = {
            let monitor = self.monitor();
            (monitor.objectives().missed().collect(), monitor.dropped())
        };
        self.metrics.text(shared, &missed, dropped)
    }

    /// Looks around once a second, until the server stops.
    pub(crate) async fn keep(shared: Arc<Shared>) {
        let mut missed = BTreeSet::new();
        loop {
            tokio::time::sleep(LOOK_INTERVAL).await;
            shared.watching.look(&shared.realm.standing(unix_ms()), &mut missed);
        }
    }

    /// Tells of what is new; `before` is what was missed when it was last looked at.
    fn look(&self, standing: &Standing, before: &mut BTreeSet<Objective>) {
        let now = self.now();
        let (alerts, missed) = {
            let mut monitor = self.monitor();
            if let Some(age_ms) = standing.age_ms {
                monitor.lag(self.own, age_ms, now);
            }
            for &(slot, silence_ms) in &standing.others {
                let is_heard = silence_ms.is_some_and(|silence| silence <= SILENCE_MS_MAX);
                monitor.reach(slot, is_heard, now);
            }
            let alerts: Vec<Alert> = core::iter::from_fn(|| monitor.poll_alert()).collect();
            (alerts, monitor.objectives().missed().collect::<BTreeSet<_>>())
        };
        for alert in alerts {
            self.metrics.alert(&alert);
            tell(&alert);
        }
        for over in before.difference(&missed) {
            tell_end(*over);
        }
        *before = missed;
    }

    fn now(&self) -> u64 {
        let (at, since) = self.started;
        at.saturating_add(u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn monitor(&self) -> MutexGuard<'_, Monitor> {
        self.monitor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(alert: &Alert) {
    match alert {
        Alert::Violation(Violation { server, broken, lacking, .. }) => {
            error!(%server, %broken, %lacking, "an answer broke a promise");
        }
        Alert::Missed(Missed { objective, by, .. }) => match objective {
            Objective::Lag(slot) => warn!(%slot, age_ms = by, "is behind the others"),
            Objective::Writes => warn!(percent = by, "writes are turned away"),
            Objective::Reach(slot) => warn!(%slot, silent_ms = by, "was not heard of for long"),
            _ => warn!(?objective, by, "an objective is missed"),
        },
        _ => warn!(?alert, "something is wrong"),
    }
}

fn tell_end(objective: Objective) {
    match objective {
        Objective::Lag(slot) => info!(%slot, "is no longer behind the others"),
        Objective::Writes => info!("writes are taken again"),
        Objective::Reach(slot) => info!(%slot, "is heard of again"),
        _ => info!(?objective, "an objective is met again"),
    }
}

const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Servers tell each other where they are once a second: one of which nothing was heard for so long is out of reach.
const SILENCE_MS_MAX: u64 = 5_000;

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use crdt_causal::cut::{Admission, Epoch};

    use super::*;

    fn standing(age_ms: u64) -> Standing {
        Standing { age_ms: Some(age_ms), others: Vec::new() }
    }

    /// An answer without what its session has written is one alert, whatever let it through.
    #[test]
    fn an_answer_that_breaks_a_promise_is_an_alert() {
        let watching = Watching::new(Slot(1), MonitorConfig::default());
        let mut token = VerifiedToken::new(Epoch(0));
        token.observe_write(Admission::new(Slot(0), 5));
        let [lacking, whole]: [Cut; 2] = [4, 5].map(|last| [(Slot(0), last)].into_iter().collect());
        let mut missed = BTreeSet::new();
        for (promised, shown, alerts) in [
            (Guarantees::ALL, &whole, 0),
            (Guarantees::NONE, &lacking, 0),
            (Guarantees::ALL, &lacking, 1),
            (Guarantees::ALL, &lacking, 2),
        ] {
            watching.answered(&token, promised, shown);
            watching.look(&standing(0), &mut missed);
            assert_eq!(watching.metrics.alerts_of("violation"), alerts);
        }
        watching.wrote(&token, Guarantees::ALL, &lacking);
        watching.look(&standing(0), &mut missed);
        assert_eq!(watching.metrics.alerts_of("violation"), 3);
        assert_eq!(watching.metrics.alerts_of("lag"), 0);
    }

    #[test]
    fn writes_that_are_turned_away_are_an_alert() {
        let watching = Watching::new(Slot(1), MonitorConfig::default());
        let mut missed = BTreeSet::new();
        let mut answer = |operation, status, count: usize| {
            for _ in 0..count {
                Request::begin(operation).end(status, &watching);
            }
            watching.look(&standing(0), &mut missed);
            watching.metrics.alerts_of("writes")
        };
        assert_eq!(answer(Operation::Read, StatusCode::SERVICE_UNAVAILABLE, 30), 0);
        assert_eq!(answer(Operation::Write, StatusCode::UNPROCESSABLE_ENTITY, 30), 0);
        assert_eq!(answer(Operation::Write, StatusCode::SERVICE_UNAVAILABLE, 19), 0, "too few");
        assert_eq!(answer(Operation::Write, StatusCode::SERVICE_UNAVAILABLE, 1), 1);
        assert!(missed.contains(&Objective::Writes));
        for _ in 0..400 {
            watching.took(By::Session);
        }
        watching.look(&standing(0), &mut missed);
        assert!(missed.is_empty(), "20 of 420 are less than 5 of 100");
    }

    #[test]
    fn what_is_missed_is_told_when_it_begins() {
        let watching = Watching::new(Slot(1), MonitorConfig::default());
        let mut missed = BTreeSet::new();
        for (age_ms, alerts) in [(5_000, 0), (5_001, 1), (9_000, 1), (100, 1), (6_000, 2)] {
            watching.look(&standing(age_ms), &mut missed);
            assert_eq!(watching.metrics.alerts_of("lag"), alerts, "at {age_ms}");
        }
    }
}
