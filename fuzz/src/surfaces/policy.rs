//! What an application saved of work that is not done: an offline queue, an outbox, a saga.

use crdt_causal::policy::{
    OfflineLimits, OfflineOp, OfflineQueue, OfflineReply, Outbox, Resolution, Saga, SagaReply,
};
use crdt_core::codec::{Decode, Encode, Reader};
use crdt_core::{Dot, ReplicaId};

use crate::memory::bounded;
use crate::values::encode;

type Queue = OfflineQueue<u64>;
type Effects = Outbox<u64>;

/// So often something is asked for, of what never ends without an answer.
const ROUNDS: usize = 64;

/// What is read has one way to be written, and can be worked off.
pub fn run(bytes: &[u8]) {
    if let Some(mut queue) = read::<Queue>(bytes) {
        let (mut now, mut left) = (0, queue.len());
        for round in 0..ROUNDS {
            if queue.user_action_required().is_some() {
                queue.resolve([Resolution::Retry, Resolution::Discard][round % 2]);
            }
            let Some(request) = queue.poll(now) else { break };
            assert!(!request.operations.is_empty() && request.until > now);
            let reply = [OfflineReply::Done, OfflineReply::Refused, OfflineReply::Unknown];
            queue.answer(reply[round % 3], now).expect("it was asked");
            while queue.poll_rejected().is_some() {}
            assert!(queue.len() <= left, "nothing comes to be by being done");
            left = queue.len();
            now = queue.poll_timeout().unwrap_or(now).max(now);
        }
    }
    if let Some(mut outbox) = read::<Effects>(bytes) {
        outbox.check_invariants();
        let in_doubt: Vec<Dot> = outbox.in_doubt().collect();
        for (number, commit) in in_doubt.into_iter().enumerate() {
            let decided = if number % 2 == 0 {
                outbox.committed(commit, number as u64 + 1)
            } else {
                outbox.aborted(commit)
            };
            decided.expect("it was in doubt");
            outbox.check_invariants();
        }
        for now in 0..ROUNDS as u64 {
            let Some(effect) = outbox.poll(now) else { break };
            assert!(outbox.acknowledged(effect.id));
            outbox.check_invariants();
        }
    }
    if let Ok(mut saga) = bounded(bytes.len(), || Saga::from_saved(bytes, 1)) {
        assert_eq!(encode(&saga), bytes, "there is one encoding");
        for now in 0..ROUNDS as u64 {
            let Some(_command) = saga.poll(now * 2) else { break };
            saga.abort();
            saga.saved(saga.revision()).expect("its own");
        }
    }
}

/// What the bytes begin with, which is the one way to write it.
fn read<T: Decode + Encode>(bytes: &[u8]) -> Option<T> {
    let mut input = Reader::new(bytes);
    let value = bounded(bytes.len(), || T::decode(&mut input)).ok()?;
    assert_eq!(encode(&value), bytes[..input.position()], "there is one encoding");
    Some(value)
}

/// A queue, an outbox and sagas in all their states.
pub fn seeds() -> Vec<Vec<u8>> {
    let dot = |seq| Dot::new(ReplicaId::from_u128(7), seq);
    let op = |seq, register: Option<&[u8]>| OfflineOp {
        id: dot(seq),
        register: register.map(<[u8]>::to_vec),
        payload: seq,
    };
    let mut queue = Queue::new(OfflineLimits::default());
    let mut seeds = vec![encode(&queue)];
    queue.push(op(1, Some(b"a"))).expect("there is room");
    queue.push(op(2, Some(b"b"))).expect("there is room");
    queue.push(op(3, None)).expect("there is room");
    queue.push_critical(op(4, None)).expect("there is room");
    seeds.push(encode(&queue));
    queue.poll(0).expect("there is something to do");
    queue.answer(OfflineReply::Refused, 1).expect("it was asked");
    seeds.push(encode(&queue));

    let mut outbox = Effects::new(100, 10);
    outbox.prepare(dot(1), [5, 6]).expect("there is room");
    outbox.prepare(dot(2), [7]).expect("there is room");
    outbox.prepare(dot(3), []).expect("there is room");
    outbox.committed(dot(1), 300).expect("it was prepared");
    seeds.push(encode(&outbox));

    let mut saga = Saga::new(1, 3, 1);
    seeds.push(encode(&saga));
    saga.reply(0, SagaReply::Done);
    seeds.push(encode(&saga));
    saga.abort();
    seeds.push(encode(&saga));
    seeds
}
