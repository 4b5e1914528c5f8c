//! Errors as JavaScript sees them: an `Error` with a `code` to branch on.

use alloc::string::ToString;
use core::fmt::Display;

use crdt_causal::sync::{Refusal, SessionError};
use crdt_core::codec::{DecodeError, DecodeErrorKind};
use crdt_core::sequence::TextError;
use crdt_document::{EditError, ImportError, PresenceFull};
use js_sys::{Error, Reflect};
use wasm_bindgen::JsValue;

/// An error on its way to JavaScript, where it is an `Error` named `CrdtError` with a `code`.
#[derive(Debug)]
pub struct Thrown(Error);

impl Thrown {
    pub(crate) fn new(code: &str, message: &str) -> Self {
        let error = Error::new(message);
        error.set_name("CrdtError");
        // Setting a property of an object that was just made cannot fail.
        let _ = Reflect::set(&error, &"code".into(), &code.into());
        Self(error)
    }

    fn of(code: &str, error: &impl Display) -> Self {
        Self::new(code, &error.to_string())
    }
}

impl From<Thrown> for JsValue {
    fn from(thrown: Thrown) -> Self {
        thrown.0.into()
    }
}

impl From<DecodeError> for Thrown {
    fn from(error: DecodeError) -> Self {
        Self::of(decode_code(&error), &error)
    }
}

impl From<TextError> for Thrown {
    fn from(error: TextError) -> Self {
        Self::of(text_code(&error), &error)
    }
}

impl From<EditError> for Thrown {
    fn from(error: EditError) -> Self {
        let code = match &error {
            EditError::Text(error) => text_code(error),
            EditError::CounterOverflow(_) => "overflow",
            EditError::ValueTooDeep => "argument",
            EditError::Unsupported(_) => "unsupported",
            EditError::PathTooLong | EditError::Full(_) => "limit",
            _ => "transaction",
        };
        Self::of(code, &error)
    }
}

impl From<ImportError> for Thrown {
    fn from(error: ImportError) -> Self {
        Self::of(import_code(&error), &error)
    }
}

impl From<PresenceFull> for Thrown {
    fn from(error: PresenceFull) -> Self {
        Self::of("limit", &error)
    }
}

impl From<SessionError<ImportError>> for Thrown {
    fn from(error: SessionError<ImportError>) -> Self {
        let code = match &error {
            SessionError::Decode(error) => decode_code(error),
            SessionError::Import(error) => import_code(error),
            SessionError::UnrelatedGenesis { .. } => "unrelated",
            SessionError::Trimmed => "trimmed",
            SessionError::ProtocolVersion { .. } => "unsupported",
            _ => "protocol",
        };
        Self::of(code, &error)
    }
}

/// The peer has said that it will not go on.
impl From<Refusal> for Thrown {
    fn from(refusal: Refusal) -> Self {
        let code = match &refusal {
            Refusal::UnrelatedGenesis => "unrelated",
            Refusal::ProtocolVersion { .. } => "unsupported",
            Refusal::Equivocation { .. } => "equivocation",
            Refusal::Trimmed => "trimmed",
            // What another connection, or a pause, may mend.
            Refusal::Overloaded
            | Refusal::WindowExceeded
            | Refusal::InvalidMessage
            | Refusal::MessageTooLarge { .. } => "protocol",
            _ => "refused",
        };
        Self::of(code, &refusal)
    }
}

fn decode_code(error: &DecodeError) -> &'static str {
    match error.kind {
        DecodeErrorKind::UnknownVersion => "unsupported",
        _ => "decode",
    }
}

fn text_code(error: &TextError) -> &'static str {
    match error {
        TextError::InsideCodePoint { .. } => "surrogate",
        TextError::OutOfBounds { .. } => "position",
        _ => "limit",
    }
}

fn import_code(error: &ImportError) -> &'static str {
    match error {
        ImportError::Decode(error) => decode_code(error),
        ImportError::UnrelatedGenesis { .. } => "unrelated",
        ImportError::Missing(_) => "missing",
        ImportError::Equivocation { .. } => "equivocation",
        ImportError::BeforeTrim(_) | ImportError::HistoryNeeded(_) => "trimmed",
        ImportError::Full(_) => "limit",
        ImportError::TransactionOpen => "transaction",
        _ => "decode",
    }
}
