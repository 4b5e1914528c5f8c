//! Documents that were saved and opened, beside those that were encoded and decoded: nothing that is
//! asked of them, in whatever order, tells them apart.

use crdt_causal::sync::{ChangeLog, SendTables};
use crdt_core::codec::Writer;
use crdt_core::laws::trials;
use crdt_document::{
    Anchor, Document, EditError, Frontier, Kind, Path, ReplicaId, Side, Transaction, VersionVector,
};
use quickcheck::{Arbitrary, Gen};

use crate::dump;
use crate::script::{REPLICAS, id, texts};
use crate::trimming::{Trimming, play};

/// What is done to both, or asked of both.
#[derive(Clone, Debug)]
enum Step {
    /// A writer, who may have written before, makes a transaction, which may fail in the end.
    Edit(u8, Vec<Deed>, bool),
    /// Changes of another replica, from the version that is held, or all of them.
    Import(u8, bool),
    /// Changes since a version that has some events of each.
    Since([u8; 4]),
    /// The bytes.
    Encode,
    /// Both are written and read again.
    Reopen,
    /// The version, the changes, what came when.
    History,
    /// Texts as they were, and places in them.
    Texts,
    /// What a session asks.
    Session([u8; 4], u8),
    /// History is dropped, as far as some events of each.
    Trim([u8; 4], bool),
}

/// An edit: where, of what kind, and what.
#[derive(Clone, Debug)]
struct Deed {
    keys: Vec<bool>,
    kind: u8,
    what: u8,
    number: u8,
}

impl Arbitrary for Deed {
    fn arbitrary(g: &mut Gen) -> Self {
        let depth = 1 + usize::arbitrary(g) % 3;
        Self {
            keys: (0..depth).map(|_| bool::arbitrary(g)).collect(),
            kind: u8::arbitrary(g) % 4,
            what: u8::arbitrary(g) % 8,
            number: u8::arbitrary(g),
        }
    }
}

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Self {
        let some = |g: &mut Gen| std::array::from_fn(|_| u8::arbitrary(g) % 24);
        match u8::arbitrary(g) % 16 {
            0..7 => {
                let deeds = (0..1 + u8::arbitrary(g) % 3).map(|_| Deed::arbitrary(g)).collect();
                Self::Edit(u8::arbitrary(g), deeds, u8::arbitrary(g) % 8 == 0)
            }
            7 | 8 => Self::Import(u8::arbitrary(g), bool::arbitrary(g)),
            9 => Self::Since(some(g)),
            10 => Self::Encode,
            11 => Self::Reopen,
            12 => Self::History,
            13 => Self::Texts,
            14 => Self::Session(some(g), u8::arbitrary(g)),
            _ => Self::Trim(some(g), bool::arbitrary(g)),
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match self.clone() {
            Self::Edit(who, deeds, fails) => {
                Box::new(deeds.shrink().map(move |deeds| Self::Edit(who, deeds, fails)))
            }
            _ => quickcheck::empty_shrinker(),
        }
    }
}

fn perform(tx: &mut Transaction<'_>, deed: &Deed) -> Result<(), EditError> {
    let keys: Vec<&str> = deed.keys.iter().map(|&b| if b { "b" } else { "a" }).collect();
    let (last, above) = keys.split_last().expect("one key at least");
    let map = above.iter().fold(Path::root(), |path, key| path.map(key));
    let path = map.clone().step(last, crate::KINDS[usize::from(deed.kind)]);
    let number = i64::from(deed.number % 5);
    match (path.kind(), deed.what) {
        (Kind::Map, 0..4) => drop(tx.at_map(map).set(last, number)),
        (Kind::Map, 4 | 5) => drop(tx.at_map(map).remove(last)),
        (Kind::Map, 6) => drop(tx.at_map(map).clear()),
        (Kind::Map, _) => drop(tx.at_map(path).create()),
        (Kind::Set, 0..4) => drop(tx.at_set(path).add(number)),
        (Kind::Set, 4 | 5) => drop(tx.at_set(path).remove(number)),
        (Kind::Set, 6) => drop(tx.at_set(path).clear()),
        (Kind::Set, _) => drop(tx.at_set(path).create()),
        (Kind::Counter, 0..6) => drop(tx.at_counter(path).increment(number - 2)),
        (Kind::Counter, 6) => drop(tx.at_counter(path).reset()),
        (Kind::Counter, _) => drop(tx.at_counter(path).create()),
        (_, 0..4) => {
            let mut text = tx.at_text(path);
            let at = usize::from(deed.number) % (text.len() + 1);
            text.insert(at, if deed.number.is_multiple_of(3) { "né" } else { "x" })?;
        }
        (_, 4 | 5) => {
            let mut text = tx.at_text(path);
            let at = usize::from(deed.number) % (text.len() + 1);
            let end = (at + 2).min(text.len());
            text.delete(at..end)?;
        }
        (_, 6) => drop(tx.at_text(path).clear()),
        _ => drop(tx.at_text(path).create()),
    }
    Ok(())
}

/// One document as it was decoded, and as it was opened.
struct Pair {
    decoded: Document,
    opened: Document,
    /// Versions that there were, and places in texts.
    versions: Vec<Frontier>,
    anchors: Vec<(Path, Anchor)>,
}

impl Pair {
    fn of(source: &Document) -> Self {
        let (decoded, opened) = (decode(source), open(source));
        let mut pair = Self { decoded, opened, versions: Vec::new(), anchors: Vec::new() };
        pair.versions = pair.decoded.changes().map(|change| change.parents).collect();
        pair
    }

    /// The same of both, in the one that was opened first.
    fn both<T: PartialEq + std::fmt::Debug>(&mut self, ask: impl Fn(&mut Document) -> T) -> T {
        let opened = ask(&mut self.opened);
        assert_eq!(opened, ask(&mut self.decoded));
        opened
    }

    fn step(&mut self, step: &Step, others: &[Document]) {
        match step {
            Step::Edit(who, deeds, fails) => {
                // One in three has never written.
                let new = ReplicaId::from_u128(50 + u128::from(*who) % 3);
                let old = id(usize::from(*who) % REPLICAS);
                // Who was forgotten must not write again.
                let may = self.decoded.version().get(old) > 0 || self.decoded.base().is_none();
                let who = if who % 3 == 0 || !may { new } else { old };
                self.both(|doc| {
                    doc.set_replica(who)?;
                    doc.transact(|tx| {
                        deeds.iter().try_for_each(|deed| perform(tx, deed))?;
                        if *fails { Err(EditError::NoReplica) } else { Ok(()) }
                    })
                })
                .ok();
            }
            Step::Import(from, whole) => {
                let from = &others[usize::from(*from) % others.len()];
                self.both(|doc| {
                    let bytes =
                        if *whole { from.encode() } else { from.changes_since(doc.version()) };
                    doc.import(&bytes)
                })
                .ok();
            }
            Step::Since(some) => drop(self.both(|doc| doc.changes_since(&cut(some)))),
            Step::Encode => {
                self.both(|doc| doc.encode());
                self.both(|doc| doc.save());
            }
            Step::Reopen => {
                self.opened = open(&self.opened);
                self.decoded = decode(&self.decoded);
            }
            Step::History => {
                self.both(|doc| doc.version().clone());
                assert!(self.opened.has_history());
                let mut versions = self.versions.iter();
                assert!(versions.all(|v| self.opened.version_of(v) == self.decoded.version_of(v)));
                let of = |doc: &Document| doc.changes().map(|c| (c.dots, c.parents)).collect();
                let [mut opened, mut decoded]: [Vec<_>; 2] = [of(&self.opened), of(&self.decoded)];
                opened.sort_by_key(|(dots, _)| dots.to_string());
                decoded.sort_by_key(|(dots, _)| dots.to_string());
                assert_eq!(opened, decoded);
                self.both(|doc| doc.base().cloned());
            }
            Step::Texts => self.look_back(),
            Step::Session(some, bytes_max) => self.session(&cut(some), usize::from(*bytes_max)),
            Step::Trim(some, all) => {
                let stable =
                    if *all { self.decoded.version().clone() } else { closed(&self.decoded, some) };
                self.both(|doc| doc.trim(&stable, |_| true)).expect("no transaction is open");
            }
        }
    }

    fn look_back(&self) {
        for path in every_text() {
            for version in &self.versions {
                let [opened, decoded] =
                    [&self.opened, &self.decoded].map(|doc| doc.text_at(&path).at(version));
                assert_eq!(opened, decoded, "{path} at {version:?}");
            }
        }
        for (path, anchor) in &self.anchors {
            let [opened, decoded] =
                [&self.opened, &self.decoded].map(|doc| doc.text_at(path).resolve(anchor));
            assert_eq!(opened, decoded, "{anchor:?} in {path}");
        }
    }

    fn session(&mut self, known: &VersionVector, bytes_max: usize) {
        let (versions, known) = (self.versions.clone(), self.decoded.closed(known.clone()));
        self.both(|doc| {
            let version = ChangeLog::version(doc).clone();
            let mut out = Writer::new();
            let tables = &mut SendTables::new();
            let sent = doc.encode_changes(&known, &version, bytes_max, tables, &mut out);
            let chains: Vec<_> =
                version.iter().map(|(id, seq)| doc.chain(crdt_core::Dot::new(id, seq))).collect();
            let knows: Vec<bool> = versions.iter().map(|frontier| doc.knows(frontier)).collect();
            let frontier = doc.frontier_of(&known);
            let serves = doc.serves(&known);
            (sent.clone(), out.into_bytes(), doc.follows(&sent), chains, knows, frontier, serves)
        });
    }

    fn check(&mut self) {
        self.opened.check_invariants();
        self.decoded.check_invariants();
        assert_eq!(dump(&self.opened), dump(&self.decoded));
        assert_eq!(sorted(texts(&self.opened)), sorted(texts(&self.decoded)));
        assert_eq!(self.opened.to_value(), self.decoded.to_value());
        assert_eq!(self.opened.frontier(), self.decoded.frontier());
        assert_eq!(self.opened.len(), self.decoded.len());
        // Which container comes first is not the same.
        self.both(|doc| {
            sorted(doc.drain_events().iter().map(|event| format!("{event:?}")).collect())
        });
        self.versions.push(self.decoded.frontier());
        for (path, text) in texts(&self.decoded) {
            let side = if text.len() % 2 == 0 { Side::Before } else { Side::After };
            let anchor = self.decoded.text_at(&path).anchor(text.len() / 2, side).unwrap();
            assert_eq!(
                self.opened.text_at(&path).anchor(text.len() / 2, side).as_ref(),
                Ok(&anchor)
            );
            self.anchors.push((path, anchor));
        }
    }
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list
}

fn every_text() -> Vec<Path> {
    let names = |path: Path| ["a", "b"].map(|name| path.clone().text(name));
    let mut all = names(Path::root()).to_vec();
    for key in ["a", "b"] {
        let map = Path::root().map(key);
        all.extend(names(map.clone()));
        for key in ["a", "b"] {
            all.extend(names(map.clone().map(key)));
        }
    }
    all
}

fn cut(some: &[u8; 4]) -> VersionVector {
    (0..REPLICAS).map(|replica| (id(replica), u64::from(some[replica]))).collect()
}

/// The past of some events that are held: what can be stable.
fn closed(doc: &Document, some: &[u8; 4]) -> VersionVector {
    let mut held = cut(some);
    held.meet(doc.version());
    doc.closed(held)
}

fn decode(doc: &Document) -> Document {
    Document::decode(&doc.encode()).expect("own bytes")
}

/// Saves and opens, which is the identity, and shows everything without its history.
fn open(doc: &Document) -> Document {
    let bytes = doc.save();
    let opened = Document::open(&bytes[..]).expect("own bytes");
    assert_eq!(opened.has_history(), doc.is_empty());
    assert_eq!(opened.save(), bytes, "opening and saving is the identity");
    assert_eq!(dump(&opened), dump(doc));
    assert_eq!((opened.frontier(), opened.len()), (doc.frontier(), doc.len()));
    assert_eq!(opened.has_history(), doc.is_empty(), "what is shown needs no history");
    opened
}

#[test]
fn an_opened_document_is_the_decoded_one() {
    fn law(trimming: Trimming, who: u8, trimmed: bool, steps: Vec<Step>) {
        let (world, small) = play(&trimming);
        let docs = if trimmed { small } else { world.docs };
        let mut pair = Pair::of(&docs[usize::from(who) % REPLICAS]);
        pair.check();
        for step in steps.iter().take(12) {
            pair.step(step, &docs);
            pair.check();
        }
        pair.look_back();
        pair.both(|doc| doc.encode());
        pair.both(|doc| doc.save());
        assert_eq!(pair.opened.history(), Ok(()));
    }
    trials().quickcheck(law as fn(_, _, _, _));
}
