//! What a decoder of a core type holds at its peak: at most 64 KiB + 32 × the bytes it was
//! given, over dense and over lying inputs.

use crdt_core::causality::{CausalContext, VersionVector};
use crdt_core::codec::{Decode, Encode, Writer};
use crdt_core::counter::{CounterStore, GCounterDelta, PnCounterDelta};
use crdt_core::dot_store::{Digest, DotMap};
use crdt_core::flag::EnableWinsFlagDelta;
use crdt_core::map::{LatticeStore, LwwMapDelta, ObservedRemoveMapDelta};
use crdt_core::register::MultiValueRegisterDelta;
use crdt_core::sequence::ListDelta;
use crdt_core::set::{AddWinsSetDelta, AddWinsStore, RemoveWinsSetDelta};
use crdt_core::tree::TreeDelta;
use crdt_core::{
    AddWinsSet, BoundedCounter, DisableWinsFlag, EnableWinsFlag, GCounter, GrowOnlySet, List,
    LwwMap, LwwRegister, MaxRegister, MultiValueRegister, ObservedRemoveMap, PnCounter,
    RemoveWinsSet, Tree, TwoPhaseSet,
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
        check::<List<u64>>(name, input),
        check::<List<String>>(name, input),
        check::<List<()>>(name, input),
        check::<ListDelta<u64>>(name, input),
        check::<Tree<u64>>(name, input),
        check::<Tree<()>>(name, input),
        check::<TreeDelta<String>>(name, input),
        check::<CausalContext>(name, input),
        check::<Digest>(name, input),
        check::<VersionVector>(name, input),
    ];
    accepted.contains(&true)
}

/// The decoders of lists and trees, over one input.
fn check_lists_and_trees(name: &str, input: &[u8]) -> bool {
    let accepted = [
        check::<List<u64>>(name, input),
        check::<List<String>>(name, input),
        check::<List<()>>(name, input),
        check::<ListDelta<u64>>(name, input),
        check::<Tree<u64>>(name, input),
        check::<Tree<()>>(name, input),
        check::<TreeDelta<String>>(name, input),
    ];
    accepted.contains(&true)
}

/// Checks what can stand behind a context: nothing held, as a digest says it, or empty columns.
/// Whether both are accepted.
fn behind_a_context(name: &str, context: Writer) -> bool {
    let mut accepted = true;
    for rest in [&[0, 0][..], &[0, 0, 0]] {
        accepted &= check_all(name, &[context.as_bytes(), rest].concat());
    }
    accepted
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

/// A dot with one between it and the last.
const APART: &[u8] = &[0x82, 1];

/// The columns of a store.
#[derive(Default)]
struct Columns {
    dots: Writer,
    unusual: Writer,
    body: Writer,
}

impl Columns {
    /// Behind a context.
    fn behind(self, mut out: Writer) -> Vec<u8> {
        out.bytes(self.dots.as_bytes());
        out.bytes(self.unusual.as_bytes());
        out.raw(self.body.as_bytes());
        out.into_bytes()
    }

    /// A leaf of one replica's every other dot.
    fn every_other(&mut self, dots: u64) {
        self.unusual.raw(&[0]);
        self.unusual.varint(dots);
        self.dots.u8(1);
        for dot in 1..dots {
            self.dots.varint(0);
            self.dots.varint(2 * dot + 1);
        }
    }
}

/// Elements with dots that are as short as can be, and no two of one run, so that the
/// decoder's index of them is as large as can be.
fn dots_of_elements(replicas: u64, elements: u64, write: &[u8]) -> Vec<u8> {
    let mut store = Columns::default();
    store.body.varint(elements);
    for element in 0..elements {
        store.body.u8(if element == 0 { 0 } else { 2 });
        if replicas > 1 {
            store.unusual.raw(&[0]);
            store.unusual.varint(replicas);
        }
        // All replicas' dots of one number stand together, and every other number is taken.
        store.dots.varint(if element == 0 { 1 } else { 128 + 2 * replicas });
        for replica in 1..replicas {
            store.dots.varint(replica);
            store.dots.varint(2 * element + 1);
        }
        (0..replicas).for_each(|_| store.body.raw(write));
    }
    store.behind(context(replicas, 2 * elements))
}

/// One element with `dots` of one replica.
fn dots_of_one_element(dots: u64, write: &[u8]) -> Vec<u8> {
    let mut store = Columns::default();
    store.every_other(dots);
    store.body.raw(&[1, 0]);
    (0..dots).for_each(|_| store.body.raw(write));
    store.behind(context(1, 2 * dots))
}

/// Names in the order of their bytes, beside each other.
fn names(out: &mut Writer, names: &[String]) {
    out.count(names.len());
    names[0].encode(out);
    for pair in names.windows(2) {
        pair[1].encode_near(&pair[0], out);
    }
}

#[test]
fn decoding_holds_at_most_64_kib_and_32_times_the_input() {
    let n = 10_000;
    // Sizes of one to three bytes a number, around the places where encodings grow.
    for elements in [100, 127, 1_000, n] {
        for (replicas, write) in [(1, &[][..]), (1, &[0, 0]), (1, &[0, 0, 0])] {
            let numbers = dots_of_elements(replicas, elements, write);
            check_all(&format!("{elements} elements, writes {write:?}"), &numbers);
        }
    }
    assert!(check_all("elements", &dots_of_elements(1, n, &[])));
    assert!(check_all("keys", &dots_of_elements(1, n, &[0, 0])));
    for replicas in [2, 16, 127] {
        check_all("dots of many replicas", &dots_of_elements(replicas, 63, &[]));
        check_all("writes of many replicas", &dots_of_elements(replicas, 63, &[0, 0]));
    }
    for dots in [60, 8_000, 20_000] {
        assert!(check_all("dots of one element", &dots_of_one_element(dots, &[])));
        assert!(check_all("writes of one key", &dots_of_one_element(dots, &[0, 0])));
    }

    // Strings, in the order of their bytes.
    let mut strings: Vec<String> = (0..n).map(|name| format!("{name:x}")).collect();
    strings.sort();
    for strings in [strings, (0..n).map(|name| format!("key-{name:06}")).collect()] {
        for (tail, apart) in [(&[][..], APART), (&[0, 0], APART), (&[], &[1]), (&[0, 0], &[1])] {
            let mut store = Columns::default();
            store.dots.u8(1);
            (1..n).for_each(|_| store.dots.raw(apart));
            store.body.count(strings.len());
            strings[0].encode(&mut store.body);
            store.body.raw(tail);
            for pair in strings.windows(2) {
                pair[1].encode_near(&pair[0], &mut store.body);
                store.body.raw(tail);
            }
            let input = store.behind(context(1, 2 * n));
            assert!(check_all("strings", &input));
            let mut touched = Writer::new();
            names(&mut touched, &strings);
            let input = [&input, touched.as_bytes()].concat();
            assert!(check_all("strings, and the same touched", &input));
        }
    }

    // Keys that a delta touches, and nothing else.
    for count in [100, n] {
        let mut out = Writer::new();
        out.raw(&[0, 0, 0, 0, 0]);
        out.varint(count);
        (0..count).for_each(|key| out.u8(if key == 0 { 0 } else { 2 }));
        assert!(check_all("touched numbers", out.as_bytes()));
    }

    // Elements without dots; a flag of many dots.
    for tail in [&[][..], &[0], &[1]] {
        let mut out = Writer::new();
        out.u8(0);
        out.varint(n);
        for element in 0..n {
            out.u8(if element == 0 { 0 } else { 2 });
            out.raw(tail);
        }
        assert!(check_all("plain elements", out.as_bytes()));
    }
    for toggle in [&[][..], &[1]] {
        let mut store = Columns::default();
        store.every_other(n);
        (0..n).for_each(|_| store.body.raw(toggle));
        assert!(check_all("a flag", &store.behind(context(1, 2 * n))));
    }

    // A context of many replicas; one of many runs.
    assert!(check_all("replicas", &[context(n, 1).as_bytes(), &[0, 2, 0, 0]].concat()));
    for runs in [100, n] {
        let mut out = Writer::new();
        out.raw(&[0, 1, 0]);
        out.raw(&[7; 16]);
        out.varint(0);
        out.varint(runs);
        (0..runs).for_each(|_| out.raw(&[0, 0]));
        check_all("runs without a version", &out.as_bytes()[1..]);
        assert!(behind_a_context("runs", out));
    }
    let mut out = Writer::new();
    out.raw(&[0]);
    out.varint(n);
    for replica in 0..n {
        out.varint(replica);
        out.raw(&u128::from(replica).to_be_bytes());
        out.raw(&[0, 1, 0, 0]);
    }
    assert!(behind_a_context("a run for each replica", out));

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
        let mut store = Columns::default();
        store.body.varint(outer);
        for key in 0..outer {
            store.body.u8(if key == 0 { 0 } else { 2 });
            let inner = if outer == 1 { n } else { 2 };
            store.body.varint(inner);
            for element in 0..inner {
                store.body.u8(if element == 0 { 0 } else { 2 });
                store.dots.raw(if key + element == 0 { &[1] } else { APART });
            }
        }
        let mut input = store.behind(context(1, 2 * n));
        assert!(check_all("keys below keys", &input));
        input.push(0);
        assert!(check_all("a delta of keys below keys", &input));
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

    // Lists: of elements that each stand by themselves, behind nothing or behind the one
    // before, or two before; of elements that are gone; and of moves.
    for (count, behind) in [(100, 0), (n, 0), (n, 1), (n, 2)] {
        for cell in [&[0][..], &[1, 7], &[2]] {
            let mut dots = Writer::new();
            for run in 0..count {
                for seq in [2 * run + 1, if run < behind { 0 } else { 2 * (run - behind) + 1 }, 0] {
                    dots.varint(0);
                    dots.varint(if behind == 0 && seq != 2 * run + 1 { 0 } else { seq });
                }
                if cell == [2] {
                    dots.varint(0);
                    dots.varint((2 * run).max(1));
                }
            }
            let mut out = context(1, 2 * count);
            out.bytes(dots.as_bytes());
            out.u8(0);
            out.varint(count);
            (0..count).for_each(|_| out.raw(&[&[2], cell].concat()));
            check_lists_and_trees(
                &format!("{count} runs of {cell:?}, {behind} behind"),
                out.as_bytes(),
            );
        }
    }
    for cell in [&[0][..], &[1, 7], &[1]] {
        let mut out = context(1, n);
        out.raw(&[6, 0, 1, 0, 0, 0, 0, 0, 1]);
        out.varint(n << 1);
        (0..n).for_each(|_| out.raw(cell));
        assert!(check_lists_and_trees(&format!("one run of {cell:?}"), out.as_bytes()));
    }

    // Trees: of nodes at the top, below each other or below one, with values and without; and
    // of moves of one node.
    for (count, kind) in [(100, 0), (n, 0), (n, 1), (n, 2), (n, 3)] {
        for values in [0, count] {
            let (mut dots, mut body) = (Writer::new(), Writer::new());
            body.varint(count);
            for node in 0..count {
                let dot = 2 * node + 1;
                let moved = if kind == 3 { 1 } else { dot };
                let parent = [0, dot.saturating_sub(2), u64::from(node > 0), 0][kind];
                for seq in [dot, moved, parent] {
                    dots.varint(0);
                    dots.varint(seq);
                }
                body.raw(&[2, 1, 1 + (node % 255) as u8]);
            }
            body.varint(values);
            for node in 0..values {
                body.u8(7);
                for seq in [2 * node + 2, 2 * node + 1] {
                    dots.varint(0);
                    dots.varint(seq);
                }
            }
            let mut out = context(1, 2 * count);
            out.bytes(dots.as_bytes());
            out.u8(0);
            out.raw(body.as_bytes());
            let name = format!("{count} nodes of kind {kind}, {values} values");
            assert!(check_lists_and_trees(&name, out.as_bytes()), "{name}");
        }
    }

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
