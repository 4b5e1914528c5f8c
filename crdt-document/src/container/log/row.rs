//! An operation as bytes in memory.
//!
//! It begins with a varint: the operation's code in the four lowest bits, above it a number.
//! Where an operation has a key or an element, that is its number among the log's names. The
//! bytes are nobody else's, so that reading them cannot fail.

use alloc::sync::Arc;

use crdt_core::codec::{Decode, DecodeError, Encode, Reader, Writer};

use super::names::Names;
use crate::op::{Extension, Op, OwnedTextOp};
use crate::{Kind, Value};

const SET: u8 = 0;
const REMOVE: u8 = 1;
const CREATE: u8 = 2;
const ADD: u8 = 3;
const DISCARD: u8 = 4;
const INCREMENT: u8 = 5;
const CLEAR: u8 = 6;
const EXTENSION: u8 = 7;
/// With a code up to [`DISCARD`]: the name was not used before.
const INTRODUCES: u8 = 8;
const TEXT_INSERT: u8 = 13;
const TEXT_DELETE: u8 = 14;
const TEXT_CLEAR: u8 = 15;
const CODE_BITS: u32 = 4;

/// What is found out about an operation by reading over it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outline {
    /// How many events did it.
    pub(super) len: u32,
    /// Whether it is the first to use a name.
    pub(super) introduces: bool,
}

/// Writes what `len` events each did, or, for an edit of a text, did together.
pub(super) fn write(op: &Op, len: u32, names: &mut Names, out: &mut Writer) {
    let named = |code: u8, (number, introduces): (u32, bool)| {
        (if introduces { code | INTRODUCES } else { code }, number)
    };
    let (code, number) = match op {
        Op::Set { key, .. } => named(SET, names.key_number(key)),
        Op::Remove { key } => named(REMOVE, names.key_number(key)),
        Op::Create { key, .. } => named(CREATE, names.key_number(key)),
        Op::Add { element } => named(ADD, names.element_number(element)),
        Op::Discard { element } => named(DISCARD, names.element_number(element)),
        Op::Increment { .. } => (INCREMENT, len),
        Op::Clear => (CLEAR, len),
        Op::Extension(extension) => (EXTENSION, extension.code),
        Op::Text(edit) => match **edit {
            OwnedTextOp::Insert { at, .. } => (TEXT_INSERT, at),
            OwnedTextOp::Delete { at, .. } => (TEXT_DELETE, at),
            OwnedTextOp::Clear { len } => (TEXT_CLEAR, len),
        },
    };
    out.varint(u64::from(number) << CODE_BITS | u64::from(code));
    match op {
        Op::Set { value, .. } => value.encode(out),
        Op::Create { kind, .. } => kind.encode(out),
        Op::Increment { amount } => out.signed(*amount),
        Op::Extension(extension) => out.bytes(&extension.payload),
        Op::Text(edit) => match &**edit {
            OwnedTextOp::Insert { content, .. } => out.string(content),
            OwnedTextOp::Delete { len, forward, .. } => {
                out.varint(u64::from(*len) << 1 | u64::from(*forward));
            }
            OwnedTextOp::Clear { .. } => {}
        },
        Op::Remove { .. } | Op::Add { .. } | Op::Discard { .. } | Op::Clear => {}
    }
}

/// Reads an operation, and how many events did it.
pub(super) fn read(input: &mut Reader<'_>, names: &Names) -> (u32, Op) {
    held(try_read(input, names))
}

fn try_read(input: &mut Reader<'_>, names: &Names) -> Result<(u32, Op), DecodeError> {
    let (code, number) = head(input)?;
    let text = |edit: OwnedTextOp| Op::Text(Arc::new(edit));
    Ok(match code {
        TEXT_INSERT => {
            let content = input.string()?;
            let insert = OwnedTextOp::Insert { at: number, content: content.into() };
            (content.chars().count() as u32, text(insert))
        }
        TEXT_DELETE => {
            let word = input.varint()?;
            let (len, forward) = ((word >> 1) as u32, word & 1 == 1);
            (len, text(OwnedTextOp::Delete { at: number, len, forward }))
        }
        TEXT_CLEAR => (number, text(OwnedTextOp::Clear { len: number })),
        INCREMENT => (number, Op::Increment { amount: input.signed()? }),
        CLEAR => (number, Op::Clear),
        EXTENSION => {
            let payload = input.bytes()?.into();
            (1, Op::Extension(Arc::new(Extension { code: number, payload })))
        }
        code => {
            let op = match code & !INTRODUCES {
                SET => {
                    let value = Arc::new(Value::decode(input)?);
                    Op::Set { key: names.key(number), value }
                }
                REMOVE => Op::Remove { key: names.key(number) },
                CREATE => Op::Create { key: names.key(number), kind: Kind::decode(input)? },
                ADD => Op::Add { element: names.element(number) },
                _ => Op::Discard { element: names.element(number) },
            };
            (1, op)
        }
    })
}

/// Reads over an operation.
pub(super) fn skip(input: &mut Reader<'_>) -> Outline {
    held(try_skip(input))
}

fn try_skip(input: &mut Reader<'_>) -> Result<Outline, DecodeError> {
    let (code, number) = head(input)?;
    let len = match code {
        TEXT_INSERT => input.string()?.chars().count() as u32,
        TEXT_DELETE => (input.varint()? >> 1) as u32,
        TEXT_CLEAR | CLEAR => number,
        INCREMENT => input.signed().map(|_| number)?,
        EXTENSION => input.bytes().map(|_| 1)?,
        code => {
            match code & !INTRODUCES {
                SET => Value::skip(input)?,
                CREATE => drop(Kind::decode(input)?),
                _ => {}
            }
            return Ok(Outline { len: 1, introduces: code & INTRODUCES != 0 });
        }
    };
    Ok(Outline { len, introduces: false })
}

fn head(input: &mut Reader<'_>) -> Result<(u8, u32), DecodeError> {
    let word = input.varint()?;
    Ok((word as u8 & ((1 << CODE_BITS) - 1), (word >> CODE_BITS) as u32))
}

/// What was read from bytes that were written here.
pub(super) fn held<T>(read: Result<T, DecodeError>) -> T {
    read.expect("a log can be read")
}
