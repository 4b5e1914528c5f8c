use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::server::Shared;

/// Lets the page that asks read the answer, if it may connect at all.
pub(super) fn open(shared: &Shared, request: &HeaderMap, mut response: Response) -> Response {
    let Some(origin) = allowed(shared, request) else { return response };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Session-Token, Consistency-Level, Retry-After"),
    );
    response
}

/// Answers what a browser asks before it asks.
pub(super) async fn preflight(State(shared): State<Arc<Shared>>, request: HeaderMap) -> Response {
    const ALLOWED: [(HeaderName, &str); 3] = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Authorization, Content-Type, Session-Token, Idempotency-Key",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    if allowed(&shared, &request).is_none() {
        return StatusCode::FORBIDDEN.into_response();
    }
    open(&shared, &request, (StatusCode::NO_CONTENT, ALLOWED).into_response())
}

fn allowed(shared: &Shared, request: &HeaderMap) -> Option<HeaderValue> {
    let origin = request.get(header::ORIGIN)?;
    let host = request.get(header::HOST).and_then(|host| host.to_str().ok());
    let text = origin.to_str().ok()?;
    shared.config.origins.allows(text, host).then(|| origin.clone())
}
