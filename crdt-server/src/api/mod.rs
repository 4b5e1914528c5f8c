//! Reading and writing documents by HTTP, at a consistency level, with a session token.
//!
//! ```text
//! GET  /v1/docs/{id}?path=…&level=…   the value at a path, as JSON
//! POST /v1/docs/{id}/ops?level=…      operations, as one transaction
//! ```
//!
//! What is strong is decided by an authority or an engine ([`crate::strong`]); any other level by [`crdt_causal::level::decide`] and the session by its token, in the
//! header `Session-Token` of the request and of the answer. What is answered was durable here before; what the
//! answer's token says covers everything that it shows. All of it is described in
//! `docs/protocol.md`.

mod ask;
mod cors;
mod ops;
mod problem;
mod session;
mod strong;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Extension, Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use crdt_causal::level::{Level, decide, decide_write};
use crdt_causal::session::Guarantees;
use hmac_sha256::Hash;
use serde_json::json;
use tokio::sync::oneshot;

pub(crate) use ops::{Edit, Refused, Write, WriteAnswer};
pub(crate) use problem::Problem;
pub(crate) use session::Known;

use crate::auth::{Access, Permission};
use crate::frame::is_valid_document_name;
use crate::http::{Peer, Token, admit};
use crate::room::{Input, RoomHandle};
use crate::server::Shared;
use crate::strong::{FORWARDED, StrongOperation};
use crate::watching::{Operation, Request};
use ask::Ask;
use session::Session;

/// The header of the session token, both ways.
const SESSION_TOKEN: &str = "session-token";

/// The header that says which level an answer has achieved.
const CONSISTENCY_LEVEL: &str = "consistency-level";

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The longest idempotency key, in bytes.
const KEY_BYTES_MAX: usize = 255;

/// What the server answers to beside the WebSocket.
pub(crate) fn routes(shared: &Shared) -> Router<Arc<Shared>> {
    let body_max = DefaultBodyLimit::max(shared.config.limits.http_body_bytes_max);
    Router::new()
        .route("/v1/docs/{id}", get(read).options(cors::preflight))
        .route("/v1/docs/{id}/ops", post(write).options(cors::preflight))
        .layer(body_max)
}

/// Who asks, and for what.
struct Admitted {
    permission: Permission,
    token: Option<Arc<str>>,
    document: Arc<str>,
    ask: Ask,
}

/// The same, where it is to be answered here.
struct Asked {
    permission: Permission,
    document: Arc<str>,
    ask: Ask,
    session: Session,
    room: RoomHandle,
}

async fn read(
    State(shared): State<Arc<Shared>>,
    Extension(peer): Extension<Peer>,
    Path(document): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let mut request = Request::begin(Operation::Read);
    let answer = read_or_refuse(&shared, &peer, document, &uri, &headers, &mut request).await;
    let answer = answer.unwrap_or_else(IntoResponse::into_response);
    request.end(answer.status(), &shared.watching);
    cors::open(&shared, &headers, answer)
}

async fn read_or_refuse(
    shared: &Arc<Shared>,
    peer: &Peer,
    document: String,
    uri: &Uri,
    headers: &HeaderMap,
    request: &mut Request,
) -> Result<Response, Problem> {
    let mut admitted = admitted(shared, peer, document, uri, headers, Access::Read)?;
    request.asks(admitted.ask.level());
    let (method, body) = (Method::GET, Bytes::new());
    let forwarded = strong::forward(shared, &mut admitted, method, uri, headers, body).await?;
    if let Some(answer) = forwarded {
        return Ok(answer);
    }
    let mut asked = admitted.enter(shared, headers).await?;
    let mut achieved = asked.session.settle(shared, &asked.room, &asked.ask, uri, decide).await?;
    if let Some((engine, at_least)) = strong::engine(shared, &achieved)? {
        let path = asked.ask.path.clone();
        let document = Arc::clone(&asked.document);
        let operation = StrongOperation::Read { document, path, at_least };
        if let Some(answer) =
            strong::ask(shared, &mut asked, &achieved, &*engine, operation).await?
        {
            return Ok(answer);
        }
        achieved = asked.session.settle(shared, &asked.room, &asked.ask, uri, decide).await?;
    }
    let (reply, answer) = oneshot::channel();
    let path = asked.ask.path.clone();
    asked.room.send(Input::Read { path, reply }).await;
    let value = answer.await.map_err(|_| Problem::gone())??;
    // The state that was shown is durable by now, and numbered.
    let applied = shared.realm.applied();
    shared.watching.answered(asked.session.token(), achieved.promised, &applied);
    if let Some(age_ms) = achieved.age_ms {
        shared.watching.showed(age_ms);
    }
    asked.session.observe_read(&applied);
    let body = format!(
        "{{\"value\":{value},\"level\":{},\"staleness\":{}}}\n",
        json!(achieved.level),
        achieved.staleness
    );
    respond(shared, &asked.session, &achieved.level, body)
}

async fn write(
    State(shared): State<Arc<Shared>>,
    Extension(peer): Extension<Peer>,
    Path(document): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut request = Request::begin(Operation::Write);
    let answer =
        write_or_refuse(&shared, &peer, document, &uri, &headers, body, &mut request).await;
    let answer = answer.unwrap_or_else(IntoResponse::into_response);
    request.end(answer.status(), &shared.watching);
    cors::open(&shared, &headers, answer)
}

async fn write_or_refuse(
    shared: &Arc<Shared>,
    peer: &Peer,
    document: String,
    uri: &Uri,
    headers: &HeaderMap,
    body: Bytes,
    request: &mut Request,
) -> Result<Response, Problem> {
    let mut admitted = admitted(shared, peer, document, uri, headers, Access::Write)?;
    request.asks(admitted.ask.level());
    let is_engines = matches!(shared.config.strong, crate::strong::Strong::Engine(_));
    // What an engine is asked to do is for it to read.
    let parsed = if admitted.ask.is_strong() && is_engines {
        None
    } else {
        let transaction = ops::Transaction::parse(&body)?;
        let is_weak = !admitted.ask.is_strong() || admitted.ask.has_weaker_floor();
        if transaction.is_conditional() && is_weak {
            let detail = "`expect` takes level=strong, and no floor below it";
            return Err(Problem::invalid(detail));
        }
        Some(transaction)
    };
    let key = match headers.get(IDEMPOTENCY_KEY).map(|value| value.as_bytes()) {
        Some(key) if key.is_empty() || key.len() > KEY_BYTES_MAX => {
            return Err(Problem::invalid("an Idempotency-Key has 1 to 255 bytes"));
        }
        key => key.map(|key| digest_of(&admitted.permission, key)),
    };
    let (method, sent) = (Method::POST, body.clone());
    let forwarded = strong::forward(shared, &mut admitted, method, uri, headers, sent).await?;
    if let Some(answer) = forwarded {
        return Ok(answer);
    }
    let mut asked = admitted.enter(shared, headers).await?;
    let mut achieved =
        asked.session.settle(shared, &asked.room, &asked.ask, uri, decide_write).await?;
    if let Some((engine, at_least)) = strong::engine(shared, &achieved)? {
        let document = Arc::clone(&asked.document);
        let operation = StrongOperation::Write { document, body: body.clone(), key, at_least };
        if let Some(answer) =
            strong::ask(shared, &mut asked, &achieved, &*engine, operation).await?
        {
            return Ok(answer);
        }
        achieved = asked.session.settle(shared, &asked.room, &asked.ask, uri, decide_write).await?;
    }
    let transaction = match parsed {
        Some(transaction) => transaction,
        None => ops::Transaction::parse(&body)?,
    };
    let (reply, answer) = oneshot::channel();
    let write = Write {
        permission: asked.permission,
        replica: transaction.replica,
        edits: transaction.ops,
        key,
        request: Hash::hash(&body),
    };
    let is_taken = asked.room.send(Input::Write { write, reply }).await;
    let is_strong = achieved.strong.is_some();
    let answer = answer.await.map_err(|_| match is_strong && is_taken {
        true => Problem::indeterminate("the document was closed meanwhile"),
        false => Problem::gone(),
    });
    let WriteAnswer { events, is_repeated, position } = answer??;
    let applied = shared.realm.applied();
    shared.watching.wrote(asked.session.token(), achieved.promised, &applied);
    asked.session.observe_write(shared.realm.place().slot, position);
    if is_strong {
        // Its conditions have read what is here.
        asked.session.observe_read(&applied);
    }
    let events = events.map(|dots| {
        json!({
            "replica": format!("{:032x}", dots.replica.as_u128()),
            "first": dots.first,
            "last": dots.last,
        })
    });
    let body = json!({
        "events": events,
        "repeated": is_repeated,
        "position": position,
        "level": achieved.level,
    });
    respond(shared, &asked.session, &achieved.level, format!("{body}\n"))
}

/// Lets the request in, as it would a WebSocket, and finds what it is about.
fn admitted(
    shared: &Arc<Shared>,
    peer: &Peer,
    document: String,
    uri: &Uri,
    headers: &HeaderMap,
    access: Access,
) -> Result<Admitted, Problem> {
    if shared.stopping.is_cancelled() {
        return Err(Problem::gone());
    }
    // Another server asks in the name of many.
    let server = headers.get(FORWARDED).and_then(|token| token.to_str().ok());
    let is_server = server.is_some_and(|it| shared.config.authorization.peer(Some(it)).is_some());
    if !is_server && !shared.gate.handshake(&peer.pass, Instant::now()) {
        return Err(Problem::busy());
    }
    let token =
        Token::of(uri, headers).map_err(|()| Problem::unauthorized("the token cannot be read"))?;
    let token = token.0;
    let admitted = admit(shared, peer, headers, token.as_deref());
    admitted.map_err(|(status, reason)| Problem::of(status, "not-admitted", reason))?;
    if !is_valid_document_name(&document) {
        return Err(Problem::invalid(
            "a document's name has 1 to 512 bytes, no control characters and no `*`",
        ));
    }
    let permission = shared.config.authorization.permission(token.as_deref(), &document);
    let permission = permission.filter(|permission| permission.access >= access);
    let permission = permission
        .ok_or_else(|| Problem::unauthorized("no token, or one that does not cover this"))?;
    let limits = &shared.config.limits;
    let ask = Ask::parse(uri, Level::session(Guarantees::ALL), limits.http_wait_max)?;
    Ok(Admitted { permission, token, document: document.into(), ask })
}

impl Admitted {
    /// Opens the document, and the session.
    async fn enter(self, shared: &Shared, headers: &HeaderMap) -> Result<Asked, Problem> {
        let Self { permission, document, ask, .. } = self;
        let text = match headers.get(SESSION_TOKEN).map(|value| value.to_str()) {
            Some(Err(_)) => return Err(Problem::invalid("the session token is not text")),
            Some(Ok(text)) => Some(text),
            None => None,
        };
        let room = shared.rooms.enter(&document).map_err(|_| Problem::busy())?;
        let session = Session::open(shared, &room, text, &document, permission).await?;
        Ok(Asked { permission, document, ask, session, room })
    }
}

fn respond(
    shared: &Shared,
    session: &Session,
    level: &str,
    body: String,
) -> Result<Response, Problem> {
    let mut response = (
        StatusCode::OK,
        [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")],
        body,
    )
        .into_response();
    let headers = response.headers_mut();
    if let Ok(value) = level.parse() {
        headers.insert(CONSISTENCY_LEVEL, value);
    }
    // Without one the client keeps the token that it has, which is still true.
    if let Some(token) = session.attest(shared)
        && let Ok(value) = token.parse()
    {
        headers.insert(SESSION_TOKEN, value);
    }
    Ok(response)
}

/// Who has asked and under which key, for the store: neither can be read back from it.
fn digest_of(permission: &Permission, key: &[u8]) -> [u8; 32] {
    let mut hash = Hash::new();
    match permission.identity {
        crate::auth::Identity::Anonymous => hash.update([0; 32]),
        crate::auth::Identity::Token(owner) => hash.update(owner.digest()),
    }
    hash.update(key);
    hash.finalize()
}
