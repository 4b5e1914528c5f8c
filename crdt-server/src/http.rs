//! The HTTP side: the demo page, the state of health, and the way in to the WebSocket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use crdt_causal::sync::HELLO_BYTES_MAX;
use percent_encoding::percent_decode_str;
use serde_json::json;
use tracing::info;

use crate::api;
use crate::frame::{FRAME_OVERHEAD_BYTES_MAX, SYNC_PATH, TOKENS_QUERY};
use crate::gate::Pass;
use crate::server::Shared;
use crate::static_files;
use crate::trimming::Trimming;
use crate::websocket;

/// The other end of a TCP connection, and its right to be there.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) pass: Arc<Pass>,
}

/// Everything that the server answers to.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .route(SYNC_PATH, any(sync))
        .route("/crdt-wasm/{*path}", get(asset))
        .merge(api::routes(&shared))
        .fallback_service(get(demo))
        .with_state(shared)
}

async fn demo(uri: Uri) -> Response {
    static_files::demo(uri.path())
}

async fn asset(State(shared): State<Arc<Shared>>, Path(path): Path<String>) -> Response {
    static_files::asset(shared.config.assets.clone(), path).await
}

/// 200 while documents are served, 503 once the store has failed or the server shuts down.
async fn health(State(shared): State<Arc<Shared>>) -> Response {
    let failed = shared.store.failed().is_cancelled();
    let (status, word) = match (failed, shared.stopping.is_cancelled()) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "store failed"),
        (false, true) => (StatusCode::SERVICE_UNAVAILABLE, "shutting down"),
        (false, false) => (StatusCode::OK, "ok"),
    };
    let store = shared.store.statistics();
    let (opened, histories) = shared.rooms.opened();
    let place = shared.realm.place();
    let applied = shared.realm.applied();
    let servers = shared.realm.links();
    let trimming = shared.realm.trimming().map(Trimming::health).map(|trimming| {
        json!({
            "horizon_ms": trimming.horizon_ms,
            "looked_at": trimming.looked_at,
            "floor": trimming.floor,
            "floor_age_ms": trimming.floor_age_ms,
            "catching_up": trimming.lags,
            "trimmed_to": trimming.trim,
            "trimmed_documents": trimming.documents,
            "trimmed_events": trimming.events,
            "forgotten_writers": trimming.writers,
        })
    });
    let body = json!({
        "status": word,
        "connections": shared.gate.connections(),
        "documents": shared.rooms.len(),
        "opened": opened,
        "histories_needed": histories,
        "commits": store.commits,
        "writes": store.writes,
        "bytes": store.bytes,
        "outbound_bytes_peak": shared.outbound_peak.bytes(),
        "slot": place.slot.0,
        "epoch": place.epoch.0,
        "position": shared.store.head(),
        "acknowledged_by_all": shared.realm.acknowledged_by_all().min(shared.store.head()),
        "trimming": trimming,
        "strong_authority": shared.config.strong.authority().map(|slot| slot.0),
        "link_frames": shared.links.frames(),
        "servers": servers.into_iter().map(|(slot, acknowledged, is_linked)| json!({
            "slot": slot.0,
            "linked": is_linked,
            "applied": applied.get(slot),
            "acknowledged": acknowledged,
        })).collect::<Vec<_>>(),
    });
    let body = format!("{body}\n");
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// What the server counts, for Prometheus and its like.
async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let text = shared.watching.metrics(&shared);
    ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response()
}

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Checks origin and token before the upgrade: nobody else gets to send a frame.
async fn sync(
    State(shared): State<Arc<Shared>>,
    Extension(peer): Extension<Peer>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let refuse = |status: StatusCode, reason: &str| {
        info!(peer = %peer.address, status = status.as_u16(), reason, "handshake refused");
        (status, format!("{reason}\n")).into_response()
    };
    if shared.stopping.is_cancelled() {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "shutting down");
    }
    if !shared.gate.handshake(&peer.pass, Instant::now()) {
        return refuse(StatusCode::TOO_MANY_REQUESTS, "too many handshakes");
    }
    let Ok(token) = Token::of(&uri, &headers) else {
        return refuse(StatusCode::UNAUTHORIZED, "the token cannot be read");
    };
    let token = token.0;
    if !shared.config.authorization.admits(token.as_deref()) {
        return refuse(StatusCode::UNAUTHORIZED, "the token is unknown");
    }
    if let Err((status, reason)) = admit_origin(&shared, &peer, &headers, token.is_some()) {
        return refuse(status, &reason);
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    // A greeting may be longer than what the limits that it announces allow.
    let message_bytes_max = shared.config.limits.message_bytes_max.max(HELLO_BYTES_MAX);
    let message_bytes_max = message_bytes_max + FRAME_OVERHEAD_BYTES_MAX;
    let tokens = uri.query().unwrap_or("").split('&').any(|pair| pair == TOKENS_QUERY);
    upgrade
        .max_message_size(message_bytes_max)
        .max_frame_size(message_bytes_max)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(WRITE_BUFFER_BYTES + 2 * message_bytes_max)
        .on_upgrade(move |socket| websocket::serve(socket, peer, token, tokens, shared))
}

/// Whether a request of HTTP may come in, by its origin, host and token.
pub(crate) fn admit(
    shared: &Shared,
    peer: &Peer,
    headers: &HeaderMap,
    token: Option<&str>,
) -> Result<(), (StatusCode, String)> {
    if !shared.config.authorization.admits(token) {
        return Err((StatusCode::UNAUTHORIZED, "the token is unknown".to_owned()));
    }
    // One that is sent twice may mean another one elsewhere on the way.
    let host = match texts(headers, header::HOST).as_deref() {
        Some(&[host]) => Some(host),
        _ => return Err((StatusCode::BAD_REQUEST, "one host has to be named".to_owned())),
    };
    if !shared.config.origins.permits_host(host) {
        return Err((StatusCode::FORBIDDEN, "the host is not this machine".to_owned()));
    }
    admit_origin(shared, peer, headers, token.is_some())
}

fn admit_origin(
    shared: &Shared,
    peer: &Peer,
    headers: &HeaderMap,
    has_token: bool,
) -> Result<(), (StatusCode, String)> {
    let Some(origins) = texts(headers, header::ORIGIN) else {
        return Err((StatusCode::FORBIDDEN, "the origin cannot be read".to_owned()));
    };
    let host = texts(headers, header::HOST).and_then(|hosts| hosts.first().copied());
    let checked = shared.config.origins.check(&origins, host, has_token, peer.address.ip());
    checked.map_err(|refusal| {
        let status = match refusal {
            crate::auth::OriginRefusal::TokenRequired => StatusCode::UNAUTHORIZED,
            _ => StatusCode::FORBIDDEN,
        };
        (status, refusal.to_string())
    })
}

/// Small frames are written together up to this size.
const WRITE_BUFFER_BYTES: usize = 32 << 10;

/// The token of a connection, if it brings one: `Authorization: Bearer …` or `?token=…`.
pub(crate) struct Token(pub(crate) Option<Arc<str>>);

impl Token {
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> Result<Self, ()> {
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            let text = value.to_str().map_err(|_| ())?;
            let (scheme, token) = text.split_once(' ').ok_or(())?;
            if !scheme.eq_ignore_ascii_case("bearer") {
                return Err(());
            }
            return Ok(Self(Some(token.trim().into())));
        }
        let pairs = uri.query().unwrap_or("").split('&').filter_map(|pair| pair.split_once('='));
        let mut tokens = pairs.filter(|(name, _)| *name == "token");
        let Some((_, token)) = tokens.next() else { return Ok(Self(None)) };
        let token = percent_decode_str(token).decode_utf8().map_err(|_| ())?;
        Ok(Self(Some(token.as_ref().into())))
    }
}

/// All values of a header, or `None` if one is not visible ASCII.
fn texts(headers: &HeaderMap, name: header::HeaderName) -> Option<Vec<&str>> {
    headers.get_all(name).iter().map(|value| value.to_str().ok()).collect()
}
