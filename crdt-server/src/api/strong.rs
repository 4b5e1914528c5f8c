use std::sync::Arc;

use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use bytes::Bytes;
use crdt_causal::level::engine::Outcome;
use crdt_causal::level::{Lacking, Refusal};
use serde_json::json;
use tokio::time::timeout;
use tracing::debug;

use super::problem::Problem;
use super::session::Achieved;
use super::{Admitted, Asked, respond};
use crate::server::Shared;
use crate::strong::{FORWARDED, Forward, Forwarded, Strong, StrongEngine, StrongOperation};
use crate::watching::By;

/// Passes a strong request on to the authority, if that is another server. `None`: it is to be answered
/// here; where the authority cannot be reached, no better than at its floor.
pub(super) async fn forward(
    shared: &Shared,
    admitted: &mut Admitted,
    method: Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Option<Response>, Problem> {
    let Some(authority) = shared.config.strong.authority().filter(|_| admitted.ask.is_strong())
    else {
        return Ok(None);
    };
    // A planted bug: whoever is asked answers from what it has.
    let is_here = authority == shared.realm.place().slot
        || crdt_core::canary::is_planted("answer-strong-from-a-copy");
    if is_here {
        return Ok(None);
    }
    if headers.contains_key(FORWARDED) {
        let detail = format!("the authority for strong operations is {authority}, not this server");
        return Err(Problem::strong_unavailable(detail));
    }
    let is_read = method == Method::GET;
    let why = match shared.realm.url(authority) {
        Some(url) => {
            let token = admitted.token.as_deref();
            let peer_token = shared.config.peer_token.as_deref();
            let forward = Forward { method, uri, headers, token, peer_token, body };
            let patience = shared.config.limits.strong_timeout + admitted.ask.wait();
            match forward.send(&url, &shared.config.peer_roots, patience).await {
                Forwarded::Answer(answer) => return Ok(Some(answer)),
                Forwarded::Lost(why) if !is_read => return Err(Problem::indeterminate(why)),
                Forwarded::Lost(why) | Forwarded::Unreachable(why) => why,
            }
        }
        None => format!("no link leads to the authority, {authority}"),
    };
    debug!(why, "no strong answer");
    if !admitted.ask.has_weaker_floor() {
        return Err(Problem::strong_unavailable(why));
    }
    admitted.ask = admitted.ask.at_floor();
    Ok(None)
}

/// An engine, and the position that its answer must not be before.
type Question = (Arc<dyn StrongEngine>, u64);

/// The engine that is to decide what was settled as strong, if it is not this server that does.
pub(super) fn engine(shared: &Shared, achieved: &Achieved) -> Result<Option<Question>, Problem> {
    match (achieved.strong, &shared.config.strong) {
        (Some(at_least), Strong::Engine(engine)) => Ok(Some((Arc::clone(engine), at_least))),
        // The session has seen operations of an engine that there was before.
        (Some(position), Strong::Authority(_)) if position > 0 => {
            Err(Problem::refused(Refusal::Lacking(Lacking::Strong { position })))
        }
        _ => Ok(None),
    }
}

/// Asks the engine. `None` if it is unavailable, and less will do.
pub(super) async fn ask(
    shared: &Shared,
    asked: &mut Asked,
    achieved: &Achieved,
    engine: &dyn StrongEngine,
    operation: StrongOperation,
) -> Result<Option<Response>, Problem> {
    let patience = shared.config.limits.strong_timeout + asked.ask.wait();
    let is_read = operation.is_read();
    let outcome = match timeout(patience, engine.run(operation)).await {
        Ok(outcome) => outcome,
        // Whether something was read changes nothing.
        Err(_) if is_read => Outcome::Unavailable,
        Err(_) => Outcome::Indeterminate,
    };
    match outcome {
        Outcome::Committed { position, answer } => {
            asked.session.observe_strong(position);
            if !is_read {
                shared.watching.took(By::Http);
            }
            let body = if is_read {
                json!({"value": answer, "level": achieved.level, "staleness": achieved.staleness})
            } else {
                json!({"result": answer, "position": position, "level": achieved.level})
            };
            respond(shared, &asked.session, &achieved.level, format!("{body}\n")).map(Some)
        }
        Outcome::Conflict { .. } => {
            let detail = "its condition does not hold, and nothing was done";
            Err(Problem::of(StatusCode::CONFLICT, "condition-failed", detail))
        }
        Outcome::Unavailable if asked.ask.has_weaker_floor() => {
            asked.ask = asked.ask.at_floor();
            Ok(None)
        }
        Outcome::Unavailable => Err(Problem::strong_unavailable("the engine does not decide now")),
        Outcome::Indeterminate if is_read => {
            Err(Problem::strong_unavailable("the engine's answer was lost"))
        }
        Outcome::Indeterminate => Err(Problem::indeterminate("the engine's answer was lost")),
    }
}
