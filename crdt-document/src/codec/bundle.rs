//! Changes for a file or a single message: with magic, version, genesis and checksum, and
//! with tables of their own.

use alloc::vec::Vec;
use core::ops::Range;

use crdt_causal::sync::{ReceiveTables, SendTables};
use crdt_core::causality::Lv;
use crdt_core::codec::{DecodeError, DecodeErrorKind, Limits, Reader, Writer, open, seal};

use super::body::{self, Body};
use crate::Genesis;
use crate::state::State;

const MAGIC: [u8; 4] = *b"CRDd";
const VERSION: u8 = 0;

/// Writes the changes of `ranges`, which is an order that causality allows, and with `base` what
/// they follow.
pub(crate) fn write(
    state: &State,
    genesis: Genesis,
    base: Option<&[u8]>,
    ranges: &[Range<Lv>],
) -> Vec<u8> {
    let mut out = Writer::new();
    out.u8(VERSION);
    out.raw(genesis.as_bytes());
    body::write(state, base, ranges, &mut SendTables::new(), &mut out);
    seal(MAGIC, out.as_bytes())
}

/// Reads a bundle.
pub(crate) fn read(bytes: &[u8]) -> Result<(Genesis, Body), DecodeError> {
    let mut input = open(MAGIC, Reader::with_limits(bytes, Limits::DEFAULT)?)?;
    let at = input.position();
    if input.u8()? != VERSION {
        return Err(DecodeErrorKind::UnknownVersion.at(at));
    }
    let genesis = Genesis::from_bytes(input.array()?);
    let body = Body::read(&mut input, &mut ReceiveTables::new())?;
    input.finish()?;
    Ok((genesis, body))
}
