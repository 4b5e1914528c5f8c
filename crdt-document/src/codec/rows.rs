//! The operations of maps, sets and unknown containers: a row each.
//!
//! A row of a map or set begins with a varint whose two lowest bits say what it is; the rest
//! is the number of the key or element in the stream's own table (a number that is new is
//! followed by the name), or, where the bits say *other*, the code of the operation. A row of
//! an unknown container is a code and a payload.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

use crate::numbering::Numbering;
use crate::op::{Extension, Op};
use crate::{Kind, Value};

/// Map: set. Set: add.
const PUT: u64 = 0;
/// Map: remove. Set: discard.
const TAKE: u64 = 1;
/// Map: create.
const CREATE: u64 = 2;
/// Clear, or an extension.
const OTHER: u64 = 3;
const CLEAR: u64 = 0;

/// Writes rows.
#[derive(Debug, Default)]
pub(super) struct RowWriter {
    keys: Numbering<Arc<str>>,
    elements: Numbering<Arc<Value>>,
    out: Writer,
}

impl RowWriter {
    pub(super) fn push(&mut self, kind: Kind, op: &Op) {
        match op {
            Op::Set { key, value } => {
                self.key(key, PUT);
                value.encode(&mut self.out);
            }
            Op::Remove { key } => self.key(key, TAKE),
            Op::Create { key, kind } => {
                self.key(key, CREATE);
                kind.encode(&mut self.out);
            }
            Op::Add { element } => self.element(element, PUT),
            Op::Discard { element } => self.element(element, TAKE),
            Op::Clear => self.out.varint(CLEAR << 2 | OTHER),
            Op::Extension(extension) => {
                let code = u64::from(extension.code);
                let unknown = matches!(kind, Kind::Unknown(_));
                self.out.varint(if unknown { code } else { code << 2 | OTHER });
                self.out.bytes(&extension.payload);
            }
            Op::Increment { .. } | Op::Text(_) => unreachable!("not an operation of {kind}"),
        }
    }

    pub(super) fn finish(self, out: &mut Writer) {
        out.raw(self.out.as_bytes());
    }

    fn key(&mut self, key: &Arc<str>, what: u64) {
        let (number, is_new) = self.keys.number(key);
        self.out.varint(u64::from(number) << 2 | what);
        if is_new {
            self.out.string(key);
        }
    }

    fn element(&mut self, element: &Arc<Value>, what: u64) {
        let (number, is_new) = self.elements.number(element);
        self.out.varint(u64::from(number) << 2 | what);
        if is_new {
            element.encode(&mut self.out);
        }
    }
}

/// Rows that were read once, for well-formedness, and are read again where they are needed:
/// until then a row takes four bytes beside its own.
#[derive(Debug)]
pub(super) struct Rows {
    /// Where each row begins.
    starts: Vec<u32>,
    /// Where each name of the table is.
    names: Vec<u32>,
}

impl Rows {
    /// Reads `count` rows from the front of `input`, whose bytes are kept from position 0 on.
    pub(super) fn read(
        kind: Kind,
        count: u32,
        input: &mut Reader<'_>,
    ) -> Result<Self, DecodeError> {
        let count = count as usize;
        if count > input.remaining() {
            return Err(input.error(DecodeErrorKind::CountTooLarge));
        }
        let mut rows = Self { starts: Vec::with_capacity(count), names: Vec::new() };
        for _ in 0..count {
            rows.starts.push(input.position() as u32);
            rows.skip(kind, input)?;
        }
        Ok(rows)
    }

    fn skip(&mut self, kind: Kind, input: &mut Reader<'_>) -> Result<(), DecodeError> {
        let at = input.position();
        let head = input.varint()?;
        if matches!(kind, Kind::Unknown(_)) {
            u32::try_from(head).map_err(|_| DecodeErrorKind::IntegerTooLarge.at(at))?;
            return input.bytes().map(drop);
        }
        let (number, what) = (head >> 2, head & 3);
        if what == OTHER {
            if number == CLEAR {
                return Ok(());
            }
            u32::try_from(number).map_err(|_| DecodeErrorKind::IntegerTooLarge.at(at))?;
            return input.bytes().map(drop);
        }
        match number.cmp(&(self.names.len() as u64)) {
            core::cmp::Ordering::Less => {}
            core::cmp::Ordering::Equal => {
                self.names.push(input.position() as u32);
                if kind == Kind::Map {
                    input.string()?;
                } else {
                    Value::skip(input)?;
                }
            }
            core::cmp::Ordering::Greater => return Err(DecodeErrorKind::UnknownTableEntry.at(at)),
        }
        match (kind, what) {
            (Kind::Map, PUT) => Value::skip(input),
            (Kind::Map, CREATE) => Kind::decode(input).map(drop),
            (_, CREATE) => Err(DecodeErrorKind::UnknownTag.at(at)),
            _ => Ok(()),
        }
    }

    /// The operation of row `index`, in the bytes that it was read from.
    pub(super) fn op(&self, kind: Kind, index: u32, bytes: &[u8]) -> Op {
        let mut input = Reader::new(&bytes[self.starts[index as usize] as usize..]);
        self.parse(kind, &mut input, bytes).expect("the row was read before")
    }

    fn parse<'a>(
        &self,
        kind: Kind,
        input: &mut Reader<'a>,
        bytes: &'a [u8],
    ) -> Result<Op, DecodeError> {
        let start = bytes.len() - input.remaining();
        let head = input.varint()?;
        if matches!(kind, Kind::Unknown(_)) {
            return extension(head, input);
        }
        let (number, what) = (head >> 2, head & 3);
        match (what, number) {
            (OTHER, CLEAR) => return Ok(Op::Clear),
            (OTHER, code) => return extension(code, input),
            _ => {}
        }
        // The row that introduces a name has it between its head and its value.
        let name = self.names[number as usize] as usize;
        let inline = name == start + input.position();
        let mut elsewhere = Reader::new(&bytes[name..]);
        let source = if inline { &mut *input } else { &mut elsewhere };
        if kind == Kind::Map {
            let key: Arc<str> = source.string()?.into();
            return Ok(match what {
                PUT => Op::Set { key, value: Arc::new(Value::decode(input)?) },
                TAKE => Op::Remove { key },
                _ => Op::Create { key, kind: Kind::decode(input)? },
            });
        }
        let element = Arc::new(Value::decode(source)?);
        Ok(if what == PUT { Op::Add { element } } else { Op::Discard { element } })
    }
}

fn extension(code: u64, input: &mut Reader<'_>) -> Result<Op, DecodeError> {
    let payload = input.bytes()?.into();
    Ok(Op::Extension(Arc::new(Extension { code: code as u32, payload })))
}
