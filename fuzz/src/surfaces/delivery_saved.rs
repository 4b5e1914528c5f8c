//! A saved delivery buffer, from a disk that somebody else may have written to.

use crdt_causal::delivery::{CausalBuffer, Limits, Message, Retry};
use crdt_core::codec::seal;
use crdt_core::{Dot, DotRange, ReplicaId};

use crate::memory::bounded;

const MAGIC: [u8; 4] = *b"CRDq";

type Buffer = CausalBuffer<Vec<u8>>;

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.pending_bytes_max = 12 << 10;
    limits.replica_pending_bytes_max = 8 << 10;
    limits.replicas_max = 1 << 10;
    limits.parents_max = 64;
    limits.digests_max = 4;
    limits
}

/// The input is what is under the checksum. What is loaded is sound, stays within the bounds, and
/// is what its own bytes say.
pub fn run(bytes: &[u8]) {
    let sealed = seal(MAGIC, bytes);
    let loaded = bounded(bytes.len(), || Buffer::load(&sealed, limits(), Retry::default(), 0).ok());
    let Some(mut buffer) = loaded else { return };
    buffer.check_invariants();
    assert!(buffer.pending_bytes() <= limits().pending_bytes_max + 320 * (1 << 10));
    let saved = buffer.save();
    let again = Buffer::load(&saved, limits(), Retry::default(), 0).expect("just saved");
    assert_eq!(again.version(), buffer.version());
    while let Some(message) = buffer.poll_deliver() {
        assert!(buffer.is_delivered(message.dot));
    }
    while buffer.poll_event().is_some() {}
    for range in buffer.missing(1 << 40) {
        assert!(!buffer.is_delivered(Dot::new(range.replica, range.first)));
        assert!(!buffer.is_forsaken(Dot::new(range.replica, range.last)));
    }
}

/// With messages that wait and that can be polled, a fork, and what was given up.
pub fn seeds() -> Vec<Vec<u8>> {
    let dot = |replica: u128, seq| Dot::new(ReplicaId::from_u128(replica), seq);
    let message =
        |dot, parents: &[Dot], byte| Message { dot, parents: parents.into(), payload: vec![byte] };
    let mut buffer = Buffer::with_limits(limits(), Retry::default());
    let mut seeds = vec![buffer.save()];
    for (dot, parents, byte) in [
        (dot(1, 1), &[][..], 0),
        (dot(1, 2), &[], 0),
        (dot(2, 2), &[dot(1, 5)], 0),
        (dot(1, 7), &[], 0),
        (dot(3, 1), &[dot(2, 2), dot(4, 9)], 0),
        (dot(1, 2), &[], 1),
    ] {
        let _refused_if_forked = buffer.insert(message(dot, parents, byte), 0);
        seeds.push(buffer.save());
    }
    buffer.poll_deliver();
    buffer.forsake(DotRange::new(ReplicaId::from_u128(4), 2, 3));
    buffer.forsake(DotRange::new(ReplicaId::from_u128(2), 1, 1));
    seeds.push(buffer.save());
    // Without magic and checksum.
    seeds.into_iter().map(|saved| saved[4..saved.len() - 4].to_vec()).collect()
}
