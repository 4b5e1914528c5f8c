//! The causal delivery buffer, fed messages that may name anything.

use crdt_causal::delivery::{CausalBuffer, Limits, Message, Parents, Retry};
use crdt_core::codec::{DecodeError, Reader, Writer};
use crdt_core::{Dot, ReplicaId};

use crate::memory::bounded;

/// The input is a list of messages: time, replica, number, the parents' count, the parents, and
/// one byte of payload. Whatever they say, what is delivered is in causal order, and what waits
/// stays within the bounds that are counted and within those of memory.
pub fn run(bytes: &[u8]) {
    bounded(bytes.len(), || {
        let mut limits = Limits::default();
        limits.pending_bytes_max = 24 << 10;
        limits.replica_pending_bytes_max = 16 << 10;
        limits.replicas_max = 32;
        limits.digests_max = 4;
        let mut buffer = CausalBuffer::with_limits(limits, Retry::default());
        let mut input = Reader::new(bytes);
        let mut now = 0;
        for step in 0.. {
            let Ok((wait, message)) = read(&mut input) else { break };
            now += wait;
            let _ = buffer.insert(message, now);
            assert!(buffer.pending_bytes() <= 24 << 10);
            while let Some(message) = buffer.poll_deliver() {
                let causes = message.dot.previous();
                assert!(causes.iter().chain(&message.parents).all(|dot| buffer.is_delivered(*dot)));
            }
            for range in buffer.missing(now) {
                assert!(!buffer.is_delivered(Dot::new(range.replica, range.first)));
            }
            while buffer.poll_event().is_some() {}
            // The check visits everything; long inputs are not worth it each time.
            if step < 64 || step % 64 == 0 {
                buffer.check_invariants();
            }
        }
        buffer.check_invariants();
    });
}

fn read(input: &mut Reader<'_>) -> Result<(u64, Message<Vec<u8>>), DecodeError> {
    let wait = u64::from(input.u8()?);
    let dot = read_dot(input)?;
    let count = input.u8()? % 4;
    let parents = (0..count).map(|_| read_dot(input)).collect::<Result<Parents, _>>()?;
    Ok((wait, Message { dot, parents, payload: vec![input.u8()?] }))
}

fn read_dot(input: &mut Reader<'_>) -> Result<Dot, DecodeError> {
    let replica = ReplicaId::from_u128(u128::from(input.u8()?));
    Ok(Dot::new(replica, input.varint()?))
}

/// In order, in reverse, far apart, and twice with another content.
pub fn seeds() -> Vec<Vec<u8>> {
    type Told<'a> = (u8, u64, &'a [(u8, u64)], u8);
    let write = |messages: &[Told<'_>]| {
        let mut out = Writer::new();
        for (replica, seq, parents, payload) in messages {
            out.u8(30);
            out.u8(*replica);
            out.varint(*seq);
            out.u8(parents.len() as u8);
            for (replica, seq) in *parents {
                out.u8(*replica);
                out.varint(*seq);
            }
            out.u8(*payload);
        }
        out.into_bytes()
    };
    vec![
        write(&[(1, 1, &[], 0), (2, 1, &[(1, 1)], 0), (1, 2, &[(2, 1)], 0)]),
        write(&[(1, 2, &[(2, 1)], 0), (2, 1, &[(1, 1)], 0), (1, 1, &[], 0)]),
        write(&[(1, 3, &[(2, 900), (3, 1 << 20)], 0), (1, 1 << 62, &[], 0), (3, 5, &[], 0)]),
        write(&[(1, 1, &[], 0), (1, 1, &[], 1), (1, 2, &[], 0), (2, 2, &[], 0), (2, 2, &[], 3)]),
    ]
}
