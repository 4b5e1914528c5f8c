use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tracing::{Instrument, debug, info, info_span, warn};

use super::greet::{self, Ended, Side};
use crate::backoff::Backoff;
use crate::config::PeerAddress;
use crate::frame::FRAME_OVERHEAD_BYTES_MAX;
use crate::outbound::Outbound;
use crate::server::Shared;
use crate::tls::Unconnected;
use crate::websocket;

/// Keeps a link with the server at `address` until this one stops.
pub(crate) async fn keep_dialling(shared: Arc<Shared>, address: PeerAddress) {
    let span = info_span!("peer", url = address.url());
    let dialling = async {
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        let mut was_met = false;
        while !shared.stopping.is_cancelled() {
            let ended = dial(&shared, &address, was_met).await;
            match &ended {
                Ok(Ended::Worked(_) | Ended::Redundant { .. }) => {
                    backoff.reset();
                    was_met = true;
                }
                Ok(Ended::Refused(reason)) => warn!(reason, "the link was refused"),
                Ok(Ended::Broken(reason)) => debug!(reason, "the link broke"),
                Err(error) => info!(error, "cannot be reached"),
            }
            let pause = async {
                if let Ok(Ended::Redundant { remote }) = ended {
                    // The other one dials, too: there is nothing to do until that link ends.
                    while shared.links.is_linked(remote) {
                        let _ = timeout(LONGEST_PAUSE, shared.links.an_end()).await;
                    }
                }
                tokio::time::sleep(backoff.pause()).await;
            };
            // A link itself is not cut off: it ends in order when the server stops.
            tokio::select! {
                () = pause => {}
                () = shared.stopping.cancelled() => {}
            }
        }
    };
    dialling.instrument(span).await;
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// A server that comes back is to be found soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

async fn dial(shared: &Arc<Shared>, address: &PeerAddress, was_met: bool) -> Result<Ended, String> {
    let limits = shared.config.limits.clone();
    let (host, is_encrypted) = address.host();
    let wrong = |error: tungstenite::Error| error.to_string();
    let mut request = address.url().into_client_request().map_err(wrong)?;
    if let Some(token) = &shared.config.peer_token {
        let bearer = format!("Bearer {token}").parse::<HeaderValue>();
        let mut bearer = bearer.map_err(|error| error.to_string())?;
        bearer.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
    }
    // What it may send is what this one announces, in the greetings of the sessions.
    let message_bytes_max =
        limits.message_bytes_max.max(crdt_causal::sync::HELLO_BYTES_MAX) + FRAME_OVERHEAD_BYTES_MAX;
    let config = WebSocketConfig::default()
        .max_message_size(Some(message_bytes_max))
        .max_frame_size(Some(message_bytes_max));
    let connecting = async {
        let stream = shared.config.peer_roots.connect(host, is_encrypted).await?;
        let upgrading = tokio_tungstenite::client_async_with_config(request, stream, Some(config));
        Ok::<_, Box<dyn Error + Send + Sync>>(upgrading.await?)
    };
    let connected = tokio::select! {
        connected = timeout(CONNECT_TIMEOUT, connecting) => connected,
        () = shared.stopping.cancelled() => return Ok(Ended::Broken("shutting down")),
    };
    let Ok(connected) = connected else { return Ok(Ended::Broken("no answer")) };
    let (sink, stream) = match connected {
        Ok((socket, _)) => socket.split(),
        Err(error) => {
            let reason = error.downcast_ref::<Unconnected>().filter(|it| it.is_for_people());
            return reason.map_or(Err(error.to_string()), |it| Ok(Ended::Refused(it.to_string())));
        }
    };
    let (outbound, queue) =
        Outbound::new(limits.outbound_bytes_max, Arc::clone(&shared.outbound_peak));
    let writing = websocket::write(sink, queue, Arc::clone(&outbound), limits);
    let writing = tokio::spawn(writing.in_current_span());
    let by_force = writing.abort_handle();
    let side = Side::Dialled { url: address.public_url(), was_met };
    let ended = greet::run(Arc::clone(shared), side, stream, Arc::clone(&outbound)).await;
    greet::close(&outbound, &ended);
    if timeout(CLOSE_TIMEOUT, writing).await.is_err() {
        by_force.abort();
    }
    Ok(ended)
}

const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
