//! `Text`: whole texts, deltas, anchors. What is checked by a checksum gets a valid one, so
//! that mutations reach behind it.

use std::sync::LazyLock;

use crdt_core::codec::seal;
use crdt_core::sequence::{Anchor, Side, Text, TextDelta};
use crdt_core::{Frontier, VersionVector};

use super::replicas;
use crate::memory::bounded;
use crate::values::{decode, encode};

const TEXT: [u8; 4] = *b"cTxt";
const DELTA: [u8; 4] = *b"cTxD";

/// What deltas and anchors meet.
static STATES: LazyLock<[Text; 3]> = LazyLock::new(states);

/// The first byte chooses what the rest is, and the text that it meets.
pub fn run(bytes: &[u8]) {
    let Some((&choice, body)) = bytes.split_first() else { return };
    let text = &STATES[usize::from(choice >> 2) % 3];
    match choice % 4 {
        0 => whole(&seal(TEXT, body)),
        1 => delta(text.clone(), &seal(DELTA, body)),
        2 => anchor(text, body),
        _ => {
            whole(body);
            delta(text.clone(), body);
        }
    }
}

/// A text of two writers in states along the way, the deltas between them, anchors.
pub fn seeds() -> Vec<Vec<u8>> {
    let body = |sealed: &[u8]| sealed[4..sealed.len() - 4].to_vec();
    let mut seeds = vec![[vec![0], body(&Text::new().encode())].concat()];
    for (index, text) in (0u8..).zip(&*STATES) {
        seeds.push([vec![0], body(&text.encode())].concat());
        let delta = text.delta_since(STATES[0].version());
        seeds.push([vec![1], body(&delta.encode())].concat());
        for (gap, side) in [(0, Side::Before), (3, Side::After)] {
            let anchor = text.anchor(gap, side).expect("within the text");
            seeds.push([vec![2 | index << 2], encode(&anchor)].concat());
        }
    }
    seeds.push([vec![3], STATES[0].encode()].concat());
    seeds
}

/// A text that loads is canonical and as good as one that was written here.
fn whole(bytes: &[u8]) {
    let Ok(mut text) = bounded(bytes.len(), || Text::decode(bytes)) else { return };
    text.check_invariants();
    assert_eq!(text.encode(), bytes, "a text has another encoding than the one accepted");
    let shown = text.to_string();
    let delta = text.delta_since(&VersionVector::new());
    assert!(
        text.join_with_patches(&delta).expect("nothing is missing").is_empty(),
        "a repeated delta changes a text"
    );
    assert_eq!(text.to_string(), shown);
    assert_eq!(
        text.text_at(&text.frontier()).as_deref(),
        Ok(&*shown),
        "a replay ends at another text"
    );
}

/// A delta is joined, or refused and changes nothing.
fn delta(mut text: Text, bytes: &[u8]) {
    let Ok(delta) = bounded(bytes.len(), || TextDelta::decode(bytes)) else { return };
    assert_eq!(delta.encode(), bytes, "a delta has another encoding than the one accepted");
    let (before, version) = (text.encode(), text.version().clone());
    match text.join(&delta) {
        Ok(_) => {
            assert!(text.version().dominates(&version), "a join forgets nothing");
            let joined = text.encode();
            assert_eq!(Text::decode(&joined).as_ref(), Ok(&text), "a joined text does not load");
            assert!(text.join(&delta).is_ok(), "a delta is refused the second time");
            assert_eq!(text.encode(), joined, "a delta changed something twice");
        }
        Err(_) => assert_eq!(text.encode(), before, "a refused delta changed the text"),
    }
    text.check_invariants();
}

/// An anchor that can be resolved lies within the text.
fn anchor(text: &Text, bytes: &[u8]) {
    let Some((anchor, _)) = decode::<Anchor>(bytes) else { return };
    if let Ok(at) = text.resolve(&anchor) {
        assert!(at <= text.len_chars(), "an anchor beyond the end");
    }
}

/// A text in three states: typed by one, edited by two at once, merged and edited again.
fn states() -> [Text; 3] {
    let [a, b, c] = replicas();
    let mut one = Text::new();
    let mut writer = one.writer(a);
    let _ = one.insert(0, "Grüße, 𝄞 world", &mut writer).expect("within the text");
    let _ = one.delete(1, 2, &mut writer).expect("within the text");
    let mut two = one.clone();
    let mut other = two.writer(b);
    let theirs = two.insert(1, "other", &mut other).expect("within the text");
    let _ = one.insert(1, "this", &mut writer).expect("within the text");
    one.join(&theirs).expect("nothing is missing");
    let mut three = one.clone();
    let mut third = three.writer(c);
    let _ = three.clear(&mut third).expect("there is room");
    let _ = three.insert(0, "anew", &mut third).expect("within the text");
    assert_eq!(three.frontier().len(), Frontier::default().len() + 1);
    [two, one, three]
}
