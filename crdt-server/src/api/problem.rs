use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use crdt_causal::level::{Lacking, Refusal};
use crdt_causal::session::TokenError;
use serde_json::{Map, Value, json};

/// Why a request is not answered, as `application/problem+json` (RFC 9457).
#[derive(Debug)]
pub(crate) struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    kind: &'static str,
    detail: String,
    more: Map<String, Value>,
    location: Option<String>,
}

impl Problem {
    pub(super) fn of(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self(Box::new(Inner { status, kind, detail, more: Map::new(), location: None }))
    }

    pub(crate) fn invalid(detail: &str) -> Self {
        Self::of(StatusCode::BAD_REQUEST, "invalid-request", detail)
    }

    pub(super) fn unauthorized(detail: &str) -> Self {
        Self::of(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    /// The room or the server ends: another one may answer.
    pub(crate) fn gone() -> Self {
        let detail = "the document was closed while it was asked for; try again";
        Self::of(StatusCode::SERVICE_UNAVAILABLE, "going-away", detail)
    }

    /// The server has come back after others have trimmed.
    pub(crate) fn catching_up() -> Self {
        let detail = "the server is catching up with the others; try again later, or there";
        Self::of(StatusCode::SERVICE_UNAVAILABLE, "catching-up", detail)
    }

    /// A strong operation that nobody decides now: it was not done, and will not be.
    pub(super) fn strong_unavailable(detail: impl Into<String>) -> Self {
        let detail =
            format!("{}: nothing was done; ask again later, or ask for less", detail.into());
        Self::of(StatusCode::SERVICE_UNAVAILABLE, "strong-unavailable", detail)
    }

    /// A strong operation whose answer was lost.
    pub(super) fn indeterminate(detail: impl Into<String>) -> Self {
        let detail = format!(
            "{}: it may have been carried out, and may still be. Send it again with the same \
             Idempotency-Key, or read what has become of it",
            detail.into()
        );
        Self::of(StatusCode::GATEWAY_TIMEOUT, "indeterminate", detail)
    }

    /// The condition of a strong operation does not hold; `found` is what stands there instead.
    pub(crate) fn condition_failed(found: &str) -> Self {
        let detail = "what stands there is not what was expected, and nothing was done";
        let mut problem = Self::of(StatusCode::CONFLICT, "condition-failed", detail);
        let found = serde_json::from_str(found).unwrap_or(Value::Null);
        problem.0.more.insert("found".to_owned(), found);
        problem
    }

    pub(super) fn busy() -> Self {
        let detail = "too much at once; try again later";
        Self::of(StatusCode::TOO_MANY_REQUESTS, "limit-exceeded", detail)
    }

    /// Others know enough: `urls` are where they answer the same request.
    pub(super) fn elsewhere(urls: Vec<String>) -> Self {
        let detail = "this server does not know enough for the session yet; those in `servers` do";
        let mut problem = Self::of(StatusCode::TEMPORARY_REDIRECT, "redirect", detail);
        problem.0.location = urls.first().cloned();
        problem.0.more.insert("servers".to_owned(), json!(urls));
        problem
    }

    pub(super) fn refused(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            Refusal::Lacking(Lacking::Offline { log, write }) => {
                let mut problem = Self::of(
                    StatusCode::CONFLICT,
                    "offline-writes-missing",
                    format!("{detail}: send it first, by the sync session of its document"),
                );
                let replica = format!("{:032x}", write.replica.as_u128());
                problem.0.more.insert("log".to_owned(), json!(log.0));
                problem.0.more.insert("replica".to_owned(), json!(replica));
                problem.0.more.insert("last".to_owned(), json!(write.seq));
                problem
            }
            Refusal::Lacking(Lacking::Engine) => {
                let detail = "this server has no engine for strong operations: ask for `causal`";
                Self::of(StatusCode::NOT_IMPLEMENTED, "no-engine", detail)
            }
            Refusal::Lacking(_) => {
                let detail = format!("{detail}: ask again later, wait longer, or ask for less");
                Self::of(StatusCode::SERVICE_UNAVAILABLE, "not-yet", detail)
            }
            Refusal::EpochExpired { .. } => Self::session_over(&detail),
            _ => Self::of(StatusCode::SERVICE_UNAVAILABLE, "not-yet", detail),
        }
    }

    pub(super) fn token(error: &TokenError) -> Self {
        let detail = format!("the session token: {error}");
        match error {
            TokenError::EpochExpired { .. }
            | TokenError::UnknownKey(_)
            | TokenError::WrongRealm { .. } => Self::session_over(&detail),
            TokenError::EpochUnknown { .. } => {
                Self::of(StatusCode::SERVICE_UNAVAILABLE, "not-yet", detail)
            }
            _ => Self::of(StatusCode::BAD_REQUEST, "invalid-session-token", detail),
        }
    }

    fn session_over(detail: &str) -> Self {
        let detail = format!("{detail}: begin a new session, without a token");
        Self::of(StatusCode::CONFLICT, "session-over", detail)
    }

    pub(crate) fn conflict(kind: &'static str, detail: impl Into<String>) -> Self {
        Self::of(StatusCode::CONFLICT, kind, detail)
    }

    pub(crate) fn unprocessable(kind: &'static str, detail: impl Into<String>) -> Self {
        Self::of(StatusCode::UNPROCESSABLE_ENTITY, kind, detail)
    }

    /// Which of the operations it is about, from 0.
    pub(crate) fn at(mut self, op: usize) -> Self {
        self.0.more.insert("op".to_owned(), json!(op));
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Inner { status, kind, detail, more, location } = *self.0;
        let mut body = json!({
            "type": format!("urn:crdt-server:{kind}"),
            "title": status.canonical_reason().unwrap_or("problem"),
            "status": status.as_u16(),
            "detail": detail,
        });
        if let Some(body) = body.as_object_mut() {
            body.extend(more);
        }
        let mut response = (status, format!("{body}\n")).into_response();
        let headers = response.headers_mut();
        let problem = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, problem);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Some(location) = location.and_then(|location| location.parse().ok()) {
            headers.insert(header::LOCATION, location);
        }
        response
    }
}
