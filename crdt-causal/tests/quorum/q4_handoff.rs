//! Q4: hinted hand-off.

use std::collections::{BTreeMap, BTreeSet};

use crdt_causal::handoff::{AntiEntropy, Handoff, HandoffLimits, Held, Hint, Overflow};
use crdt_causal::quorum::{Preset, ReadRepair, Topology, Write, WriteOutcome};
use crdt_core::set::AddWinsSetDelta;
use crdt_core::{AddWinsSet, GrowOnlySet, ReplicaId};

use crate::{Random, cases};

/// A delta of a set of words, as somebody would keep it.
#[derive(Clone)]
struct Delta(AddWinsSetDelta<&'static str>);

impl Hint for Delta {
    fn size_bytes(&self) -> usize {
        256
    }
}

/// The talk's hints have no context: replayed late they overwrite what is newer. A delta that is joined
/// does not, in any order and however often it comes.
#[test]
fn q4_hints_that_come_late_or_twice_do_no_harm() {
    let ann = ReplicaId::from_u128(1);
    let mut here = AddWinsSet::new();
    let mut writer = here.writer(ann);
    let mut handoff = Handoff::new(HandoffLimits::default(), 0);
    // Delhi is away while "rice" is added, taken out, and "dal" is added.
    let deltas = [
        here.add("rice", &mut writer).unwrap(),
        here.remove("rice", &mut writer),
        here.add("dal", &mut writer).unwrap(),
    ];
    for delta in deltas {
        assert_eq!(handoff.hold("delhi", Delta(delta), 0), Held::Kept);
    }
    // It is back, and anti-entropy is faster than the hints.
    let mut delhi = AddWinsSet::new();
    delhi.join(here.clone());
    let mut given = vec![];
    for now in [1_000, 12_000] {
        while let Some(hint) = handoff.give(&"delhi", now) {
            given.push(hint);
        }
    }
    assert_eq!(given.len(), 6, "those that were not acknowledged are given again");
    for hint in given.into_iter().rev() {
        assert!(!delhi.join(hint.hint.0), "nothing new, and nothing comes back");
        handoff.acknowledge(&"delhi", hint.number);
    }
    assert_eq!(delhi, here);
    assert!(delhi.contains("dal") && !delhi.contains("rice"));
    assert_eq!((handoff.hints(&"delhi"), handoff.bytes()), (0, 0));
    handoff.check_invariants();
}

/// A hint is not a replica: a write of W = 2 with one acknowledgement and two hints is not over, and a
/// read that asks the other two does not see it. Counting the hint, a sloppy quorum, would have said so.
#[test]
fn q4_a_hint_is_no_acknowledgement() {
    let quorum = Preset::Quorum.quorum(&Topology::new([3]).unwrap(), 0).unwrap();
    let mut write = Write::new(quorum.clone(), 1_000);
    write.acknowledged(0);
    write.hinted(1);
    write.hinted(2);
    let outcome = WriteOutcome::Indeterminate { acknowledged: 1, hinted: 2 };
    assert_eq!(write.outcome(1_000), outcome);
    let mut read = ReadRepair::new(quorum);
    read.reply(1, GrowOnlySet::<u8>::new());
    read.reply(2, GrowOnlySet::new());
    assert!(read.value().is_some_and(|value| value.is_empty()), "it does not see the write");
    write.acknowledged(2);
    assert_eq!(write.outcome(2_000), WriteOutcome::Met, "the hint was delivered");
}

fn limits() -> HandoffLimits {
    let mut limits = HandoffLimits::default();
    limits.hints_max = 4;
    limits.bytes_max = 64 * 4 + 60;
    limits.total_bytes_max = 64 * 9 + 120;
    limits.age_ms_max = 100;
    limits.retry_ms = 20;
    limits
}

/// Targets are away, come back, and are brought up to date by hints or by anti-entropy. What is kept stays
/// within its bounds, and in the end each target has everything, by one or the other.
#[test]
fn q4_nothing_is_lost_within_the_bounds() {
    let mut overflows = BTreeMap::new();
    let mut raced = 0;
    for seed in 0..cases() {
        let mut random = Random(seed);
        let mut handoff = Handoff::new(limits(), 0);
        let mut written: Vec<BTreeSet<u8>> = vec![BTreeSet::new(); 3];
        let mut has: Vec<BTreeSet<u8>> = vec![BTreeSet::new(); 3];
        // Anti-entropy that goes on: what it brings, and what it was begun with.
        let mut going_on: Vec<Option<(BTreeSet<u8>, AntiEntropy)>> = vec![None; 3];
        let mut now = 0;
        let mut number = 0;
        for _ in 0..60 {
            now += random.below(10);
            let target = random.below(3) as usize;
            match random.below(8) {
                0..=3 => {
                    number += 1;
                    written[target].insert(number);
                    let hint = vec![number; 1 + random.below(30) as usize];
                    let held = handoff.hold(target, hint, now);
                    let needs = handoff.needs_anti_entropy(&target).is_some();
                    assert_eq!(held == Held::LeftToAntiEntropy, needs);
                }
                4 | 5 => {
                    if let Some(given) = handoff.give(&target, now) {
                        has[target].insert(given.hint[0]);
                        if random.below(2) == 0 {
                            handoff.acknowledge(&target, given.number);
                        }
                    }
                    // A peer may acknowledge what it was never given.
                    if random.below(10) == 0 {
                        let any = random.below(80);
                        if handoff.give(&target, now).is_none() {
                            handoff.acknowledge(&7, any);
                        }
                    }
                }
                6 => {
                    if let Some(began) = handoff.needs_anti_entropy(&target) {
                        going_on[target] = Some((written[target].clone(), began));
                    }
                }
                _ => {
                    if let Some((brought, began)) = going_on[target].take() {
                        has[target].extend(brought);
                        if handoff.needs_anti_entropy(&target).is_some() {
                            raced += u64::from(!handoff.reconciled(&target, began));
                        }
                    }
                }
            }
            handoff.check_invariants();
            while let Some(event) = handoff.poll_event() {
                *overflows.entry(format!("{:?}", event.why)).or_insert(0) += 1;
                if event.why == Overflow::Count {
                    assert_eq!(event.hints, 4);
                }
            }
        }
        // All are back.
        for target in 0..3 {
            if let Some(began) = handoff.needs_anti_entropy(&target) {
                has[target].extend(&written[target]);
                assert!(handoff.reconciled(&target, began));
            }
            // Whatever was given before and not acknowledged is given again after the wait.
            for later in [0, 21] {
                while let Some(given) = handoff.give(&target, now + later) {
                    has[target].insert(given.hint[0]);
                    handoff.acknowledge(&target, given.number);
                }
            }
            if let Some(began) = handoff.needs_anti_entropy(&target) {
                // The wait was too long for the rest.
                has[target].extend(&written[target]);
                assert!(handoff.reconciled(&target, began));
            }
            assert_eq!(has[target], written[target], "seed {seed}");
        }
        assert_eq!(handoff.bytes(), 0);
    }
    println!("{overflows:?}, {raced} times something was left to anti-entropy that had begun");
    assert!(raced > cases() / 20);
    for why in ["Count", "Bytes", "TotalBytes", "Age"] {
        assert!(
            overflows.get(why).is_some_and(|times| *times > cases() / 20),
            "{why}: {overflows:?}"
        );
    }
}

/// What was acknowledged before it was given is passed over: a peer that names numbers at random harms
/// nobody but itself.
#[test]
fn q4_numbers_that_a_peer_makes_up_do_no_harm() {
    let mut handoff = Handoff::new(limits(), 0);
    for byte in 0..3 {
        assert_eq!(handoff.hold(0, vec![byte], 0), Held::Kept);
    }
    handoff.acknowledge(&0, 1);
    handoff.acknowledge(&0, u64::MAX);
    let given: Vec<u8> =
        std::iter::from_fn(|| handoff.give(&0, 0)).map(|one| one.hint[0]).collect();
    assert_eq!(given, [0, 2]);
    handoff.check_invariants();
}
