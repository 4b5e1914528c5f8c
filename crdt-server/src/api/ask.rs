use std::time::Duration;

use axum::http::Uri;
use crdt_causal::level::{Level, ReadSpec, Scope};
use crdt_causal::session::LogTag;
use percent_encoding::percent_decode_str;

use super::problem::Problem;
use crate::store::unix_ms;

/// What the query of a request asks for.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    /// The keys from the root.
    pub(super) path: Vec<String>,
    level: Level,
    floor: Level,
    wait: Duration,
}

/// The most steps that a path has: as in a document.
const STEPS_MAX: usize = crdt_document::PATH_STEPS_MAX + 1;

impl Ask {
    /// Reads `path` (keys, percent-encoded, with slashes between them), `level`, `floor` and
    /// `wait_ms`; what else there is in the query is not ours.
    pub(super) fn parse(uri: &Uri, default: Level, wait_max: Duration) -> Result<Self, Problem> {
        let mut ask =
            Self { path: Vec::new(), level: default, floor: default, wait: Duration::ZERO };
        let mut floor = None;
        for pair in uri.query().unwrap_or("").split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "path" if !value.is_empty() => {
                    let keys = value.split('/').map(decoded);
                    ask.path = keys.collect::<Result<_, _>>()?;
                    if ask.path.len() > STEPS_MAX {
                        return Err(Problem::invalid("the path has too many steps"));
                    }
                }
                "level" => ask.level = level(value)?,
                "floor" => floor = Some(level(value)?),
                "wait_ms" => {
                    let ms = value.parse().map_err(|_| Problem::invalid("wait_ms is a number"))?;
                    ask.wait = Duration::from_millis(ms).min(wait_max);
                }
                _ => {}
            }
        }
        ask.floor = floor.unwrap_or(ask.level);
        Ok(ask)
    }

    /// The level that is asked for.
    pub(super) const fn level(&self) -> Level {
        self.level
    }

    /// Whether linearizability is asked for.
    pub(super) const fn is_strong(&self) -> bool {
        self.level.is_strong()
    }

    /// Whether less than linearizability will do.
    pub(super) const fn has_weaker_floor(&self) -> bool {
        self.is_strong() && !self.floor.is_strong()
    }

    /// The same with no more than the floor, at once: what was asked for cannot be had.
    pub(super) fn at_floor(&self) -> Self {
        Self { level: self.floor, wait: Duration::ZERO, ..self.clone() }
    }

    /// How long the request wants to wait.
    pub(super) const fn wait(&self) -> Duration {
        self.wait
    }

    /// The same for the decision, about a document.
    pub(super) fn spec(&self, log: LogTag) -> ReadSpec {
        let spec = ReadSpec::new(self.level).or_at_least(self.floor).about(Scope::Log(log));
        if self.wait.is_zero() {
            return spec;
        }
        let wait = u64::try_from(self.wait.as_millis()).unwrap_or(u64::MAX);
        spec.until(unix_ms().saturating_add(wait))
    }
}

fn decoded(text: &str) -> Result<String, Problem> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| Problem::invalid("the path is not UTF-8"))
}

fn level(text: &str) -> Result<Level, Problem> {
    decoded(text)?.parse().map_err(|error| Problem::invalid(&format!("level: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(query: &str) -> Result<Ask, Problem> {
        let uri: Uri = format!("/v1/docs/a?{query}").parse().expect("an address");
        Ask::parse(&uri, Level::CAUSAL, Duration::from_secs(5))
    }

    #[test]
    fn a_query_says_what_is_asked_for() {
        let asked = ask("path=a%2Fb/c%20d&level=bounded-10-500%2Cryw&wait_ms=99999&token=x")
            .expect("valid");
        assert_eq!(asked.path, ["a/b", "c d"]);
        assert_eq!(asked.level, Level::bounded(10, 500).join("ryw".parse().expect("a level")));
        assert_eq!(asked.wait, Duration::from_secs(5));
        let asked = ask("").expect("valid");
        assert_eq!((asked.path.len(), asked.level, asked.floor), (0, Level::CAUSAL, Level::CAUSAL));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let deep = format!("path={}", "a/".repeat(STEPS_MAX));
        for query in ["level=best", "floor=", "wait_ms=soon", "path=%ff", &deep] {
            assert!(ask(query).is_err(), "{query}");
        }
    }
}
