//! What the decoders of a text and of its changes hold at their peak: at most 64 KiB + 32 ×
//! the bytes they were given, over inputs as dense as the format allows. And what typing
//! allocates: nothing, but for what doubles.

use allocation_counter::measure;
use crdt_core::causality::{ChangeRun, ChangeWriter};
use crdt_core::codec::{SendTable, Writer, seal};
use crdt_core::sequence::{OpWriter, TextOp};
use crdt_core::{Dot, ReplicaId, Text, TextDelta};

/// A saved text, as it is and with its history, where the streams are as dense as can be: so
/// regular that they would compress to less than they may.
#[test]
fn saved_texts_stay_within_the_bound() {
    let mut text = Text::new();
    let mut writer = text.writer(ReplicaId::from_u128(1));
    // What compresses best: one letter, one place, typed and deleted in turn.
    for _ in 0..N / 2 {
        let _sent = text.insert(0, "aa", &mut writer).expect("in bounds");
        let _sent = text.delete(0, 1, &mut writer).expect("in bounds");
    }
    let saved = text.encode().expect("it was not loaded");
    let mut loaded = None;
    let held = measure(|| loaded = Text::decode(&saved).ok()).bytes_max;
    let mut loaded = loaded.expect("just encoded");
    let whole = measure(|| loaded.load_history().expect("just encoded")).bytes_max;
    println!("{} bytes: {held} held for the text, {whole} for its history", saved.len());
    assert!(held <= (64 << 10) + 32 * saved.len() as u64, "{held} of {}", saved.len());
    // What counts is the input and what it inflates to: a compressed section is an eighth of that
    // at least.
    let bytes = 9 * saved.len() as u64;
    assert!(whole <= (64 << 10) + 32 * bytes, "{whole} of {}", saved.len());
}

/// Checks the bound for `body` as a delta, which is well formed.
fn check(name: &str, body: &[u8]) {
    let delta = seal(*b"cTxD", body);
    let bound = (64 << 10) + 32 * delta.len() as u64;
    let mut accepted = false;
    let held = measure(|| accepted = TextDelta::decode(&delta).is_ok()).bytes_max;
    assert!(accepted, "{name} is well formed");
    println!("{name}: {} bytes; {held} bytes held", delta.len());
    assert!(held <= bound, "{name}: {held} bytes held, bound {bound}");
}

fn body(runs: &[ChangeRun], ops: impl Fn(&mut OpWriter)) -> Vec<u8> {
    let (mut out, mut table, mut headers) = (Writer::new(), SendTable::new(), ChangeWriter::new());
    out.u8(0);
    out.count(runs.len());
    runs.iter().for_each(|run| headers.write(run, &mut table, &mut out));
    let mut stream = OpWriter::new();
    ops(&mut stream);
    stream.finish(&mut out);
    out.into_bytes()
}

fn run(replica: u128, seq: u64, change_len: u32, count: u32, parents: &[Dot]) -> ChangeRun {
    let replica = ReplicaId::from_u128(replica);
    ChangeRun { replica, seq, change_len, count, parents: parents.iter().copied().collect() }
}

/// Just above a power of two, where vectors that double are at their largest.
const N: u32 = 33_000;

#[test]
fn dense_histories_stay_within_the_bound() {
    check(
        "one character each at two places in turn",
        &body(&[run(1, 1, 1, N, &[])], |ops| {
            (0..N).for_each(|i| ops.push(TextOp::Insert { at: i % 2 * (i / 2), content: "a" }));
        }),
    );
    check(
        "typed and deleted in turn",
        &body(&[run(1, 1, 1, 2 * N, &[])], |ops| {
            for _ in 0..N {
                ops.push(TextOp::Insert { at: 0, content: "a" });
                ops.push(TextOp::Delete { at: 0, len: 1, forward: true });
            }
        }),
    );
    check(
        "cleared and deleted in turn",
        &body(&[run(1, 1, 1, N, &[])], |ops| {
            for i in 0..N {
                ops.push(match i % 2 {
                    0 => TextOp::Clear { len: 1 },
                    _ => TextOp::Delete { at: 0, len: 1, forward: true },
                });
            }
        }),
    );
    let mut seq = 1;
    let uneven: Vec<ChangeRun> = (0..N)
        .map(|i| {
            let run = run(1, seq, 1 + i % 2, 1, &[]);
            seq += run.events();
            run
        })
        .collect();
    let typed = "a".repeat(seq as usize - 1);
    check(
        "changes of one and two in turn",
        &body(&uneven, |ops| ops.push(TextOp::Insert { at: 0, content: &typed })),
    );
    // Two writers, each change seeing the other's last but one.
    let braid: Vec<ChangeRun> = (0..N)
        .map(|i| {
            let (who, seq) = (u128::from(i % 2), u64::from(i / 2) + 1);
            let other = Dot::new(ReplicaId::from_u128(1 - who), seq - 1);
            let parents: &[Dot] = if seq > 1 { &[other] } else { &[] };
            run(who, seq, 1, 1, parents)
        })
        .collect();
    let typed = "a".repeat(N as usize);
    check(
        "a braid at one place",
        &body(&braid, |ops| {
            typed.chars().for_each(|_| ops.push(TextOp::Insert { at: 0, content: "a" }));
        }),
    );
    let crowd: Vec<ChangeRun> = (0..u128::from(N) / 10).map(|who| run(who, 1, 1, 1, &[])).collect();
    check(
        "a crowd at one place",
        &body(&crowd, |ops| {
            crowd.iter().for_each(|_| ops.push(TextOp::Insert { at: 0, content: "a" }));
        }),
    );
}

/// Ordinary edits, here and taken in elsewhere: their deltas need no memory of their own, and
/// what the texts need grows in steps.
#[test]
fn typing_allocates_only_where_something_grows() {
    const EDITS: u32 = 10_000;
    let (mut here, mut there) = (Text::new(), Text::new());
    let mut writer = here.writer(ReplicaId::from_u128(1));
    let (mut typed, mut joined) = (0, 0);
    for edit in 0..EDITS {
        let at = here.len_chars() / 2;
        let mut delta = None;
        typed += measure(|| {
            let sent = if edit % 4 < 3 {
                here.insert(at, "\u{e9}", &mut writer)
            } else {
                here.splice(at - 1, 1, "some words", &mut writer)
            };
            delta = sent.ok();
        })
        .count_total;
        let delta = delta.expect("in bounds");
        joined += measure(|| there.join(&delta).expect("nothing is missing")).count_total;
        assert_eq!(measure(|| drop(delta)).count_total, 0);
    }
    assert_eq!(here.to_string(), there.to_string());
    println!("{EDITS} edits: {typed} allocations, {joined} where they were joined");
    // Every few hundred bytes a chunk of the rope is split in two.
    assert!(typed < u64::from(EDITS) / 10 && joined < u64::from(EDITS) / 10);
}
