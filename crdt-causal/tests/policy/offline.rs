//! C26 and C28: what was done offline.

use std::collections::BTreeMap;

use crdt_causal::policy::{
    OfflineLimits, OfflineOp, OfflineQueue, OfflineReply, QueueError, Resolution,
};
use crdt_core::codec::{Decode, Encode, Reader, Writer};
use crdt_core::{Dot, ReplicaId};

use crate::random::Random;

type Op = OfflineOp<u64>;

fn op(seq: u64) -> Op {
    OfflineOp { id: Dot::new(ReplicaId::from_u128(7), seq), register: None, payload: seq }
}

fn register(seq: u64, name: u8) -> Op {
    OfflineOp { register: Some(vec![name]), ..op(seq) }
}

fn queue() -> OfflineQueue<u64> {
    OfflineQueue::new(OfflineLimits::default())
}

/// What a crash leaves.
fn reloaded(queue: &OfflineQueue<u64>) -> OfflineQueue<u64> {
    let mut out = Writer::new();
    queue.encode(&mut out);
    OfflineQueue::decode(&mut Reader::new(out.as_bytes())).expect("it was saved")
}

/// A server that remembers what it has done.
#[derive(Default)]
struct Server {
    done: Vec<Op>,
    asked: u64,
    refuses: Vec<u64>,
}

impl Server {
    fn ask(&mut self, operations: &[Op]) -> OfflineReply {
        self.asked += 1;
        if operations.iter().any(|op| self.refuses.contains(&op.id.seq)) {
            return OfflineReply::Refused;
        }
        for op in operations {
            if !self.done.iter().any(|done| done.id == op.id) {
                self.done.push(op.clone());
            }
        }
        OfflineReply::Done
    }

    fn seqs(&self) -> Vec<u64> {
        self.done.iter().map(|op| op.id.seq).collect()
    }
}

/// 200 regular and 5 critical ones, made alternately: critical ones are 1001 to 1005.
fn day() -> OfflineQueue<u64> {
    let mut queue = queue();
    for seq in 1..=200 {
        queue.push(op(seq)).unwrap();
        if seq % 40 == 0 {
            queue.push_critical(op(1000 + seq / 40)).unwrap();
        }
    }
    queue
}

#[test]
fn c26_critical_first_stop_at_the_refused_one_and_go_on_with_the_rest() {
    let mut queue = day();
    let mut server = Server { refuses: vec![1003], ..Server::default() };
    while let Some(request) = queue.poll(0) {
        assert_eq!(request.is_critical, request.operations[0].payload > 1000);
        assert_eq!(request.until, if request.is_critical { 30_000 } else { 5_000 });
        let reply = server.ask(&request.operations);
        queue.answer(reply, 0).unwrap();
    }
    let expected: Vec<u64> = [1001, 1002].into_iter().chain(1..=200).collect();
    assert_eq!(server.seqs(), expected, "4 and 5 are untouched");
    assert_eq!(queue.user_action_required().map(|op| op.payload), Some(1003));
    assert_eq!((queue.len(), queue.poll_timeout()), (3, None));
    // It survives being closed.
    let mut queue = reloaded(&queue);
    assert_eq!(queue.user_action_required().map(|op| op.payload), Some(1003));
    assert_eq!(queue.poll(1_000_000), None);
    assert_eq!(queue.resolve(Resolution::Discard).map(|op| op.payload), Some(1003));
    while let Some(request) = queue.poll(0) {
        let reply = server.ask(&request.operations);
        queue.answer(reply, 0).unwrap();
    }
    assert_eq!(server.seqs()[202..], [1004, 1005]);
    assert!(queue.is_empty() && queue.user_action_required().is_none());
}

/// The tab is closed at any moment: before a request arrives, or before its answer does.
#[test]
fn c26_a_reload_at_any_moment_loses_nothing_and_repeats_nothing() {
    for (seed, refuses) in (0..60).flat_map(|seed| [(seed, vec![]), (seed, vec![1003, 17])]) {
        let mut random = Random(seed);
        let refused = !refuses.is_empty();
        let mut server = Server { refuses, ..Server::default() };
        let mut queue = day();
        let (mut saved, mut now, mut reloads, mut rejected) = (queue.clone(), 0, 0, Vec::new());
        loop {
            let Some(request) = queue.poll(now) else {
                match queue.poll_timeout() {
                    Some(later) => now = later,
                    None => break,
                }
                continue;
            };
            let fate = random.below(12);
            // The request is lost, or it arrives and the answer is lost, or all goes well.
            let reply = if fate == 0 { None } else { Some(server.ask(&request.operations)) };
            if fate <= 1 {
                queue = reloaded(&saved);
                reloads += 1;
                continue;
            }
            queue
                .answer(if fate == 2 { OfflineReply::Unknown } else { reply.unwrap() }, now)
                .unwrap();
            rejected.extend(queue.poll_rejected().map(|op| op.payload));
            saved = queue.clone();
        }
        let mut done = server.seqs();
        done.sort_unstable();
        let expected: Vec<u64> = (1..=200)
            .filter(|&seq| !(refused && seq == 17))
            .chain(if refused { 1001..=1002 } else { 1001..=1005 })
            .collect();
        assert_eq!(done, expected, "seed {seed}");
        assert_eq!(rejected, if refused { vec![17] } else { vec![] });
        assert!(server.asked > 205 || reloads == 0);
    }
}

#[test]
fn c26_what_is_not_answered_within_5_seconds_is_tried_again_later() {
    let mut queue = queue();
    queue.push(op(1)).unwrap();
    let request = queue.poll(100).unwrap();
    assert_eq!(request.until, 5_100);
    assert_eq!((queue.poll(5_099), queue.poll_timeout()), (None, Some(5_100)));
    assert_eq!(queue.poll(5_100), None);
    assert_eq!(queue.answer(OfflineReply::Done, 5_101), Err(QueueError::NothingUnderWay));
    assert_eq!(queue.poll_timeout(), Some(15_100));
    assert_eq!(
        queue.poll(15_100).unwrap().operations,
        request.operations,
        "the same, by the same id"
    );
}

#[test]
fn c28_360_positions_become_one() {
    let mut queue = queue();
    for seq in 1..=360 {
        queue.push(register(seq, b'p')).unwrap();
    }
    assert_eq!(queue.len(), 1);
    let request = queue.poll(0).unwrap();
    assert_eq!(request.operations, [register(360, b'p')]);
    // What is under way is not touched.
    queue.push(register(361, b'p')).unwrap();
    queue.answer(OfflineReply::Done, 10).unwrap();
    assert_eq!(queue.poll(10).unwrap().operations, [register(361, b'p')]);
}

/// A message between two positions was written with the first in sight: that stays before it.
#[test]
fn c28_nothing_is_moved_past_something_else() {
    let mut queue = queue();
    for seq in 1..=360 {
        queue.push(if seq == 180 { op(seq) } else { register(seq, b'p') }).unwrap();
    }
    let mut sent = Vec::new();
    while let Some(request) = queue.poll(0) {
        sent.push(request.operations.iter().map(|op| op.payload).collect::<Vec<_>>());
        queue.answer(OfflineReply::Done, 0).unwrap();
    }
    assert_eq!(sent, [[179], [180], [360]]);
}

/// Against doing everything in order: the same registers in the end, the same other operations in the same order, and
/// between two of these the same registers.
#[test]
fn coalescing_is_not_seen() {
    let mut spared = 0;
    for seed in 0..crate::cases() {
        let mut random = Random(seed);
        let mut queue = queue();
        let mut expected: Vec<BTreeMap<u8, u64>> = vec![BTreeMap::new()];
        let mut others: Vec<u64> = Vec::new();
        let count = random.below(30);
        for seq in 1..=count {
            if random.below(5) == 0 {
                queue.push(op(seq)).unwrap();
                others.push(seq);
                expected.push(expected.last().unwrap().clone());
            } else {
                let name = b'a' + random.below(3) as u8;
                queue.push(register(seq, name)).unwrap();
                expected.last_mut().unwrap().insert(name, seq);
            }
        }
        let mut seen: Vec<BTreeMap<u8, u64>> = vec![BTreeMap::new()];
        let (mut done, mut sent) = (Vec::new(), 0);
        while let Some(request) = queue.poll(0) {
            for op in request.operations {
                sent += 1;
                match op.register {
                    Some(name) => drop(seen.last_mut().unwrap().insert(name[0], op.payload)),
                    None => {
                        done.push(op.payload);
                        seen.push(seen.last().unwrap().clone());
                    }
                }
            }
            queue.answer(OfflineReply::Done, 0).unwrap();
        }
        assert_eq!((done, seen), (others, expected), "seed {seed}");
        spared += count - sent;
    }
    assert!(spared > crate::cases());
}

#[test]
fn a_full_queue_refuses_what_replaces_nothing() {
    let mut limits = OfflineLimits::default();
    limits.operations_max = 2;
    let mut queue = OfflineQueue::new(limits);
    queue.push(register(1, b'a')).unwrap();
    queue.push(register(2, b'b')).unwrap();
    assert_eq!(queue.push(register(3, b'c')), Err(QueueError::Full));
    assert_eq!(queue.push(op(3)), Err(QueueError::Full));
    assert_eq!(queue.push_critical(op(3)), Err(QueueError::Full));
    assert_eq!(queue.push(register(3, b'a')), Ok(()));
    assert_eq!(queue.len(), 2);
}
