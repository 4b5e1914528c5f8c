use core::fmt;

use crdt_core::codec::{Decode, DecodeError, Encode, Reader, Writer, checksum};

/// A group of servers and all documents that they hold.
///
/// The number tells apart the realms that one client talks to, so that it notices when it mixes up
/// their tokens; draw it at random. What keeps one realm from believing another's tokens are the
/// keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Realm(pub u32);

impl fmt::Display for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "realm {:08x}", self.0)
    }
}

impl Encode for Realm {
    fn encode(&self, out: &mut Writer) {
        out.raw(&self.0.to_le_bytes());
    }
}

impl Decode for Realm {
    const BYTES_MIN: usize = 4;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.array().map(u32::from_le_bytes).map(Self)
    }
}

/// A short name of a log, or of a document, among those of a realm.
///
/// It says which log a client's own offline writes belong to. Two logs with one tag do no harm: a
/// read of the one then waits for the client's writes to the other too, until they have been sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogTag(pub u32);

impl LogTag {
    /// The tag of the log of this name: its checksum, so that clients and servers agree.
    pub fn of_name(name: &[u8]) -> Self {
        Self(checksum(name))
    }
}

impl Encode for LogTag {
    fn encode(&self, out: &mut Writer) {
        out.raw(&self.0.to_le_bytes());
    }
}

impl Decode for LogTag {
    const BYTES_MIN: usize = 4;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.array().map(u32::from_le_bytes).map(Self)
    }
}
