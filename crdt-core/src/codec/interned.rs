use super::{DecodeError, Reader, ReceiveTable, SendTable, Writer};
use crate::{Dot, ReplicaId};

/// A value that names replicas, encoded with a table that abbreviates their ids.
///
/// One table may serve several values, so that a bundle of them writes each id once.
pub trait InternedEncode {
    /// Appends the value.
    fn encode_interned(&self, replicas: &mut SendTable<ReplicaId>, out: &mut Writer);
}

/// The inverse of [`InternedEncode`], for bytes that a stranger may have written.
pub trait InternedDecode: Sized {
    /// The fewest bytes that a value takes when its replicas are in the table already.
    const INTERNED_BYTES_MIN: usize;

    /// Reads one value.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the bytes; exactly what
    /// [`encode_interned`](InternedEncode::encode_interned) writes is accepted.
    fn decode_interned(
        replicas: &mut ReceiveTable<ReplicaId>,
        input: &mut Reader<'_>,
    ) -> Result<Self, DecodeError>;
}

impl InternedEncode for Dot {
    fn encode_interned(&self, replicas: &mut SendTable<ReplicaId>, out: &mut Writer) {
        replicas.write(&self.replica, 0, 0, out);
        out.varint(self.seq);
    }
}

impl InternedDecode for Dot {
    const INTERNED_BYTES_MIN: usize = 2;

    fn decode_interned(
        replicas: &mut ReceiveTable<ReplicaId>,
        input: &mut Reader<'_>,
    ) -> Result<Self, DecodeError> {
        let replica = replicas.read_key(input)?;
        Ok(Self::new(replica, input.seq()?))
    }
}
