//! Scripts of edits and partial syncs, and a world that plays them.

use std::collections::{BTreeMap, BTreeSet};

use crdt_document::{
    Document, EditError, ImportError, Kind, Path, ReplicaId, Transaction, VersionVector,
};
use quickcheck::{Arbitrary, Gen};

use crate::dump;
use crate::model::{At, Do, Model, child};

/// What happens, in order.
#[derive(Clone, Debug)]
pub(crate) struct Script(pub(crate) Vec<Step>);

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A replica makes a transaction; it fails in the end if the flag is set.
    Edit(u8, Vec<Edit>, bool),
    /// One replica learns everything another knows.
    Pull(u8, u8),
    /// One replica learns what another knows of some changes only: a cut for each replica.
    PullPart(u8, u8, [u8; 4]),
    /// One replica reads the whole document of another, known or not.
    PullWhole(u8, u8),
    /// A replica is saved and loaded.
    Reload(u8),
}

/// An edit: where, and what with numbers that pick among what is possible there.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    keys: Vec<bool>,
    kind: u8,
    what: u8,
    number: u8,
    len: u8,
}

impl Arbitrary for Edit {
    fn arbitrary(g: &mut Gen) -> Self {
        let depth = 1 + usize::arbitrary(g) % 3;
        Self {
            keys: (0..depth).map(|_| bool::arbitrary(g)).collect(),
            kind: u8::arbitrary(g) % 4,
            what: u8::arbitrary(g) % 16,
            number: u8::arbitrary(g),
            len: u8::arbitrary(g) % 4,
        }
    }
}

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Self {
        let (a, b) = (u8::arbitrary(g), u8::arbitrary(g));
        match u8::arbitrary(g) % 16 {
            0..8 => {
                let edits = (0..1 + u8::arbitrary(g) % 4).map(|_| Edit::arbitrary(g)).collect();
                Self::Edit(a, edits, u8::arbitrary(g) % 8 == 0)
            }
            8..12 => Self::Pull(a, b),
            12..14 => Self::PullPart(a, b, std::array::from_fn(|_| u8::arbitrary(g) % 24)),
            14 => Self::PullWhole(a, b),
            _ => Self::Reload(a),
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        let Self::Edit(replica, edits, fails) = self.clone() else {
            return quickcheck::empty_shrinker();
        };
        let fewer = (0..edits.len()).filter(move |_| edits.len() > 1).map({
            let Self::Edit(_, edits, _) = self.clone() else { unreachable!() };
            move |skipped| {
                let mut fewer = edits.clone();
                fewer.remove(skipped);
                Self::Edit(replica, fewer, fails)
            }
        });
        Box::new(fewer)
    }
}

impl Arbitrary for Script {
    fn arbitrary(g: &mut Gen) -> Self {
        let steps = usize::arbitrary(g) % 28;
        Self((0..steps).map(|_| Step::arbitrary(g)).collect())
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        Box::new(self.0.shrink().map(Self))
    }
}

/// Documents with their model.
pub(crate) struct World {
    pub(crate) docs: Vec<Document>,
    pub(crate) model: Model,
    next_char: u32,
    /// Texts as they were seen at some time: what stands before what never changes.
    seen: Vec<(Path, Vec<char>)>,
}

pub(crate) const REPLICAS: usize = 4;

pub(crate) fn id(replica: usize) -> ReplicaId {
    // Not in the order of the numbers of the replicas, so that ties are seen to be broken by id.
    ReplicaId::from_u128([40, 10, 30, 20][replica])
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            docs: (0..REPLICAS).map(|replica| Document::new(id(replica))).collect(),
            model: Model::new(REPLICAS),
            next_char: 0,
            seen: Vec::new(),
        }
    }

    /// Plays a script, comparing with the model after each step, and then lets everyone
    /// learn everything.
    pub(crate) fn play(script: &Script) -> Self {
        let mut world = Self::new();
        for step in &script.0 {
            world.step(step);
        }
        world.settle();
        world
    }

    pub(crate) fn settle(&mut self) {
        for _ in 0..2 {
            for to in 0..REPLICAS {
                for from in 0..REPLICAS {
                    self.pull(to, from);
                }
            }
        }
        let bytes = self.docs[0].encode();
        let value = self.docs[0].to_value();
        for replica in 0..REPLICAS {
            assert_eq!(self.docs[replica].encode(), bytes, "equal events have equal bytes");
            assert_eq!(self.docs[replica].to_value(), value);
        }
        self.check_text_order();
    }

    pub(crate) fn step(&mut self, step: &Step) {
        let replica = match step {
            Step::Edit(replica, edits, fails) => {
                let replica = usize::from(*replica) % REPLICAS;
                self.edit(replica, edits, *fails);
                replica
            }
            Step::Pull(to, from) => {
                let (to, from) = (usize::from(*to) % REPLICAS, usize::from(*from) % REPLICAS);
                self.pull(to, from);
                to
            }
            Step::PullPart(to, from, cuts) => {
                let (to, from) = (usize::from(*to) % REPLICAS, usize::from(*from) % REPLICAS);
                self.pull_part(to, from, cuts);
                to
            }
            Step::PullWhole(to, from) => {
                let (to, from) = (usize::from(*to) % REPLICAS, usize::from(*from) % REPLICAS);
                let bytes = self.docs[from].encode();
                self.docs[to].import(&bytes).expect("a whole document misses nothing");
                self.learn_all(to, from);
                to
            }
            Step::Reload(replica) => {
                let replica = usize::from(*replica) % REPLICAS;
                let bytes = self.docs[replica].encode();
                self.docs[replica] = Document::decode(&bytes).expect("own bytes");
                assert_eq!(
                    self.docs[replica].encode(),
                    bytes,
                    "loading and saving is the identity"
                );
                self.docs[replica].set_replica(id(replica)).unwrap();
                replica
            }
        };
        self.docs[replica].check_invariants();
        assert_eq!(dump(&self.docs[replica]), self.model.dump(replica), "as the model has it");
        self.look(replica);
    }

    fn pull(&mut self, to: usize, from: usize) {
        let bytes = self.docs[from].changes_since(self.docs[to].version());
        let imported = self.docs[to].import(&bytes).expect("nothing is missing");
        assert_eq!(imported.new, imported.covered, "only what is new was sent");
        self.learn_all(to, from);
    }

    fn learn_all(&mut self, to: usize, from: usize) {
        let known = self.model.known[from].clone();
        self.model.known[to].extend(known);
    }

    /// Takes a part of what another one knows; where that has gaps it is refused whole.
    fn pull_part(&mut self, to: usize, from: usize, cuts: &[u8; 4]) {
        let bytes = self.docs[from].changes_since(&VersionVector::new());
        let all = self.docs[to].decode_changes(&bytes).expect("own bytes");
        let upto: VersionVector =
            (0..REPLICAS).map(|replica| (id(replica), u64::from(cuts[replica]))).collect();
        let (part, mut rest) = all.split_at(&upto);
        let (before, events) = (self.docs[to].encode(), self.docs[to].events().count());
        match self.docs[to].apply(part.clone()) {
            Ok(imported) => {
                let taken: BTreeSet<(ReplicaId, u64)> = imported
                    .covered
                    .iter()
                    .flat_map(|range| (range.first..=range.last).map(|seq| (range.replica, seq)))
                    .collect();
                let mut count = [0u64; REPLICAS];
                for (number, event) in self.model.events.iter().enumerate() {
                    count[event.replica] += 1;
                    if taken.contains(&(id(event.replica), count[event.replica])) {
                        self.model.known[to].insert(number);
                    }
                }
            }
            Err(ImportError::Missing(ranges)) => {
                assert!(!ranges.is_empty());
                assert_eq!(self.docs[to].encode(), before, "a refused import changes nothing");
                assert_eq!(self.docs[to].events().count(), events);
                // With the rest put back it is complete, whatever the order and twice over.
                rest.append(part.clone());
                rest.append(part);
                self.docs[to].apply(rest).expect("the whole misses nothing");
                self.learn_all(to, from);
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn edit(&mut self, replica: usize, edits: &[Edit], fails: bool) {
        let known_before = self.model.known[replica].clone();
        let events_before = self.model.events.len();
        let (before, waiting) = (self.docs[replica].encode(), self.docs[replica].events().count());
        let read = dump(&self.docs[replica]);
        let Self { docs, model, next_char, .. } = self;
        let result = docs[replica].transact(|tx| {
            for edit in edits {
                perform(tx, model, replica, edit, next_char)?;
            }
            if fails { Err(EditError::NoReplica) } else { Ok(()) }
        });
        if fails {
            assert_eq!(result, Err(EditError::NoReplica));
            self.model.events.truncate(events_before);
            self.model.known[replica] = known_before;
            assert_eq!(self.docs[replica].encode(), before, "a failed transaction changes nothing");
            assert_eq!(self.docs[replica].events().count(), waiting);
            assert_eq!(dump(&self.docs[replica]), read);
        } else {
            result.expect("only possible edits are made");
            let own = self.model.events.iter().filter(|event| event.replica == replica).count();
            assert_eq!(self.docs[replica].version().get(id(replica)), own as u64);
        }
    }

    fn look(&mut self, replica: usize) {
        for (path, text) in texts(&self.docs[replica]) {
            self.seen.push((path, text));
        }
    }

    /// Every two characters stand in the order in which anyone has ever seen them.
    fn check_text_order(&self) {
        let last: BTreeMap<Path, Vec<char>> = texts(&self.docs[0]).into_iter().collect();
        for (path, seen) in &self.seen {
            let Some(text) = last.get(path) else { continue };
            let seen: Vec<char> = seen.iter().filter(|char| text.contains(char)).copied().collect();
            let now: Vec<char> = text.iter().filter(|char| seen.contains(char)).copied().collect();
            assert_eq!(seen, now, "the order of characters never changes");
        }
    }
}

pub(crate) fn texts(doc: &Document) -> Vec<(Path, Vec<char>)> {
    fn gather(map: crdt_document::MapView<'_>, path: &Path, out: &mut Vec<(Path, Vec<char>)>) {
        for (key, view) in map.containers() {
            match view {
                crdt_document::View::Map(map) => gather(map, &path.clone().map(key), out),
                crdt_document::View::Text(text) => {
                    out.push((path.clone().text(key), text.chars().collect()));
                }
                _ => {}
            }
        }
    }
    let mut out = Vec::new();
    gather(doc.root(), &Path::root(), &mut out);
    out
}

/// Makes an edit in the document and, if it is not one without effect, in the model.
fn perform(
    tx: &mut Transaction<'_>,
    model: &mut Model,
    replica: usize,
    edit: &Edit,
    next_char: &mut u32,
) -> Result<(), EditError> {
    let keys: Vec<&str> = edit.keys.iter().map(|&b| if b { "b" } else { "a" }).collect();
    let (last, above) = keys.split_last().expect("one key at least");
    let (mut path, mut at) = (Path::root(), At::new());
    for key in above {
        path = path.map(key);
        at = child(&at, key, Kind::Map);
    }
    let kind = crate::KINDS[usize::from(edit.kind)];
    let number = i64::from(edit.number % 4);
    // A third of the edits are of the map itself.
    if edit.what < 6 {
        let mut map = tx.at_map(path);
        match edit.what {
            0..3 => {
                map.set(last, number);
                model.make(replica, at, Do::Set((*last).into(), number));
            }
            3..5 => {
                let something = model.contains(replica, &at, last);
                map.remove(last);
                if something {
                    model.make(replica, at, Do::Remove((*last).into()));
                }
            }
            _ => {
                let key = above.len() > 1 || edit.number.is_multiple_of(4);
                let something = ["a", "b"].iter().any(|key| model.contains(replica, &at, key));
                if key {
                    map.clear();
                    if something {
                        model.make(replica, at, Do::Clear);
                    }
                }
            }
        }
        return Ok(());
    }
    let here = child(&at, last, kind);
    let path = path.step(last, kind);
    if edit.what == 6 {
        let parent_sees = model.visible(replica);
        let create = Do::Create((*last).into(), kind);
        let created = parent_sees.iter().any(|item| item.at == at && item.what == create);
        match kind {
            Kind::Map => drop(tx.at_map(path).create()),
            Kind::Set => drop(tx.at_set(path).create()),
            Kind::Counter => drop(tx.at_counter(path).create()),
            _ => drop(tx.at_text(path).create()),
        }
        if !created {
            model.make(replica, at, create);
        }
        return Ok(());
    }
    let clears = edit.what == 7;
    let inside: Vec<Do> = model
        .visible(replica)
        .iter()
        .filter(|item| item.at == here)
        .map(|item| item.what.clone())
        .collect();
    match kind {
        Kind::Map => {
            tx.at_map(path).set("a", number);
            model.make(replica, here, Do::Set("a".into(), number));
        }
        Kind::Set => {
            let mut set = tx.at_set(path);
            if clears {
                set.clear();
                if !inside.is_empty() {
                    model.make(replica, here, Do::Clear);
                }
            } else if edit.what < 12 {
                set.add(number);
                model.make(replica, here, Do::Add(number));
            } else {
                set.remove(number);
                if inside.contains(&Do::Add(number)) {
                    model.make(replica, here, Do::Discard(number));
                }
            }
        }
        Kind::Counter => {
            let mut counter = tx.at_counter(path);
            if clears {
                counter.reset();
                if !inside.is_empty() {
                    model.make(replica, here, Do::Clear);
                }
            } else {
                counter.increment(number - 2);
                if number != 2 {
                    model.make(replica, here, Do::Increment(number - 2));
                }
            }
        }
        _ => {
            let mut text = tx.at_text(path);
            let chars: Vec<char> = text.view().chars().collect();
            if clears {
                text.clear();
                if !inside.is_empty() {
                    model.make(replica, here, Do::Clear);
                }
            } else if edit.what < 12 || chars.is_empty() {
                let place = usize::from(edit.number) % (chars.len() + 1);
                let new: Vec<char> = (0..edit.len)
                    .map(|_| {
                        *next_char += 1;
                        // Every other character has two UTF-16 units.
                        let plane = if next_char.is_multiple_of(2) { 0x1F300 } else { 0x4E00 };
                        char::from_u32(plane + *next_char).expect("a character")
                    })
                    .collect();
                text.insert(place, &new.iter().collect::<String>())?;
                for char in new {
                    model.make(replica, here.clone(), Do::Insert(char));
                }
            } else {
                let start = usize::from(edit.number) % chars.len();
                let end = (start + usize::from(edit.len)).min(chars.len());
                text.delete(start..end)?;
                for char in &chars[start..end] {
                    model.make(replica, here.clone(), Do::Delete(*char));
                }
            }
        }
    }
    Ok(())
}
