//! What a decoder of a core type holds at its peak: at most 64 KiB + 32 × the bytes it was
//! given, over dense and over lying inputs.

use crdt_core::causality::{CausalContext, VersionVector};
use crdt_core::codec::{Decode, Encode, Writer};
use crdt_core::counter::{CounterStore, GCounterDelta, PnCounterDelta};
use crdt_core::dot_store::{Digest, DotMap};
use crdt_core::flag::EnableWinsFlagDelta;
use crdt_core::map::{LatticeStore, LwwMapDelta, ObservedRemoveMapDelta};
use crdt_core::register::MultiValueRegisterDelta;
use crdt_core::set::{AddWinsSetDelta, AddWinsStore, RemoveWinsSetDelta};
use crdt_core::{
    AddWinsSet, BoundedCounter, DisableWinsFlag, EnableWinsFlag, GCounter, GrowOnlySet, LwwMap,
    LwwRegister, MaxRegister, MultiValueRegister, ObservedRemoveMap, PnCounter, RemoveWinsSet,
    TwoPhaseSet,
};

use crate::support::parse;
use crdt_core::laws::Rng;

/// The peak of decoding `input`, and whether it is accepted.
fn peak<T: Decode>(input: &[u8]) -> (usize, bool) {
    let mut accepted = false;
    let counts = allocation_counter::measure(|| accepted = parse::<T>(input).is_ok());
    (counts.bytes_max as usize, accepted)
}

/// Checks the bound for an input and for pieces of it. Returns whether the whole is accepted.
fn check<T: Decode>(name: &str, input: &[u8]) -> bool {
    let mut rng = Rng(input.len() as u64);
    let (_, accepted) = peak::<T>(input);
    for len in [input.len(), input.len().saturating_sub(1), rng.below(input.len() + 1)] {
        let (held, _) = peak::<T>(&input[..len]);
        let bound = (64 << 10) + 32 * len;
        assert!(held <= bound, "{name}: {held} bytes held for {len}, {} too many", held - bound);
    }
    accepted
}

/// Every decoder, over one input.
fn check_all(name: &str, input: &[u8]) -> bool {
    let accepted = [
        check::<AddWinsSet<u64>>(name, input),
        check::<AddWinsSetDelta<u64>>(name, input),
        check::<AddWinsSet<String>>(name, input),
        check::<AddWinsSetDelta<String>>(name, input),
        check::<AddWinsSet<(u64, Vec<u8>)>>(name, input),
        check::<LwwMap<u64, u64>>(name, input),
        check::<LwwMap<u64, String>>(name, input),
        check::<LwwMapDelta<u64, String>>(name, input),
        check::<LwwMap<String, String>>(name, input),
        check::<LwwMapDelta<String, Vec<u8>>>(name, input),
        check::<LwwRegister<String>>(name, input),
        check::<MultiValueRegister<u64>>(name, input),
        check::<MultiValueRegisterDelta<String>>(name, input),
        check::<MaxRegister<String>>(name, input),
        check::<EnableWinsFlag>(name, input),
        check::<EnableWinsFlagDelta>(name, input),
        check::<DisableWinsFlag>(name, input),
        check::<RemoveWinsSet<u64>>(name, input),
        check::<RemoveWinsSetDelta<String>>(name, input),
        check::<GrowOnlySet<u64>>(name, input),
        check::<GrowOnlySet<String>>(name, input),
        check::<TwoPhaseSet<u64>>(name, input),
        check::<TwoPhaseSet<String>>(name, input),
        check::<GCounter>(name, input),
        check::<GCounterDelta>(name, input),
        check::<PnCounter>(name, input),
        check::<PnCounterDelta>(name, input),
        check::<BoundedCounter>(name, input),
        check::<ObservedRemoveMap<u64, CounterStore>>(name, input),
        check::<ObservedRemoveMap<u64, AddWinsStore<u64>>>(name, input),
        check::<ObservedRemoveMapDelta<u64, AddWinsStore<u64>>>(name, input),
        check::<ObservedRemoveMapDelta<u64, DotMap<u64, AddWinsStore<u64>>>>(name, input),
        check::<ObservedRemoveMapDelta<u64, LatticeStore<PnCounter>>>(name, input),
        check::<CausalContext>(name, input),
        check::<Digest>(name, input),
        check::<VersionVector>(name, input),
    ];
    accepted.contains(&true)
}

/// A context of `replicas` that have each issued `seqs` events.
fn context(replicas: u64, seqs: u64) -> Writer {
    let mut out = Writer::new();
    out.u8(0);
    out.varint(replicas);
    for replica in 0..replicas {
        out.varint(replica);
        out.raw(&u128::from(replica).to_be_bytes());
        out.varint(seqs);
        out.varint(0);
    }
    out
}

/// Elements with dots that are as short as can be, and no two of one run, so that the
/// decoder's index of them is as large as can be.
fn dots_of_elements(replicas: u64, elements: u64, text: bool, write: &[u8]) -> Vec<u8> {
    let mut out = context(replicas, 2 * elements);
    out.varint(elements);
    for element in 0..elements {
        if text {
            format!("{element:x}").encode(&mut out);
        } else {
            out.varint(element);
        }
        out.varint(replicas);
        for replica in 0..replicas {
            out.varint(replica);
            out.varint(2 * element + 1);
            out.raw(write);
        }
    }
    out.varint(0);
    out.into_bytes()
}

/// One element with `dots` of one replica.
fn dots_of_one_element(dots: u64, write: &[u8]) -> Vec<u8> {
    let mut out = context(1, 2 * dots);
    out.raw(&[1, 0]);
    out.varint(dots);
    for dot in 0..dots {
        out.varint(0);
        out.varint(2 * dot + 1);
        out.raw(write);
    }
    out.varint(0);
    out.into_bytes()
}

#[test]
fn decoding_holds_at_most_64_kib_and_32_times_the_input() {
    let n = 10_000;
    // Sizes of one to three bytes a number, around the places where encodings grow.
    for elements in [100, 127, 1_000, n] {
        for (replicas, write) in [(1, &[][..]), (1, &[0, 0]), (1, &[0, 0, 0])] {
            let numbers = dots_of_elements(replicas, elements, false, write);
            check_all(&format!("{elements} elements, writes {write:?}"), &numbers);
        }
    }
    assert!(check_all("elements", &without_touched(dots_of_elements(1, n, false, &[]))));
    assert!(check_all("keys", &without_touched(dots_of_elements(1, n, false, &[0, 0]))));
    for replicas in [2, 16, 127] {
        check_all("dots of many replicas", &dots_of_elements(replicas, 63, false, &[]));
        check_all("writes of many replicas", &dots_of_elements(replicas, 63, false, &[0, 0]));
    }
    for dots in [60, 8_000, 20_000] {
        assert!(check_all("dots of one element", &dots_of_one_element(dots, &[])));
        assert!(check_all("writes of one key", &dots_of_one_element(dots, &[0, 0])));
    }

    // Strings, in the order of their bytes.
    let mut names: Vec<String> = (0..n).map(|name| format!("{name:x}")).collect();
    names.sort();
    let mut out = context(1, n);
    out.varint(n);
    for (index, name) in names.iter().enumerate() {
        name.encode(&mut out);
        out.raw(&[1, 0]);
        out.varint(index as u64 + 1);
    }
    assert!(check_all("strings", out.as_bytes()));
    out.varint(n);
    names.iter().for_each(|name| name.encode(&mut out));
    assert!(check_all("strings, and the same touched", out.as_bytes()));

    // Keys that a delta touches, and nothing else.
    for count in [100, n] {
        let mut out = Writer::new();
        out.raw(&[0, 0, 0]);
        out.varint(count);
        (0..count).for_each(|key| out.varint(key));
        assert!(check_all("touched numbers", out.as_bytes()));
    }

    // Elements without dots; a flag of many dots.
    for tail in [&[][..], &[0], &[1]] {
        let mut out = Writer::new();
        out.u8(0);
        out.varint(n);
        for element in 0..n {
            out.varint(element);
            out.raw(tail);
        }
        assert!(check_all("plain elements", out.as_bytes()));
    }
    for toggle in [&[][..], &[1]] {
        let mut out = context(1, 2 * n);
        out.varint(n);
        for dot in 0..n {
            out.varint(0);
            out.varint(2 * dot + 1);
            out.raw(toggle);
        }
        assert!(check_all("a flag", out.as_bytes()));
    }

    // A context of many replicas; one of many runs.
    assert!(check_all("replicas", &[context(n, 1).as_bytes(), &[0]].concat()));
    for runs in [100, n] {
        let mut out = Writer::new();
        out.raw(&[0, 1, 0]);
        out.raw(&[7; 16]);
        out.varint(0);
        out.varint(runs);
        (0..runs).for_each(|_| out.raw(&[0, 0]));
        out.varint(0);
        assert!(check_all("runs", out.as_bytes()));
        check_all("runs without a version", &out.as_bytes()[1..]);
    }
    let mut out = Writer::new();
    out.raw(&[0]);
    out.varint(n);
    for replica in 0..n {
        out.varint(replica);
        out.raw(&u128::from(replica).to_be_bytes());
        out.raw(&[0, 1, 0, 0]);
    }
    out.varint(0);
    assert!(check_all("a run for each replica", out.as_bytes()));

    // Counters of many replicas.
    for amounts in [&[1][..], &[0, 1]] {
        let mut out = Writer::new();
        out.raw(&[0]);
        out.varint(n);
        for replica in 0..n {
            out.varint(replica);
            out.raw(&u128::from(replica).to_be_bytes());
            out.raw(amounts);
        }
        assert!(check_all("counters", out.as_bytes()));
    }

    // Inner keys of one key, and of as many; pairs that transferred.
    for outer in [1, n / 2] {
        let mut out = context(1, 2 * n);
        out.varint(outer);
        for key in 0..outer {
            out.varint(key);
            let inner = if outer == 1 { n } else { 2 };
            out.varint(inner);
            for element in 0..inner {
                out.varint(element);
                out.raw(&[1, 0]);
                out.varint(2 * (key * inner + element) % (2 * n) + 1);
            }
        }
        check_all("keys below keys", out.as_bytes());
        out.u8(0);
        assert!(check_all("a delta of keys below keys", out.as_bytes()) || outer > 1);
    }
    let mut out = Writer::new();
    out.u8(0);
    out.varint(100 * 100);
    for pair in 0..100 * 100u64 {
        for (index, number) in [pair / 100, pair % 100].into_iter().enumerate() {
            out.varint(number);
            // An id follows its number where that is new: the first pair names one replica
            // twice, and the next ones each a new one.
            if pair < 100 && (index == 1) == (pair > 0) {
                out.raw(&u128::from(number).to_be_bytes());
            }
        }
        out.varint(1);
    }
    out.varint(0);
    assert!(check_all("transfers", out.as_bytes()));

    // Counts that promise what is not there, at every place where a count may stand.
    for head in [&[][..], &[0], &[0, 0], &[0, 0, 0], &[0, 0, 0, 1]] {
        for count in [u64::MAX, 1 << 32, 1 << 20, 1 << 16] {
            for padding in [0, 1, 1_000] {
                let mut out = Writer::new();
                out.raw(head);
                out.varint(count);
                out.raw(&vec![0; padding]);
                check_all("a lying count", out.as_bytes());
            }
        }
    }

    // Noise.
    let mut rng = Rng(9);
    for _ in 0..500 {
        let len = rng.below(300);
        let noise: Vec<u8> = (0..len).map(|_| rng.next() as u8 & 0x83).collect();
        check_all("noise", &noise);
    }
}

/// The encoding of a value: that of a delta without its keys.
fn without_touched(mut delta: Vec<u8>) -> Vec<u8> {
    assert_eq!(delta.pop(), Some(0));
    delta
}
