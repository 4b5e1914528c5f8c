//! Anchors against the paper's tree.

use super::history::{self, Engine, Shape};
use super::random::Random;
use crate::codec::{Decode, Encode, Reader, Writer};
use crate::sequence::{Anchor, AnchorError, HistoryError, Side};
use crate::{Dot, Frontier, ReplicaId, Text};

/// A place is where the element that it belongs to is, on every replica, whatever the way
/// the edits came.
#[test]
fn places_follow_their_elements() {
    for seed in 0..crate::laws::cases() / 4 {
        let mut random = Random::new(seed);
        let shape = Shape { events_max: 30, clears: seed % 4 == 0, deletes_percent: 25 };
        let history = history::random(&mut random, shape);
        let mut engine = Engine::new(&history);
        engine.receive_all(&history, &mut random);
        for (index, event) in history.events.iter().enumerate() {
            let lv = engine.lvs[index].expect("all were received");
            let length = event.text_after.chars().count();
            let gap = random.below(length + 1);
            for side in [Side::Before, Side::After] {
                let found = engine.store.resolve(&engine.graph, &[lv], gap as u32, side);
                let expected = history.resolve(index, gap, side == Side::After);
                assert_eq!(
                    found,
                    Some(expected as u32),
                    "seed {seed}, {side:?} {gap} after {index}"
                );
            }
            let beyond = length as u32 + 1;
            assert_eq!(engine.store.resolve(&engine.graph, &[lv], beyond, Side::Before), None);
        }
    }
}

#[test]
fn a_cursor_stays_with_its_neighbour() {
    let mut text = Text::new();
    let mut writer = text.writer(ReplicaId::from_u128(1));
    let _sent = text.insert(0, "one two", &mut writer).expect("in bounds");
    let before = text.anchor(3, Side::Before).expect("in bounds");
    let after = text.anchor(3, Side::After).expect("in bounds");
    let _sent = text.insert(3, " and a half", &mut writer).expect("in bounds");
    assert_eq!((text.resolve(&before), text.resolve(&after)), (Ok(3), Ok(14)));
    let _sent = text.delete(0, 5, &mut writer).expect("in bounds");
    assert_eq!((text.resolve(&before), text.resolve(&after)), (Ok(0), Ok(9)));

    let mut out = Writer::new();
    after.encode(&mut out);
    assert_eq!(Anchor::decode(&mut Reader::new(out.as_bytes())), Ok(after.clone()));
    let dot = Dot::new(ReplicaId::from_u128(2), 1);
    let foreign = Anchor { version: Frontier::from_iter([dot]), ..after.clone() };
    assert_eq!(text.resolve(&foreign), Err(HistoryError::Anchor(AnchorError::Missing(dot))));
    let long = Anchor { gap: 8, ..after };
    let beyond = AnchorError::OutOfBounds { gap: 8 };
    assert_eq!(text.resolve(&long), Err(HistoryError::Anchor(beyond)));
}
