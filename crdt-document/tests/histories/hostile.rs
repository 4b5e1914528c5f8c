//! Bytes that no honest replica sends: damaged, cut, and mended so that only the checksum is
//! right. None may panic; one that is refused changes nothing; one that is taken leaves a
//! document that is whole.

use crdt_core::codec::checksum;
use crdt_core::laws::trials;
use crdt_document::{Document, ImportError};
use quickcheck::{Arbitrary, Gen};

use crate::script::{Script, World};
use crate::{cases, dump};

/// What is done to some bytes.
#[derive(Clone, Debug)]
enum Damage {
    Flip(u16, u8),
    Set(u16, u8),
    Cut(u16),
    Insert(u16, u8),
    Remove(u16, u8),
    Copy(u16, u16, u8),
}

impl Arbitrary for Damage {
    fn arbitrary(g: &mut Gen) -> Self {
        let (a, b) = (u16::arbitrary(g), u16::arbitrary(g));
        let byte = *g.choose(&[0, 1, 2, 3, 4, 7, 0x7f, 0x80, 0xff, b as u8]).unwrap();
        match u8::arbitrary(g) % 8 {
            0..2 => Self::Flip(a, byte % 8),
            2..4 => Self::Set(a, byte),
            4 => Self::Cut(a),
            5 => Self::Insert(a, byte),
            6 => Self::Remove(a, byte),
            _ => Self::Copy(a, b, byte),
        }
    }
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let len = bytes.len();
        match *self {
            Self::Flip(at, bit) => bytes[usize::from(at) % len] ^= 1 << bit,
            Self::Set(at, byte) => bytes[usize::from(at) % len] = byte,
            Self::Cut(at) => bytes.truncate(usize::from(at) % len),
            Self::Insert(at, byte) => bytes.insert(usize::from(at) % len, byte),
            Self::Remove(at, count) => {
                let at = usize::from(at) % len;
                bytes.drain(at..(at + usize::from(count % 8)).min(len));
            }
            Self::Copy(from, to, count) => {
                let from = usize::from(from) % len;
                let piece = bytes[from..(from + usize::from(count % 16)).min(len)].to_vec();
                let to = usize::from(to) % len;
                bytes.splice(to..to, piece);
            }
        }
    }
}

const CHECKSUM_LEN: usize = 4;
/// Magic, version and genesis: damage there is only a refusal.
const HEADER_LEN: usize = 4 + 1 + 16;

#[test]
fn damaged_bytes_are_refused_or_harmless() {
    fn law(script: Script, before: u8, damage: Vec<Damage>, whole: bool) -> bool {
        let world = World::play(&script);
        let bytes = world.docs[0].encode();
        let mut body = bytes[HEADER_LEN..bytes.len() - CHECKSUM_LEN].to_vec();
        damage.iter().take(4).for_each(|damage| damage.apply(&mut body));
        let mut damaged = bytes[..HEADER_LEN].to_vec();
        damaged.extend(body);
        damaged.extend(checksum(&damaged).to_le_bytes());

        // Into a document that has some of the changes already, or none.
        let mut doc = Document::reader();
        if !whole {
            let all = doc.decode_changes(&bytes).unwrap();
            let upto =
                all.headers().take(usize::from(before)).map(|run| (run.replica, run.last().seq));
            let (part, _) = all.clone().split_at(&upto.collect());
            let _ = doc.apply(part);
        }
        doc.drain_events();
        let (held, read) = (doc.encode(), dump_any(&doc));
        match doc.import(&damaged) {
            Ok(_) => {
                doc.check_invariants();
                let after = doc.encode();
                let again =
                    Document::decode(&after).expect("what was taken can be written and read");
                assert_eq!(again.encode(), after);
                assert_eq!(again.to_value(), doc.to_value());
            }
            Err(_) => {
                assert_eq!(doc.encode(), held, "a refused import changes nothing");
                assert_eq!(dump_any(&doc), read);
                assert!(doc.drain_events().is_empty());
                doc.check_invariants();
                // And the true bytes still fit.
                doc.import(&bytes).expect("the document is as it was");
                assert_eq!(doc.encode(), bytes);
            }
        }
        true
    }
    trials().quickcheck(law as fn(_, _, _, _) -> _);
}

/// The dump, or the plain value where damage has made kinds that cannot be read.
fn dump_any(doc: &Document) -> String {
    doc.to_value().to_string()
}

/// Without a mended checksum, no damage at all gets through.
#[test]
fn damage_is_noticed() {
    fn law(script: Script, damage: Vec<Damage>) -> bool {
        let world = World::play(&script);
        let bytes = world.docs[0].encode();
        let mut damaged = bytes.clone();
        damage.iter().take(4).for_each(|damage| damage.apply(&mut damaged));
        let mut doc = Document::reader();
        let result = doc.import(&damaged);
        damaged == bytes || matches!(result, Err(ImportError::Decode(_)))
    }
    trials().tests(cases() / 4).quickcheck(law as fn(_, _) -> _);
}

/// An event under a known dot with other content is an equivocation, however it comes.
#[test]
fn every_other_content_is_an_equivocation() {
    fn law(script: Script, other: Script) -> bool {
        let (ours, theirs) = (World::play(&script), World::play(&other));
        let mut doc = Document::decode(&ours.docs[0].encode()).unwrap();
        let before = (doc.encode(), dump(&doc));
        let foreign = theirs.docs[0].encode();
        let result = doc.import(&foreign);
        if result.is_err() {
            assert_eq!((doc.encode(), dump(&doc)), before);
        }
        // Changes of one replica are equal up to some point, and from there on different.
        let same_start = ours.docs[0].changes().all(|change| {
            theirs.docs[0].version().get(change.replica()) < change.dots.last
                || theirs.docs[0].changes().any(|theirs| theirs == change)
        });
        match result {
            Ok(_) => assert!(same_start),
            Err(ImportError::Equivocation { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        true
    }
    trials().quickcheck(law as fn(_, _) -> _);
}

/// One text is fine and another is not: nothing of the first may stay behind.
#[test]
fn a_bad_edit_takes_the_good_ones_with_it() {
    let mut source = Document::new(crate::script::id(0));
    let mut edit = |content: &str| {
        source
            .transact(|tx| {
                tx.text("a").insert(0, content)?;
                tx.counter("n").increment(1);
                tx.text("b").insert(0, content).map(drop)
            })
            .unwrap();
        source.encode()
    };
    let (before, bytes) = (edit("x"), edit("y"));
    let mut doc = Document::decode(&before).unwrap();
    let mut damaged = source.changes_since(doc.version());
    damaged.truncate(damaged.len() - CHECKSUM_LEN);
    // The stream of `b` is last: its kind, its position, its text.
    let position = damaged.len() - 2;
    assert_eq!(damaged[position..], [0, b'y']);
    damaged[position] = 10;
    damaged.extend(checksum(&damaged).to_le_bytes());
    let second = crdt_document::Dot::new(crate::script::id(0), 4);
    assert_eq!(doc.import(&damaged), Err(ImportError::InvalidChange(second)));
    doc.check_invariants();
    assert_eq!(doc.encode(), before);
    assert!(doc.drain_events().is_empty());
    doc.import(&bytes).expect("the document is as it was");
    assert_eq!(doc.encode(), bytes);
    assert_eq!(doc.to_string(), r#"{"a":"yx","b":"yx","n":2}"#);
}
