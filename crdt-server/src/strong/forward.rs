use std::time::Duration;

use axum::body::Body;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use bytes::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout_at};

use crate::tls::PeerRoots;

/// The header of a request that a server passes on to the authority. It goes one step: who gets it
/// and is not the authority refuses.
pub(crate) const FORWARDED: HeaderName = HeaderName::from_static("strong-forwarded");

/// Of a client's request what the authority has to know.
const SENT: [HeaderName; 3] = [
    header::CONTENT_TYPE,
    HeaderName::from_static("session-token"),
    HeaderName::from_static("idempotency-key"),
];

/// Of the authority's answer what the client has to know.
const RETURNED: [HeaderName; 5] = [
    header::CONTENT_TYPE,
    header::CACHE_CONTROL,
    header::RETRY_AFTER,
    HeaderName::from_static("session-token"),
    HeaderName::from_static("consistency-level"),
];

/// The longest answer to a change.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// A request on its way to the authority.
pub(crate) struct Forward<'a> {
    pub(crate) method: Method,
    /// What the client asked for.
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    /// What the client may do.
    pub(crate) token: Option<&'a str>,
    /// What this server may do, so that it is not taken for a client that asks a lot.
    pub(crate) peer_token: Option<&'a str>,
    pub(crate) body: Bytes,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Forwarded {
    /// The authority has answered, whatever it says.
    Answer(Response<Body>),
    /// It got nowhere: nothing was done, nor will be.
    Unreachable(String),
    /// It was sent, and there is no answer: nobody knows whether it was carried out.
    Lost(String),
}

impl Forward<'_> {
    /// Asks the server at `url`, for so long. A connection for each request: where the connection
    /// breaks it is then known which one has lost its answer.
    pub(crate) async fn send(self, url: &str, roots: &PeerRoots, patience: Duration) -> Forwarded {
        let deadline = Instant::now() + patience;
        let unreachable = |what: &str| Forwarded::Unreachable(format!("{url}: {what}"));
        let (host, is_encrypted) = match url.split_once("://") {
            Some(("http", host)) => (host, false),
            Some(("https", host)) => (host, true),
            _ => return unreachable("it is not an address of HTTP"),
        };
        let request = match self.request(host) {
            Ok(request) => request,
            Err(error) => return unreachable(&error.to_string()),
        };
        let is_read = request.method() == Method::GET;
        let connecting = async {
            let stream = roots.connect(host, is_encrypted).await.map_err(|e| e.to_string())?;
            http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())
        };
        let (mut sender, connection) = match timeout_at(deadline, connecting).await {
            Ok(Ok(connected)) => connected,
            Ok(Err(error)) => return unreachable(&error),
            Err(_) => return unreachable("no connection in time"),
        };
        // It ends with the answer, or when nobody waits for that any more.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        let lost = |what: String| Forwarded::Lost(format!("{url}: {what}"));
        let answer = match timeout_at(deadline, sender.send_request(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return lost(error.to_string()),
            Err(_) => return lost("no answer in time".to_owned()),
        };
        let (parts, body) = answer.into_parts();
        let body = if is_read {
            // As it comes: half an answer to a read is none, and the client notices.
            Body::new(body)
        } else {
            let whole = axum::body::to_bytes(Body::new(body), ANSWER_BYTES_MAX);
            match timeout_at(deadline, whole).await {
                Ok(Ok(whole)) => Body::from(whole),
                Ok(Err(error)) => return lost(error.to_string()),
                Err(_) => return lost("half an answer in time".to_owned()),
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = parts.status;
        copy(&RETURNED, &parts.headers, response.headers_mut());
        Forwarded::Answer(response)
    }

    fn request(self, host: &str) -> Result<Request<Body>, axum::http::Error> {
        let path = self.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let mut request = Request::builder().method(self.method).uri(without_token(path));
        if let Some(headers) = request.headers_mut() {
            copy(&SENT, self.headers, headers);
            headers.insert(header::HOST, HeaderValue::from_str(host)?);
            let mut credential = |name: HeaderName, text: &str| {
                let mut value = HeaderValue::from_str(text)?;
                value.set_sensitive(true);
                headers.insert(name, value);
                Ok::<_, axum::http::Error>(())
            };
            if let Some(token) = self.token {
                credential(header::AUTHORIZATION, &format!("Bearer {token}"))?;
            }
            credential(FORWARDED, self.peer_token.unwrap_or_default())?;
        }
        request.body(Body::from(self.body))
    }
}

fn copy(names: &[HeaderName], from: &HeaderMap, to: &mut HeaderMap) {
    for name in names {
        if let Some(value) = from.get(name) {
            to.insert(name.clone(), value.clone());
        }
    }
}

/// The token goes in its header, not where it would stand in logs.
fn without_token(path: &str) -> String {
    let Some((path, query)) = path.split_once('?') else { return path.to_owned() };
    let pairs = query.split('&').filter(|pair| !pair.starts_with("token="));
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_does_not_travel_in_the_address() {
        for (path, expected) in [
            ("/v1/docs/a", "/v1/docs/a"),
            ("/v1/docs/a?token=secret&level=strong", "/v1/docs/a?level=strong"),
            ("/v1/docs/a?level=strong&token=secret", "/v1/docs/a?level=strong"),
            ("/v1/docs/a?level=strong&path=token=1", "/v1/docs/a?level=strong&path=token=1"),
        ] {
            assert_eq!(without_token(path), expected);
        }
    }

    /// Where nobody listens nothing was done, and that is said; where somebody hangs up, nobody knows.
    #[tokio::test]
    async fn what_got_nowhere_is_told_from_what_was_lost() {
        let uri = Uri::from_static("/v1/docs/a/ops?level=strong");
        let headers = HeaderMap::new();
        let forward = || Forward {
            method: Method::POST,
            uri: &uri,
            headers: &headers,
            token: None,
            peer_token: None,
            body: Bytes::from_static(b"{}"),
        };
        let patience = Duration::from_secs(5);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let hangs_up = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("somebody comes");
            stream.readable().await.expect("they ask");
        });
        let lost = forward().send(&url, &PeerRoots::system(), patience).await;
        assert!(matches!(lost, Forwarded::Lost(_)), "{lost:?}");
        hangs_up.await.expect("no panic");
        // Nobody listens there any more.
        let unreachable = forward().send(&url, &PeerRoots::system(), patience).await;
        assert!(matches!(unreachable, Forwarded::Unreachable(_)), "{unreachable:?}");
    }
}
