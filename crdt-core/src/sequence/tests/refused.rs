//! What a `Text` refuses, and that it then stays as it was.

use alloc::string::ToString;

use super::random::Random;
use super::text::{everything, fork, id, random_session};
use crate::causality::{ChangeRun, ParentsError};
use crate::codec::{CHECKSUM_LEN, checksum};
use crate::sequence::delta::Changes;
use crate::sequence::{InvalidTextOp, JoinError, OpRuns, TextError, TextOp};
use crate::{Dot, DotRange, Text, TextDelta};

#[test]
fn positions_that_name_no_gap_are_errors() {
    let (mut text, mut writer) = fork(&Text::new(), 1);
    let _sent = text.insert(0, "a🎉é", &mut writer).expect("in bounds");
    let before = text.clone();
    let out = |position, length| Err(TextError::OutOfBounds { position, length });
    let inside = |position| Err(TextError::InsideCodePoint { position });
    let done = |result: Result<TextDelta, TextError>| result.map(|delta| delta.is_empty());
    assert_eq!(done(text.insert(4, "x", &mut writer)), out(4, 3));
    assert_eq!(done(text.delete(1, 3, &mut writer)), out(4, 3));
    assert_eq!(done(text.delete(1, u32::MAX, &mut writer)), out(u32::MAX, 3));
    assert_eq!(done(text.insert_utf16(2, "x", &mut writer)), inside(2));
    assert_eq!(done(text.delete_utf16(0, 2, &mut writer)), inside(2));
    assert_eq!(done(text.insert_utf16(5, "x", &mut writer)), out(5, 4));
    assert_eq!(done(text.insert_bytes(2, "x", &mut writer)), inside(2));
    assert_eq!(done(text.delete_bytes(6, 1, &mut writer)), inside(6));
    assert_eq!(done(text.insert(1, "", &mut writer)), Ok(true));
    assert_eq!(done(text.delete(3, 0, &mut writer)), Ok(true));
    // The second edit of a change fails: the first is taken back.
    let edits =
        [TextOp::Delete { at: 0, len: 2, forward: true }, TextOp::Insert { at: 2, content: "x" }];
    assert_eq!(done(text.edit(&edits, &mut writer)), out(2, 1));
    assert_eq!(text, before);
    assert_eq!(text.to_string(), "a🎉é");
    text.check_invariants();
    assert_eq!(done(text.delete_utf16(1, 2, &mut writer)), Ok(false));
    assert_eq!(text.to_string(), "aé");
}

#[test]
fn what_is_missing_is_named() {
    let (mut text, mut writer) = fork(&Text::new(), 1);
    let _first = text.insert(0, "abc", &mut writer).expect("in bounds");
    let second = text.insert(3, "d", &mut writer).expect("in bounds");
    let (mut other, mut another) = fork(&text, 2);
    let third = other.insert(0, "x", &mut another).expect("in bounds");
    let mut late = Text::new();
    let missing = |ranges: &[DotRange]| Err(JoinError::Missing(ranges.to_vec()));
    assert_eq!(late.join(&second), missing(&[DotRange::new(id(1), 1, 3)]));
    assert_eq!(late.join(&third), missing(&[DotRange::new(id(1), 1, 4)]));
    assert_eq!(late, Text::new());
}

#[test]
fn one_dot_with_two_contents_is_reported() {
    let (mut text, mut writer) = fork(&Text::new(), 7);
    let _sent = text.insert(0, "abc", &mut writer).expect("in bounds");
    let (mut clone, mut again) = fork(&Text::new(), 7);
    let others = [
        clone.insert(0, "abd", &mut again).expect("in bounds"),
        {
            let (mut clone, mut again) = fork(&Text::new(), 7);
            let _sent = clone.insert(0, "a", &mut again).expect("in bounds");
            let _sent = clone.insert(1, "bc", &mut again).expect("in bounds");
            everything(&clone)
        },
        {
            let (mut clone, mut again) = fork(&Text::new(), 7);
            let _sent = clone.insert(0, "abcd", &mut again).expect("in bounds");
            everything(&clone)
        },
    ];
    for other in others {
        let before = text.encode();
        assert_eq!(text.join(&other), Err(JoinError::Equivocation { replica: id(7) }));
        assert_eq!(text.encode(), before);
        text.check_invariants();
    }
}

#[test]
#[should_panic(expected = "a writer serves only the root that made it")]
fn a_writer_of_another_root_is_refused() {
    let (mut text, mut writer) = fork(&Text::new(), 1);
    let _sent = text.insert(0, "abc", &mut writer).expect("in bounds");
    let _panics = Text::new().insert(0, "x", &mut writer);
}

/// Damaged bytes with a right checksum: refused, or a delta like any other.
#[test]
fn damaged_deltas_change_all_or_nothing() {
    let mut accepted = 0;
    for seed in 0..crate::laws::cases() {
        let mut random = Random::new(seed);
        let (mut texts, _) = random_session(&mut random);
        let whole = everything(&texts.pop().expect("at least two")).encode();
        let mut bytes = whole[..whole.len() - CHECKSUM_LEN].to_vec();
        for _ in 0..1 + random.below(3) {
            let at = 4 + random.below((bytes.len() - 4).max(1));
            match random.below(4) {
                0 if at < bytes.len() => bytes.truncate(at),
                1 => bytes.insert(at.min(bytes.len()), random.next() as u8),
                _ if at < bytes.len() => {
                    bytes[at] = bytes[at].wrapping_add(1 + random.below(6) as u8);
                }
                _ => {}
            }
        }
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        if let (Ok(delta), Some(text)) = (TextDelta::decode(&bytes), texts.first_mut()) {
            let before = text.clone();
            if text.join(&delta).is_ok() {
                accepted += 1;
            } else {
                assert_eq!(text.encode(), before.encode(), "seed {seed}: all or nothing");
                assert_eq!(text.to_string(), before.to_string());
            }
            text.check_invariants();
        }
    }
    assert!(accepted > 0, "some damage is another valid delta");
}

/// A position beyond the end at the edit's own version is refused, however long the text
/// is elsewhere.
#[test]
fn an_edit_beyond_its_own_end_is_refused() {
    let (mut text, mut writer) = fork(&Text::new(), 1);
    let first = text.insert(0, "ab", &mut writer).expect("in bounds");
    let _sent = text.insert(2, "cdef", &mut writer).expect("in bounds");
    // A second writer, who has seen `ab`, claims to have typed at the fifth place.
    let (mut short, mut liar) = fork(&Text::new(), 2);
    short.join(&first).expect("nothing is missing");
    let honest = short.insert(2, "xyz", &mut liar).expect("in bounds");
    let mut lying = honest.changes().into_owned();
    lying.ops = OpRuns::new();
    lying.ops.push(TextOp::Insert { at: 4, content: "xyz" });
    let lying: TextDelta = lying.into();
    let error = InvalidTextOp::BeyondEnd { end: 4, length: 2 };
    let before = text.encode();
    let event = Dot::new(id(2), 1);
    assert_eq!(text.join(&lying), Err(JoinError::Edit { event, error }));
    assert_eq!(text.encode(), before);
    text.check_invariants();
    text.join(&honest).expect("nothing is wrong with it");
    text.check_invariants();
}

fn header(replica: u128, seq: u64, change_len: u32, parents: &[Dot]) -> ChangeRun {
    let parents = parents.iter().copied().collect();
    ChangeRun { replica: id(replica), seq, change_len, count: 1, parents }
}

/// A delta made by hand: these changes, each typing at the beginning.
fn forged(runs: &[ChangeRun]) -> TextDelta {
    let mut delta = Changes::default();
    for run in runs {
        delta.headers.push(run);
        let content = "x".repeat(run.change_len as usize);
        delta.ops.push(TextOp::Insert { at: 0, content: &content });
    }
    delta.into()
}

#[test]
fn forged_parents_are_refused() {
    let mut text = Text::new();
    let three = forged(&[header(1, 1, 3, &[])]);
    text.join(&three).expect("nothing is wrong with it");
    let before = text.encode();
    let refused = |text: &mut Text, delta: &TextDelta, expected: JoinError| {
        assert_eq!(text.join(delta), Err(expected));
        text.check_invariants();
        assert_eq!(text.encode(), before);
    };
    let (change, inside) = (Dot::new(id(2), 1), Dot::new(id(1), 2));
    let error = ParentsError::InsideChange(inside);
    let delta = forged(&[header(2, 1, 1, &[inside])]);
    refused(&mut text, &delta, JoinError::Parents { change, error });

    let redundant = Dot::new(id(1), 3);
    let delta = forged(&[header(2, 1, 1, &[redundant]), header(3, 1, 1, &[redundant, change])]);
    let (change, error) = (Dot::new(id(3), 1), ParentsError::Redundant(redundant));
    refused(&mut text, &delta, JoinError::Parents { change, error });

    // Each follows the other.
    let (a, b) = (Dot::new(id(2), 1), Dot::new(id(3), 1));
    let delta = forged(&[header(2, 1, 1, &[b]), header(3, 1, 1, &[a])]);
    refused(&mut text, &delta, JoinError::Cycle { change: a });
}
