//! `Text`: saved texts, deltas, anchors. What is checked by a checksum gets a valid one, so
//! that mutations reach behind it.

use std::sync::LazyLock;

use crdt_core::codec::{Writer, checksum, seal};
use crdt_core::sequence::{Anchor, Side, Text, TextDelta};
use crdt_core::{Frontier, VersionVector};

use super::replicas;
use crate::memory::bounded;
use crate::values::{decode, encode};

const DELTA: [u8; 4] = *b"cTxD";

/// What deltas and anchors meet.
static STATES: LazyLock<[Text; 3]> = LazyLock::new(states);

/// The first byte chooses what the rest is, and the text that it meets.
pub fn run(bytes: &[u8]) {
    let Some((&choice, body)) = bytes.split_first() else { return };
    let text = &STATES[usize::from(choice >> 2) % 3];
    match choice % 4 {
        0 => whole(&saved(body)),
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
    let whole = |text: &Text| text.encode().expect("it was not loaded");
    let mut seeds = vec![[vec![3], whole(&Text::new())].concat()];
    for (index, text) in (0u8..).zip(&*STATES) {
        seeds.push([vec![3], whole(text)].concat());
        let delta = text.delta_since(STATES[0].version()).expect("it was not loaded");
        seeds.push([vec![1], body(&delta.encode())].concat());
        for (gap, side) in [(0, Side::Before), (3, Side::After)] {
            let anchor = text.anchor(gap, side).expect("within the text");
            seeds.push([vec![2 | index << 2], encode(&anchor)].concat());
        }
    }
    // Someone typed "ab" and deleted the "a".
    seeds.push(b"\x00\x01b\x01\x03\x07\x01\x05\x03\x08\x01\x00\x03\x01a".to_vec());
    // Someone typed "a", and another, who saw it, "b" behind it.
    let two = b"\x00\x02ab\x02\x01\x04\x01\x04\x00\x00\x00\x01\x07\x01\x06\x01\x00\x02\x00\x02\x00";
    seeds.push(two.to_vec());
    seeds
}

/// A saved text with valid checksums, whose streams are stored as they are: the shown text, how
/// many wrote, and for each how many events and two streams, each with its length first.
fn saved(mut body: &[u8]) -> Vec<u8> {
    fn byte(body: &mut &[u8]) -> u8 {
        let (&first, rest) = body.split_first().unwrap_or((&0, &[]));
        *body = rest;
        first
    }
    fn stream<'b>(body: &mut &'b [u8]) -> &'b [u8] {
        let len = usize::from(byte(body)).min(body.len());
        let (stream, rest) = body.split_at(len);
        *body = rest;
        stream
    }
    fn lengths(stream: &[u8], out: &mut Writer) {
        out.count(stream.len());
        out.count(0);
    }
    let text = stream(&mut body);
    let authors: Vec<(u64, [&[u8]; 2])> = (0..byte(&mut body) % 4)
        .map(|_| (u64::from(byte(&mut body)), [stream(&mut body), stream(&mut body)]))
        .collect();
    let mut out = Writer::new();
    out.raw(b"cTxt");
    out.u8(1);
    out.count(authors.len());
    for ((last, _), id) in authors.iter().zip(1u128..) {
        out.raw(&id.to_be_bytes());
        out.varint(*last);
    }
    // The last one has seen the others, which most mutations leave so.
    out.count(usize::from(!authors.is_empty()));
    if let Some(last) = authors.len().checked_sub(1) {
        out.count(last);
    }
    lengths(text, &mut out);
    out.raw(text);
    for (_, [columns, deleted]) in &authors {
        lengths(columns, &mut out);
        lengths(deleted, &mut out);
        out.raw(&checksum(&[*columns, *deleted].concat()).to_le_bytes());
    }
    let sum = checksum(out.as_bytes());
    out.raw(&sum.to_le_bytes());
    authors.iter().flat_map(|(_, streams)| streams).for_each(|stream| out.raw(stream));
    out.into_bytes()
}

/// A text that loads can be written on and saved; one whose history is sound is canonical, and
/// as good as one that was written here.
fn whole(bytes: &[u8]) {
    let Ok(loaded) = bounded(bytes.len(), || Text::decode(bytes)) else { return };
    loaded.check_invariants();
    let shown = loaded.to_string();
    let mut written = loaded.clone();
    let mut writer = written.writer(replicas()[2]);
    let typed = written.insert(0, "x", &mut writer).expect("there is room");
    let mut text = loaded;
    if text.load_history().is_err() {
        assert_eq!(text.to_string(), shown, "a broken history changed a text");
        return;
    }
    text.check_invariants();
    let again = text.encode().expect("the history is at hand");
    assert_eq!(Text::decode(&again).as_ref(), Ok(&text), "a saved text does not load");
    assert_eq!(
        Text::import(&again).and_then(|text| text.encode()).as_ref(),
        Ok(&again),
        "a text has two forms"
    );
    let delta = text.delta_since(&VersionVector::new()).expect("the history is at hand");
    assert!(
        text.join_with_patches(&delta).expect("nothing is missing").is_empty(),
        "a repeated delta changes a text"
    );
    assert_eq!(text.to_string(), shown);
    text.join(&typed).expect("it follows what is known");
    written.load_history().expect("it is the same history");
    assert_eq!(written.encode(), text.encode(), "writing before or after makes a difference");
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
            let loaded = joined.as_ref().map(|bytes| Text::import(bytes));
            assert_eq!(loaded, Ok(Ok(text.clone())), "a joined text does not load");
            assert!(text.join(&delta).is_ok(), "a delta is refused the second time");
            assert_eq!(text.encode(), joined, "a delta changed something twice");
        }
        Err(_) => assert_eq!(text.encode(), before, "a refused delta changed the text"),
    }
    text.check_invariants();
}

#[test]
fn files_made_by_hand_are_sound() {
    let made: Vec<_> = seeds().into_iter().filter(|seed| seed[0] == 0).collect();
    let texts =
        made.iter().map(|seed| Text::import(&saved(&seed[1..])).expect("sound").to_string());
    assert_eq!(texts.collect::<Vec<_>>(), ["b", "ab"]);
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
