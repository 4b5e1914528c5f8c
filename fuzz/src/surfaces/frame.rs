//! The frames in which a WebSocket carries the sessions of many documents.

use crdt_server::frame::{Close, CloseReason, Frame, FrameBody, Open, PROTOCOL_VERSION};

use crate::memory::bounded;

/// What is read is written again as the same bytes, except of an open in a version of the
/// protocol that is not ours, of which nothing but the version is read.
pub fn run(bytes: &[u8]) {
    let Ok(frame) = bounded(bytes.len(), || Frame::decode(bytes)) else { return };
    match frame.body {
        FrameBody::Open(open) if open.protocol != PROTOCOL_VERSION => {
            assert!(open.document.is_empty() && open.token.is_none());
        }
        _ => assert_eq!(frame.encode(), bytes, "a frame has another encoding than this"),
    }
}

/// One frame of each kind.
pub fn seeds() -> Vec<Vec<u8>> {
    let open = Open { protocol: PROTOCOL_VERSION, document: "notes/ä", token: None };
    let close = Close { reason: CloseReason::Unauthorized, text: "no" };
    [
        FrameBody::Open(open),
        FrameBody::Open(Open { token: Some("0123456789abcdef"), ..open }),
        FrameBody::Open(Open { protocol: 300, document: "", token: None }),
        FrameBody::Session(b""),
        FrameBody::Session(&[1, 1, 0x80, 0xff]),
        FrameBody::Peer(&[2, 1, 0, 7]),
        FrameBody::Token(b"token"),
        FrameBody::Close(close),
        FrameBody::Close(Close { reason: CloseReason::Other(77), text: "" }),
    ]
    .into_iter()
    .flat_map(|body| [0, 300].map(|channel| Frame { channel, body }.encode()))
    .collect()
}
