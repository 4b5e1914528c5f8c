//! What opening a saved document costs, in allocations; and files that are damaged, with and without
//! their checksums made good.

use allocation_counter::measure;
use crdt_core::codec::{Lengths, Packing, Reader, Writer, pack, seal};
use crdt_core::laws::trials;
use crdt_document::{Document, EditError, ReplicaId, SavedError};
use quickcheck::{Arbitrary, Gen};

const MAGIC: [u8; 4] = *b"CRDs";

/// A text of as many characters, by so many writers in turn, beside a counter and a set.
fn written(writers: u128, chars: u128) -> Result<Document, EditError> {
    let mut doc = Document::reader();
    doc.record_events(false);
    for char in 0..chars {
        // Few of one writer's in a row, and the first ones by all.
        doc.set_replica(ReplicaId::from_u128(1 + (char * 7919) % writers))?;
        doc.transact(|tx| {
            if char % 4096 == 0 {
                tx.counter("views").increment(1);
                tx.set("tags").add(char as i64);
            }
            tx.text("body").push("x").map(drop)
        })?;
    }
    Ok(doc)
}

#[test]
fn opening_takes_no_memory_for_each_writer() -> Result<(), EditError> {
    const CHARS: u128 = 1 << 17;
    let mut few = None;
    for writers in [10, 100_000] {
        let doc = written(writers, CHARS)?;
        assert_eq!(doc.version().len() as u128, writers);
        let saved = doc.save();
        let (bytes, mut opened) = (saved.clone(), None);
        let taken = measure(|| opened = Document::open(bytes).ok());
        let opened = opened.expect("just saved");
        assert_eq!(opened.text("body").len() as u128, CHARS);
        assert!(!opened.has_history());
        let (count, held) = (taken.count_total, taken.bytes_max);
        println!("{writers} writers, {} bytes: {count} allocations, {held} bytes", saved.len());
        let (few_count, few_held) = *few.get_or_insert((count, held));
        assert!(count <= 2 * few_count, "{count} allocations where there were {few_count}");
        assert!(held <= 2 * few_held, "{held} bytes where there were {few_held}");
    }
    Ok(())
}

#[test]
fn opening_and_waking_stay_within_the_bound() -> Result<(), EditError> {
    // What compresses best: one key, one letter, one place, again and again.
    let mut doc = Document::new(ReplicaId::from_u128(1));
    doc.record_events(false);
    for _ in 0..20_000 {
        doc.transact(|tx| {
            tx.root().set("k", 0);
            tx.text("t").insert(0, "aa")?.delete(0..1).map(drop)
        })?;
    }
    let saved = doc.save();
    let (bytes, mut opened) = (saved.clone(), None);
    let held = measure(|| opened = Document::open(bytes).ok()).bytes_max;
    let opened = opened.expect("just saved");
    let woken = measure(|| assert_eq!(opened.history(), Ok(()))).bytes_max;
    println!("{} bytes: {held} held when it was opened, {woken} for its history", saved.len());
    assert!(held <= (64 << 10) + 32 * saved.len() as u64, "{held} of {}", saved.len());
    // What counts is the input and what it inflates to: that of a history is eight times as much at most.
    assert!(woken <= (64 << 10) + 32 * 9 * saved.len() as u64, "{woken} of {}", saved.len());
    Ok(())
}

/// Edits of all kinds by some writers, one of whom may have trimmed the history.
#[derive(Clone, Debug)]
struct Edits {
    edits: Vec<(u8, u8)>,
    trimmed: Option<u8>,
}

impl Arbitrary for Edits {
    fn arbitrary(g: &mut Gen) -> Self {
        let edits = (0..usize::arbitrary(g) % 20).map(|_| Arbitrary::arbitrary(g)).collect();
        let trimmed = if bool::arbitrary(g) { Some(u8::arbitrary(g)) } else { None };
        Self { edits, trimmed }
    }
}

fn edit(doc: &mut Document, by: u128, what: u8) -> Result<(), EditError> {
    doc.set_replica(ReplicaId::from_u128(by))?;
    doc.transact(|tx| {
        let number = i64::from(what / 8 % 4);
        match what % 8 {
            0 => drop(tx.text("t").push("ab")?),
            1 => drop(tx.map("m").text("t").insert(0, "é")?),
            2 => {
                let len = tx.text("t").len();
                tx.text("t").delete(len / 2..len)?;
            }
            3 => drop(tx.root().set("k", number)),
            4 => drop(tx.set("s").add(number)),
            5 => drop(tx.set("s").remove(number)),
            6 if what & 0x80 != 0 => drop(tx.counter("c").increment(number)),
            6 => drop(tx.map("m").set("k", "v")),
            _ => drop(tx.root().remove("m")),
        }
        Ok(())
    })?;
    Ok(())
}

/// Two documents that edit in turn, and now and then hear of each other.
fn document(Edits { edits, trimmed }: &Edits) -> Document {
    let mut docs = [Document::reader(), Document::reader()];
    for (index, &(who, what)) in edits.iter().enumerate() {
        let side = usize::from(who & 1);
        edit(&mut docs[side], 1 + u128::from(who % 6), what).expect("a valid edit");
        if who & 0x40 != 0 {
            let bytes = docs[side].encode();
            docs[1 - side].import(&bytes).expect("nothing is missing");
        }
        if *trimmed == Some(index as u8 % 8) {
            let stable = docs[side].version().clone();
            let bytes = docs[1 - side].encode();
            docs[side].import(&bytes).expect("nothing is missing");
            docs[side].trim(&stable, |_| true).expect("no transaction is open");
            docs[1 - side] = Document::decode(&docs[side].encode()).expect("own bytes");
        }
    }
    let [doc, _] = docs;
    doc
}

/// The parts of a file, uncompressed.
struct Parts {
    /// Version, genesis.
    frame: Vec<u8>,
    /// 20 bytes for each.
    writers: Vec<u8>,
    snapshot: Vec<u8>,
    history: Vec<u8>,
}

impl Parts {
    fn of(file: &[u8]) -> Self {
        let mut input = Reader::new(&file[MAGIC.len()..file.len() - 4]);
        let mut read = || {
            let frame = input.take(17)?.to_vec();
            let count = input.count(20)?;
            let writers = input.take(20 * count)?.to_vec();
            let lengths = Lengths::read(Packing::Shown, &mut input)?;
            let snapshot = lengths.unpack(Packing::Shown, input.take(lengths.stored())?)?;
            let lengths = Lengths::read(Packing::Columns, &mut input)?;
            let history = lengths.unpack(Packing::Columns, input.take(lengths.stored())?)?;
            input.finish().map(|()| Self { frame, writers, snapshot, history })
        };
        read().expect("own bytes")
    }

    fn seal(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.raw(&self.frame);
        out.count(self.writers.len() / 20);
        out.raw(&self.writers);
        for (kind, raw) in [(Packing::Shown, &self.snapshot), (Packing::Columns, &self.history)] {
            let mut stored = Vec::new();
            pack(kind, raw, &mut stored).write(&mut out);
            out.raw(&stored);
        }
        seal(MAGIC, out.as_bytes())
    }

    /// Changes a part at a place.
    fn damage(&mut self, &(part, how, at, byte): &(u8, u8, u16, u8)) {
        let part = match part % 4 {
            0 => &mut self.writers,
            1 => &mut self.snapshot,
            _ => &mut self.history,
        };
        let at = usize::from(at) % part.len().max(1);
        match how % 8 {
            0..3 if at < part.len() => part[at] = part[at].wrapping_add(1 + byte % 4),
            3 | 4 if at < part.len() => part[at] = byte,
            5 => part.truncate(at),
            6 => part.insert(at, byte),
            7 if at < part.len() => drop(part.remove(at)),
            _ => {}
        }
    }
}

#[test]
fn taken_apart_and_put_together_it_is_the_same_file() {
    fn law(edits: Edits) -> bool {
        let saved = document(&edits).save();
        Parts::of(&saved).seal() == saved
    }
    trials().tests(100).quickcheck(law as fn(_) -> _);
}

/// What is made so that only the checksums are right is refused when it is opened; or its history is
/// refused when it is asked for, and the document stays what it showed; or it is another document.
#[test]
fn damaged_files_are_refused_or_canonical() {
    fn law(edits: Edits, damages: Vec<(u8, u8, u16, u8)>, later: Vec<(u8, u8)>) {
        let doc = document(&edits);
        let mut parts = Parts::of(&doc.save());
        damages.iter().take(2).for_each(|damage| parts.damage(damage));
        let damaged = parts.seal();
        let Ok(mut opened) = Document::open(&damaged[..]) else { return };
        opened.check_invariants();
        let shown = opened.to_value();
        if opened.history() == Ok(()) {
            assert_eq!(opened.to_value(), shown);
            let again = Document::decode(&opened.encode()).expect("own bytes");
            // Changes may stand in any order that causality allows.
            let again = Parts::of(&again.save());
            assert_eq!(again.writers, parts.writers, "another form than the one accepted");
            assert_eq!(again.snapshot, parts.snapshot, "another form than the one accepted");
        }
        // As it was opened, asleep: written on by whoever did or did not write before.
        let mut asleep = Document::open(&damaged[..]).expect("it was opened");
        for doc in [&mut opened, &mut asleep] {
            for &(who, what) in later.iter().take(4) {
                edit(doc, 1 + u128::from(who % 8), what).expect("a valid edit");
                doc.check_invariants();
            }
        }
        assert_eq!(opened.to_value(), asleep.to_value());
        assert_eq!(opened.history(), asleep.history());
        if opened.history() == Ok(()) {
            assert_eq!(opened.encode(), asleep.encode());
        }
        asleep.check_invariants();
        // Lost or not, it is a document.
        let lost = asleep.history().is_err();
        let again = asleep.save();
        let is_as_it_was = again == damaged;
        let again = Document::open(again).expect("own bytes");
        assert_eq!(again.to_value(), asleep.to_value());
        assert!(again.history() == Ok(()) || is_as_it_was);
        assert!(!lost || again.base().is_some(), "it begins with what was shown");
        // Nobody's changes bring it down.
        let _ = asleep.import(&doc.encode());
        asleep.check_invariants();
    }
    trials().quickcheck(law as fn(_, _, _));
}

#[test]
fn damage_is_noticed() -> Result<(), EditError> {
    let mut doc = Document::reader();
    for (who, what) in [(1, 0), (2, 3), (3, 4), (1, 1), (2, 7), (4, 0), (5, 0x86)] {
        edit(&mut doc, who, what)?;
    }
    let saved = doc.save();
    for bit in 0..8 * saved.len() {
        let mut damaged = saved.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let refused = Document::open(damaged).map(drop);
        assert!(matches!(refused, Err(SavedError::Decode(_))), "bit {bit}");
    }
    for len in 0..saved.len() {
        assert!(Document::open(&saved[..len]).is_err(), "{len} bytes");
    }
    Ok(())
}

/// A history that leads to something else than what is shown.
#[test]
fn what_does_not_fit_is_lost_and_the_document_goes_on() -> Result<(), Box<dyn std::error::Error>> {
    let write = |text: &str| -> Result<Document, EditError> {
        let mut doc = Document::new(ReplicaId::from_u128(1));
        doc.transact(|tx| tx.text("t").push(text).map(drop))?;
        Ok(doc)
    };
    let mut parts = Parts::of(&write("one")?.save());
    parts.history = Parts::of(&write("two")?.save()).history;
    let mut doc = Document::open(parts.seal())?;
    assert_eq!(doc.text("t"), "one");
    assert_eq!(doc.history(), Err(&SavedError::DoesNotFit));
    doc.set_replica(ReplicaId::from_u128(1))?;
    let numbers = doc.transact(|tx| tx.text("t").push("!").map(drop));
    assert_eq!((numbers, doc.version().get(ReplicaId::from_u128(1))), (Ok(()), 4));
    assert_eq!(doc.text("t"), "one!");
    assert!(doc.base().is_some(), "it begins with what was shown");
    assert_eq!(doc.history(), Err(&SavedError::DoesNotFit));
    let again = Document::open(doc.save())?;
    assert_eq!(again.history(), Ok(()));
    assert_eq!(again.text("t"), "one!");
    Ok(())
}

/// Whoever returns goes on after their last number, though nothing of theirs is in the base.
#[test]
fn a_returning_writer_goes_on_without_the_history() -> Result<(), Box<dyn std::error::Error>> {
    let mut doc = Document::reader();
    for (who, what) in [(1, 0), (2, 0), (3, 0)] {
        edit(&mut doc, who, what)?;
    }
    let mut opened = Document::open(doc.save())?;
    edit(&mut opened, 1, 0)?;
    edit(&mut opened, 4, 0)?;
    edit(&mut opened, 2, 2)?;
    assert!(!opened.has_history());
    for (who, what) in [(1, 0), (4, 0), (2, 2)] {
        edit(&mut doc, who, what)?;
    }
    assert_eq!(opened.encode(), doc.encode());
    // How far a counter of theirs may go is in the history.
    edit(&mut doc, 5, 0xf6)?;
    edit(&mut doc, 6, 0xf6)?;
    let mut opened = Document::open(doc.save())?;
    edit(&mut opened, 6, 0)?;
    assert!(!opened.has_history());
    edit(&mut opened, 5, 0)?;
    assert!(opened.has_history());
    Ok(())
}

/// What a transaction shows before it ends is no part of what is decoded meanwhile.
#[test]
fn an_open_transaction_has_no_part_in_the_history() -> Result<(), Box<dyn std::error::Error>> {
    let mut doc = Document::new(ReplicaId::from_u128(1));
    doc.transact(|tx| tx.text("t").push("one").map(drop))?;
    let saved = doc.save();
    let mut opened = Document::open(&saved[..])?;
    opened.set_replica(ReplicaId::from_u128(2))?;
    opened.begin()?;
    opened.transaction()?.text("t").push(" two")?;
    assert_eq!(opened.text("t"), "one two");
    assert_eq!(opened.encode(), doc.encode());
    assert_eq!(opened.save(), saved);
    assert_eq!(opened.version(), doc.version());
    opened.commit()?;
    assert_eq!(opened.version().len(), 2);
    let changes = opened.changes_since(doc.version());
    doc.import(&changes)?;
    assert_eq!(doc.text("t"), "one two");
    Ok(())
}

#[test]
fn an_opened_document_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Document>();
}
