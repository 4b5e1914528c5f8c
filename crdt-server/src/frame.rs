//! What travels in a WebSocket message: one frame of one channel.
//!
//! One connection carries many documents. Each is a *channel*, numbered by the client; a
//! frame is
//!
//! ```text
//! frame   = channel kind payload              ; one binary WebSocket message
//! channel = varint, at most CHANNEL_MAX       ; chosen by the client, never used again
//! kind    = 0 open | 1 session | 2 close | 3 peer | 4 token ; one byte
//! open    = protocol document flag [token]    ; client → server, first of its channel
//! session = the bytes of one message of the sync session, to the end of the frame
//! close   = reason text                       ; either way, last of its channel
//! peer    = what servers tell each other, to the end of the frame
//! token   = a session token, to the end of the frame ; server → client, where asked for
//! ```
//!
//! `protocol` and `reason` are varints, `document`, `token` and `text` a length in bytes and
//! UTF-8, `flag` is 1 if a token follows, else 0. All varints are canonical LEB128.
//! The server answers an open with the session's first message or with a close. Frames of a
//! channel that is not open are ignored: they were under way when it was closed.
//!
//! A frame adds two bytes to a session message (one for the first 128 channels, one for the
//! kind). The whole protocol is described in `docs/protocol.md`.

use core::fmt;

use crdt_core::codec::{DecodeError, DecodeErrorKind, Reader, Writer};

/// The version of this frame format, sent in every [`FrameBody::Open`].
pub const PROTOCOL_VERSION: u32 = 0;

/// The path at which a server accepts WebSockets that speak this protocol.
pub const SYNC_PATH: &str = "/v1/sync";

/// What the query of the address has to have in it for the server to send session tokens.
/// Servers that do not know it ignore it.
pub const TOKENS_QUERY: &str = "tokens=1";

/// The greatest channel number: three bytes at most.
pub const CHANNEL_MAX: u32 = (1 << 21) - 1;

/// The longest document name, in bytes.
pub const DOCUMENT_NAME_BYTES_MAX: usize = 512;

/// The longest token, in bytes.
pub const TOKEN_BYTES_MAX: usize = 512;

/// The longest explanation in a close frame, in bytes.
pub const CLOSE_TEXT_BYTES_MAX: usize = 256;

/// The most that a frame adds to the session message in it, in bytes.
pub const FRAME_OVERHEAD_BYTES_MAX: usize = 4;

/// One frame: a channel and what is said on it.
///
/// ```
/// use crdt_server::frame::{Frame, FrameBody};
///
/// let frame = Frame { channel: 3, body: FrameBody::Session(b"bytes") };
/// let bytes = frame.encode();
/// assert_eq!(bytes, b"\x03\x01bytes");
/// assert_eq!(Frame::decode(&bytes)?, frame);
/// # Ok::<(), crdt_core::codec::DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The channel.
    pub channel: u32,
    /// What is said on it.
    pub body: FrameBody<'a>,
}

/// The kinds of frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameBody<'a> {
    /// A client asks for a document.
    Open(Open<'a>),
    /// A message of the sync session.
    Session(&'a [u8]),
    /// The channel ends.
    Close(Close<'a>),
    /// What one server tells another, apart from the sessions of documents.
    Peer(&'a [u8]),
    /// The session token of the client, for what it has written and been sent so far. It comes
    /// only on connections that asked for it, with [`TOKENS_QUERY`] in their address.
    Token(&'a [u8]),
}

/// A client's request for a document.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Open<'a> {
    /// The client's [`PROTOCOL_VERSION`].
    pub protocol: u32,
    /// The name of the document.
    pub document: &'a str,
    /// What entitles the client to it, where the server asks for that and the connection
    /// did not bring a token already.
    pub token: Option<&'a str>,
}

/// The end of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close<'a> {
    /// Why, for programs.
    pub reason: CloseReason,
    /// Why, for people; may be empty.
    pub text: &'a str,
}

/// Why a channel was closed.
///
/// A number that this release does not know reads as [`CloseReason::Other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CloseReason {
    /// Its owner is done with the document.
    Done,
    /// The server shuts down or unloads the document: open again later.
    GoingAway,
    /// The token is missing, unknown, or does not cover the document.
    Unauthorized,
    /// The two sides speak different versions of the protocol.
    ProtocolVersion,
    /// The other side broke the protocol.
    ProtocolViolation,
    /// A limit was exceeded: size, number of channels, speed of reading.
    LimitExceeded,
    /// The sync session was refused; its own refusal came before and tells why.
    Refused,
    /// The document could not be served: an internal error, which the server has logged.
    Internal,
    /// The name is empty, too long, or has control characters in it.
    InvalidName,
    /// Something that a later release knows.
    Other(u32),
}

impl Frame<'_> {
    /// The frame's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.varint(u64::from(self.channel));
        match self.body {
            FrameBody::Open(open) => {
                out.u8(KIND_OPEN);
                out.varint(u64::from(open.protocol));
                out.string(open.document);
                out.u8(u8::from(open.token.is_some()));
                if let Some(token) = open.token {
                    out.string(token);
                }
            }
            FrameBody::Session(message) => {
                out.u8(KIND_SESSION);
                out.raw(message);
            }
            FrameBody::Close(close) => {
                out.u8(KIND_CLOSE);
                out.varint(u64::from(close.reason.code()));
                out.string(truncated(close.text, CLOSE_TEXT_BYTES_MAX));
            }
            FrameBody::Peer(message) => {
                out.u8(KIND_PEER);
                out.raw(message);
            }
            FrameBody::Token(token) => {
                out.u8(KIND_TOKEN);
                out.raw(token);
            }
        }
        out.into_bytes()
    }
}

impl<'a> Frame<'a> {
    /// Reads one frame. Allocates nothing: texts and messages are slices of `bytes`.
    ///
    /// # Errors
    ///
    /// Where the bytes are not a frame, or a name, token or text is too long.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        let at = input.position();
        let channel = input.varint_u32()?;
        if channel > CHANNEL_MAX {
            return Err(DecodeErrorKind::OutOfRange.at(at));
        }
        let at = input.position();
        let body = match input.u8()? {
            KIND_OPEN => FrameBody::Open(Open::decode(&mut input)?),
            KIND_SESSION => return Ok(Self { channel, body: FrameBody::Session(input.rest()) }),
            KIND_CLOSE => FrameBody::Close(Close {
                reason: CloseReason::from_code(input.varint_u32()?),
                text: bounded(&mut input, CLOSE_TEXT_BYTES_MAX)?,
            }),
            KIND_PEER => return Ok(Self { channel, body: FrameBody::Peer(input.rest()) }),
            KIND_TOKEN => return Ok(Self { channel, body: FrameBody::Token(input.rest()) }),
            _ => return Err(DecodeErrorKind::UnknownTag.at(at)),
        };
        input.finish()?;
        Ok(Self { channel, body })
    }
}

impl<'a> Open<'a> {
    /// A later version may say more in an open: what follows its version is read only if
    /// the version is ours, and is left unread otherwise.
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let protocol = input.varint_u32()?;
        if protocol != PROTOCOL_VERSION {
            input.take(input.remaining())?;
            return Ok(Self { protocol, document: "", token: None });
        }
        let document = bounded(input, DOCUMENT_NAME_BYTES_MAX)?;
        let at = input.position();
        let token = match input.u8()? {
            0 => None,
            1 => Some(bounded(input, TOKEN_BYTES_MAX)?),
            _ => return Err(DecodeErrorKind::UnknownTag.at(at)),
        };
        Ok(Self { protocol, document, token })
    }
}

// By hand, so that a token never reaches a log.
impl fmt::Debug for Open<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open")
            .field("protocol", &self.protocol)
            .field("document", &self.document)
            .field("token", &self.token.map(|_| "…"))
            .finish()
    }
}

impl CloseReason {
    /// The reason's number on the wire.
    pub const fn code(self) -> u32 {
        match self {
            Self::Done => 0,
            Self::GoingAway => 1,
            Self::Unauthorized => 2,
            Self::ProtocolVersion => 3,
            Self::ProtocolViolation => 4,
            Self::LimitExceeded => 5,
            Self::Refused => 6,
            Self::Internal => 7,
            Self::InvalidName => 8,
            Self::Other(code) => code,
        }
    }

    /// The reason with this number.
    pub const fn from_code(code: u32) -> Self {
        match code {
            0 => Self::Done,
            1 => Self::GoingAway,
            2 => Self::Unauthorized,
            3 => Self::ProtocolVersion,
            4 => Self::ProtocolViolation,
            5 => Self::LimitExceeded,
            6 => Self::Refused,
            7 => Self::Internal,
            8 => Self::InvalidName,
            code => Self::Other(code),
        }
    }

    /// Whether opening the document again, after a pause, may go better.
    pub const fn is_worth_a_retry(self) -> bool {
        matches!(self, Self::GoingAway | Self::LimitExceeded | Self::Internal)
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::GoingAway => f.write_str("going away"),
            Self::Unauthorized => f.write_str("unauthorized"),
            Self::ProtocolVersion => f.write_str("unsupported protocol version"),
            Self::ProtocolViolation => f.write_str("protocol violation"),
            Self::LimitExceeded => f.write_str("limit exceeded"),
            Self::Refused => f.write_str("session refused"),
            Self::Internal => f.write_str("internal error"),
            Self::InvalidName => f.write_str("invalid document name"),
            Self::Other(code) => write!(f, "reason {code}"),
        }
    }
}

/// Whether a document may have this name: 1 to [`DOCUMENT_NAME_BYTES_MAX`] bytes, no control
/// characters, and no `*`, which stands for a prefix where tokens are granted.
pub fn is_valid_document_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= DOCUMENT_NAME_BYTES_MAX
        && !name.chars().any(|c| c.is_control() || c == '*')
}

const KIND_OPEN: u8 = 0;
const KIND_SESSION: u8 = 1;
const KIND_CLOSE: u8 = 2;
const KIND_PEER: u8 = 3;
const KIND_TOKEN: u8 = 4;

fn bounded<'a>(input: &mut Reader<'a>, bytes_max: usize) -> Result<&'a str, DecodeError> {
    let at = input.position();
    let text = input.string()?;
    if text.len() > bytes_max { Err(DecodeErrorKind::InputTooLong.at(at)) } else { Ok(text) }
}

fn truncated(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(body: FrameBody<'_>) -> Vec<u8> {
        let frame = Frame { channel: 300, body };
        let bytes = frame.encode();
        assert_eq!(Frame::decode(&bytes), Ok(frame));
        for len in 0..bytes.len() {
            if let Ok(shorter) = Frame::decode(&bytes[..len]) {
                let open_ended = matches!(
                    shorter.body,
                    FrameBody::Session(_) | FrameBody::Peer(_) | FrameBody::Token(_)
                );
                assert!(open_ended, "{shorter:?}");
            }
        }
        bytes
    }

    #[test]
    fn each_kind_round_trips() {
        let open = Open { protocol: PROTOCOL_VERSION, document: "notes/ä", token: None };
        round_trip(FrameBody::Open(open));
        round_trip(FrameBody::Open(Open { token: Some("t0ken"), ..open }));
        round_trip(FrameBody::Session(b""));
        round_trip(FrameBody::Session(&[0xff; 100]));
        round_trip(FrameBody::Peer(b"greeting"));
        round_trip(FrameBody::Token(b"token"));
        for code in 0..20 {
            let reason = CloseReason::from_code(code);
            assert_eq!(reason.code(), code);
            round_trip(FrameBody::Close(Close { reason, text: "why" }));
        }
    }

    #[test]
    fn bytes_are_as_documented() {
        let open = Open { protocol: 0, document: "n", token: Some("t") };
        let frame = Frame { channel: 1, body: FrameBody::Open(open) };
        assert_eq!(frame.encode(), [1, 0, 0, 1, b'n', 1, 1, b't']);
        let close = Close { reason: CloseReason::Unauthorized, text: "no" };
        let frame = Frame { channel: 0x80, body: FrameBody::Close(close) };
        assert_eq!(frame.encode(), [0x80, 1, 2, 2, 2, b'n', b'o']);
    }

    #[test]
    fn an_open_of_another_version_is_understood_as_far_as_its_version() {
        let frame = Frame::decode(&[1, 0, 9, 0xff, 0xff]).expect("the version is readable");
        assert!(matches!(frame.body, FrameBody::Open(Open { protocol: 9, .. })));
    }

    #[test]
    fn hostile_frames_are_refused() {
        let long_name = "n".repeat(DOCUMENT_NAME_BYTES_MAX + 1);
        let open = Open { protocol: PROTOCOL_VERSION, document: &long_name, token: None };
        let long = Frame { channel: 0, body: FrameBody::Open(open) }.encode();
        assert_eq!(Frame::decode(&long).map_err(|e| e.kind), Err(DecodeErrorKind::InputTooLong));
        for (bytes, kind) in [
            (&[][..], DecodeErrorKind::UnexpectedEnd),
            (&[0x80, 0x80, 0x80, 1, 1], DecodeErrorKind::OutOfRange),
            (&[0x80, 0, 1], DecodeErrorKind::VarintNotCanonical),
            (&[0, 5], DecodeErrorKind::UnknownTag),
            (&[0, 0, 0, 0, 2], DecodeErrorKind::UnknownTag),
            (&[0, 0, 0, 1, 0xff, 0], DecodeErrorKind::NotUtf8),
            (&[0, 0, 0, 0x80, 0x80, 0x80, 0x80, 8], DecodeErrorKind::CountTooLarge),
            (&[0, 2, 0, 0, 0], DecodeErrorKind::TrailingBytes),
        ] {
            assert_eq!(Frame::decode(bytes).map_err(|error| error.kind), Err(kind), "{bytes:?}");
        }
    }

    #[test]
    fn names() {
        for good in ["a", "notes", "teams/1/notes", "ä ö", &"x".repeat(DOCUMENT_NAME_BYTES_MAX)] {
            assert!(is_valid_document_name(good), "{good}");
        }
        for bad in ["", "a\n", "\0", "*", "a/*", &"x".repeat(DOCUMENT_NAME_BYTES_MAX + 1)] {
            assert!(!is_valid_document_name(bad), "{bad}");
        }
    }

    #[test]
    fn tokens_are_not_printed() {
        let open = Open { protocol: 0, document: "n", token: Some("secret") };
        assert!(!format!("{open:?}").contains("secret"));
    }

    #[test]
    fn a_long_explanation_is_cut_at_a_character() {
        let text = "ä".repeat(CLOSE_TEXT_BYTES_MAX);
        let body = FrameBody::Close(Close { reason: CloseReason::Done, text: &text });
        let bytes = Frame { channel: 0, body }.encode();
        assert!(Frame::decode(&bytes).is_ok());
    }
}
