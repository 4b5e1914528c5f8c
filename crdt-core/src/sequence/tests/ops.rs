//! The encoded form of edits.

use alloc::string::String;
use alloc::vec::Vec;

use super::random::Random;
use crate::codec::{DecodeErrorKind, Reader, Writer};
use crate::sequence::{OpRuns, OpWriter, TextOp};

#[derive(Clone, Debug)]
enum Owned {
    Insert(u32, String),
    Delete(u32, u32, bool),
    Clear(u32),
}

impl Owned {
    fn op(&self) -> TextOp<'_> {
        match *self {
            Self::Insert(at, ref content) => TextOp::Insert { at, content },
            Self::Delete(at, len, forward) => TextOp::Delete { at, len, forward },
            Self::Clear(len) => TextOp::Clear { len },
        }
    }
}

fn random_ops(random: &mut Random) -> Vec<Owned> {
    let mut cursor = 50;
    (0..random.below(20))
        .map(|_| {
            let len = 1 + random.below(4) as u32;
            if random.chance(20) {
                cursor = 20 + random.below(100) as u32;
            }
            match random.below(8) {
                0..=2 => {
                    let content: String =
                        (0..len).map(|_| *random.pick(&['a', 'b', 'é', '日', '🎉'])).collect();
                    cursor += len;
                    Owned::Insert(cursor - len, content)
                }
                3 | 4 => Owned::Delete(cursor, len, true),
                5 | 6 => {
                    cursor -= len;
                    Owned::Delete(cursor, len, false)
                }
                _ => Owned::Clear(len),
            }
        })
        .collect()
}

fn encode(runs: &OpRuns) -> Vec<u8> {
    let mut out = Writer::new();
    runs.encode(&mut out);
    out.into_bytes()
}

/// Written and read again, and cut into single events and joined again: the same bytes.
#[test]
fn streams_travel_and_do_not_show_their_pieces() {
    for seed in 0..crate::laws::cases() {
        let mut random = Random::new(seed);
        let mut runs = OpRuns::new();
        for op in random_ops(&mut random) {
            runs.push(op.op());
        }
        let bytes = encode(&runs);
        let mut input = Reader::new(&bytes);
        let read = OpRuns::read(runs.events(), &mut input).expect("just written");
        assert!(input.is_empty());
        assert_eq!(encode(&read), bytes);
        let pieces = |runs: &OpRuns, step: u32| {
            let mut writer = OpWriter::new();
            let mut at = 0;
            while at < runs.events() {
                let end = runs.events().min(at + step);
                runs.pieces(at..end).for_each(|(_, op)| writer.push(op));
                at = end;
            }
            let mut out = Writer::new();
            writer.finish(&mut out);
            out.into_bytes()
        };
        for step in 1..5 {
            assert_eq!(pieces(&read, step), bytes, "seed {seed}, cut every {step} events");
        }
    }
}

/// What is accepted is what would be written.
#[test]
fn accepts_only_what_it_writes() {
    let mut accepted = 0;
    for seed in 0..crate::laws::cases() * 4 {
        let mut random = Random::new(seed);
        let mut runs = OpRuns::new();
        for op in random_ops(&mut random) {
            runs.push(op.op());
        }
        let (mut bytes, mut events) = (encode(&runs), runs.events());
        for _ in 0..1 + random.below(3) {
            match random.below(5) {
                0 if !bytes.is_empty() => bytes.truncate(random.below(bytes.len())),
                1 => events = (events + random.below(3) as u32).saturating_sub(1),
                2 => bytes.insert(random.below(bytes.len() + 1), random.next() as u8),
                _ if !bytes.is_empty() => {
                    let at = random.below(bytes.len());
                    bytes[at] = bytes[at].wrapping_add(1 + random.below(8) as u8);
                }
                _ => {}
            }
        }
        let mut input = Reader::new(&bytes);
        if let Ok(read) = OpRuns::read(events, &mut input) {
            accepted += 1;
            assert_eq!(encode(&read), bytes[..bytes.len() - input.remaining()], "seed {seed}");
        }
    }
    assert!(accepted > 0, "some damage is another valid stream");
}

#[test]
fn one_typed_character_is_three_bytes() {
    let mut writer = OpWriter::new();
    writer.push(TextOp::Insert { at: 40, content: "x" });
    let mut out = Writer::new();
    writer.finish(&mut out);
    assert_eq!(out.as_bytes(), [0, 80, b'x']);
}

#[test]
fn a_great_count_costs_nothing() {
    // Kind: insert, all that is left; position 0; and no text.
    let found = OpRuns::read((1 << 30) - 1, &mut Reader::new(&[0, 0]));
    assert_eq!(found.map(|_| ()).map_err(|e| e.kind), Err(DecodeErrorKind::UnexpectedEnd));
}

/// Parts of a stream are put into another as the edits in them are.
#[test]
fn streams_are_put_together() {
    for seed in 0..crate::laws::cases() {
        let mut random = Random::new(seed);
        let mut runs = OpRuns::new();
        random_ops(&mut random).iter().for_each(|op| runs.push(op.op()));
        let (mut copied, mut pushed) = (OpRuns::new(), OpRuns::new());
        random_ops(&mut random).iter().for_each(|op| {
            copied.push(op.op());
            pushed.push(op.op());
        });
        let (mut at, mut copies) = (0, 0);
        while at < runs.events() {
            copies += 1;
            let end = (at + random.below(12) as u32).min(runs.events());
            copied.extend(&runs, at..end).expect("they are few");
            copied.check_invariants();
            runs.pieces(at..end).for_each(|(_, op)| pushed.push(op));
            at = end;
        }
        assert_eq!(encode(&copied), encode(&pushed), "seed {seed}");
        // Wide text is held in short pieces, which need not be cut alike.
        assert!(copied.runs() <= pushed.runs() + copies, "seed {seed}");
    }
}
