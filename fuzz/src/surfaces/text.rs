//! `Text`: saved texts, deltas, anchors. What is checked by a checksum gets a valid one, so
//! that mutations reach behind it.

use std::sync::LazyLock;

use crdt_core::codec::{Writer, checksum, seal};
use crdt_core::sequence::{Anchor, ImportError, SavedHistory, Side, Text, TextDelta};
use crdt_core::{Frontier, VersionVector};

use super::replicas;
use crate::memory::bounded;
use crate::values::{decode, encode};

const DELTA: [u8; 4] = *b"cTxD";

/// From here on, the first byte says that a saved text begins with a base.
const BEGINS_WITH_A_BASE: u8 = 0x80;

/// What deltas and anchors meet.
static STATES: LazyLock<[Text; 4]> = LazyLock::new(states);

/// The first byte chooses what the rest is, and the text that it meets.
pub fn run(bytes: &[u8]) {
    let Some((&choice, body)) = bytes.split_first() else { return };
    let text = &STATES[usize::from(choice >> 2) % 4];
    match choice % 4 {
        0 => whole(&saved(body, choice >= BEGINS_WITH_A_BASE)),
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
        let known = text.base().map_or(STATES[0].version(), |base| base.writers());
        let delta = text.delta_since(known).expect("nobody has trimmed that");
        seeds.push([vec![1], body(&delta.encode())].concat());
        let state = text.encode_with(SavedHistory::Nothing).expect("it was not loaded");
        seeds.push([vec![3], state].concat());
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
    // Two wrote "ab" before the cut; one of them deleted the "a", and another typed "c".
    let trimmed = b"\x80\x02bc\x01\x02\x02\x02\x01\x00\x00\x00\x01\x01\x04\x01\x04\x01\x00\x01a\
        \x01\x01\x07\x01\x06\x01\x01\x04\x00\x02\x00";
    seeds.push(trimmed.to_vec());
    seeds
}

/// A saved text with valid checksums, whose streams are stored as they are: the shown text, what it
/// begins with, how many wrote, and for each how many events and two streams, each with its length
/// first. The base is how many have written, the Lamport time, the length, which of them are heads, and
/// for each a sequence number and what the others have too.
fn saved(mut body: &[u8], has_base: bool) -> Vec<u8> {
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
    let mut out = Writer::new();
    out.raw(b"cTxt");
    out.u8(1 + u8::from(has_base));
    let (mut ids, mut streams) = (1u128.., Vec::new());
    let mut id = || ids.next().expect("there are more").to_be_bytes();
    let mut all = 0;
    if has_base {
        let (writers, lamport) = (1 + usize::from(byte(&mut body) % 3), byte(&mut body));
        let (length, heads) = (byte(&mut body), byte(&mut body));
        out.count(writers);
        for _ in 0..writers {
            let (trimmed, since) = (byte(&mut body), byte(&mut body));
            out.raw(&id());
            out.varint(trimmed.into());
            out.varint(since.into());
            let both = [stream(&mut body), stream(&mut body)];
            streams.extend((since > 0).then_some(both));
        }
        let heads: Vec<usize> = (0..8).filter(|number| heads & 1 << number != 0).collect();
        out.count(heads.len());
        heads.iter().for_each(|&number| out.count(number));
        out.varint(lamport.into());
        out.varint(length.into());
        all += writers;
    }
    let newcomers = usize::from(byte(&mut body) % 4);
    out.count(newcomers);
    for _ in 0..newcomers {
        out.raw(&id());
        out.varint(byte(&mut body).into());
        streams.push([stream(&mut body), stream(&mut body)]);
    }
    all += newcomers;
    // The last one has seen the others, which most mutations leave so.
    out.count(usize::from(all > 0));
    if let Some(last) = all.checked_sub(1) {
        out.count(last);
    }
    lengths(text, &mut out);
    out.raw(text);
    for [columns, deleted] in &streams {
        lengths(columns, &mut out);
        lengths(deleted, &mut out);
        out.raw(&checksum(&[*columns, *deleted].concat()).to_le_bytes());
    }
    let sum = checksum(out.as_bytes());
    out.raw(&sum.to_le_bytes());
    streams.iter().flatten().for_each(|stream| out.raw(stream));
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
    let known = text.base().map_or(VersionVector::new(), |base| base.writers().clone());
    let delta = text.delta_since(&known).expect("the history is at hand");
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
    let mut straight = text.clone();
    let imported = straight.join_encoded(bytes);
    let joined = text.join(&delta);
    assert_eq!(imported, joined.clone().map_err(ImportError::Join), "bytes are refused otherwise");
    assert_eq!(straight, text, "a delta's bytes are taken in otherwise");
    straight.check_invariants();
    match joined {
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
    let made: Vec<_> = seeds().into_iter().filter(|seed| seed[0] & 0x7f == 0).collect();
    let texts = made.iter().map(|seed| {
        let text = Text::import(&saved(&seed[1..], seed[0] >= BEGINS_WITH_A_BASE));
        text.expect("sound").to_string()
    });
    assert_eq!(texts.collect::<Vec<_>>(), ["b", "ab", "bc"]);
}

/// An anchor that can be resolved lies within the text.
fn anchor(text: &Text, bytes: &[u8]) {
    let Some((anchor, _)) = decode::<Anchor>(bytes) else { return };
    if let Ok(at) = text.resolve(&anchor) {
        assert!(at <= text.len_chars(), "an anchor beyond the end");
    }
}

/// A text in four states: typed by one, edited by two at once, merged and edited again, and that
/// without what came before.
fn states() -> [Text; 4] {
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
    let mut four = three.clone();
    assert!(four.trim(one.version(), |_| false).expect("it was not loaded") > 0);
    [two, one, three, four]
}
