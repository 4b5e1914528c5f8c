use axum::extract::ws;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite};

use crate::outbound::Outgoing;

/// What comes from the other side of a link.
#[derive(Debug)]
pub(crate) enum Incoming {
    Frame(Bytes),
    /// Nothing but a sign of life.
    Alive,
    End,
}

/// The reading half of a WebSocket, whoever dialled it. Cancel safe.
pub(crate) trait Inbound: Send {
    fn next(&mut self) -> impl Future<Output = Incoming> + Send;
}

impl Inbound for SplitStream<ws::WebSocket> {
    async fn next(&mut self) -> Incoming {
        match StreamExt::next(self).await {
            Some(Ok(ws::Message::Binary(bytes))) => Incoming::Frame(bytes),
            Some(Ok(ws::Message::Ping(_) | ws::Message::Pong(_))) => Incoming::Alive,
            Some(Ok(ws::Message::Text(_) | ws::Message::Close(_)) | Err(_)) | None => Incoming::End,
        }
    }
}

impl Inbound for SplitStream<WebSocketStream<MaybeTlsStream<TcpStream>>> {
    async fn next(&mut self) -> Incoming {
        use tungstenite::Message;
        match StreamExt::next(self).await {
            Some(Ok(Message::Binary(bytes))) => Incoming::Frame(bytes),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Incoming::Alive,
            Some(Ok(Message::Text(_) | Message::Close(_)) | Err(_)) | None => Incoming::End,
        }
    }
}

/// A message of a WebSocket library.
pub(crate) trait Wire: Send + Sized {
    fn of(outgoing: Outgoing) -> Self;
}

impl Wire for ws::Message {
    fn of(outgoing: Outgoing) -> Self {
        match outgoing {
            Outgoing::Frame(bytes) => Self::Binary(bytes),
            Outgoing::Ping => Self::Ping(Bytes::new()),
            Outgoing::End(frame) => Self::Close(Some(frame)),
        }
    }
}

impl Wire for tungstenite::Message {
    fn of(outgoing: Outgoing) -> Self {
        match outgoing {
            Outgoing::Frame(bytes) => Self::Binary(bytes),
            Outgoing::Ping => Self::Ping(Bytes::new()),
            Outgoing::End(frame) => Self::Close(Some(CloseFrame {
                code: CloseCode::from(frame.code),
                reason: frame.reason.as_str().into(),
            })),
        }
    }
}
