//! The bounded codec under every wire and storage format of the workspace.
//!
//! * [`Writer`] appends to a byte vector; [`Reader`] takes from a byte slice and never
//!   reads past it, never panics, and never reserves memory on the word of a count.
//! * Integers are canonical LEB128: one value has one encoding, so equal values have equal
//!   bytes.
//! * [`RunWriter`] and [`RunReader`] are run-length columns of a known number of elements.
//! * [`pack`] compresses a stream, as far as whoever reads it may be made to hold.
//! * [`seal`] and [`open`] put a checksum around a whole file or message.
//! * [`SendTable`] and [`ReceiveTable`] replace long names by small numbers, for one bundle
//!   or for the length of a connection.
//!
//! Memory: what a decoder holds at its peak is at most 64 KiB + 32 × the bytes it was given.
//! The formats keep runs as runs to make that possible, and [`Reader::capacity`] is the only
//! way to reserve for a declared count.

mod affix;
mod checksum;
mod column;
mod error;
mod field;
mod interned;
mod limits;
mod packed;
mod reader;
mod table;
mod value;
mod varint;
mod writer;

pub use checksum::{CHECKSUM_LEN, checksum, open, seal};
pub use column::{RunReader, RunWriter};
pub use error::{DecodeError, DecodeErrorKind};
pub use interned::{InternedDecode, InternedEncode};
pub use limits::Limits;
pub use packed::{Lengths, Packing, pack};
pub use reader::Reader;
pub use table::{ReceiveTable, SendTable, TableKey};
pub use value::{Decode, Encode};
pub(crate) use value::{decode_beside, encode_beside};
pub use varint::{VARINT_LEN_MAX, unzigzag, zigzag};
pub use writer::Writer;
