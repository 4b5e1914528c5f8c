//! C16 and C17: batches, and layers of different strength.

use crdt_causal::cut::{Cut, Slot};
use crdt_causal::level::Level;
use crdt_causal::policy::{Batcher, Gate, GateFull, Past};
use crdt_causal::session::Guarantees;

use crate::random::Random;

#[test]
fn c17_a_leaf_is_not_seen_before_its_root_in_any_order_of_arrival() {
    // Strong operation 5; a causal write that depends on it; an eventual one that depends on that.
    let root = Past::of_strong(5);
    let mut middle = Past { cut: Cut::from_iter([(Slot(0), 7)]), strong: 0 };
    let of_middle = root.clone();
    middle.join(&root);
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut gate = Gate::new(10);
        let mut shown: Vec<&str> = Vec::new();
        for arriving in order {
            match arriving {
                0 => {
                    shown.push("root");
                    gate.advance(&root);
                }
                1 => gate.hold("b", of_middle.clone(), "middle").unwrap(),
                _ => gate.hold("c", middle.clone(), "leaf").unwrap(),
            }
            while let Some(item) = gate.poll() {
                shown.push(item);
                if item == "middle" {
                    gate.advance(&Past { cut: Cut::from_iter([(Slot(0), 7)]), strong: 0 });
                }
            }
        }
        assert_eq!(shown, ["root", "middle", "leaf"], "{order:?}");
        assert_eq!(gate.held(), 0);
    }
}

/// Items that depend on those before them in random ways, arriving in random order.
#[test]
fn c17_nothing_is_seen_before_what_it_depends_on_and_all_is_in_the_end() {
    let mut waited = 0;
    for seed in 0..crate::cases() {
        let mut random = Random(seed);
        let count = 2 + random.pick(12);
        // Item i is strong operation i + 1, or position i + 1 of server 0 or 1; it depends on some of the earlier ones
        // whose layer is complete up to there.
        let mut own: Vec<Past> = Vec::new();
        let mut pasts: Vec<Past> = Vec::new();
        let mut last = [0_u64; 3];
        for _ in 0..count {
            let mut past = Past::new();
            for _ in 0..random.below(3) {
                if !own.is_empty() {
                    past.join(&own[random.pick(own.len())]);
                }
            }
            let layer = random.pick(3);
            last[layer] += 1;
            let name = if layer == 2 {
                Past::of_strong(last[layer])
            } else {
                Past { cut: Cut::from_iter([(Slot(layer as u16), last[layer])]), strong: 0 }
            };
            own.push(name);
            pasts.push(past);
        }
        // Each layer is one session, and keeps its order on its way; layers overtake each other.
        let layer_of = |item: usize| {
            if own[item].strong > 0 { 2 } else { own[item].cut.iter().next().unwrap().0.0 }
        };
        let mut queues: Vec<Vec<usize>> =
            (0..3).map(|layer| (0..count).filter(|&i| layer_of(i) == layer).collect()).collect();
        let mut gate = Gate::new(count);
        let (mut visible, mut shown) = (Past::new(), Vec::new());
        while queues.iter().any(|queue| !queue.is_empty()) {
            let layer = random.pick(3);
            if queues[layer].is_empty() {
                continue;
            }
            let item = queues[layer].remove(0);
            gate.hold(layer, pasts[item].clone(), item).unwrap();
            waited += u64::from(!visible.dominates(&pasts[item]));
            while let Some(item) = gate.poll() {
                assert!(visible.dominates(&pasts[item]), "seed {seed}");
                visible.join(&own[item]);
                gate.advance(&own[item]);
                shown.push(item);
            }
        }
        assert_eq!((shown.len(), gate.held()), (count, 0), "seed {seed}");
        for layer in 0..3 {
            assert!(shown.iter().filter(|&&i| layer_of(i) == layer).is_sorted());
        }
    }
    assert!(waited > crate::cases() / 4);
}

#[test]
fn a_gate_holds_no_more_than_it_may() {
    let mut gate = Gate::new(1);
    assert_eq!(gate.hold(1, Past::of_strong(1), "a"), Ok(()));
    assert_eq!(gate.hold(1, Past::new(), "b"), Err(GateFull("b")), "it would overtake its session");
    assert_eq!(gate.hold(2, Past::new(), "c"), Ok(()), "what need not wait is not held");
    assert_eq!((gate.poll(), gate.poll()), (Some("c"), None));
    gate.advance(&Past::of_strong(1));
    assert_eq!((gate.poll(), gate.held()), (Some("a"), 0));
}

#[test]
fn c16_batches_go_strongest_first_and_keep_the_order_of_sessions() {
    let session = Level::session(Guarantees::ALL);
    let levels = [Level::EVENTUAL, session, Level::CAUSAL, Level::STRONG];
    let mut in_front = 0;
    for seed in 0..crate::cases() {
        let mut random = Random(seed);
        let mut batcher = Batcher::new(100, 0);
        let mut pushed: Vec<(usize, usize)> = Vec::new();
        for at in 0..random.pick(14) {
            let (of, level) = (random.pick(4), random.pick(4));
            pushed.push((of, level));
            batcher.push(of, levels[level], at, random.below(90));
        }
        assert_eq!(batcher.poll(90), None, "the window is not over");
        assert_eq!(batcher.poll_timeout(), (!pushed.is_empty()).then_some(100));
        let batch: Vec<usize> = batcher.poll(100).into_iter().flatten().map(|(_, at)| at).collect();
        let mut sorted = batch.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..pushed.len()).collect::<Vec<_>>(), "each once");
        for of in 0..4 {
            assert!(batch.iter().filter(|&&at| pushed[at].0 == of).is_sorted(), "seed {seed}");
        }
        // A weaker one is before a stronger one of another session only if that came with something of its own that
        // has to be before: as strong at least, and later.
        for (place, &at) in batch.iter().enumerate() {
            for &behind in &batch[place + 1..] {
                if pushed[at].1 < pushed[behind].1 {
                    let reason = (at..pushed.len()).any(|later| {
                        pushed[later].0 == pushed[at].0 && pushed[later].1 >= pushed[behind].1
                    });
                    assert!(reason, "seed {seed}: {at} before {behind}");
                    in_front += 1;
                }
            }
        }
    }
    assert!(in_front > 100);
}
