//! C22 and C23: weak effects of strong operations.

use std::collections::BTreeSet;

use crdt_causal::policy::{EffectId, Gate, Outbox, OutboxError, Past};
use crdt_core::codec::{Decode, Encode, Reader, Writer};
use crdt_core::{Dot, ReplicaId};

use crate::random::Random;

fn dot(seq: u64) -> Dot {
    Dot::new(ReplicaId::from_u128(7), seq)
}

fn reloaded(outbox: &Outbox<u64>) -> Outbox<u64> {
    let mut out = Writer::new();
    outbox.encode(&mut out);
    Outbox::decode(&mut Reader::new(out.as_bytes())).expect("it was saved").with_limits(1_000, 50)
}

/// Where effects arrive: it remembers names, and shows nothing before the strong operation.
struct Replica {
    gate: Gate<Dot, EffectId>,
    taken: BTreeSet<EffectId>,
    shown: Vec<EffectId>,
    /// How far the strong operations have come here.
    strong: u64,
}

impl Replica {
    fn new() -> Self {
        let (taken, shown) = (BTreeSet::new(), Vec::new());
        Self { gate: Gate::new(1_000), taken, shown, strong: 0 }
    }

    fn take(&mut self, id: EffectId, past: Past) {
        if self.taken.insert(id) {
            self.gate.hold(id.commit, past, id).expect("there is room");
        }
        self.show();
    }

    fn advance(&mut self, strong: u64) {
        self.strong = strong;
        self.gate.advance(&Past::of_strong(strong));
        self.show();
    }

    fn show(&mut self) {
        while let Some(id) = self.gate.poll() {
            self.shown.push(id);
        }
    }
}

/// Strong operations that commit, abort, or are in doubt for a while; crashes; effects and acknowledgements that are lost or
/// repeated; replicas to which the strong operations come late.
#[test]
fn c22_effects_are_never_seen_before_their_commit_and_never_if_it_aborts() {
    let (mut seen, mut waited, mut dropped) = (0, 0, 0);
    for seed in 0..crate::cases() / 4 {
        let mut random = Random(seed);
        let mut outbox = Outbox::new(1_000, 50);
        let mut replica = Replica::new();
        // What the engine knows of each: its position, or that it was aborted.
        let mut engine: Vec<Option<Result<u64, ()>>> = Vec::new();
        let (mut position, mut now) = (0, 0);
        let mut effects = Vec::new();
        for step in 0..80 {
            now += random.below(40);
            match random.below(6) {
                0 if engine.len() < 8 => {
                    engine.push(None);
                    let commit = dot(engine.len() as u64);
                    let count = random.below(4);
                    outbox.prepare(commit, 0..count).unwrap();
                    effects.push(count);
                }
                1 | 2 if engine.iter().any(Option::is_none) => {
                    let at = engine.iter().position(Option::is_none).unwrap();
                    let commits = random.below(3) > 0;
                    position += u64::from(commits);
                    engine[at] = Some(if commits { Ok(position) } else { Err(()) });
                    // Nobody may be there to hear it.
                    if random.below(2) == 0 {
                        settle(&mut outbox, &engine);
                    }
                }
                3 => {
                    outbox = reloaded(&outbox);
                    settle(&mut outbox, &engine);
                }
                4 => replica.advance(replica.strong.max(random.below(position + 1))),
                _ => deliver(&mut outbox, &mut replica, &mut random, now, &mut waited),
            }
            outbox.check_invariants();
            for id in &replica.shown {
                let known = engine[id.commit.seq as usize - 1];
                assert!(
                    matches!(known, Some(Ok(at)) if at <= replica.strong),
                    "seed {seed}, step {step}: {id:?} is shown, of {known:?}"
                );
            }
        }
        // In the end everything is known, and arrives.
        for known in engine.iter_mut().filter(|known| known.is_none()) {
            *known = Some(Err(()));
        }
        settle(&mut outbox, &engine);
        replica.advance(position);
        for _ in 0..1_000 {
            now += 50;
            deliver(&mut outbox, &mut replica, &mut random, now, &mut waited);
        }
        assert!(outbox.is_empty(), "seed {seed}");
        assert_eq!(outbox.len(), 0);
        let mut expected = BTreeSet::new();
        for ((seq, known), count) in (1..).zip(&engine).zip(&effects) {
            match known {
                Some(Ok(_)) => {
                    let ids =
                        (0..*count as u32).map(|number| EffectId { commit: dot(seq), number });
                    expected.extend(ids);
                }
                _ => dropped += count,
            }
        }
        seen += replica.shown.len();
        assert_eq!(replica.shown.len(), expected.len(), "each once");
        assert_eq!(replica.shown.iter().copied().collect::<BTreeSet<_>>(), expected);
    }
    println!("C22 {seen} effects seen, {waited} of them held back, {dropped} dropped");
    assert!(seen > 1_000 && waited > 100 && dropped > 100);
}

/// Tells the outbox what became of what it is in doubt about.
fn settle(outbox: &mut Outbox<u64>, engine: &[Option<Result<u64, ()>>]) {
    for commit in outbox.in_doubt().collect::<Vec<_>>() {
        match engine[commit.seq as usize - 1] {
            Some(Ok(position)) => outbox.committed(commit, position).unwrap(),
            Some(Err(())) => outbox.aborted(commit).unwrap(),
            None => {}
        }
    }
}

fn deliver(
    outbox: &mut Outbox<u64>,
    replica: &mut Replica,
    random: &mut Random,
    now: u64,
    waited: &mut u64,
) {
    let Some(effect) = outbox.poll(now) else { return };
    if random.below(4) == 0 {
        return;
    }
    *waited += u64::from(effect.past.strong > replica.strong);
    replica.take(effect.id, effect.past.clone());
    if random.below(4) > 0 {
        assert!(outbox.acknowledged(effect.id));
        assert!(!outbox.acknowledged(effect.id), "once is enough");
    }
}

/// Write-through: the balance is strong; the cache, the index and the statistics follow by themselves.
#[test]
fn c23_derivatives_follow_the_critical_write() {
    let mut outbox = Outbox::new(10, 1_000);
    outbox.prepare(dot(1), [100_u64, 200, 300]).unwrap();
    assert_eq!(outbox.poll(0), None);
    assert_eq!(outbox.in_doubt().collect::<Vec<_>>(), [dot(1)]);
    outbox.committed(dot(1), 4).unwrap();
    let sent: Vec<_> = std::iter::from_fn(|| outbox.poll(0)).collect();
    assert_eq!(sent.iter().map(|effect| effect.effect).collect::<Vec<_>>(), [100, 200, 300]);
    assert!(sent.iter().all(|effect| effect.past.strong == 4 && effect.id.commit == dot(1)));
    // The second was not acknowledged: it is sent again, and alone.
    assert!(outbox.acknowledged(sent[0].id) && outbox.acknowledged(sent[2].id));
    assert_eq!(outbox.poll(999), None);
    assert_eq!(outbox.poll(1_000).map(|effect| effect.id), Some(sent[1].id));
    // And one that aborts leaves nothing behind.
    outbox.prepare(dot(2), [400]).unwrap();
    outbox.aborted(dot(2)).unwrap();
    assert_eq!((outbox.poll(1_001), outbox.len()), (None, 1));
}

#[test]
fn what_does_not_fit_is_refused_whole() {
    let mut outbox = Outbox::new(3, 1_000);
    outbox.prepare(dot(1), [1_u64, 2]).unwrap();
    assert_eq!(outbox.prepare(dot(1), [3]), Err(OutboxError::Known(dot(1))));
    assert_eq!(outbox.prepare(dot(2), [3, 4]), Err(OutboxError::Full));
    assert_eq!(outbox.committed(dot(2), 1), Err(OutboxError::NotPending(dot(2))));
    outbox.committed(dot(1), 1).unwrap();
    assert_eq!(outbox.aborted(dot(1)), Err(OutboxError::NotPending(dot(1))), "it was committed");
    assert_eq!(outbox.committed(dot(1), 2), Err(OutboxError::NotPending(dot(1))));
    assert_eq!(outbox.len(), 2);
    outbox.check_invariants();
}
