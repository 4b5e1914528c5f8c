use std::time::Instant;

use axum::http::StatusCode;
use crdt_causal::level::Level;
use crdt_causal::session::Guarantees;

use super::{By, Watching};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Read,
    Write,
}

/// A request on its way, which is counted when it is answered.
pub(crate) struct Request {
    operation: Operation,
    level: &'static str,
    since: Instant,
}

impl Request {
    pub(crate) fn begin(operation: Operation) -> Self {
        Self { operation, level: "unknown", since: Instant::now() }
    }

    /// It has turned out at which level it asks.
    pub(crate) fn asks(&mut self, level: Level) {
        self.level = class(level);
    }

    /// It was answered.
    pub(crate) fn end(self, status: StatusCode, watching: &Watching) {
        let Self { operation, level, since } = self;
        watching.metrics.request(operation, level, status.as_u16(), since.elapsed());
        if operation == Operation::Write && is_turned_away(status) {
            watching.turned_away(By::Http);
        }
    }
}

/// Whether the same write may be taken at another time, or by another server: what is wrong with the request itself does
/// not count against the server.
const fn is_turned_away(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
            | StatusCode::INTERNAL_SERVER_ERROR
    )
}

/// The kind of a level, without the numbers in it: clients choose these, and each would be a series of its own.
fn class(level: Level) -> &'static str {
    if level.is_strong() {
        "strong"
    } else if level.bound().is_some() {
        "bounded"
    } else if level.guarantees() == Guarantees::ALL {
        "causal"
    } else if level.guarantees() == Guarantees::NONE {
        "eventual"
    } else {
        "session"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_cannot_make_series() {
        for (level, expected) in [
            (Level::STRONG, "strong"),
            (Level::CAUSAL, "causal"),
            (Level::session(Guarantees::READ_YOUR_WRITES), "session"),
            (Level::bounded(3, 77), "bounded"),
            (Level::bounded(4, 78).join(Level::CAUSAL), "bounded"),
            (Level::EVENTUAL, "eventual"),
        ] {
            assert_eq!(class(level), expected, "{level}");
        }
    }

    #[test]
    fn mistakes_of_clients_are_not_the_servers() {
        for status in [200, 307, 400, 401, 409, 413, 422, 501] {
            let status = StatusCode::from_u16(status).expect("a status");
            assert!(!is_turned_away(status), "{status}");
        }
        for status in [429, 500, 503, 504] {
            let status = StatusCode::from_u16(status).expect("a status");
            assert!(is_turned_away(status), "{status}");
        }
    }
}
